"""Runs the quick tests on the version of python that the functions run on, where there is one here.

What is served on AWS is what that version makes: of its standard library, of pydantic, of the API's
published document. Where there is no such interpreter, one line says that it was left out.
"""

from __future__ import annotations

import subprocess
import sys

from infra.package import runtime_python
from local.environment import ROOT, RUNTIME

(ENVIRONMENT,) = RUNTIME


def main(tests: list[str]) -> int:
    """Make the environment and run pytest with these arguments in it; the exit status."""
    python = runtime_python()
    if python is None:
        print("not run on python3.13, which the functions run on: it is not on this machine")
        return 0
    made = subprocess.run([python, "-m", "local.environment", "--runtime"], cwd=ROOT, check=False)
    if made.returncode:
        return made.returncode
    program = [str(ROOT / ENVIRONMENT / "bin/python"), "-m", "pytest", *tests]
    return subprocess.run(program, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
