"""The score of a reward: each signal by itself, its first and its last step, and the limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.addresses import Address, AddressDigests, DigestKey
from chalicelib.domain.campaign.review import LIMITS, Review, Signal, Weights
from chalicelib.domain.invitations import Channel, Invitation, InvitationState
from chalicelib.domain.people import Sponsor
from chalicelib.domain.review import (
    SCALE,
    Buying,
    evidence_of,
    is_at_minimum,
    is_in_seconds,
    is_to_be_held,
    score,
)
from chalicelib.domain.traces import NO_TRACES, Traces

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REVIEW = Review()
NOTHING_BOUGHT = Buying()
KEY = DigestKey("tandem.2", secret=b"own")


def sponsor(traces: Traces = NO_TRACES) -> Sponsor:
    return Sponsor(
        sponsor_id="s", campaign="c", contact_id="k", link_code="l", locale="fr",
        digests=AddressDigests.of(Address.parse("vip@example.fr"), [KEY]),
        created_at=NOON, vip_list_version=1, traces=traces,
    )  # fmt: skip


def confirmed(
    name: str,
    *,
    after: timedelta = timedelta(0),
    read_in: timedelta = timedelta(hours=1),
    channel: Channel = Channel.EMAIL,
    domain: str | None = None,
    stem: str | None = None,
    number: int = 0,
    beside: int = 0,
    thrifty: bool | None = None,
    state: InvitationState = InvitationState.CONFIRMED,
) -> Invitation:
    """An invitation that was answered so long after noon."""
    at = NOON + after
    return Invitation(
        invitation_id=name, campaign="c", sponsor_id="s", contact_id="k", channel=channel,
        masked="", locale="fr", state=state, received_at=at - read_in,
        closes_at=NOON + timedelta(days=14), campaign_version=1, correlation=name,
        sent_at=at - read_in, ended_at=at, traces=Traces(domain=domain, stem=stem),
        domain_number=number, answers_beside=beside, bought_at_minimum=thrifty,
    )  # fmt: skip


def seen(
    own: Invitation | None,
    *others: Invitation,
    by: Sponsor | None = None,
    review: Review = REVIEW,
    buying: Buying = NOTHING_BOUGHT,
) -> dict[Signal, int]:
    """What is seen, without what is not."""
    every = [*([own] if own else []), *others]
    found = evidence_of(review, by or sponsor(), own, every, buying)
    return {signal: count for signal, count in found.items() if count}


def test_nothing_is_seen_of_somebody_who_is_like_nobody() -> None:
    others = [confirmed(f"o{n}", after=timedelta(hours=n)) for n in range(1, 5)]
    assert seen(confirmed("a"), *others) == {}


def test_others_of_a_private_domain_are_counted_and_the_sponsor_is_one() -> None:
    own, like = confirmed("a", domain="d"), confirmed("b", domain="d", after=timedelta(days=1))
    unlike = confirmed("c", domain="e", after=timedelta(days=2))
    assert seen(own, like, unlike)[Signal.SAME_DOMAIN] == 1
    assert seen(own, like, by=sponsor(Traces(domain="d")))[Signal.SAME_DOMAIN] == 2


def test_others_of_a_sequence_are_counted_and_the_sponsor_is_one() -> None:
    own, like = confirmed("a", stem="s"), confirmed("b", stem="s", after=timedelta(days=1))
    assert seen(own, like)[Signal.SEQUENCE] == 1
    assert seen(own, like, by=sponsor(Traces(stem="s")))[Signal.SEQUENCE] == 2


def test_those_who_did_not_confirm_are_nobodys_neighbours() -> None:
    others = [
        confirmed(f"{state}", domain="d", stem="s", state=state)
        for state in InvitationState
        if state is not InvitationState.CONFIRMED
    ]
    assert seen(confirmed("a", domain="d", stem="s"), *others) == {}


@pytest.mark.parametrize(("minutes", "count"), [(30, 1), (-30, 1), (31, 0), (-31, 0)])
def test_a_burst_is_half_an_hour_to_both_sides(minutes: int, count: int) -> None:
    other = confirmed("b", after=timedelta(minutes=minutes))
    assert seen(confirmed("a"), other).get(Signal.BURST, 0) == count


@pytest.mark.parametrize(
    ("channel", "seconds", "fast"),
    [
        (Channel.EMAIL, 24, True),
        (Channel.EMAIL, 25, False),
        (Channel.LINK, 5, True),
        (Channel.LINK, 6, False),
    ],
)
def test_who_waits_for_the_mail_may_be_faster(channel: Channel, seconds: int, fast: bool) -> None:
    read_in = timedelta(seconds=seconds)
    assert is_in_seconds(confirmed("a", channel=channel, read_in=read_in)) is fast


def test_other_fast_answers_count_with_a_fast_one_alone() -> None:
    fast = [
        confirmed(name, read_in=timedelta(seconds=2), after=timedelta(days=day))
        for day, name in enumerate("bcd", 1)
    ]
    assert seen(fast[0], *fast[1:])[Signal.IN_SECONDS] == 3
    assert Signal.IN_SECONDS not in seen(confirmed("a"), *fast)


def test_an_invitation_whose_mail_is_not_known_to_have_left_was_not_answered_in_seconds() -> None:
    assert not is_in_seconds(replace(confirmed("a"), sent_at=None))
    assert not is_in_seconds(replace(confirmed("a"), ended_at=None))


def test_answers_from_one_network_are_those_that_were_recorded() -> None:
    assert seen(confirmed("a", beside=4)) == {Signal.ONE_NETWORK: 4}


THRIFTY = Buying(orders=1, at_minimum=1)
GENEROUS = Buying(orders=1)


@pytest.mark.parametrize(
    ("buying", "others", "count"),
    [
        (THRIFTY, (), 1),
        (GENEROUS, (), 0),
        (THRIFTY, (True, True), 3),
        (GENEROUS, (True, True), 2),  # most of them are
        (GENEROUS, (True,), 1),  # half of them are
        (GENEROUS, (True, False), 0),
        (THRIFTY, (False, False), 0),
        (THRIFTY, (None, None), 1),  # nobody knows of those
        (NOTHING_BOUGHT, (True, False), 1),  # who has bought nothing is not one of them
        (Buying(orders=2, at_minimum=1), (), 0),  # one of two orders was larger
    ],
)
def test_thrift_counts_where_it_is_the_rule(
    buying: Buying, others: tuple[bool | None, ...], count: int
) -> None:
    invitations = [
        confirmed(f"o{n}", after=timedelta(days=n + 1), thrifty=thrifty)
        for n, thrifty in enumerate(others)
    ]
    assert seen(confirmed("a"), *invitations, buying=buying).get(Signal.MINIMUM_ORDERS, 0) == count


def test_returns_and_other_buyers_are_counted_even_when_the_invitation_is_gone() -> None:
    buying = Buying(orders=1, at_minimum=1, returned=2, by_others=1)
    assert seen(None, buying=buying) == {
        Signal.MINIMUM_ORDERS: 1,
        Signal.BOUGHT_AND_RETURNED: 2,
        Signal.ANOTHER_BUYER: 1,
    }


@pytest.mark.parametrize(
    ("amount", "minimum", "just"),
    [(4000, 4000, True), (4200, 4000, True), (4201, 4000, False), (3999, 4000, False),
     (4000, 0, False), (0, 0, False)],
)  # fmt: skip
def test_just_large_enough_is_up_to_a_twentieth_more(amount: int, minimum: int, just: bool) -> None:
    assert is_at_minimum(amount, minimum) is just


def test_who_has_bought_nothing_is_not_thrifty() -> None:
    assert not NOTHING_BOUGHT.only_minimum
    assert THRIFTY.only_minimum


# --- the score ----------------------------------------------------------------------------------


@pytest.mark.parametrize("signal", SCALE)
def test_a_signal_begins_grows_and_has_its_weight_at_most(signal: Signal) -> None:
    first, full = SCALE[signal]
    weight = REVIEW.weights.of(signal)
    points = [score(REVIEW, {signal: count}).total for count in range(full + 3)]
    assert points[:first] == [0] * first
    assert points[first] == weight * first // full > 0
    assert points[full:] == [weight] * 3
    assert points == sorted(points)


def test_every_signal_has_a_scale_or_is_a_limit() -> None:
    assert set(SCALE) | LIMITS == set(Signal)
    assert {signal.value for signal in SCALE} == set(Weights.model_fields)


def test_the_reasons_stand_beside_the_score_the_heaviest_first() -> None:
    scored = score(REVIEW, {Signal.BURST: 8, Signal.SEQUENCE: 2, Signal.ONE_NETWORK: 6})
    assert [one.signal for one in scored.signals] == [
        Signal.SEQUENCE,
        Signal.BURST,
        Signal.ONE_NETWORK,
    ]
    assert scored.total == sum(one.points for one in scored.signals)


def test_a_weight_of_nothing_leaves_a_signal_out() -> None:
    review = Review(weights=Weights(sequence=0))
    assert score(review, {Signal.SEQUENCE: 9}).signals == ()


def test_a_score_is_over_the_limit_when_it_is_larger() -> None:
    at_limit = Review(hold_over=REVIEW.weights.sequence)
    below = Review(hold_over=REVIEW.weights.sequence - 1)
    scored = score(REVIEW, {Signal.SEQUENCE: 2})
    assert not is_to_be_held(at_limit, scored)
    assert is_to_be_held(below, scored)


# --- limits -------------------------------------------------------------------------------------


def test_beyond_the_limit_of_a_domain_a_reward_is_held_whatever_the_score() -> None:
    review = Review(hold_over=1000, per_private_domain_per_day=2)
    within, beyond = confirmed("a", number=2), confirmed("b", number=3)
    assert seen(within, review=review) == {}
    found = seen(beyond, review=review)
    assert found == {Signal.OVER_DOMAIN_LIMIT: 3}
    assert is_to_be_held(review, score(review, found))
    assert seen(beyond) == {}


def test_the_hour_of_a_sponsor_is_the_one_before_each_confirmation() -> None:
    review = Review(per_sponsor_per_hour=2, weights=Weights(burst=0))
    ends = [timedelta(minutes=minutes) for minutes in (0, 20, 40, 60, 101)]
    every = [confirmed(f"i{n}", after=end) for n, end in enumerate(ends)]
    over = [Signal.OVER_HOUR_LIMIT in seen(one, *every, review=review) for one in every]
    # At 40 the third within the hour; at 60 the first is an hour ago, so that is the third too.
    assert over == [False, False, True, True, False]
