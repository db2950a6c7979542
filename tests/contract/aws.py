"""AWS as moto has it: the table and the bucket of `infra/`, a new one each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from moto import mock_aws

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.services.ports import Clock
from tests.fakes.aws_table import make_table
from tests.fakes.ports import MORNING

REGION = "eu-west-3"
_numbers = count(1)


@contextmanager
def mocked_clients() -> Iterator[Clients]:
    """Clients that reach moto and nothing else."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        environment.delenv("AWS_PROFILE", raising=False)
        yield Clients()


def new_table(clients: Clients, clock: Clock = lambda: MORNING) -> DynamoRepository:
    """The repository on a table of its own, with the two indexes."""
    table = f"tandem-{next(_numbers)}"
    make_table(clients.dynamodb, table)
    return DynamoRepository(clients, table, clock, pause=lambda _: None)


def new_bucket(clients: Clients) -> str:
    """An empty bucket that keeps versions."""
    bucket = f"tandem-{next(_numbers)}"
    clients.s3.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
    )
    clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket
