"""The unit tests of the page scripts, run by node's own test runner: one file, one test here.

They cover what needs no browser. Pages in a browser are tests/browser; types are checked by
`make lint`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from infra.page_texts import LANGUAGES, page_texts
from local.node import make_node

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.test.js"))


@pytest.fixture(scope="module")
def node() -> Path:
    return make_node()


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The texts of each language, as catalogues.js reads them."""
    folder = tmp_path_factory.mktemp("texts")
    for name in LANGUAGES:
        content = json.dumps(page_texts(name))
        (folder / f"{name}.json").write_text(content, encoding="utf-8")
    return folder


def run_tests(node: Path, texts: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [node, "--test", "--test-reporter=spec", *files]
    return subprocess.run(
        command,
        cwd=HERE,
        env={**os.environ, "TANDEM_TEXTS": str(texts)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.js"))
def test_page_scripts(node: Path, texts: Path, file: Path) -> None:
    done = run_tests(node, texts, file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_failing_test_of_a_script_fails_here(node: Path, tmp_path: Path) -> None:
    failing = tmp_path / "failing.test.mjs"
    failing.write_text("import { test } from 'node:test';\ntest('it', () => { throw 1; });\n")
    assert run_tests(node, tmp_path, failing).returncode != 0
