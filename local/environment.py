"""Makes the virtual environments, from hashes, with the standard library alone.

`.venv` holds what tests, gates, packaging and the front need, and the `tandem` command;
`.venv-local` holds the emulator, which pins a botocore of its own. Each has a stamp of what it was
made from: a second run installs nothing. Runs under any python3, to say in one line that it is too
old.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
ENVIRONMENTS = {".venv": "requirements-dev.txt", ".venv-local": "requirements-local.txt"}


class EnvironmentFailedError(Exception):
    """An environment could not be made; the message says what to do."""


def make(name: str, requirements: str) -> None:
    """Make the environment `name` unless its stamp says it is up to date."""
    home = ROOT / name
    stamp = home / "stamp"
    digest = hashlib.sha256(sys.version.encode() + (ROOT / requirements).read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    print(f"making {name} from {requirements} (once, about a minute)", flush=True)
    try:
        venv.create(home, with_pip=True, clear=True)
    except subprocess.CalledProcessError as error:
        raise EnvironmentFailedError(
            "this python cannot make virtual environments: install python3-venv"
        ) from error
    pip = [
        str(home / "bin/python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    run([*pip, "--require-hashes", "-r", requirements])
    if name == ".venv":
        run([*pip, "--no-deps", "--no-build-isolation", "--editable", "."])
    stamp.write_text(digest)


def run(command: list[str]) -> None:
    """Run pip; its last words are the reason when it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentFailedError(done.stderr.strip()[-2000:])


def main() -> int:
    """Make what is missing; the exit status."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        print(
            f"python 3.11 or later is needed, this is {found}: say PYTHON=/path/to/python3",
            file=sys.stderr,
        )
        return 1
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(make, ENVIRONMENTS, ENVIRONMENTS.values()))
    except EnvironmentFailedError as error:
        print(f"the environments could not be made: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
