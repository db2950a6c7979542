"""Law 8: no public answer, by its bytes or its timing, tells what an address is.

Timing is held by what makes it: the calls to AWS, one by one, with how many items each takes and
how long each request is. The addresses are of one length, so these must be equal to the byte.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.adapters.dynamodb.codec import fact_of
from chalicelib.api import public
from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.facts import FactName
from chalicelib.domain.privacy import Wish
from chalicelib.services.ports import Ports
from chalicelib.services.privacy import request
from chalicelib.services.sponsors import sign_in
from tests.api.gateway import Request
from tests.api.requests import CONFIRMATION, OF_CAMPAIGN, invitations
from tests.api.world import (
    CAMPAIGN,
    CUSTOMER,
    KEY,
    OTHER_VIP,
    STRANGER,
    VIP,
    World,
    campaign_like_demo,
    posting,
)

pytestmark = pytest.mark.slow

OPPOSED, UNKNOWN = "opposed.anne@demo.test", "nobody.knows@demo.test"
CONFIRMED = "already.conf@demo.test"
PEOPLE = (VIP, OTHER_VIP, CUSTOMER, STRANGER, CONFIRMED, OPPOSED, UNKNOWN)

Seen = tuple[object, ...]
Asking = Callable[[str], Request]


@pytest.fixture
def session(world: World) -> str:
    """A world in which each of PEOPLE is what their name says; the session of the sponsor."""
    world.put(campaign_like_demo(quotas={"sign_ups_per_day": 99}))
    world.clock.pass_by(seconds=30)  # longer than a campaign file is remembered
    session = world.sign_in()
    world.invite(session, STRANGER)
    assert world.confirm(world.invite(session, CONFIRMED)).status == 201
    world.invite(session, OPPOSED)
    token = world.last_to(OPPOSED).token("/v1/unsubscribe/")
    assert world.post(f"/v1/unsubscribe/{token}").status == 200
    # Counters and revisions come to two figures, and stay there: they are in the requests too.
    crowd = [f"crowd.{number}@demo.test" for number in range(10)]
    for address in crowd:
        assert world.ask(invitations(address, session=session)).status == 202
    link = f"{OF_CAMPAIGN}/links/{world.link_code(session)}/sign-up"
    for address in crowd:
        assert world.post(link, {"email": address}).status == 202
    return session


PRIVACY = "/v1/privacy/requests"


def _wish(address: str, wish: str) -> dict[str, str]:
    return {"campaign": CAMPAIGN, "email": address, "wish": wish}


def _asking(world: World, route: str, session: str) -> Asking:
    link = f"{OF_CAMPAIGN}/links/{world.link_code(session)}/sign-up"
    asked: dict[str, Asking] = {
        "sign-in": lambda address: posting(f"{OF_CAMPAIGN}/sign-in", {"email": address}),
        "sign-up": lambda address: posting(link, {"email": address, "first_name": "Anne"}),
        "export": lambda address: posting(PRIVACY, _wish(address, "export")),
        "erase": lambda address: posting(PRIVACY, _wish(address, "erase")),
    }
    return asked[route]


def _seen(world: World, request: Request) -> Seen:
    """All that a caller can see or time of one request."""
    with world.recorder.recording() as calls:
        answer = world.ask(request)
    times = tuple((call.name, call.items, call.request_bytes) for call in calls)
    return answer.status, tuple(answer.headers.items()), answer.body, times


def test_the_addresses_are_of_one_length() -> None:
    assert len({len(address) for address in PEOPLE}) == 1


@pytest.mark.parametrize("route", ["sign-in", "sign-up", "export", "erase"])
def test_the_answer_and_the_calls_are_the_same_for_every_address(
    world: World, session: str, route: str
) -> None:
    """Law 8."""
    asking = _asking(world, route, session)
    seen = {_seen(world, asking(address)) for address in PEOPLE for _ in range(2)}
    assert len(seen) == 1


def test_an_invitation_is_received_in_the_same_way_for_everybody(
    world: World, session: str
) -> None:
    """Law 8: the ids differ, nothing else."""
    seen = set()
    for address in PEOPLE:
        status, headers, body, times = _seen(world, invitations(address, session=session))
        assert isinstance(body, bytes)
        seen.add((status, headers, len(body), times))
    assert len(seen) == 1


def test_a_look_up_before_the_answer_would_be_seen(
    world: World, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above has teeth: it sees a sign-in that looks a VIP up before it answers."""
    honest = sign_in.request_sign_in

    def curious(ports: Ports, campaign: str, address: Address, locale: str | None) -> None:
        if ports.lists.find("vips", campaign, 30, AddressDigests.of(address, [KEY])).found:
            honest(ports, campaign, address, locale)

    monkeypatch.setattr(public, "request_sign_in", curious)
    asking = _asking(world, "sign-in", session)
    world.ask(asking(UNKNOWN))
    assert len({_seen(world, asking(address)) for address in (VIP, UNKNOWN)}) == 2


def test_a_decision_before_the_answer_to_a_request_would_be_seen(
    world: World, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above has teeth here too."""
    honest = request.request_privacy

    def curious(
        ports: Ports, campaign: str, address: Address, wish: Wish, locale: str | None
    ) -> None:
        honest(ports, campaign, address, wish, locale)
        for item in world.facts():
            if item["name"]["S"] == FactName.PRIVACY_REQUESTED:
                request.decide_privacy_request(ports, fact_of(item))

    monkeypatch.setattr(public, "request_privacy", curious)
    asking = _asking(world, "export", session)
    assert len({_seen(world, asking(address)) for address in (VIP, UNKNOWN)}) == 2


def test_a_link_says_nothing_to_who_does_not_have_it(world: World, session: str) -> None:
    """Law 8: tokens of other mails and unknown ones are answered alike."""
    others = ("unknown", world.link_code(session), world.last_to(STRANGER).token())
    answers = {
        (answer.status, answer.body)
        for other in others
        for answer in (
            world.get(f"/v1/privacy/{other}"),
            world.post(f"/v1/privacy/{other}/file"),
            world.post(f"/v1/privacy/{other}/erasure"),
        )
    }
    assert {status for status, _ in answers} == {410}
    assert len(answers) == 1


def test_a_longer_request_would_be_seen(world: World, session: str) -> None:
    """The test above has teeth: it sees a byte more."""
    asking = _asking(world, "sign-in", session)
    assert len({_seen(world, asking(address)) for address in (VIP, f"a{VIP}")}) == 2


@pytest.mark.usefixtures("session")
def test_tokens_that_are_of_nobody_are_all_answered_alike(world: World) -> None:
    """Law 8: a declined, an unknown and a sponsor's token look the same."""
    token = world.last_to(STRANGER).token()
    assert world.post(f"/v1/invitations/{token}/decline").status == 204
    others = ("unknown", world.sign_in_token(OTHER_VIP), token)
    answers = {
        (answer.status, answer.body)
        for other in others
        for answer in (
            world.get(f"/v1/invitations/{other}"),
            world.post(f"/v1/invitations/{other}/confirmation", CONFIRMATION),
        )
    }
    assert len(answers) == 1


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_unsubscribing_is_answered_alike_whoever_it_was_that_got_the_mail(
    world: World, accept: str
) -> None:
    """Law 8: a VIP, somebody invited, a referee, who has objected already; and nobody, but that a
    page can name no brand then.
    """
    people = (VIP, STRANGER, CONFIRMED, OPPOSED)
    tokens = [world.last_to(address).token("/v1/unsubscribe/") for address in people]
    answers = set()
    for token in (*tokens, *(["unknown"] if accept == "*/*" else [])):
        for body in (b"List-Unsubscribe=One-Click", b"scope=all"):
            posted = Request("POST", f"/v1/unsubscribe/{token}", body, {"Accept": accept})
            answer = world.ask(posted)
            answers.add((body, answer.status, tuple(answer.headers.items()), answer.body))
    assert len({answer[1:] for answer in answers if answer[0] != b"scope=all"}) == 1
    assert len(answers) == 2


@pytest.mark.usefixtures("session")
def test_the_page_to_unsubscribe_is_the_same_for_all_that_got_a_mail(world: World) -> None:
    """Law 8: it names the brand, and nobody."""
    people = (VIP, STRANGER, CONFIRMED, OPPOSED)
    pages = set()
    for address in people:
        token = world.last_to(address).token("/v1/unsubscribe/")
        answer = world.get(f"/v1/unsubscribe/{token}/page")
        pages.add(answer.body.replace(token.encode(), b"token"))
    assert len(pages) == 1


def test_a_bad_address_is_refused_alike_before_anything_is_looked_at(world: World) -> None:
    request = posting(f"/v1/campaigns/{CAMPAIGN}/sign-in", {"email": "no address"})
    with world.recorder.recording() as calls:
        world.ask(request)
    assert calls == []
