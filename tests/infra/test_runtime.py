"""The gate runs the quick tests on the functions' Python too, or says that it could not."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from infra.package import ROOT
from local import runtime

Ran = list[list[str]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """What was run, without running it; the tests' own Python is another one."""
    commands: Ran = []

    def run(command: list[str], **_: Any) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=3 if "pytest" in command else 0)

    monkeypatch.setattr(runtime, "subprocess", SimpleNamespace(run=run))
    monkeypatch.setattr(runtime, "sys", SimpleNamespace(version_info=(3, 11, 7)))
    return commands


def test_the_tests_run_in_an_environment_of_the_functions_python(
    ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "runtime_python", lambda: "/opt/python3.13")
    assert runtime.main(["tests/api"]) == 3
    made, tested = ran
    assert made == ["/opt/python3.13", "-m", "local.environment", "--runtime"]
    assert tested == [str(ROOT / ".venv-runtime/bin/python"), "-m", "pytest", "tests/api"]


def test_that_there_is_no_such_python_is_said_and_no_failure(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtime, "runtime_python", lambda: None)
    assert runtime.main(["tests/api"]) == 0
    assert "NOT RUN on python3.13" in capsys.readouterr().out
    assert ran == []


def test_tests_that_run_on_it_anyway_do_not_run_twice(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtime, "sys", SimpleNamespace(version_info=(3, 13, 0)))
    assert runtime.main([]) == 0
    assert "already" in capsys.readouterr().out
    assert ran == []


def test_the_gate_runs_them() -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "-m local.runtime" in shown
