"""Recording what a call asks of AWS once the caches of a process are warm."""

from __future__ import annotations

from collections.abc import Callable

from bench.recording import Call
from chalicelib.domain.addresses import Address
from chalicelib.functions.wallet import apple_credentials, google_credentials
from chalicelib.services.digests import digests_of
from tests.api.world import CAMPAIGN, World


def recorded(world: World, call: Callable[[], object]) -> list[Call]:
    """What `call` asks of AWS when the campaign, the keys and the lists are known already."""
    _warm(world)
    with world.recorder.recording() as calls:
        call()
    return calls


def _warm(world: World) -> None:
    campaign = world.ports.campaigns.get(CAMPAIGN)
    assert campaign
    digests = digests_of(world.ports, campaign, Address.parse("warm@demo.test"))
    apple_credentials()
    google_credentials()
    for name in ("customers", "vips"):
        world.ports.lists.find(name, CAMPAIGN, 30, digests)
