"""Makes the virtual environments, from hashes, with the standard library alone.

`.venv` is made in two stages: what the demo needs (packaging, the front, the `tandem` command), and
on it what tests and gates need. `.venv-local` holds the emulator, which pins a botocore of its own.
Each stage has a stamp of what it was made from: a second run installs nothing, and an environment
with a stale stamp is made again from nothing. Runs under any python3, to say in one line that it is
too old.

Neighbour: installing.py runs pip and says how far it is.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from local.installing import InstallFailedError, Progress, install

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
OWN = ".venv"
"""the environment that our own command is put into"""
DEMO = {OWN: ["requirements-demo.txt"], ".venv-local": ["requirements-local.txt"]}
EVERYTHING = {
    OWN: ["requirements-demo.txt", "requirements-dev.txt"],
    ".venv-local": ["requirements-local.txt"],
}


# For the interpreter that the functions run on, where this machine has it: local/runtime.py.
RUNTIME = {".venv-runtime": ["requirements-demo.txt", "requirements-dev.txt"]}


class EnvironmentFailedError(Exception):
    """An environment could not be made; the message says what to do."""


def make(name: str, *stages: str) -> None:
    """Make the environment `name` of these requirements, or what is missing of it."""
    make_all({name: list(stages)})


def make_all(environments: dict[str, list[str]]) -> None:
    """Make several at once. What is up to date is left alone, and nothing is said of it."""
    with _alone():
        incomplete = [name for name, stages in environments.items() if _missing(name, stages)]
        if not incomplete:
            return
        with Progress() as progress, ThreadPoolExecutor() as pool:
            try:
                list(pool.map(lambda name: _make(name, environments[name], progress), incomplete))
            except InstallFailedError as error:
                raise EnvironmentFailedError(str(error)) from error


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: the next one finds made what the first has made."""
    directory = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _missing(name: str, stages: list[str]) -> list[str]:
    """The stages that still have to be installed."""
    return [stage for stage in stages if not _is_current(name, stages, stage)]


def _make(name: str, stages: list[str], progress: Progress) -> None:
    home = ROOT / name
    missing = _missing(name, stages)
    installing = progress.begin(name, home, ROOT / stages[-1])
    if stages[0] in missing or any(_stamp(name, stage).exists() for stage in missing):
        missing = stages  # from nothing: what was installed for other requirements would stay
        _create(home)
    for stage in missing:
        install(installing, "--require-hashes", "-r", str(ROOT / stage))
        if name == OWN and stage == stages[0]:
            install(installing, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        _stamp(name, stage).write_text(_digest(stages, stage))
    installing.end()


def _create(home: Path) -> None:
    try:
        venv.create(home, with_pip=True, clear=True)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(home, ignore_errors=True)
        raise EnvironmentFailedError(
            "this python cannot make virtual environments: install python3-venv"
        ) from error


def _stamp(name: str, stage: str) -> Path:
    return ROOT / name / (Path(stage).stem + ".stamp")


def _is_current(name: str, stages: list[str], stage: str) -> bool:
    stamp = _stamp(name, stage)
    return stamp.is_file() and stamp.read_text() == _digest(stages, stage)


def _digest(stages: list[str], stage: str) -> str:
    """Of everything an environment is made from, up to and with `stage`."""
    digest = hashlib.sha256(sys.version.encode())
    for each in stages[: stages.index(stage) + 1]:
        digest.update((ROOT / each).read_bytes())
    return digest.hexdigest()


def main() -> int:
    """Make what is missing; the exit status."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        print(
            f"python 3.11 or later is needed, this is {found}: say PYTHON=/path/to/python3",
            file=sys.stderr,
        )
        return 1
    parser = argparse.ArgumentParser(prog="environment.py")
    parser.add_argument("--demo", action="store_true", help="only what the demo needs")
    parser.add_argument("--runtime", action="store_true", help="that of this very interpreter")
    options = parser.parse_args()
    try:
        make_all(RUNTIME if options.runtime else DEMO if options.demo else EVERYTHING)
    except EnvironmentFailedError as error:
        print(f"the environments could not be made: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
