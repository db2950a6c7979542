"""Runs the quick tests on the version of python that the functions run on, where there is one here.

What is served on AWS is what that version makes: of its standard library, of pydantic, of the API's
published document. Where there is no such interpreter, two lines say that it was left out; where
the tests run on that version anyway, one says so.
"""

from __future__ import annotations

import subprocess
import sys

from infra.package import RUNTIME_VERSION, runtime_python
from local.environment import ROOT, RUNTIME

(ENVIRONMENT,) = RUNTIME
NAME = f"python{'.'.join(map(str, RUNTIME_VERSION))}"


def main(tests: list[str]) -> int:
    """Make the environment and run pytest with these arguments in it; the exit status."""
    if sys.version_info[:2] == RUNTIME_VERSION:
        print(f"runtime: all tests run on {NAME} already, which the functions run on")
        return 0
    python = runtime_python()
    if python is None:
        print(f"runtime: NOT RUN on {NAME}, which the functions run on: it is not on this machine")
        print("runtime: install it, or set TANDEM_PYTHON313 to its path")
        return 0
    made = subprocess.run([python, "-m", "local.environment", "--runtime"], cwd=ROOT, check=False)
    if made.returncode:
        return made.returncode
    print(f"runtime: the quick tests on {NAME}", flush=True)
    program = [str(ROOT / ENVIRONMENT / "bin/python"), "-m", "pytest", *tests]
    return subprocess.run(program, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
