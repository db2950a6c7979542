"""The unit tests of the page scripts, run by node's own test runner: one file, one test here.

They cover what needs no browser. Pages in a browser are tests/browser; types are checked by
`make lint`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.node import make_node

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.test.js"))


@pytest.fixture(scope="module")
def node() -> Path:
    return make_node()


def run_tests(node: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [node, "--test", "--test-reporter=spec", *files]
    return subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.js"))
def test_page_scripts(node: Path, file: Path) -> None:
    done = run_tests(node, file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_failing_test_of_a_script_fails_here(node: Path, tmp_path: Path) -> None:
    failing = tmp_path / "failing.test.mjs"
    failing.write_text("import { test } from 'node:test';\ntest('it', () => { throw 1; });\n")
    assert run_tests(node, failing).returncode != 0
