"""`tandem voucher`: what ops see of refused vouchers, and how they replace one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.changes import SHARDS, VoucherChange
from chalicelib.domain.fact_bodies import VoucherIssued, body_as
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import MOST_REFUSALS, Voucher, VoucherState
from chalicelib.services.ports import Insert
from tests.cli.conftest import facts_now
from tests.contract.entities import ENTITIES

pytestmark = pytest.mark.slow

Tandem = Callable[..., Result]

CAMPAIGN = "demo-vip"
DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"
[EXAMPLE] = [one for one in ENTITIES if isinstance(one, Voucher)]
REFUSED = replace(
    EXAMPLE, state=VoucherState.EXPORTED, acknowledged_at=None, redeemed_by=None, revoked_at=None,
    ended_at=None, replaces=None, replaced_by=None, refused_reason="no such card",
    valid_until=datetime.now(UTC) + timedelta(days=30),
)  # fmt: skip


@pytest.fixture
def refused(stack: DynamoRepository, tandem: Tandem) -> DynamoRepository:
    """The demo campaign, and a holder whose codes were refused as often as they may be."""
    assert tandem("campaign", "put", DEMO).exit_code == 0
    earlier = replace(REFUSED, state=VoucherState.REVOKED, ended_at=datetime.now(UTC))
    for number in range(1, MOST_REFUSALS):
        stack.commit(Insert(replace(earlier, code_key=f"C{number}", voucher_id=f"v{number}")))
    reward = Reward(
        campaign=CAMPAIGN, referral_id="r", rule=REFUSED.rule, rung=REFUSED.rung, code_key="C"
    )
    stack.commit(Insert(REFUSED), Insert(reward))
    return stack


@pytest.mark.usefixtures("refused")
def test_what_was_refused_is_shown_with_the_clients_reason(tandem: Tandem) -> None:
    shown = tandem("voucher", "refused", CAMPAIGN).stdout.splitlines()
    assert [line.split() for line in shown[1:]] == [
        ["v", "referee", "welcome", "1", "no", "such", "card"]
    ]
    assert "WE-C" not in "".join(shown)


def test_a_voucher_refused_too_often_is_replaced_and_who_decided_is_recorded(
    refused: DynamoRepository, tandem: Tandem
) -> None:
    done = tandem("voucher", "replace", CAMPAIGN, "v")
    assert (done.exit_code, done.stdout) == (
        0,
        "v: replaced; the new voucher is in the next export\n",
    )
    old = refused.get(Voucher, code_key="C")
    assert old
    assert old.replaced_by
    [issued] = facts_now(refused, old.replaced_by)
    body = body_as(issued, VoucherIssued)
    assert body.replaces_id == "v"
    assert body.by
    [change] = (
        one
        for shard in SHARDS
        for one in refused.within(VoucherChange, campaign=CAMPAIGN, shard=shard)
    )
    assert change.code_key == "C"
    assert tandem("voucher", "refused", CAMPAIGN).stdout == "none\n"
    again = tandem("voucher", "replace", CAMPAIGN, "v")
    assert (again.exit_code, again.stderr) == (
        1,
        f"no refused voucher v: see: tandem voucher refused {CAMPAIGN}\n",
    )


def test_a_voucher_whose_reward_is_gone_is_not_replaced(
    refused: DynamoRepository, tandem: Tandem
) -> None:
    refused.commit(Insert(replace(REFUSED, code_key="D", voucher_id="w", rung=7)))
    done = tandem("voucher", "replace", CAMPAIGN, "w")
    assert (done.exit_code, done.stderr) == (
        1,
        "w: it has ended, or it was revoked or replaced meanwhile\n",
    )


@pytest.mark.parametrize("arguments", [("refused",), ("replace", "v")])
def test_a_campaign_that_is_not_there_is_named(
    stack: DynamoRepository, tandem: Tandem, arguments: tuple[str, ...]
) -> None:
    assert isinstance(stack, DynamoRepository)
    command, *rest = arguments
    done = tandem("voucher", command, "nowhere", *rest)
    assert (done.exit_code, done.stderr) == (
        1,
        "no campaign nowhere: list them with: tandem campaign list\n",
    )
