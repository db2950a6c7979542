"""A voucher as a pass of Apple Wallet, by the API: to whom, of what, how it comes, and when not."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib import bootstrap
from chalicelib.functions.wallet import wallet
from chalicelib.invocations import WorkFailedError
from tests.api.gateway import Request
from tests.api.requests import GOOD, PKPASS, PURCHASE, bearer
from tests.api.world import OTHER_VIP, STRANGER, TABLE, WALLETS_PATH, World
from tests.wallets.certificates import PASS_TYPE, Authority, authority
from tests.wallets.verifying import files_of, verify

ROUTES = ("get_referees_apple_pass", "get_sponsors_apple_pass")
each_route = pytest.mark.parametrize("route", ROUTES)


def held(world: World, asked: Request) -> dict[str, Any]:
    """The voucher of a good request, as its holder's page is given it."""
    page = asked.path.partition("/vouchers/")[0]
    headers = {name: value for name, value in asked.headers.items() if name != "Accept"}
    [voucher] = world.ask(Request("GET", page, headers=headers)).json()["vouchers"]
    found: dict[str, Any] = voucher
    return found


@each_route
def test_a_holder_gets_her_voucher_as_a_pass_that_openssl_verifies(
    world: World, route: str, tmp_path: Path
) -> None:
    asked = GOOD[route](world)
    answer = world.ask(asked)
    assert (answer.status, answer.headers["content-type"]) == (200, PKPASS)
    assert answer.headers["content-disposition"] == 'attachment; filename="voucher.pkpass"'
    content = json.loads(verify(answer.body, authority().root, tmp_path)["pass.json"])
    voucher = held(world, asked)
    assert voucher["passes"] == ["apple", "google"]
    assert content["serialNumber"] == voucher["id"]
    assert content["barcodes"][0]["message"] == voucher["code"]
    assert content["expirationDate"].startswith(voucher["valid_until"])


@each_route
def test_asking_changes_nothing(world: World, route: str) -> None:
    asked = GOOD[route](world)
    before = world.table()
    assert world.ask(asked).status == 200
    assert world.table() == before


@each_route
def test_the_pass_has_the_logo_that_mails_have(world: World, route: str, tmp_path: Path) -> None:
    asked = GOOD[route](world)
    picture = {"sha256": "c" * 64, "kind": "png", "width": 320, "height": 66}
    shown = world.campaign().model_copy(update={"pictures": {}})
    document = shown.model_dump(by_alias=True, exclude={"version"})
    world.put(type(shown).model_validate(document | {"pictures": {"logo.png": picture}}))
    world.clients.s3.put_object(
        Bucket="tandem-test-files", Key=f"pictures/demo-vip/{'c' * 32}.png", Body=b"a logo"
    )
    world.clock.pass_by(minutes=1)
    files = verify(world.ask(asked).body, authority().root, tmp_path)
    assert files["logo@2x.png"] == b"a logo"


def used(world: World) -> None:
    for item in world.vouchers():
        path = f"/v1/client/vouchers/{item['printed']['S']}/redemptions"
        order = PURCHASE | {"order_id": item["voucher_id"]["S"]}
        assert world.post(path, order).status == 201


def over(world: World) -> None:
    world.clock.pass_by(days=91)


@pytest.mark.parametrize(
    ("route", "ends"),
    # A sponsor's session ends long before her voucher.
    [(ROUTES[0], used), (ROUTES[1], used), (ROUTES[0], over)],
)
def test_a_voucher_that_is_used_or_over_has_none(
    world: World, route: str, ends: Callable[[World], None]
) -> None:
    asked = GOOD[route](world)
    ends(world)
    assert held(world, asked)["passes"] == []
    answer = world.ask(asked)
    assert (answer.status, answer.problem) == (404, "not-found")


def test_a_voucher_that_is_not_released_has_none(world: World) -> None:
    world.voucher()
    page = f"/v1/invitations/{world.mailed_token(STRANGER)}"
    [voucher] = world.get(page).json()["vouchers"]
    assert (voucher["state"], voucher["passes"]) == ("preparing", [])
    answer = world.get(f"{page}/vouchers/{voucher['id']}/apple-pass", Accept=PKPASS)
    assert (answer.status, answer.problem) == (404, "not-found")


def test_nobody_gets_the_voucher_of_another(world: World) -> None:
    """A sponsor her referee's, another sponsor hers, a referee hers."""
    referees = GOOD["get_referees_apple_pass"](world)
    session = bearer(world.sign_in())
    [hers] = world.get("/v1/sponsor", Authorization=session).json()["vouchers"]
    [his] = [held(world, referees)]
    other = bearer(world.sign_in(OTHER_VIP))
    token = referees.path.split("/")[3]
    for path, headers in (
        (f"/v1/sponsor/vouchers/{his['id']}/apple-pass", {"Authorization": session}),
        (f"/v1/sponsor/vouchers/{hers['id']}/apple-pass", {"Authorization": other}),
        (f"/v1/invitations/{token}/vouchers/{hers['id']}/apple-pass", {}),
        (f"/v1/invitations/{token}/vouchers/unknown/apple-pass", {}),
    ):
        answer = world.get(path, Accept=PKPASS, **headers)
        assert (answer.status, answer.problem) == (404, "not-found")


def test_who_has_neither_session_nor_token_is_refused_as_on_the_pages(world: World) -> None:
    asked = GOOD["get_sponsors_apple_pass"](world)
    without = world.ask(replace(asked, headers={"Accept": PKPASS}))
    assert (without.status, without.problem) == (401, "unauthorised")
    voucher = asked.path.split("/")[4]
    gone = world.get(f"/v1/invitations/unknown/vouchers/{voucher}/apple-pass", Accept=PKPASS)
    assert (gone.status, gone.problem) == (410, "over")


@each_route
def test_a_stage_without_certificates_has_no_passes_and_reads_nothing_for_them(
    world: World, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = GOOD[route](world)
    monkeypatch.setenv("TANDEM_APPLE_WALLET", "no")
    bootstrap.settings.cache_clear()
    bootstrap.ports.cache_clear()
    assert held(world, asked)["passes"] == ["google"]
    with world.recorder.recording() as calls:
        answer = world.ask(asked)
    assert (answer.status, answer.problem) == (404, "not-found")
    assert calls == []


@each_route
@pytest.mark.parametrize(
    "accept", ["", "*/*", f"text/html,{PKPASS}", "application/json", f"{PKPASS}x"]
)
def test_who_does_not_ask_for_the_file_first_would_get_text_and_is_refused(
    world: World, route: str, accept: str
) -> None:
    """API Gateway goes by the first type: what a browser sends with a link is not enough."""
    asked = GOOD[route](world)
    answer = world.ask(replace(asked, headers={**asked.headers, "Accept": accept}))
    assert (answer.status, answer.problem) == (406, "not-acceptable")


@pytest.mark.parametrize("accept", [f"{PKPASS},*/*;q=0.1", f"{PKPASS};q=1", PKPASS.upper()])
def test_the_file_may_be_asked_for_in_any_form(world: World, accept: str) -> None:
    asked = GOOD["get_sponsors_apple_pass"](world)
    answer = world.ask(replace(asked, headers={**asked.headers, "Accept": accept}))
    assert answer.status == 200


@pytest.mark.parametrize("kind", ["apple", "google"])
@pytest.mark.parametrize("role", ["referees", "sponsors"])
def test_a_voucher_that_cannot_be_read_keeps_no_pass_of_another(
    world: World, kind: str, role: str
) -> None:
    asked = GOOD[f"get_{role}_{kind}_pass"](world)
    for item in world.vouchers():
        damaged = {name: value for name, value in item.items() if name != "state"}
        damaged["pk"] = {"S": f"{item['pk']['S']}-2"}
        world.clients.dynamodb.put_item(TableName=TABLE, Item=damaged)
    assert kind in held(world, asked)["passes"]
    assert world.ask(asked).status == 200


# --- other credentials ---------------------------------------------------------------------------


def stored(world: World, name: str, value: str) -> None:
    world.clients.ssm.put_parameter(
        Name=f"{WALLETS_PATH}{name}", Value=value, Type="SecureString", Overwrite=True
    )


def store(world: World, one: Authority) -> None:
    stored(world, "apple/certificate", one.certificate)
    stored(world, "apple/key", one.key)
    stored(world, "apple/intermediate", one.intermediate)


def type_of(pass_file: bytes) -> str:
    """The type of a pass, which is that of the certificate it was signed with."""
    content = json.loads(files_of(pass_file)["pass.json"])
    return str(content["passTypeIdentifier"])


def test_another_certificate_is_used_five_minutes_after_it_was_stored(world: World) -> None:
    asked = GOOD["get_sponsors_apple_pass"](world)
    assert type_of(world.ask(asked).body) == PASS_TYPE
    store(world, authority(365, "pass.test.next"))
    world.clock.pass_by(minutes=4, seconds=59)
    assert type_of(world.ask(asked).body) == PASS_TYPE
    world.clock.pass_by(seconds=1)
    assert type_of(world.ask(asked).body) == "pass.test.next"


def test_a_certificate_that_has_ended_is_replaced_at_once(world: World) -> None:
    """The function alone: sessions and tokens end long before a certificate."""
    message = {"wallet": "apple", "pass": {"content": {}, "files": {}}}
    short = authority(1, "pass.test.short")
    store(world, short)
    world.clock.at = short.credentials.ends_at - timedelta(minutes=1)
    assert type_of(b64decode(wallet(message)["signed"])) == "pass.test.short"
    world.clock.pass_by(minutes=2)
    with pytest.raises(WorkFailedError):
        wallet(message)
    store(world, authority(365, "pass.test.next"))
    assert type_of(b64decode(wallet(message)["signed"])) == "pass.test.next"


# --- what cannot be signed -----------------------------------------------------------------------


def no_certificate(world: World, _: pytest.MonkeyPatch) -> None:
    world.clients.ssm.delete_parameter(Name=f"{WALLETS_PATH}apple/certificate")


def other_key(world: World, _: pytest.MonkeyPatch) -> None:
    stored(world, "apple/key", authority(365, "pass.test.other").key)


def no_right(_: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke")

    monkeypatch.setattr(bootstrap.ports().wallets._clients.functions, "invoke", refuse)  # type: ignore[attr-defined]


@pytest.mark.parametrize("breaks", [no_certificate, other_key, no_right])
def test_what_cannot_be_signed_is_said_to_be_impossible_now_and_logged_without_a_secret(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    breaks: Callable[[World, pytest.MonkeyPatch], None],
) -> None:
    asked = GOOD["get_sponsors_apple_pass"](world)
    code = held(world, asked)["code"]
    breaks(world, monkeypatch)
    caplog.clear()
    answer = world.ask(asked)
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert ("pass not signed" in caplog.messages) is (breaks is not no_right)
    lines = str([vars(record) for record in caplog.records])
    assert code not in lines
    assert "PRIVATE KEY" not in lines


def test_a_signed_pass_leaves_a_line_that_names_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    asked = GOOD["get_referees_apple_pass"](world)
    voucher = held(world, asked)
    caplog.clear()
    assert world.ask(asked).status == 200
    assert caplog.messages == ["pass signed", "request"]
    lines = str([vars(record) for record in caplog.records])
    assert voucher["code"] not in lines
    assert asked.path.split("/")[3] not in lines
