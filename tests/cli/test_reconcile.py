"""`tandem reconcile`: prints what does not agree of a day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.services.ports import Repository
from cli import reconcile
from tests.cli.conftest import Tandem
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import World
from tests.services.test_balance import a_day


@dataclass
class WorldConnection:
    """A connection to a world in memory."""

    repository: Repository

    def clock(self) -> datetime:
        return datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> World:
    world = a_day(loses=FactName.REFERRAL_CONFIRMED)
    monkeypatch.setattr(reconcile, "connect", lambda _: WorldConnection(world.repository))
    monkeypatch.setattr(reconcile, "ports_of", lambda _: world.ports)
    return world


@pytest.mark.usefixtures("connected")
def test_what_does_not_agree_of_yesterday_is_printed(tandem: Tandem) -> None:
    result = tandem("reconcile", CAMPAIGN)
    assert result.exit_code == 1
    assert result.output.splitlines()[1].split() == ["counter_and_facts", "confirmed", "1", "0"]
    assert "demo-vip, 2026-03-02: 1 do not agree" in result.output


@pytest.mark.usefixtures("connected")
def test_a_day_may_be_named_and_agrees(tandem: Tandem) -> None:
    result = tandem("reconcile", CAMPAIGN, "--day", "2026-03-01")
    assert (result.exit_code, result.output) == (0, "demo-vip, 2026-03-01: all agrees\n")


@pytest.mark.usefixtures("connected")
def test_programs_read_what_does_not_agree(tandem: Tandem) -> None:
    result = tandem("reconcile", CAMPAIGN, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "campaign": CAMPAIGN,
        "day": "2026-03-02",
        "findings": [
            {"what": "counter_and_facts", "about": "confirmed", "expected": "1", "found": "0"}
        ],
    }
    agrees = tandem("reconcile", CAMPAIGN, "--day", "2026-03-01", "--json")
    assert (agrees.exit_code, json.loads(agrees.stdout)["findings"]) == (0, [])


@pytest.mark.usefixtures("connected")
def test_an_unknown_campaign_is_refused(tandem: Tandem) -> None:
    assert "no campaign other" in tandem("reconcile", "other").output
