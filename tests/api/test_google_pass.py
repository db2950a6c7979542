"""The link that adds a voucher to Google Wallet, by the API: to whom, in which language, when not.

That it is nobody else's, and only of a voucher that can be used, is as for the other wallet.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import bootstrap
from chalicelib.wallets.signing import SAVE
from tests.api.requests import GOOD
from tests.api.test_apple_pass import held, stored, used
from tests.api.world import ORIGIN, STRANGER, WALLETS_PATH, World
from tests.wallets.certificates import ACCOUNT, ISSUER, service_account

ROUTES = ("get_referees_google_pass", "get_sponsors_google_pass")
each_route = pytest.mark.parametrize("route", ROUTES)


def claims(url: str) -> dict[str, Any]:
    """What the token of a link says; that its signature is good is tested beside the signer."""
    body = url.removeprefix(SAVE).split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


@each_route
def test_a_holder_gets_a_link_with_her_voucher(world: World, route: str) -> None:
    asked = GOOD[route](world)
    before = world.table()
    answer = world.ask(asked)
    assert answer.status == 200
    found = claims(answer.json()["url"])
    voucher = held(world, asked)
    assert found["origins"] == [ORIGIN]
    [made] = found["payload"]["offerObjects"]
    assert made["id"] == f"{ISSUER}.{voucher['id']}"
    assert made["barcode"]["value"] == voucher["code"]
    assert world.table() == before


@each_route
@pytest.mark.parametrize(("asks_for", "word"), [("en-GB,en", "voucher at"), ("de", "Bon d’achat")])
def test_the_pass_is_in_the_readers_language_or_the_campaigns_first(
    world: World, route: str, asks_for: str, word: str
) -> None:
    asked = GOOD[route](world)
    headers = {**asked.headers, "Accept-Language": asks_for}
    found = claims(world.ask(replace(asked, headers=headers)).json()["url"])
    assert word in found["payload"]["offerClasses"][0]["title"]


def test_another_account_is_used_five_minutes_after_it_was_stored(world: World) -> None:
    asked = GOOD["get_sponsors_google_pass"](world)
    assert claims(world.ask(asked).json()["url"])["iss"] == ACCOUNT
    other = json.loads(service_account()) | {"client_email": "next@tandem-test.example"}
    stored(world, "google/account", json.dumps(other))
    assert claims(world.ask(asked).json()["url"])["iss"] == ACCOUNT
    world.clock.pass_by(minutes=5)
    assert claims(world.ask(asked).json()["url"])["iss"] == other["client_email"]


@each_route
def test_a_voucher_that_is_used_has_none(world: World, route: str) -> None:
    asked = GOOD[route](world)
    used(world)
    answer = world.ask(asked)
    assert (answer.status, answer.problem) == (404, "not-found")


@each_route
def test_a_stage_without_an_issuer_has_no_links_and_reads_nothing_for_them(
    world: World, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = GOOD[route](world)
    monkeypatch.setenv("TANDEM_GOOGLE_ISSUER", "")
    bootstrap.settings.cache_clear()
    bootstrap.ports.cache_clear()
    assert held(world, asked)["passes"] == ["apple"]
    with world.recorder.recording() as calls:
        answer = world.ask(asked)
    assert (answer.status, answer.problem) == (404, "not-found")
    assert calls == []


def test_a_token_that_is_none_is_refused_as_on_the_page(world: World) -> None:
    answer = world.get("/v1/invitations/unknown/vouchers/v/google-pass")
    assert (answer.status, answer.problem) == (410, "over")


@each_route
def test_what_cannot_be_signed_is_said_to_be_impossible_now(
    world: World, route: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked = GOOD[route](world)
    world.clients.ssm.delete_parameter(Name=f"{WALLETS_PATH}google/account")
    answer = world.ask(asked)
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert "pass not signed" in caplog.messages
    assert STRANGER not in str([vars(record) for record in caplog.records])
