"""What a fact adds to the figures, and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.fact_bodies import (
    CampaignPut,
    InvitationReceived,
    InvitationSent,
    OrderPlaced,
    RedemptionRefused,
    VoucherRedeemed,
)
from chalicelib.domain.figures import FIGURED, figures_of
from chalicelib.domain.invitations import Channel
from tests.fakes.campaign import campaign

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ABOUT = {"sponsor_id": "s1", "invitation_id": "i1"}


@pytest.mark.parametrize(("is_first", "active"), [(True, {"sponsors.active": 1}), (False, {})])
def test_what_is_added_0_times_is_not_named(is_first: bool, active: dict[str, int]) -> None:
    body = InvitationReceived(**ABOUT, channel=Channel.EMAIL, campaign_version=1, is_first=is_first)
    added = {"channel.email.invited": 1, "hour.9.email.invited": 1, FIGURED: 1}
    assert figures_of(campaign(), body, NINE) == added | active


@pytest.mark.parametrize(
    ("kind", "added"),
    [
        ("invitation", {"channel.email.sent": 1, FIGURED: 1}),
        ("sign_up", {"channel.link.sent": 1, FIGURED: 1}),
        ("of a later version", {}),
    ],
)
def test_a_mail_of_an_invitation_is_counted_by_its_kind(kind: str, added: dict[str, int]) -> None:
    body = InvitationSent(**ABOUT, mail_id="m1", kind=kind)
    assert figures_of(campaign(), body, NINE) == added


@pytest.mark.parametrize(
    ("version", "added"),
    [(1, {}), (2, {"release.2": 1, FIGURED: 1}), (12, {"release.12": 1, FIGURED: 1})],
)
def test_a_version_after_the_first_is_a_release_of_its_day(
    version: int, added: dict[str, int]
) -> None:
    assert figures_of(campaign(), CampaignPut(version=version), NINE) == added


@pytest.mark.parametrize(("rung", "named"), [(0, "0"), (3, "3"), (4, "more"), (500, "more")])
def test_the_later_rungs_of_a_rule_are_counted_together(rung: int, named: str) -> None:
    body = VoucherRedeemed(
        voucher_id="v", referral_id="r", holder_id="h", holder=HolderRole.REFEREE,
        template="welcome", rule="each-order", rung=rung, value_minor=500,
    )  # fmt: skip
    assert figures_of(campaign(), body, NINE) == {
        f"rule.redeemed.each-order.{named}": 1,
        f"rule_money.redeemed.each-order.{named}": 500,
        FIGURED: 1,
    }


def test_a_redemption_of_an_earlier_version_says_no_rule_and_is_counted_by_none() -> None:
    body = VoucherRedeemed(
        voucher_id="v", referral_id="r", holder_id="h", holder=HolderRole.REFEREE
    )
    assert figures_of(campaign(), body, NINE) == {}


def test_a_refused_voucher_counts_by_its_own_fact_and_in_earlier_versions_by_its_orders() -> None:
    refused = RedemptionRefused(
        voucher_id="v", referral_id="r", holder_id="h", order_ref_id="o", reason="expired"
    )
    placed = OrderPlaced(referral_id="r", sponsor_id="s", amount_minor=100, code_problem="expired")
    for body in (refused, placed):
        assert figures_of(campaign(), body, NINE) == {"till.expired": 1, FIGURED: 1}
