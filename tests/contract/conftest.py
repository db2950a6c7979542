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


@pytest.fixture(params=REPOSITORIES)
def repository(request: pytest.FixtureRequest) -> Repository:
    """The table, empty."""
    match request.param:
        case "memory":
            return MemoryRepository()
        case "indexed":
            return IndexedRepository()
        case "simulated":
            network, clients = request.getfixturevalue("simulated")
            network.table = Table()
            return new_table(clients)
        case _:
            return new_table(request.getfixturevalue("clients"))
