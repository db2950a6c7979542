"""Brings the pinned versions up to date: every requirements*.txt from its .in, and the npm locks.

Pins hold hashes and no address of an index or registry: each machine uses its own. Nothing is
installed; `make env` does that afterwards, because the pins have changed. What was upgraded is
printed, and is for a person to judge: run `make test`.

Neighbours: environment.py and node.py install what is pinned here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from local.environment import OLDEST
from local.node import HOME

ROOT: Final = Path(__file__).resolve().parent.parent
# A file comes after those that its .in names with -c: what runs on Lambda is decided first.
REQUIREMENTS: Final = (
    "requirements",
    "requirements-lists",
    "requirements-wallets",
    "requirements-pgp",
    "requirements-demo",
    "requirements-dev",
    "requirements-local",
    "requirements-bench",
    "requirements-survival",
    "requirements-client",
    "requirements-node",
)
LOCK: Final = "package-lock.json"
LOCKED: Final = (".", "bench/exchange")  # folders with a lock
_PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)
_ADDRESS = re.compile(r"https?://|--(?:extra-)?index-url|--find-links")


class UpgradeError(Exception):
    """The pins could not be made; the message says why."""


def compile_pins(root: Path, name: str) -> None:
    """Write `{name}.txt` from `{name}.in`, with the newest versions that it allows."""
    python = ".".join(map(str, OLDEST))
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--upgrade"]
    how = ["--universal", "--python-version", python, "--generate-hashes", "--no-header"]
    # An address would be that of this machine's index.
    where = ["--no-emit-index-url", "--no-emit-find-links"]
    run([*uv, *how, *where, f"{name}.in", "--output-file", f"{name}.txt"], root)


def lock_modules(root: Path) -> None:
    """Write the npm locks again; package.json names the version of each package itself."""
    npm = [str(HOME / "bin" / "npm"), "update", "--package-lock-only", "--ignore-scripts"]
    for folder in LOCKED:
        run([*npm, "--loglevel=error"], root / folder)


def run(command: list[str], root: Path) -> None:
    """Run a tool in `root`; its last words are the reason when it fails."""
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UpgradeError(done.stderr.strip()[-2000:])


def pins(root: Path) -> dict[tuple[str, str], str]:
    """Every pinned version, by file and package."""
    return {
        (name, package): version
        for name in REQUIREMENTS
        for package, version in _PIN.findall((root / f"{name}.txt").read_text())
    }


def addresses(root: Path) -> list[str]:
    """The lines of the pins that hold an address, which none may."""
    found = []
    for lock in (Path(folder, LOCK) for folder in LOCKED):
        locked = (root / lock).read_text().splitlines()
        found += [f"{lock}: {line.strip()}" for line in locked if '"resolved"' in line]
    for name in REQUIREMENTS:
        lines = (root / f"{name}.txt").read_text().splitlines()
        found += [f"{name}.txt: {line.strip()}" for line in lines if _ADDRESS.search(line)]
    return found


def upgrade(root: Path) -> list[str]:
    """Upgrade all pins under `root`; returns a line for each version that has changed."""
    before = pins(root)
    for name in REQUIREMENTS:
        compile_pins(root, name)
    lock_modules(root)
    if leaked := addresses(root):
        raise UpgradeError("\n".join(["pins hold addresses:", *leaked]))
    now = pins(root)
    changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    return [
        f"{name}.txt: {package} {before.get((name, package), 'new')}"
        f" → {now.get((name, package), 'gone')}"
        for name, package in changed
    ]


def main() -> int:
    """Upgrade this tree, or the one named; the exit status."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    try:
        for line in upgrade(root):
            print(line)
    except UpgradeError as error:
        print(f"the pins could not be upgraded: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
