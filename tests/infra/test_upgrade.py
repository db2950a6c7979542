"""Pins name versions and hashes, and never an address of somebody's index."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from local.upgrade import LOCK, REQUIREMENTS, ROOT, addresses, pins


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of everything that is pinned."""
    for file in (*ROOT.glob("requirements*.*"), ROOT / LOCK):
        shutil.copy(file, tmp_path)
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


def test_an_address_in_the_npm_lock_is_found(copied: Path) -> None:
    (copied / LOCK).write_text('  "resolved": "https://registry.example/typescript.tgz",\n')
    assert len(addresses(copied)) == 1
