"""Wall links as ops make, list and revoke them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.tokens import hashed
from chalicelib.domain.wall_links import AFTER_CAMPAIGN, WallLink
from chalicelib.services.errors import UnauthorisedError, UnknownError
from chalicelib.services.lookups import current_campaign
from chalicelib.services.operations.wall_links import (
    make_wall_link,
    require_wall_link,
    revoke_wall_link,
    wall_links,
)
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import World


def made(world: World, days: int = 30) -> tuple[str, WallLink]:
    campaign = current_campaign(world.ports, CAMPAIGN)
    return make_wall_link(world.ports, campaign, by="AIDAOPS", days=days)


def is_shown(world: World, token: str) -> bool:
    try:
        require_wall_link(world.ports, CAMPAIGN, token)
    except UnauthorisedError:
        return False
    return True


def test_only_the_hash_of_its_token_is_stored(world: World) -> None:
    token, link = made(world)
    assert link.token_hash == hashed(token)
    assert link.token_hash.startswith(link.link_id)
    assert token not in str(vars(link))
    assert is_shown(world, token)


def test_it_ends_with_its_days(world: World) -> None:
    token, link = made(world, days=3)
    assert link.ends_at == world.clock() + timedelta(days=3)
    world.clock.advance(days=3, seconds=-1)
    assert is_shown(world, token)
    world.clock.advance(seconds=1)
    assert not is_shown(world, token)
    assert wall_links(world.ports, CAMPAIGN) == []


def test_it_ends_with_its_campaign_and_thirty_days(world: World) -> None:
    campaign = current_campaign(world.ports, CAMPAIGN)
    token, link = made(world, days=10_000)
    assert link.ends_at == campaign.last_second + AFTER_CAMPAIGN
    assert is_shown(world, token)


def test_links_are_listed_the_next_to_end_first(world: World) -> None:
    links = [made(world, days)[1] for days in (9, 2, 5)]
    by_end = sorted(links, key=lambda link: link.ends_at)
    assert [one.link_id for one in wall_links(world.ports, CAMPAIGN)] == [
        one.link_id for one in by_end
    ]


def test_a_link_that_is_revoked_shows_nothing_at_once_and_the_others_do(world: World) -> None:
    token, link = made(world)
    other, _ = made(world)
    revoke_wall_link(world.ports, CAMPAIGN, link.link_id, by="AIDAOPS")
    assert not is_shown(world, token)
    assert is_shown(world, other)
    with pytest.raises(UnknownError):
        revoke_wall_link(world.ports, CAMPAIGN, link.link_id, by="AIDAOPS")


def test_what_was_made_and_revoked_is_recorded_with_who_did_it(world: World) -> None:
    _, link = made(world, days=7)
    revoke_wall_link(world.ports, CAMPAIGN, link.link_id, by="AIDAOTHER")
    facts = world.facts(FactName.WALL_LINK_MADE, FactName.WALL_LINK_REVOKED)
    assert [(one.name, one.ids["link"], dict(one.details)) for one in facts] == [
        ("wall_link_made", link.link_id, {"by": "AIDAOPS", "days": 7}),
        ("wall_link_revoked", link.link_id, {"by": "AIDAOTHER"}),
    ]
