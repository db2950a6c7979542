"""The environments are made in stages, from hashes, once; progress is shown."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import threading
import venv
import zipfile
from io import StringIO
from pathlib import Path

import pip
import pytest

from infra.package import ROOT
from local import environment, installing
from local.environment import EnvironmentFailedError, make, make_all
from local.installing import Progress, reason

pytestmark = pytest.mark.xdist_group("environment")

create = venv.create
DEMO, DEV, OTHER = "requirements-demo.txt", "requirements-dev.txt", "requirements-local.txt"


def wheel(folder: Path, name: str, version: str = "1.0") -> str:
    """A package that holds one module; the line of a requirements file for it."""
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"version = {version!r}\n")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        archive.writestr(f"{info}/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{name}=={version} --hash=sha256:{digest}\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with requirements of its own, whose packages are beside it and nowhere else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (tmp_path / DEMO).write_text(wheel(wheels, "alpha") + wheel(wheels, "beta"))
    (tmp_path / DEV).write_text((tmp_path / DEMO).read_text() + wheel(wheels, "gamma"))
    (tmp_path / OTHER).write_text(wheel(wheels, "delta"))
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "OWN", "none of these")  # nothing here is put in editable
    # Not the time it takes to install pip first: it is found beside the environments.
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip/pip").symlink_to(Path(pip.__file__).parent)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "pip"))
    monkeypatch.setattr(
        venv, "create", lambda home, **options: create(home, **{**options, "with_pip": False})
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return tmp_path


def modules(home: Path) -> set[str]:
    """Which of the packages above are installed there."""
    found = home.glob("lib*/python3*/site-packages/*.py")
    return {path.stem for path in found} & {"alpha", "beta", "gamma", "delta"}


def touched(home: Path) -> float:
    """When the environment was made."""
    return (home / "pyvenv.cfg").stat().st_mtime_ns


def test_the_demo_gets_its_own_set_the_tests_add_theirs_and_what_nothing_requires_goes(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tree / ".venv"
    make(".venv", DEMO)
    assert modules(home) == {"alpha", "beta"}
    made = touched(home)
    make(".venv", DEMO, DEV)
    assert modules(home) == {"alpha", "beta", "gamma"}
    assert touched(home) == made  # added to, not made again
    with monkeypatch.context() as patched:
        patched.setattr(environment, "install", None)  # a call of it fails
        make(".venv", DEMO)
    (tree / DEV).write_text((tree / DEMO).read_text())
    make(".venv", DEMO, DEV)
    assert modules(home) == {"alpha", "beta"}


@pytest.mark.usefixtures("tree")
def test_a_second_start_installs_nothing_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environments = {".venv": [DEMO], ".venv-local": [OTHER]}
    make_all(environments)
    said = capsys.readouterr().out
    assert ".venv: complete" in said
    assert ".venv-local: complete" in said
    monkeypatch.setattr(environment, "install", None)  # a call of it fails
    make_all(environments)
    assert capsys.readouterr().out == ""


def test_a_hash_that_does_not_match_is_one_line_and_leaves_no_stamp(tree: Path) -> None:
    (tree / DEMO).write_text(f"alpha==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(EnvironmentFailedError) as failed:
        make(".venv", DEMO)
    assert "\n" not in str(failed.value)
    assert not list((tree / ".venv").glob("*.stamp"))


def test_a_package_that_is_nowhere_is_one_line_that_names_it(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / DEMO).write_text(f"epsilon==1.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(environment, "DEMO", {".venv": [DEMO]})
    monkeypatch.setattr(sys, "argv", ["environment.py", "--demo"])
    assert environment.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("the environments could not be made: ")
    assert "epsilon" in line


@pytest.mark.usefixtures("tree")
def test_a_python_that_makes_no_environments_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, "ensurepip")

    monkeypatch.setattr(venv, "create", failing)
    with pytest.raises(EnvironmentFailedError, match="install python3-venv"):
        make(".venv", DEMO)


def test_a_python_that_is_too_old_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert environment.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "python 3.11 or later is needed, this is 3.9: say PYTHON=/path/to/python3"


@pytest.mark.parametrize("target", ["env", "demo", "test", "package"])
def test_a_python_that_is_missing_is_one_line(target: str) -> None:
    done = subprocess.run(
        ["make", "--silent", target, "PYTHON=/nowhere/python3"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},  # without what a make above this one has set
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    missing = "make: /nowhere/python3 is missing: install python 3.11 or later"
    assert said == [f"{missing}, or say PYTHON=/path/to/python3"]


def test_the_demo_needs_no_tool_of_the_tests() -> None:
    demo, dev = ((ROOT / name).read_text() for name in (DEMO, DEV))
    for tool in ("awscli", "moto", "mypy", "playwright", "pytest", "ruff"):
        assert f"\n{tool}==" in dev
        assert f"\n{tool}==" not in demo


def test_both_sets_name_the_same_versions() -> None:
    """Or the second stage would undo what the first has installed."""
    demo, dev = (
        set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.MULTILINE))
        for name in (DEMO, DEV)
    )
    assert demo
    assert demo <= dev


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def watched(to: StringIO, monkeypatch: pytest.MonkeyPatch, home: Path, enough: str) -> str:
    """What is reported of one environment until `enough` has been said."""
    said = threading.Event()
    write = to.write

    def writing(text: str) -> int:
        if enough in text:
            said.set()
        return write(text)

    monkeypatch.setattr(to, "write", writing)
    monkeypatch.setattr(installing, "REPEAT_S", 0.01)
    monkeypatch.setattr(installing, "REFRESH_S", 0.01)
    requirements = home / "requirements.txt"
    requirements.write_text(
        "one==1 \\\n    --hash=sha256:0\n    # via x==y\ntwo-b[x]==2 ; x == 'y'\n"
    )
    with Progress(to) as progress:
        one = progress.begin(".venv", home, requirements)
        one.found = 1
        assert said.wait(10)
        one.end()
    return to.getvalue()


def test_without_a_terminal_a_line_is_printed_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = watched(StringIO(), monkeypatch, tmp_path, "fetched 1 of 2").splitlines()
    assert lines[0] == "Installing packages, once; a second start installs nothing."
    assert "  .venv: fetched 1 of 2 · 0 s" in lines
    assert lines[-1].startswith("  .venv: complete, ")
    assert not any("\r" in line or "\033" in line for line in lines)


def test_on_a_terminal_one_line_is_kept_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = watched(Terminal(), monkeypatch, tmp_path, "fetched 1 of 2")
    assert "\r  .venv: fetched 1 of 2 · 0 s\033[K" in said
    assert said.count("\n") == 2


def test_packages_in_place_are_counted(tmp_path: Path) -> None:
    site = tmp_path / "lib/python3.11/site-packages"
    for name in ("pip", "setuptools", "alpha", "beta"):
        (site / f"{name}-1.0.dist-info").mkdir(parents=True)
    one = installing.Installing(".venv", tmp_path, total=9, found=9, placing=True)
    assert one.words() == ".venv: installed 4 of 9"


def test_the_reason_of_a_failure_is_the_last_error_in_one_line() -> None:
    said = [
        "Collecting a",
        "ERROR: Could not find a version of a",
        "ERROR: No match for a",
        "",
        "x",
    ]
    assert reason(said) == "No match for a"
    assert reason(["No module named pip", ""]) == "No module named pip"
    assert reason([]) == "pip printed nothing"
