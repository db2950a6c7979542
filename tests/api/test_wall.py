"""A wall link opens the numbers of its campaign and nothing else, until it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from chalicelib.domain.feed import NOT_ON_WALLS
from chalicelib.services.operations.wall_links import revoke_wall_link, wall_links
from tests.api.gateway import Request
from tests.api.requests import GOOD, bearer, invitations, wall
from tests.api.world import CAMPAIGN, CUSTOMER, STRANGER, World, campaign_like_demo

pytestmark = pytest.mark.slow

OTHER = "other-vip"


def _wrong(world: World) -> Request:
    return wall(world.wall_link()[:-1] + "~")


def _revoked(world: World) -> Request:
    token = world.wall_link()
    [link] = wall_links(world.ports, CAMPAIGN)
    revoke_wall_link(world.ports, CAMPAIGN, link.link_id, by="AIDAOPS")
    return wall(token)


def _over(world: World) -> Request:
    token = world.wall_link(days=2)
    world.clock.pass_by(days=2)
    return wall(token)


def _of_a_campaign_that_ended_sooner(world: World) -> Request:
    token = world.wall_link(days=60)
    world.put(campaign_like_demo(ends_on=world.clock.at.date().isoformat()))
    world.clock.pass_by(days=32)
    return wall(token)


def _of_another_campaign(world: World) -> Request:
    world.put(campaign_like_demo(campaign=OTHER))
    return wall(world.wall_link(), OTHER)


def _of_a_campaign_that_is_none(world: World) -> Request:
    return wall(world.wall_link(), "nobodys")


def _a_session(world: World) -> Request:
    return wall(world.sign_in())


def _nothing(_: World) -> Request:
    return Request("GET", f"/v1/campaigns/{CAMPAIGN}/wall")


REFUSED = [
    _wrong, _revoked, _over, _of_a_campaign_that_ended_sooner, _of_another_campaign,
    _of_a_campaign_that_is_none, _a_session, _nothing,
]  # fmt: skip


def test_it_shows_what_the_dashboard_shows(world: World) -> None:
    shown = world.ask(wall(world.wall_link()))
    assert shown.status == 200
    signed_in = world.ask(GOOD["get_dashboard"](world)).json()
    assert shown.json() | {"acts": None} == signed_in | {"acts": None}


def test_it_tells_nobody_what_came_of_an_address_typed_a_moment_ago(world: World) -> None:
    session = world.sign_in()
    world.ask(invitations(STRANGER, CUSTOMER, session=session))
    world.run()
    world.confirm(world.last_to(STRANGER).token())
    world.run()
    acts = world.ask(GOOD["get_dashboard"](world)).json()["acts"]
    assert {one["act"] for one in acts} >= {"invitation_refused", "invitation_sent"}
    shown = world.ask(wall(world.wall_link())).json()["acts"]
    assert {"invitation_received", "referral_confirmed"} <= {one["act"] for one in shown}
    assert not {one["act"] for one in shown} & NOT_ON_WALLS
    assert {datetime.fromisoformat(one["at"]).second for one in shown} == {0}


@pytest.mark.parametrize("prepared", REFUSED, ids=lambda prepared: prepared.__name__)
def test_whatever_is_no_link_to_it_has_one_answer(
    world: World, prepared: Callable[[World], Request]
) -> None:
    answer = world.ask(prepared(world))
    expected = world.ask(wall("no-such-link"))
    assert answer.status == 401
    assert (answer.body, answer.headers) == (expected.body, expected.headers)


def test_it_opens_nothing_else(world: World) -> None:
    """Where a session is asked for it is none, and what the pool guards has no such caller."""
    headers = {"Authorization": bearer(world.wall_link())}
    assert world.ask(Request("GET", "/v1/sponsor", headers=headers)).status == 401


def test_looking_changes_nothing_and_the_token_is_nowhere(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    token = world.wall_link()
    before = world.table()
    assert world.ask(wall(token)).status == 200
    assert world.table() == before
    assert token not in str(before)
    assert token not in "".join(capsys.readouterr())
