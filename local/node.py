"""Makes node and the type checker of the page scripts, from hashes.

Node is a wheel, in an environment of its own (`.venv-node`) that lint and tests need and running
the pages does not; the reader's own node is never used. Node's package manager then installs what
package-lock.json names (TypeScript) into `node_modules/`. Each is made once, and again when its
file changes.

Neighbours: environment.py makes the environments; tests/web runs the unit tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

from local.environment import EnvironmentFailedError, make

ROOT: Final = Path(__file__).resolve().parent.parent
HOME: Final = ROOT / ".venv-node"
NODE: Final = HOME / "bin" / "node"
MODULES: Final = ROOT / "node_modules"


def make_node() -> Path:
    """Make node unless it is up to date; returns its path. Raises `EnvironmentFailedError`.

    Test processes that start at once may all call it: one makes it, the others wait.
    """
    with (ROOT / ".venv" / "node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make(HOME.name, "requirements-node.txt")
    return NODE


def make_modules(folder: Path = ROOT) -> None:
    """Install the folder's package-lock.json unless its `node_modules/` is up to date; needs node.

    Raises `EnvironmentFailedError`.
    """
    stamp = folder / MODULES.name / "stamp"
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    done = subprocess.run(
        [HOME / "bin" / "npm", "ci", "--ignore-scripts", "--loglevel=error"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EnvironmentFailedError(done.stderr.strip()[-2000:])
    stamp.write_text(digest)


def main() -> int:
    """Make both; the exit status."""
    try:
        make_node()
        make_modules()
    except EnvironmentFailedError as error:
        print(f"node could not be made: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
