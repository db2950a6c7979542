"""Tests of one group run one after the other in one process: they share a stack, or a port."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import os, pathlib, pytest

@pytest.mark.xdist_group("shared")
@pytest.mark.parametrize("number", range(12))
def test_of_a_group(number):
    with pathlib.Path(__file__).with_name("workers").open("a") as file:
        print(os.environ["PYTEST_XDIST_WORKER"], file=file)

@pytest.mark.parametrize("number", range(12))
def test_of_none(number):
    pass
"""


@pytest.mark.slow
def test_a_group_is_run_by_one_worker(tmp_path: Path) -> None:
    (tmp_path / "test_grouped.py").write_text(TESTS, encoding="utf-8")
    command = ["-m", "pytest", "--quiet", "--numprocesses", "2", "--dist", "loadgroup"]
    done = subprocess.run(
        [sys.executable, *command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    workers = (tmp_path / "workers").read_text(encoding="utf-8").split()
    assert (len(workers), len(set(workers))) == (12, 1)
