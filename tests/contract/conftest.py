"""Each port twice, in memory and on AWS as moto has it, under one suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.adapters.clients import Clients
from chalicelib.services.ports import Repository
from tests.contract.aws import mocked_clients, new_table
from tests.fakes.indexed import IndexedRepository
from tests.fakes.repository import MemoryRepository

BOTH = ("memory", "aws")


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """Clients of an AWS with nothing in it."""
    with mocked_clients() as clients:
        yield clients


@pytest.fixture(params=(*BOTH, "indexed"))
def repository(request: pytest.FixtureRequest) -> Repository:
    """The table, empty."""
    if request.param != "aws":
        return IndexedRepository() if request.param == "indexed" else MemoryRepository()
    return new_table(request.getfixturevalue("clients"))
