"""How long each client waits and how often it tries: what callers, queues and law 2 rely on."""

from __future__ import annotations

import pytest
from boto3.session import Session

from chalicelib.adapters.clients import Clients


@pytest.mark.parametrize(
    ("service", "attempts", "seconds"),
    [
        ("dynamodb", 3, 5),
        ("s3", 3, 10),
        ("sqs", 3, 5),
        ("ssm", 3, 5),
        ("events", 3, 5),
        ("functions", 2, 10),
        ("ses", 1, 10),
    ],
)
def test_a_client_gives_up_in_time_and_tries_as_often_as_is_safe(
    service: str, attempts: int, seconds: int
) -> None:
    """SES once in all: a second attempt could be a second mail (law 2)."""
    client = getattr(Clients(Session("testing", "testing", region_name="eu-west-3")), service)
    config = client.meta.config
    assert config.retries["total_max_attempts"] == attempts
    assert (config.connect_timeout, config.read_timeout) == (2, seconds)
