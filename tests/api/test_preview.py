"""The preview of an invitation's mail: the mail that leaves, and nothing else happens."""

from __future__ import annotations

import re

import pytest

from tests.api.gateway import Answer
from tests.api.requests import bearer
from tests.api.world import OTHER_VIP, SPONSOR_NAME, STRANGER, World, campaign_like_demo

pytestmark = pytest.mark.slow

PREVIEW = "/v1/sponsor/invitation-preview"
_TOKENS = re.compile(r"#token=[\w-]+|/v1/unsubscribe/[\w-]+/page|/unsubscribe/\?campaign=demo-vip")


def preview(world: World, session: str, **body: object) -> Answer:
    return world.post(PREVIEW, body, Authorization=bearer(session))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_it_is_the_mail_that_leaves_but_for_its_tokens(world: World, language: str) -> None:
    session = world.sign_in()
    shown = preview(world, session, first_name="Jeanne", locale=language).json()
    referees = [{"email": STRANGER, "first_name": "Jeanne"}]
    body = {"referees": referees, "locale": language}
    assert world.post("/v1/sponsor/invitations", body, Authorization=bearer(session)).status == 202
    world.run()
    sent = world.last_to(STRANGER).text
    assert (shown["locale"], shown["sender"]) == (language, "no-reply@tandem.test")
    assert shown["sender_name"] == "Maison Demo"
    assert SPONSOR_NAME in shown["subject"]
    assert _TOKENS.sub("", shown["text"]) == _TOKENS.sub("", sent.replace("\r\n", "\n"))
    assert "token=" not in shown["text"] + shown["html"]
    assert "cid:" not in shown["html"]


def test_it_is_in_the_sponsors_language_unless_another_is_chosen(world: World) -> None:
    session = world.sign_in()
    assert preview(world, session).json()["locale"] == "fr"
    assert preview(world, session, locale="pl").json()["locale"] == "fr"  # not the campaign's


def test_its_logo_is_at_the_pages_address(world: World) -> None:
    session = world.sign_in()
    picture = {"sha256": "c" * 64, "kind": "png", "width": 432, "height": 88}
    world.put(campaign_like_demo(pictures={"logo.png": picture}))
    world.clock.pass_by(minutes=1)  # the campaign before is cached
    assert f'src="/pictures/demo-vip/{"c" * 32}.png"' in preview(world, session).json()["html"]


def test_nothing_is_sent_and_nothing_stored(world: World) -> None:
    session = world.sign_in()
    mails, facts = len(world.mails), len(world.facts())
    with world.recorder.recording() as calls:
        assert preview(world, session, first_name="Jeanne").status == 200
    assert {call.operation for call in calls} <= {"GetItem", "BatchGetItem"}
    world.run()
    assert (len(world.mails), len(world.facts())) == (mails, facts)


def test_a_sponsor_without_a_name_is_asked_for_one_first(world: World) -> None:
    token = world.sign_in_token(OTHER_VIP)
    opened = world.post("/v1/campaigns/demo-vip/sessions", {"token": token}).json()["session"]
    answer = preview(world, opened)
    assert (answer.status, answer.fields) == (422, {"sponsor": "missing"})


@pytest.mark.parametrize("name", ["http://x.example", "Maison Demo"])
def test_a_name_that_no_mail_would_greet_is_refused(world: World, name: str) -> None:
    answer = preview(world, world.sign_in(), first_name=name)
    assert (answer.status, list(answer.fields)) == (422, ["first_name"])


def test_a_campaign_without_invitations_by_mail_has_no_preview(world: World) -> None:
    session = world.sign_in()
    world.put(campaign_like_demo(channels=["link"]))
    world.clock.pass_by(minutes=1)  # the campaign before is cached
    assert preview(world, session).status == 409
