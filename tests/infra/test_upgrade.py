"""Pins name versions and hashes, and never an address of somebody's index."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from local.upgrade import LOCK, LOCKED, REQUIREMENTS, ROOT, addresses, pins


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of everything that is pinned."""
    for file in (*ROOT.glob("requirements*.*"), *(ROOT / folder / LOCK for folder in LOCKED)):
        copy = tmp_path / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return tmp_path


def test_every_list_of_requirements_is_upgraded() -> None:
    assert {file.stem for file in ROOT.glob("requirements*.in")} == set(REQUIREMENTS)
    assert {name for name, _ in pins(ROOT)} == set(REQUIREMENTS)


def test_no_pin_holds_an_address() -> None:
    assert addresses(ROOT) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://index.example/simple",
        "--extra-index-url=file:///srv/simple",
        "--find-links /srv/wheels",
        "idna @ https://files.example/idna.whl",
    ],
)
def test_an_address_in_a_pin_is_found(copied: Path, line: str) -> None:
    file = copied / "requirements.txt"
    file.write_text(f"{line}\n{file.read_text()}")
    assert addresses(copied) == [f"requirements.txt: {line}"]


def test_every_npm_lock_is_upgraded() -> None:
    made = {"build", "node_modules"}  # by npm, from the others
    locks = {lock for depth in ("", "*/", "*/*/") for lock in ROOT.glob(f"{depth}{LOCK}")}
    own = {lock for lock in locks if made.isdisjoint(lock.relative_to(ROOT).parts)}
    assert own == {ROOT / folder / LOCK for folder in LOCKED}


@pytest.mark.parametrize("folder", LOCKED)
def test_an_address_in_an_npm_lock_is_found(copied: Path, folder: str) -> None:
    (copied / folder / LOCK).write_text(
        '  "resolved": "https://registry.example/typescript.tgz",\n'
    )
    assert len(addresses(copied)) == 1
