"""The acts of the feed: what of a fact they say, and the short words they are stored as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.effects import EFFECTS
from chalicelib.domain.fact_bodies import (
    CampaignPut,
    InvitationReceived,
    InvitationSent,
    SignInRefused,
)
from chalicelib.domain.facts import Fact, FactBody, FactName
from chalicelib.domain.feed import (
    ACTS,
    ACTS_SHOWN,
    Act,
    act_of,
    acts_of_campaign,
    last_acts,
    newest,
    on_a_wall,
    packed,
    packed_by_campaign,
    unpacked,
)
from chalicelib.domain.invitations import Channel
from chalicelib.domain.sign_ins import SignInReason

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ABOUT: Any = {"sponsor_id": "s1", "invitation_id": "i1"}


def fact(body: FactBody, number: int = 1, campaign: str = "demo-vip") -> Fact:
    return Fact.of(
        body, fact_id=f"{number:032x}", campaign=campaign, subject="s",
        at=NINE + timedelta(microseconds=number), correlation="c",
    )  # fmt: skip


def received(number: int = 1, campaign: str = "demo-vip") -> Fact:
    body = InvitationReceived(**ABOUT, channel=Channel.LINK, campaign_version=1)
    return fact(body, number, campaign)


def test_a_wall_shows_what_anybody_may_see_by_the_minute() -> None:
    at = datetime(2026, 3, 2, 9, 30, 59, 999, tzinfo=UTC)
    acts = [Act(at=at, name=name, channel=None, mark="m") for name in ACTS]
    shown = on_a_wall(acts)
    assert {one.at for one in shown} == {datetime(2026, 3, 2, 9, 30, tzinfo=UTC)}
    hidden = {one.name.value for one in acts} - {one.name.value for one in shown}
    assert hidden == {
        "sign_in_granted", "invitation_refused", "invitation_sent", "invitation_declined",
        "invitation_bounced", "invitation_expired",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "channel"),
    [
        (InvitationReceived(**ABOUT, channel=Channel.EMAIL, campaign_version=1), Channel.EMAIL),
        (InvitationSent(**ABOUT, mail_id="m", kind="sign_up"), Channel.LINK),
        (InvitationSent(**ABOUT, mail_id="m", kind="of a later version"), None),
        (CampaignPut(version=2), None),
    ],
)
def test_an_act_says_what_happened_when_and_by_which_channel(
    body: FactBody, channel: Channel | None
) -> None:
    act = act_of(fact(body))
    assert act == Act(
        at=NINE + timedelta(microseconds=1), name=body.name, channel=channel, mark="000001"
    )


def test_what_strangers_make_happen_as_often_as_they_like_is_no_act() -> None:
    assert act_of(fact(SignInRefused(reason=SignInReason.NOT_ON_VIP_LIST))) is None
    assert [name for name in ACTS if EFFECTS[name].kept_for] == []


def test_letters_are_two_and_no_act_has_those_of_another() -> None:
    assert len(set(ACTS.values())) == len(ACTS)
    assert {len(letters) for letters in ACTS.values()} == {2}


@pytest.mark.parametrize("channel", [None, *Channel])
def test_what_is_stored_is_read_as_it_was(channel: Channel | None) -> None:
    acts = [
        Act(at=NINE + timedelta(microseconds=at), name=name, channel=channel, mark=f"{at:06x}")
        for at, name in enumerate(ACTS)
    ]
    assert list(unpacked(packed(acts))) == acts
    assert len(packed(acts)) <= 20 * ACTS_SHOWN  # so a part of one campaign stays below 1 KB


def test_an_act_that_only_a_later_version_knows_is_left_out() -> None:
    known = act_of(received())
    assert known
    assert packed([known]).endswith("1")  # the last microsecond of a time is kept
    assert list(unpacked(f"zz-000001abc ir?000001abc {packed([known])}")) == [known]


def test_the_last_acts_are_the_newest_each_once() -> None:
    facts = [received(number) for number in range(ACTS_SHOWN + 5)]
    acts = last_acts([*facts, *facts[3:]])
    assert [act.at for act in acts] == [one.at for one in reversed(facts[5:])]
    assert len(acts) == 20
    assert newest([*acts, *acts]) == acts


def test_two_acts_of_one_instant_are_two() -> None:
    one, other = received(1), received(2)
    same = Fact(**vars(other) | {"at": one.at})
    assert len(last_acts([one, same])) == 2


def test_each_campaign_has_its_own() -> None:
    refused = SignInRefused(reason=SignInReason.NOT_ON_VIP_LIST)
    texts = packed_by_campaign([received(1, "a"), received(2, "b"), fact(refused, 3, "c")])
    assert [text.partition(":")[0] for text in texts] == ["a", "b"]
    assert [act.mark for act in acts_of_campaign(texts, "b")] == ["000002"]
    assert list(acts_of_campaign(texts, "c")) == []


def test_the_names_are_those_of_facts() -> None:
    assert set(ACTS) <= set(FactName)
