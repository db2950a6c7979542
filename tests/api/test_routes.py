"""Every route does what PRODUCT.md's tables say, and answers a repeat as they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from urllib.parse import urljoin

import pytest

from chalicelib.api.openapi import text
from chalicelib.api.operations import OPERATIONS, Operation
from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.services.objections import unsubscribe as objections
from tests import functions
from tests.api.gateway import Request
from tests.api.requests import GOOD, OF_CAMPAIGN, PURCHASE, VOUCHERS, bearer, invitations
from tests.api.world import (
    CAMPAIGN,
    CUSTOMER,
    KEY,
    ORIGIN,
    OTHER_VIP,
    SPONSOR_NAME,
    STRANGER,
    VIP,
    World,
    campaign_like_demo,
    posting,
)
from tests.api.world import CAMPAIGN_FILE as DEMO_FILE

pytestmark = pytest.mark.slow

MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
)
DOCUMENT = DEMO_FILE.parents[2] / "docs" / "openapi.json"


def test_the_published_document_is_the_generated_one() -> None:
    assert DOCUMENT.read_text() == text(), (
        "run: python -m chalicelib.api.openapi > docs/openapi.json"
    )


def test_what_is_printed_is_what_is_published_byte_for_byte() -> None:
    """On each version of Python that runs these tests: `make runtime` has the functions' own."""
    command = [sys.executable, "-m", "chalicelib.api.openapi"]
    printed = subprocess.run(command, cwd=DOCUMENT.parents[1], capture_output=True, check=True)
    assert printed.stdout == DOCUMENT.read_bytes()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_every_operation_answers_a_good_request_with_its_first_status(
    world: World, operation: Operation
) -> None:
    answer = world.ask(GOOD[operation.name](world))
    assert answer.status == next(iter(operation.answers))


@pytest.mark.parametrize("name", ["open_link", "open_unsubscribe", "unsubscribe_page"])
def test_what_is_opened_in_a_browser_is_answered_to_head_without_its_body(
    world: World, name: str
) -> None:
    request = GOOD[name](world)
    page, head = world.ask(request), world.ask(replace(request, method="HEAD"))
    assert (head.status, head.headers, head.body) == (page.status, page.headers, b"")


def test_a_link_that_there_is_not_is_answered_so_to_head(world: World) -> None:
    assert world.ask(Request("HEAD", "/p/nobodys")).status == 404


def test_a_campaign_has_what_the_pages_need(world: World) -> None:
    reported = world.get(OF_CAMPAIGN).json()
    assert reported["brand"] == {
        "name": "Maison Demo",
        "colour": "#1f4e3d",
        "contact": "contact@demo.test",
        "logo": None,
        "picture": None,
        "shop_url": "https://demo.test/shop",
        "support_url": "https://demo.test/help",
        "legal": {
            "name": "Maison Demo SAS",
            "address": "1 rue de la Demo, 75002 Paris, France",
            "registration": "RCS Paris 000 000 000",
        },
    }
    assert (
        set(reported["title"])
        == set(reported["offer"])
        == set(reported["sponsor_offer"])
        == {"fr", "en"}
    )
    assert reported["terms"] == {"version": "2026-01", "url": "https://demo.test/terms"}
    assert (reported["campaign"], reported["version"], reported["open"]) == (CAMPAIGN, 1, True)
    assert (reported["currency"], reported["time_zone"]) == ("EUR", "Europe/Paris")
    assert reported["channels"] == ["email", "link"]
    assert (reported["release"], reported["acknowledge_within"]) == ("on_acknowledgement", 24)
    assert set(reported["share"]) == {"fr", "en"}
    assert reported["use"]["thank-you"] == {
        "online": "https://demo.test/shop/basket", "shop": True, "symbology": "qr", "how": {},
    }  # fmt: skip


def test_a_campaign_promises_what_its_rules_grant_and_nothing_else(world: World) -> None:
    benefits = world.get(OF_CAMPAIGN).json()["benefits"]
    assert [one["value"] for one in benefits["referee"]] == ["10.00", "5.00", "7.50", "10.00"]
    [reward] = benefits["sponsor"]
    assert reward == {
        "value": "15.00", "minimum_basket": "0.00", "valid_days": 90, "template": "thank-you",
        "when": {"trigger": "order_kept", "order": 1, "minimum_amount": "30.00"},
    }  # fmt: skip
    ladder = [rule for rule in campaign_like_demo().rules if rule.id == "ladder-second"]
    world.put(campaign_like_demo(campaign="bare", rules=ladder, share=None))
    bare = world.get("/v1/campaigns/bare").json()
    assert (bare["benefits"]["sponsor"], bare["sponsor_offer"]) == ([], {})
    assert [one["when"]["order"] for one in bare["benefits"]["referee"]] == [2]


def test_a_campaigns_pictures_are_on_the_pages_address(world: World) -> None:
    picture = {"sha256": "a" * 64, "kind": "svg", "width": 216, "height": 44}
    world.put(campaign_like_demo(campaign="drawn", pictures={"logo.svg": picture}))
    assert world.get("/v1/campaigns/drawn").json()["brand"]["logo"] == {
        "path": f"/pictures/drawn/{'a' * 32}.svg", "width": 216, "height": 44,
    }  # fmt: skip


def test_a_campaign_is_closed_after_its_last_local_day(world: World) -> None:
    world.put(campaign_like_demo(campaign="ended", starts_on="2026-01-01", ends_on="2026-03-01"))
    assert world.get("/v1/campaigns/ended").json()["open"] is False


def test_signing_in_answers_the_same_bytes_every_time(world: World) -> None:
    request = GOOD["sign_in"](world)
    assert world.ask(request) == world.ask(request)


def test_a_sign_in_mail_opens_one_session(world: World) -> None:
    request = GOOD["open_session"](world)
    session = world.ask(request)
    assert session.json()["expires_at"] == "2026-03-02T22:00:00+00:00"
    again = world.ask(request)
    assert (again.status, again.problem) == (401, "unauthorised")
    assert again.headers["www-authenticate"] == "Bearer"


def test_a_name_typed_by_whoever_uses_a_link_stands_in_no_mail(world: World) -> None:
    link = world.link_code(world.sign_in())
    path = f"/v1/campaigns/{CAMPAIGN}/links/{link}/sign-up"
    assert world.ask(posting(path, {"email": STRANGER, "first_name": "Vilain"})).status == 202
    world.run()
    assert "Vilain" not in world.last_to(STRANGER).text
    confirmed = world.confirm(world.last_to(STRANGER).token())
    assert confirmed.status == 201
    world.run()
    assert "Vilain" not in str(world.table())
    assert all("Vilain" not in mail.text for mail in world.mails)


def test_a_sponsor_gives_a_name_later(world: World) -> None:
    session = world.sign_in()
    answer = world.post(
        "/v1/sponsor/first-name", {"first_name": " Zoé "}, Authorization=bearer(session)
    )
    assert answer.status == 204
    space = world.get("/v1/sponsor", Authorization=bearer(session)).json()
    assert space["first_name"] == "Zoé"
    for name, reason in (
        ("", "empty"),
        ("Maison Demo", "not_a_person"),
        ("x.fr", "looks_like_a_link"),
    ):
        refused = world.post(
            "/v1/sponsor/first-name", {"first_name": name}, Authorization=bearer(session)
        )
        assert refused.status == 422
        assert refused.json()["errors"] == [{"field": "first_name", "reason": reason}]


def test_a_session_takes_the_sponsors_first_name(world: World) -> None:
    session = world.sign_in()
    space = world.get("/v1/sponsor", Authorization=bearer(session)).json()
    assert space["first_name"] == SPONSOR_NAME


def test_the_sponsors_space_holds_link_quota_invitations_and_vouchers(world: World) -> None:
    session = world.sign_in()
    world.invite(session)
    space = world.get("/v1/sponsor", Authorization=bearer(session)).json()
    code = space["link"]["code"]
    assert space["link"]["url"] == f"{ORIGIN}/p/{code}"
    assert space["link"]["qr_svg"].startswith("<svg ")
    assert space["quota"]["left"] == space["quota"]["limit"] - 1
    assert space["vouchers"] == []
    (invitation,) = space["invitations"]
    assert invitation["address"] == "j•••@d•••.test"
    assert (invitation["state"], invitation["closes_on"]) == ("pending", "2026-03-16")


def test_a_refused_invitation_looks_like_one_that_waits(world: World) -> None:
    session = world.sign_in()
    world.ask(invitations(STRANGER, CUSTOMER, session=session))
    world.run()
    space = world.get("/v1/sponsor", Authorization=bearer(session)).json()
    assert {one["state"] for one in space["invitations"]} == {"pending"}
    world.clock.pass_by(days=15)
    again = world.sign_in()
    space = world.get("/v1/sponsor", Authorization=bearer(again)).json()
    assert {one["state"] for one in space["invitations"]} == {"closed"}


def test_invitations_are_received_in_the_order_of_the_request(world: World) -> None:
    session = world.sign_in()
    answer = world.ask(invitations(STRANGER, CUSTOMER, session=session))
    assert [one["state"] for one in answer.json()["invitations"]] == ["received", "received"]


def test_the_same_idempotency_key_gets_the_same_invitations(world: World) -> None:
    request = invitations(STRANGER, session=world.sign_in(), Idempotency_Key="key-1")
    first = world.ask(request)
    table = world.table()
    assert world.ask(request) == first
    assert world.table() == table


def test_calls_without_an_idempotency_key_are_calls_of_their_own(world: World) -> None:
    request = invitations(STRANGER, session=world.sign_in())
    assert world.ask(request).json() != world.ask(request).json()


def test_an_offer_names_the_sponsor_and_looking_changes_nothing(world: World) -> None:
    request = GOOD["get_invitation"](world)
    table = world.table()
    offer = world.ask(request).json()
    assert offer["sponsor"] == {"first_name": SPONSOR_NAME}
    assert (offer["state"], offer["closes_on"], offer["locale"]) == ("pending", "2026-03-16", "fr")
    assert world.table() == table


def test_confirming_again_is_200_with_the_same_body_and_changes_nothing(world: World) -> None:
    request = GOOD["confirm_invitation"](world)
    first = world.ask(request)
    table = world.table()
    again = world.ask(request)
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert world.table() == table


def test_a_confirmed_offer_is_shown_as_confirmed(world: World) -> None:
    token = world.invited()
    world.confirm(token)
    assert world.get(f"/v1/invitations/{token}").json()["state"] == "confirmed"


def test_a_consent_is_taken_back_on_the_page_it_was_given_on(world: World) -> None:
    request = GOOD["end_consent"](world)
    offer = request.path.replace("/consent-withdrawal", "")
    assert world.get(offer).json()["marketing_consent"] is True
    assert world.ask(request).status == 204
    assert world.get(offer).json()["marketing_consent"] is False
    table = world.table()
    assert world.ask(request).status == 204
    assert world.table() == table


def test_a_consent_ends_for_nobody_who_has_not_confirmed(world: World) -> None:
    token = world.invited()
    for one in (token, "unknown", world.sign_in_token(OTHER_VIP)):
        answer = world.post(f"/v1/invitations/{one}/consent-withdrawal")
        assert (answer.status, answer.problem) == (410, "over")


def test_the_page_of_a_confirmed_invitation_shows_the_voucher_once_it_is_released(
    world: World,
) -> None:
    world.voucher()
    token = next(mail for mail in world.mails if mail.recipient == STRANGER).token()
    [voucher] = world.get(f"/v1/invitations/{token}").json()["vouchers"]
    assert (voucher["state"], voucher["code"]) == ("preparing", None)


def test_declining_again_is_204_again_and_the_address_is_gone(world: World) -> None:
    request = GOOD["decline_invitation"](world)
    assert world.ask(request).status == 204
    table = world.table()
    assert STRANGER not in str(table)
    assert world.ask(request).status == 204
    assert world.table() == table


@pytest.mark.parametrize("accept", ["*/*", "text/html,*/*;q=0.8"])
def test_unsubscribing_is_200_whatever_the_token_and_acts_once(world: World, accept: str) -> None:
    request = GOOD["unsubscribe"](world)
    request = request.with_body(request.body, Accept=accept)
    first = world.ask(request)
    assert first.status == 200
    table = world.table()
    assert world.ask(request) == first
    others = [
        world.ask(replace(request, path=f"/v1/unsubscribe/{token}"))
        for token in ("unknown", "%FF", "a%2Fb", "x" * 3000)
    ]
    assert all(other == others[0] for other in others)
    assert others[0].status == 200
    # A page names the brand whose mail had the token; a mail program is told nothing.
    assert (others[0] == first) is (accept == "*/*")
    assert world.table() == table


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (b"scope=invitations", "Maison Demo ne vous enverra plus d’invitations ni d’actualités"),
        (b"scope=all", "Maison Demo ne vous enverra plus rien"),
    ],
)
def test_the_answer_to_a_refusal_without_a_script_names_the_brand(
    world: World, scope: bytes, said: str
) -> None:
    request = GOOD["unsubscribe"](world)
    asked = request.with_body(scope, Accept="text/html", Accept_Language="fr")
    page = world.ask(asked).body.decode()
    assert said in page
    assert "contact@demo.test" in page
    assert world.ask(asked).body.decode() == page
    unknown = world.ask(replace(asked, path="/v1/unsubscribe/unknown")).body.decode()
    assert "Cette enseigne ne vous enverra plus" in unknown
    assert "Maison Demo" not in unknown


def test_a_refusal_that_is_recorded_is_answered_although_its_brand_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise ConnectionError

    request = GOOD["unsubscribe"](world).with_body(b"scope=all", Accept="text/html")
    monkeypatch.setattr(objections, "campaign_behind", unreadable)
    answer = world.ask(request)
    assert answer.status == 200
    assert b"Maison Demo" not in answer.body


@pytest.mark.parametrize(
    ("body", "scope"),
    [
        (b"List-Unsubscribe=One-Click", "invitations"),
        (b"scope=invitations", "invitations"),
        (b"scope=all", "all"),
        (b'{"scope": "all"}', "all"),
        (b'{"scope": "everything"}', "invitations"),
        (b'{"scope": ["all"]}', "invitations"),
        (b'["all"]', "invitations"),
        (b"[" * 50_000, "invitations"),
        (b"\xff\xfe", "invitations"),
        (b"", "invitations"),
        (None, "invitations"),
        # RFC 8058 allows it; no page of ours sends it.
        (MULTIPART, "invitations"),
    ],
)
def test_what_is_refused_is_what_the_body_says(
    world: World, body: bytes | None, scope: str
) -> None:
    asked = GOOD["unsubscribe"](world).with_body(body)
    assert world.ask(asked).status == 200
    kept = [item for item in world.table() if item.get("kind", {}).get("S") == "OPPOSITION"]
    assert kept
    assert {item["scope"]["S"] for item in kept} == {scope}


def test_opening_the_address_of_the_header_leads_to_the_page_and_changes_nothing(
    world: World,
) -> None:
    opened = GOOD["open_unsubscribe"](world)
    table = world.table()
    answer = world.ask(opened)
    assert answer.status == 303
    page = urljoin(f"https://tandem.demo.test{opened.path}", answer.headers["location"])
    assert page == f"https://tandem.demo.test{opened.path}/page"
    assert world.ask(Request("GET", f"{opened.path}/page")).status == 200
    assert world.ask(Request("GET", "/v1/unsubscribe/a%0D%0AX:%20y")).headers["location"] == (
        "./a%0D%0AX%3A%20y/page"
    )
    assert world.table() == table


def _forms(world: World, page: Request) -> list[tuple[str, bytes]]:
    """Where each button of the page posts to, and what."""
    html = world.ask(page).body.decode()
    actions = re.findall(r'<form method="post" action="([^"]*)"', html)
    scopes = re.findall(r'<button [^>]*name="scope" value="(\w+)"', html)
    return [
        (urljoin(page.path, action), f"scope={scope}".encode())
        for action, scope in zip(actions, scopes, strict=True)
    ]


@pytest.mark.parametrize(("button", "scope"), [(0, "invitations"), (1, "all")])
def test_a_press_on_the_page_does_what_it_says_without_a_script(
    world: World, button: int, scope: str
) -> None:
    page = GOOD["unsubscribe_page"](world)
    path, body = _forms(world, page)[button]
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    answer = world.ask(Request("POST", path, body, headers))
    assert "<script" not in answer.body.decode()
    said = {"invitations": "no more invitations or news", "all": "nothing more, not even your"}
    english = world.ask(Request("POST", path, body, headers | {"Accept-Language": "en"}))
    assert said[scope] in english.body.decode()
    kept = [item for item in world.table() if item.get("kind", {}).get("S") == "OPPOSITION"]
    assert {item["scope"]["S"] for item in kept} == {scope}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de-DE,en;q=0.7,fr;q=0.3", "Your messages from Maison Demo"),
        ("fr-BE", "Vos messages de Maison Demo"),
        ("nothing", "Vos messages de Maison Demo"),
        ("", "Vos messages de Maison Demo"),
    ],
)
def test_the_page_names_the_brand_in_the_readers_language(
    world: World, language: str, words: str
) -> None:
    page = GOOD["unsubscribe_page"](world)
    assert words in world.ask(page.with_body(None, Accept_Language=language)).body.decode()


def test_the_page_leads_to_what_else_somebody_may_ask_for(world: World) -> None:
    html = world.ask(GOOD["unsubscribe_page"](world)).body.decode()
    assert f'<a href="/privacy/?campaign={CAMPAIGN}">Vos données' in html
    assert "Maison Demo SAS, 1 rue de la Demo, 75002 Paris, France, RCS Paris 000 000 000" in html


def test_the_page_of_an_unknown_token_says_so_and_has_no_button(world: World) -> None:
    page = Request("GET", "/v1/unsubscribe/unknown/page")
    html = world.ask(page).body.decode()
    assert "Ce lien n’est plus valable" in html
    assert "<form" not in html
    assert "<a " not in html  # of no campaign


def test_unsubscribing_ends_the_invitation(world: World) -> None:
    token = world.invited()
    world.post(f"/v1/unsubscribe/{world.last_to(STRANGER).token('/v1/unsubscribe/')}")
    assert world.get(f"/v1/invitations/{token}").status == 410


def test_by_shared_link_the_address_is_confirmed_from_a_mail(world: World) -> None:
    assert world.ask(GOOD["sign_up"](world)).status == 202
    world.run()
    token = world.last_to(STRANGER).token()
    assert world.confirm(token).status == 201


def test_a_link_code_is_read_without_regard_to_case(world: World) -> None:
    code = world.link_code(world.sign_in()).upper()
    assert world.post(f"{OF_CAMPAIGN}/links/{code}/sign-up", {"email": STRANGER}).status == 202


@pytest.mark.parametrize("typed", ["as_printed", "lower", "spaces", "bare"])
def test_a_voucher_is_found_however_its_code_is_typed(world: World, typed: str) -> None:
    printed = world.voucher()
    forms = {
        "as_printed": printed,
        "lower": printed.lower(),
        "spaces": printed.replace("-", "%20"),
        "bare": printed.replace("-", ""),
    }
    reported = world.get(f"{VOUCHERS}/{forms[typed]}").json()
    assert (reported["code"], reported["acceptable"], reported["reason"]) == (printed, True, None)
    assert (reported["value"], reported["minimum_basket"], reported["currency"]) == (
        "10.00",
        "40.00",
        "EUR",
    )
    assert reported["valid_until"] == "2026-05-01T21:59:59+00:00"


@pytest.mark.parametrize(("days", "reason"), [(60, None), (61, "expired")])
def test_a_voucher_ends_with_its_last_local_day(
    world: World, days: int, reason: str | None
) -> None:
    code = world.voucher()
    world.clock.pass_by(days=days)
    reported = world.get(f"{VOUCHERS}/{code}").json()
    assert (reported["acceptable"], reported["reason"]) == (reason is None, reason)


def test_a_refused_code_is_revoked_for_the_client_while_it_waits_for_its_replacement(
    world: World,
) -> None:
    """The client's own codes have run out, so nothing is issued in its place yet."""
    world.put_templates(welcome={"codes": "client"})
    world.drop("codes/welcome/first.csv", b"code\nOWN-0001\n")
    code = world.voucher()
    functions.export()
    receipt = world.drop("acks/00000001.ack", f"code,reason\n{code},taken\n".encode())
    assert receipt["effects"] == {"refused": 1}
    [stored] = world.vouchers()
    assert stored["state"] == {"S": "exported"}
    reported = world.get(f"{VOUCHERS}/{code}").json()
    assert (reported["acceptable"], reported["reason"]) == (False, "refused_by_client")
    assert reported["state"] == "revoked"


def test_redeeming_again_is_200_with_the_same_body_and_changes_nothing(world: World) -> None:
    request = GOOD["redeem_voucher"](world)
    first = world.ask(request)
    table = world.table()
    again = world.ask(request)
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert world.table() == table


def test_the_holder_uses_a_bound_voucher_which_says_that_it_is(world: World) -> None:
    world.put_templates(welcome={"holder_bound": True, "not_with": ["welcome"]})
    request = GOOD["redeem_voucher"](world)
    reported = world.get(request.path.removesuffix("/redemptions")).json()
    assert (reported["holder_bound"], reported["not_with"]) == (True, ["welcome"])
    holder = AddressDigests.of(Address.parse(STRANGER), [KEY]).for_client
    redemption = posting(request.path, PURCHASE | {"email_digest": holder.upper()})
    assert world.ask(redemption).status == 201


def test_an_exhausted_voucher_says_since_when_and_not_by_whom(world: World) -> None:
    request = GOOD["redeem_voucher"](world)
    path = request.path.removesuffix("/redemptions")
    assert world.get(path).json()["exhausted_since"] is None
    redemption = world.ask(request).json()
    world.clock.pass_by(hours=1)
    reported = world.get(path)
    assert reported.json()["reason"] == "exhausted"
    assert reported.json()["exhausted_since"] == redemption["redeemed_at"]
    assert str(PURCHASE["order_id"]).encode() not in reported.body


def test_rolling_back_again_is_204_again_and_changes_nothing(world: World) -> None:
    request = GOOD["roll_back_redemption"](world)
    assert world.ask(request).status == 204
    table = world.table()
    assert world.ask(request).status == 204
    assert world.table() == table


def test_orders_are_answered_one_by_one(world: World) -> None:
    code = world.voucher()
    good = PURCHASE | {"voucher_code": code, "status": "placed"}
    wrong = good | {"order_id": "web-1002", "status": "lost"}
    others = PURCHASE | {"order_id": "web-1003", "email_digest": "0" * 64, "status": "kept"}
    answer = world.post("/v1/client/orders", {"orders": [good, wrong, others]})
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [200, 422, 200]
    assert [one["order_id"] for one in results] == ["web-1001", "web-1002", "web-1003"]
    assert [one["effect"] for one in results] == ["recorded", None, "not_a_referees"]
    assert [one["field"] for one in results[1]["errors"]] == ["status"]


def test_an_order_reported_again_changes_nothing(world: World) -> None:
    request = GOOD["post_orders"](world)
    world.ask(request)
    table = world.table()
    assert world.ask(request).json()["results"][0]["effect"] == "known_already"
    assert world.table() == table


def test_the_dashboard_counts_what_happened(world: World) -> None:
    session = world.sign_in()
    world.ask(invitations(STRANGER, CUSTOMER, session=session))
    world.run()
    world.confirm(world.last_to(STRANGER).token())
    world.run()
    reported = world.get(f"/v1/ops/campaigns/{CAMPAIGN}/dashboard").json()
    shown = {name: count for name, count in reported["funnel"].items() if count}
    assert shown == {
        "invited": 2, "refused": 1, "sent": 1, "confirmed": 1, "vouchers_issued": 1, "rewards": 1,
    }  # fmt: skip
    assert reported["refused_by_reason"] == {"customer": 1}
    (day,) = reported["days"]
    assert day["date"] == "2026-03-02"
    assert reported["lists"]["vips"]["in_force"] is True


def test_the_document_is_served_as_published(world: World) -> None:
    assert world.get("/v1/openapi.json").json() == json.loads(text())


def test_public_answers_hold_no_address(world: World) -> None:
    session = world.sign_in()
    token = world.invite(session)
    for path in ("/v1/sponsor", f"/v1/invitations/{token}"):
        answer = world.get(path, Authorization=bearer(session))
        assert not {one for one in (VIP, STRANGER) if one.encode() in answer.body}
