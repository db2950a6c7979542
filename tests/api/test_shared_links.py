"""A sponsor's shared link: its page, its card, and what it says of whom."""

from __future__ import annotations

import pytest

from chalicelib.adapters.pages import REFEREE_PAGE
from chalicelib.api.page_policy import PAGE_POLICY
from chalicelib.services.ports import ContentionError
from tests.api.gateway import Request
from tests.api.requests import GOOD, OF_CAMPAIGN
from tests.api.world import PAGES_BUCKET, SPONSOR_NAME, World, campaign_like_demo

pytestmark = pytest.mark.slow

SHELL = '<html lang="en"><head><!-- card --><title>T</title><!-- /card --></head><p>published</p>'


def publish(world: World, page: str = SHELL) -> None:
    world.clients.s3.put_object(Bucket=PAGES_BUCKET, Key=REFEREE_PAGE, Body=page.encode())


@pytest.fixture
def code(world: World) -> str:
    return world.link_code(world.sign_in())


def test_the_page_of_a_link_has_its_card_for_who_runs_no_script(world: World, code: str) -> None:
    publish(world)
    answer = world.get(f"/p/{code}", Accept_Language="fr-FR,fr;q=0.9")
    page = answer.body.decode()
    assert answer.status == 200
    assert f'property="og:title" content="{SPONSOR_NAME} vous invite chez Maison Demo"' in page
    assert "<p>published</p>" in page
    assert '"campaign":"demo-vip"' in page
    assert f'"link":"{code}"' in page
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert world.get(f"/p/{code.upper()}").status == 200


def test_a_link_says_whose_it_is_and_nothing_else(world: World, code: str) -> None:
    answer = world.get(f"{OF_CAMPAIGN}/links/{code}")
    assert answer.json() == {
        "campaign": "demo-vip", "sponsor": {"first_name": SPONSOR_NAME}, "open": True,
    }  # fmt: skip
    world.put(campaign_like_demo(campaign="other"))
    assert world.get(f"/v1/campaigns/other/links/{code}").status == 404


def test_a_link_that_there_is_not_has_a_page_that_says_so(world: World) -> None:
    publish(world)
    answer = world.get("/p/nobodys")
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert '{"link":"nobodys","status":404}' in answer.body.decode()
    assert "og:" not in answer.body.decode()
    assert world.get(f"{OF_CAMPAIGN}/links/nobodys").status == 404


def test_a_link_that_was_replaced_ends_and_with_it_its_card(world: World) -> None:
    session = world.sign_in()
    former = world.link_code(session)
    assert world.post("/v1/sponsor/link", Authorization=f"Bearer {session}").status == 201
    assert world.get(f"/p/{former}").status == 404


def test_without_the_published_page_the_link_still_leads_to_the_sign_up(
    world: World, code: str
) -> None:
    page = world.get(f"/p/{code}").body.decode()
    assert f'href="/referee/?campaign=demo-vip#link={code}"' in page


def test_a_new_release_of_the_page_is_shown_within_a_minute_and_a_lost_one_is_kept(
    world: World, code: str
) -> None:
    publish(world)
    assert "published" in world.get(f"/p/{code}").body.decode()
    publish(world, SHELL.replace("published", "newer"))
    assert "published" in world.get(f"/p/{code}").body.decode()
    world.clock.pass_by(minutes=1)
    assert "newer" in world.get(f"/p/{code}").body.decode()
    world.clients.s3.delete_object(Bucket=PAGES_BUCKET, Key=REFEREE_PAGE)
    world.clock.pass_by(minutes=1)
    assert "newer" in world.get(f"/p/{code}").body.decode()


def test_a_card_promises_nothing_where_nobody_can_sign_up(world: World, code: str) -> None:
    world.put(campaign_like_demo(channels=["email"]))
    world.clock.pass_by(minutes=1)  # the campaign before is cached
    page = world.get(f"/p/{code}", Accept_Language="fr").body.decode()
    assert "Ce lien n’accepte pas d’inscription en ce moment." in page


def test_a_failure_is_a_page_and_is_counted(
    world: World, code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(world)
    world.get(f"/p/{code}")

    def fails(*_: object) -> None:
        raise RuntimeError("the table does not answer")

    monkeypatch.setattr("chalicelib.api.shared_links.view_link", fails)
    capsys.readouterr()
    answer = world.get(f"/p/{code}")
    assert (answer.status, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert f'{{"link":"{code}","status":503}}' in answer.body.decode()
    assert "RequestNotServed" in capsys.readouterr().out


def test_a_card_that_cannot_be_made_is_a_page_that_says_so(
    world: World, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(world)

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a campaign that no card can be made of")

    monkeypatch.setattr("chalicelib.mails.cards.card_of", fails)
    answer = world.get(f"/p/{code}")
    assert answer.status == 503
    assert f'{{"link":"{code}","status":503}}' in answer.body.decode()


@pytest.mark.parametrize(
    "odd", ["%FF%FE", "a" * 5000, "%00", "..%2F..", "K7QM2%20", "%3Cscript%3E"]
)
def test_what_is_no_code_has_the_page_of_a_link_that_there_is_not(world: World, odd: str) -> None:
    publish(world)
    answer = world.get(f"/p/{odd}")
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert '"status":404}' in answer.body.decode()
    assert "<script>" not in answer.body.decode()


@pytest.mark.parametrize(
    ("accepted", "words"),
    [("en;q=0.3, pl;q=0.9", "Spróbuj ponownie"), ("de", "Try again in a moment")],
)
@pytest.mark.parametrize("name", ["open_link", "unsubscribe_page", "unsubscribe"])
def test_who_opens_a_page_that_fails_gets_one_in_her_language(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, accepted: str, words: str
) -> None:
    request = GOOD[name](world)
    asked = request.with_body(request.body, Accept="text/html", Accept_Language=accepted)

    def fails(*_: object) -> None:
        raise RuntimeError("before any view")

    monkeypatch.setattr("chalicelib.api.edge.Call.check_size", fails)
    answer = world.ask(asked)
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    assert words in answer.body.decode()
    assert ("Réessayez" in answer.body.decode()) is (accepted == "de")


def test_a_mail_program_is_answered_as_one_when_unsubscribing_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = GOOD["unsubscribe"](world)

    def busy(*_: object) -> None:
        raise ContentionError

    monkeypatch.setattr("chalicelib.api.edge.Call.check_size", busy)
    answer = world.ask(request)
    assert (answer.status, answer.problem) == (503, "unavailable")


def test_who_calls_it_elsewhere_than_at_the_pages_address_is_refused(
    world: World, code: str
) -> None:
    assert world.ask(Request("GET", f"/p/{code}", headers={"X-Origin-Key": "no"})).status == 403


def test_a_link_that_takes_nobody_in_any_more_promises_nothing(world: World) -> None:
    code = world.link_code(world.sign_in())
    quotas = campaign_like_demo().quotas.model_copy(update={"sign_ups_per_link": 0})
    world.put(campaign_like_demo(quotas=quotas))
    world.clock.pass_by(minutes=2)  # a campaign is read once a minute
    publish(world)
    assert world.get(f"{OF_CAMPAIGN}/links/{code}").json()["open"] is False
    assert '"open":false' in world.get(f"/p/{code}").body.decode()
