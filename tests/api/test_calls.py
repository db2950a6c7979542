"""What every route and every consumer asks of AWS, call by call, with warm caches.

A public POST makes one write round trip, whatever it writes; a call more is a decision, and this is
where it shows. `python -m bench` prints the same calls with their units and bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from bench.recording import Call
from chalicelib.api.operations import OPERATIONS
from chalicelib.domain.addresses import AddressDigests
from tests.api.consumers import WORK
from tests.api.requests import GOOD
from tests.api.world import CAMPAIGN, World

GET, WRITE, PUT = "dynamodb:GetItem", "dynamodb:TransactWriteItems", "dynamodb:PutItem"
QUERY, BATCH = "dynamodb:Query", "dynamodb:BatchGetItem"
READ_FILE, WRITE_FILE = "s3:GetObject", "s3:PutObject"
QUEUE, SEND, KEY = "sqs:SendMessageBatch", "sesv2:SendEmail", "ssm:GetParameter"

ROUTES: Mapping[str, Sequence[str]] = {}
CONSUMERS: Mapping[str, Sequence[str]] = {}


def recorded(world: World, call: Callable[[], object]) -> list[Call]:
    """What `call` asks of AWS when the campaign, the keys and the lists are known already."""
    _warm(world)
    with world.recorder.recording() as calls:
        call()
    return calls


def _warm(world: World) -> None:
    campaign = world.ports.campaigns.get(CAMPAIGN)
    assert campaign
    digests = AddressDigests.of("warm@demo.test", world.ports.keys.in_force(campaign.digests))
    for name in ("customers", "vips"):
        world.ports.lists.find(name, CAMPAIGN, 30, digests)


@pytest.mark.parametrize("operation", [one.name for one in OPERATIONS])
def test_a_route_makes_these_calls_and_no_other(world: World, operation: str) -> None:
    request = GOOD[operation](world)
    calls = recorded(world, lambda: world.ask(request))
    assert [call.name for call in calls] == ROUTES[operation]


@pytest.mark.parametrize("work", WORK)
def test_a_consumer_makes_these_calls_and_no_other(world: World, work: str) -> None:
    calls = recorded(world, WORK[work](world))
    assert [call.name for call in calls] == CONSUMERS[work]
