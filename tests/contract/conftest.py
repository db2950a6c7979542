"""Each port twice, in memory and on AWS as moto has it, under one suite; the repository also on the
table that simulations run on.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from boto3.session import Session

from chalicelib.adapters.clients import Clients
from chalicelib.services.ports import Repository
from tests.contract.aws import REGION, mocked_clients, new_table
from tests.fakes.indexed import IndexedRepository
from tests.fakes.ports import SettableClock
from tests.fakes.repository import MemoryRepository
from tests.simulation.dynamodb import Table
from tests.simulation.wire import Network

BOTH = ("memory", "aws")
REPOSITORIES = (*BOTH, "indexed", "simulated")


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """Clients of an AWS with nothing in it."""
    with mocked_clients() as clients:
        yield clients


@pytest.fixture(scope="module")
def simulated() -> Iterator[tuple[Network, Clients]]:
    """Clients of the table that simulations run on."""
    with mocked_clients():
        session = Session("testing", "testing", region_name=REGION)
        network = Network(Table())
        network.attach(session)
        yield network, Clients(session)


@pytest.fixture
def clock() -> SettableClock:
    """The clock of the table."""
    return SettableClock()


@pytest.fixture(params=REPOSITORIES)
def repository(request: pytest.FixtureRequest, clock: SettableClock) -> Repository:
    """The table, empty."""
    if request.param == "aws":
        return new_table(request.getfixturevalue("clients"), clock)
    if request.param == "simulated":
        network, clients = request.getfixturevalue("simulated")
        network.table = Table()
        return new_table(clients, clock)
    memory = IndexedRepository() if request.param == "indexed" else MemoryRepository()
    memory.clock = clock
    return memory
