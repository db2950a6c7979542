"""`tandem reward`: what is held, with its reasons, and that a decision is recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward, RewardRefusal, is_released
from chalicelib.services.ports import Insert
from tests.cli.conftest import facts_now
from tests.contract.entities import ENTITIES

pytestmark = pytest.mark.slow

Tandem = Callable[..., Result]

CAMPAIGN = "demo-vip"
DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"
[EXAMPLE] = [one for one in ENTITIES if isinstance(one, Reward)]
[REFERRAL] = [one for one in ENTITIES if isinstance(one, Referral)]
[SPONSOR] = [one for one in ENTITIES if isinstance(one, Sponsor)]
assert EXAMPLE.hold
HELD = replace(
    EXAMPLE, code_key=None, granted_at=None, refused_reason=None, revoked_at=None, is_used=False,
    voucher_id=None, in_budget=False, to=HolderRole.SPONSOR,
    hold=replace(
        EXAMPLE.hold, released_at=None, released_by=None,
        ends_at=datetime.now(UTC) + timedelta(days=9),
    ),
)  # fmt: skip
NAME = str(RewardKey.of(HELD))


@pytest.fixture
def held(stack: DynamoRepository, tandem: Tandem) -> DynamoRepository:
    """The demo campaign with a sponsor's reward that is held."""
    assert tandem("campaign", "put", DEMO).exit_code == 0
    stack.commit(Insert(HELD), Insert(REFERRAL), Insert(SPONSOR))
    return stack


def stored(held: DynamoRepository) -> Reward:
    found = held.get(Reward, **vars(RewardKey.of(HELD)))
    assert found
    return found


def test_at_a_terminal_a_refusal_is_asked_about_first(
    held: DynamoRepository, tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.asking._is_terminal", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    refused = tandem("reward", "refuse", NAME, "--campaign", CAMPAIGN)
    assert (refused.exit_code, refused.output) == (1, "nothing was refused\n")
    assert stored(held).refused_reason is None
    assert tandem("reward", "refuse", NAME, "--campaign", CAMPAIGN, "--yes").exit_code == 0


@pytest.mark.usefixtures("held")
def test_what_is_held_is_shown_with_score_and_reasons(tandem: Tandem) -> None:
    shown = tandem("reward", "list", "--campaign", CAMPAIGN).stdout
    for text in (NAME, "sponsor", "5.00", "35", "sequence: 2, 35", "1 held, 5.00 EUR together"):
        assert text in shown
    [record] = json.loads(tandem("reward", "list", "--campaign", CAMPAIGN, "--json").stdout)
    assert (record["reward"], record["value"], record["score"]) == (NAME, "5.00 EUR", 35)
    assert {"signal": "sequence", "seen": 2, "points": 35} in record["signals"]


def test_a_release_is_recorded_with_who_decided(held: DynamoRepository, tandem: Tandem) -> None:
    done = tandem("reward", "release", NAME, "--campaign", CAMPAIGN)
    assert (done.exit_code, done.stdout) == (
        0,
        f"{NAME}: released; its voucher is issued next\n",
    )
    assert is_released(stored(held))
    [fact] = facts_now(held, HELD.referral_id)
    assert fact.name == "reward_released"
    assert str(fact.details["by"]).startswith(("AKIA", "AIDA", "AROA"))
    assert tandem("reward", "list", "--campaign", CAMPAIGN).stdout == "none\n"


def test_a_refusal_frees_the_sponsors_cap_and_cannot_be_released(
    held: DynamoRepository, tandem: Tandem
) -> None:
    assert tandem("reward", "refuse", NAME, "--campaign", CAMPAIGN).exit_code == 0
    assert stored(held).refused_reason == RewardRefusal.REFUSED_IN_REVIEW
    sponsor = held.get(Sponsor, sponsor_id=SPONSOR.sponsor_id)
    assert sponsor
    assert sponsor.rewards == SPONSOR.rewards - 1
    again = tandem("reward", "release", NAME, "--campaign", CAMPAIGN)
    assert (again.exit_code, again.stderr) == (
        1,
        f"{NAME}: it has been refused already\n",
    )


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("name", ["nothing", "r.ladder-first.2", "r.ladder-first.x", "a.b.c.d"])
def test_what_is_not_held_is_an_error_and_nothing_is_decided(tandem: Tandem, name: str) -> None:
    failed = tandem("reward", "refuse", name, "--campaign", CAMPAIGN)
    assert failed.exit_code == 1
    assert f"no held reward {name}" in failed.stderr


@pytest.mark.usefixtures("stack")
def test_a_campaign_that_does_not_exist_has_nothing_held(tandem: Tandem) -> None:
    failed = tandem("reward", "list", "--campaign", "unknown")
    assert failed.exit_code == 1
    assert "no campaign unknown" in failed.stderr
