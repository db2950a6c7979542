"""What a fact adds to the figures, and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.domain.fact_bodies import InvitationReceived, InvitationSent
from chalicelib.domain.figures import FIGURED, figures_of
from chalicelib.domain.invitations import Channel
from tests.fakes.campaign import campaign

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ABOUT = {"sponsor_id": "s1", "invitation_id": "i1"}


@pytest.mark.parametrize(("is_first", "active"), [(True, {"sponsors.active": 1}), (False, {})])
def test_what_is_added_0_times_is_not_named(is_first: bool, active: dict[str, int]) -> None:
    body = InvitationReceived(**ABOUT, channel=Channel.EMAIL, campaign_version=1, is_first=is_first)
    added = {"channel.email.invited": 1, "hour.9.invited": 1, FIGURED: 1}
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
