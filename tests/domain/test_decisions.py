"""The small decisions: eligibility, invitations, vouchers, rewards, tokens, facts, the journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain import earned, effects, journal, orders, redemptions, tokens, vouchers
from chalicelib.domain.addresses import Address, AddressDigests, DigestKey
from chalicelib.domain.campaign.rules import HolderRole, Release
from chalicelib.domain.effects import Queue
from chalicelib.domain.eligibility import (
    Evidence,
    Reason,
    is_same_person,
    problem_before_lists,
    problem_on_lists,
)
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import (
    Channel,
    Decision,
    Invitation,
    InvitationState,
    is_answerable,
    seen_by_sponsor,
)
from chalicelib.domain.orders import OrderStatus
from chalicelib.domain.people import Token, TokenPurpose
from chalicelib.domain.vouchers import Voucher, VoucherState
from tests.fakes.campaign import CAMPAIGN, campaign, digests
from tests.fakes.ports import MORNING

SECOND = timedelta(seconds=1)
INVITATION = Invitation(
    invitation_id="i", campaign=CAMPAIGN, sponsor_id="s", contact_id="c", channel=Channel.EMAIL,
    masked="j•••@e•••.fr", locale="fr", state=InvitationState.SENT, received_at=MORNING,
    closes_at=MORNING + timedelta(days=1), campaign_version=1, correlation="k",
    decision=Decision(reason=Reason.ELIGIBLE, decided_at=MORNING, campaign_version=1),
)  # fmt: skip
VOUCHER = Voucher(
    code_key="C", voucher_id="v", code="WE-C", campaign=CAMPAIGN, campaign_version=1,
    template="welcome", holder=HolderRole.REFEREE, holder_id="r", holder_digest="d",
    contact_id="c", referral_id="r", rule="welcome", rung=0, value_minor=1000,
    currency="EUR", minimum_basket_minor=4000, valid_from=MORNING,
    valid_until=MORNING + timedelta(days=1), issued_at=MORNING, state=VoucherState.ISSUED,
    release=Release.AT_ONCE, correlation="k",
)  # fmt: skip
EVIDENCE = Evidence(
    campaign_open=True, quality_problem=None, sponsor=digests("a@b.fr"),
    referee=digests("c@d.fr"), already_invited=False, opposed=False,
)  # fmt: skip


def fact(name: FactName, *, ids: dict[str, str] | None = None, **details: str | int) -> Fact:
    return Fact(
        fact_id="f", name=name, campaign=CAMPAIGN, subject="s", at=MORNING, correlation="k",
        ids=ids or {}, details=details,
    )  # fmt: skip


def about_voucher(name: FactName, **details: str | int) -> Fact:
    ids = {"voucher": "v", "referral": "r", "holder": "r"}
    known: dict[str, str | int] = {
        "template": "welcome", "holder": "referee", "rule": "welcome", "rung": 0,
        "value_minor": 1000, "release": "at_once", "campaign_version": 1,
    }  # fmt: skip
    return fact(name, ids=ids, **{**known, **details})


def test_each_problem_of_eligibility_has_its_reason_and_the_first_one_counts() -> None:
    problems = {
        "campaign_closed": {"campaign_open": False},
        "role_address": {"quality_problem": "role_address"},
        "sponsor_in_disguise": {"referee": EVIDENCE.sponsor},
        "already_invited": {"already_invited": True},
        "opposed": {"opposed": True},
    }
    assert problem_before_lists(EVIDENCE) is None
    evidence = EVIDENCE
    for reason in reversed(problems):
        evidence = replace(evidence, **problems[reason])  # type: ignore[arg-type]
        assert problem_before_lists(evidence) == reason


def test_the_form_found_on_the_customer_list_is_in_the_reason() -> None:
    found = [problem_on_lists("exact", form) for form in ("exact", "alias", None)]
    assert found == ["customer", "customer_alias", None]


def test_a_sponsor_who_is_on_no_vip_list_invites_nobody_whoever_it_is() -> None:
    assert {problem_on_lists(None, form) for form in ("exact", "alias", None)} == {"sponsor_left"}


def test_one_mailbox_is_one_person_under_any_key_in_force() -> None:
    old, new = DigestKey("k1", secret=b"1"), DigestKey("k2", secret=b"2")
    before = AddressDigests.of(Address.parse("a.b+x@gmail.com"), [old])
    during = AddressDigests.of(Address.parse("ab@googlemail.com"), [new, old])
    assert is_same_person(before, during)
    assert not is_same_person(before, AddressDigests.of(Address.parse("ab@gmail.com"), [new]))
    # Nothing of Gmail's is exact here; a plain address has one digest a key.
    assert (len(before.values), len(digests("a@b.fr").values)) == (2, 1)


def test_an_invitation_is_answerable_from_its_acceptance_to_its_last_second() -> None:
    last = INVITATION.closes_at
    assert is_answerable(INVITATION, last)
    assert is_answerable(INVITATION, last + timedelta(milliseconds=999))
    assert not is_answerable(INVITATION, last + SECOND)
    assert is_answerable(replace(INVITATION, state=InvitationState.RECEIVED), MORNING)
    undecided = replace(INVITATION, state=InvitationState.RECEIVED, decision=None)
    assert not is_answerable(undecided, MORNING)
    for state in set(InvitationState) - {InvitationState.RECEIVED, InvitationState.SENT}:
        assert not is_answerable(replace(INVITATION, state=state), MORNING)


def test_law_8_only_a_yes_shows_before_the_closing_day() -> None:
    for state in InvitationState:
        one = replace(INVITATION, state=state)
        yes = state is InvitationState.CONFIRMED
        assert seen_by_sponsor(one, one.closes_at) == ("confirmed" if yes else "pending")
        assert seen_by_sponsor(one, one.closes_at + SECOND) == ("confirmed" if yes else "closed")


def test_law_11_a_voucher_is_good_to_the_very_end_of_its_last_second() -> None:
    assert vouchers.problem_at(VOUCHER, VOUCHER.valid_until) is None
    assert vouchers.problem_at(VOUCHER, VOUCHER.valid_until + timedelta(milliseconds=999)) is None
    assert vouchers.problem_at(VOUCHER, VOUCHER.valid_until + SECOND) == "expired"


def test_a_clock_ten_minutes_behind_is_tolerated_where_a_voucher_begins() -> None:
    earliest = VOUCHER.valid_from - timedelta(minutes=10)
    assert vouchers.problem_at(VOUCHER, earliest) is None
    assert vouchers.problem_at(VOUCHER, earliest - SECOND) == "not_yet_valid"


@pytest.mark.parametrize(
    ("state", "problem"),
    [("issued", None), ("exported", None), ("acknowledged", None), ("redeemed", "exhausted"),
     ("expired", "expired"), ("revoked", "revoked")],
)  # fmt: skip
def test_a_vouchers_state_gives_the_reason_it_is_not_accepted(
    state: str, problem: str | None
) -> None:
    voucher = replace(VOUCHER, state=VoucherState(state))
    assert vouchers.problem_at(voucher, MORNING) == problem
    assert vouchers.is_live(voucher) is (problem is None)


def test_a_rollback_takes_a_voucher_back_to_where_it_was() -> None:
    purchase = redemptions.Purchase(
        order_id="A1", ordered_at=MORNING, amount_minor=4000, currency="EUR"
    )
    assert redemptions.problem_with(VOUCHER, purchase) is None
    exported = vouchers.exported(VOUCHER, 1)
    for voucher in (VOUCHER, exported, vouchers.acknowledged(exported, MORNING)):
        used = vouchers.redeemed(voucher, "A1")
        assert redemptions.problem_with(used, purchase) == "exhausted"
        assert vouchers.rolled_back(used, MORNING) == voucher
    with pytest.raises(ValueError, match="a rollback of a voucher that is issued"):
        vouchers.rolled_back(VOUCHER, MORNING)


def test_a_change_of_a_redeemed_voucher_remains_after_a_rollback() -> None:
    used = vouchers.redeemed(VOUCHER, "A1")
    reported = vouchers.acknowledged(vouchers.exported(used, 1), MORNING)
    assert vouchers.rolled_back(reported, MORNING).state is VoucherState.ACKNOWLEDGED
    back = vouchers.rolled_back(vouchers.revoked(reported, MORNING), MORNING)
    assert (back.state, back.ended_at) == (VoucherState.REVOKED, MORNING)


def test_a_voucher_rolled_back_when_its_last_reports_are_in_has_expired() -> None:
    used = vouchers.redeemed(VOUCHER, "A1")
    due = VOUCHER.valid_until + vouchers.REPORTING_GRACE
    assert vouchers.rolled_back(used, due - SECOND) == VOUCHER
    ended = vouchers.rolled_back(used, due)
    assert (ended.state, ended.ended_at, ended.redeemed_by) == (VoucherState.EXPIRED, due, None)
    revoked = vouchers.rolled_back(vouchers.revoked(used, MORNING), due)
    assert (revoked.state, revoked.ended_at) == (VoucherState.REVOKED, MORNING)


def test_an_export_or_acknowledgement_leaves_a_used_or_revoked_voucher_as_it_is() -> None:
    for state in (VoucherState.REDEEMED, VoucherState.REVOKED):
        exported = vouchers.exported(replace(VOUCHER, state=state), 7)
        assert exported.state is state
        assert vouchers.acknowledged(exported, MORNING).state is state
    assert vouchers.exported(VOUCHER, 7).state is VoucherState.EXPORTED


def test_an_order_only_moves_forward() -> None:
    order = list(OrderStatus)
    moves = {(a, b) for a in order for b in order if orders.moves_forward(a, b)}
    placed, kept, returned, cancelled = order
    assert moves == {(placed, kept), (placed, returned), (placed, cancelled),
                     (kept, returned), (kept, cancelled), (returned, cancelled)}  # fmt: skip
    assert all(orders.moves_forward(None, status) for status in order)


def test_rules_speak_of_the_event_they_wait_for() -> None:
    assert [each.rule.id for each in earned.earned_on_confirmation(campaign())] == ["welcome"]


def test_a_token_is_good_for_its_purpose_once_and_until_its_end() -> None:
    token = Token(token_hash="h", purpose=TokenPurpose.SIGN_IN, campaign=CAMPAIGN, sponsor_id="s",
                  ends_at=MORNING)  # fmt: skip
    usable = tokens.is_usable
    assert usable(token, TokenPurpose.SIGN_IN, MORNING - SECOND)
    assert not usable(token, TokenPurpose.SIGN_IN, MORNING)
    assert not usable(token, TokenPurpose.INVITATION, MORNING - SECOND)
    assert not usable(replace(token, used_at=MORNING), TokenPurpose.SIGN_IN, MORNING - SECOND)
    assert not usable(None, TokenPurpose.SIGN_IN, MORNING)
    assert tokens.hashed("a") != tokens.hashed("b")


@pytest.mark.parametrize(
    ("name", "release", "queues"),
    [
        (FactName.VOUCHER_ISSUED, "at_once", (Queue.MAIL,)),
        (FactName.VOUCHER_ISSUED, "on_acknowledgement", ()),
        (FactName.VOUCHER_ACKNOWLEDGED, "at_once", ()),
        (FactName.VOUCHER_ACKNOWLEDGED, "on_acknowledgement", (Queue.MAIL,)),
        (FactName.REFERRAL_CONFIRMED, "", (Queue.REWARD, Queue.MAIL)),
        (FactName.MAIL_SENT, "", ()),
    ],
)
def test_a_fact_goes_to_the_queues_of_its_row_and_a_voucher_to_them_when_it_is_released(
    name: FactName, release: str, queues: tuple[Queue, ...]
) -> None:
    assert effects.queues_of(about_voucher(name, release=release)) == queues


@pytest.mark.parametrize(
    ("name", "channel", "queue"),
    [
        (FactName.INVITATION_RECEIVED, "email", Queue.DECIDE),
        (FactName.INVITATION_RECEIVED, "link", Queue.REQUESTED_DECISION),
        (FactName.INVITATION_ACCEPTED, "email", Queue.MAIL),
        (FactName.INVITATION_ACCEPTED, "link", Queue.REQUESTED_MAIL),
    ],
)
def test_who_signs_up_by_a_link_does_not_wait_behind_those_who_asked_for_nothing(
    name: FactName, channel: str, queue: Queue
) -> None:
    about = {"sponsor": "s", "invitation": "i"}
    received = fact(name, ids=about, reason="eligible", channel=channel, campaign_version=1)
    assert effects.queues_of(received) == (queue,)


@pytest.mark.parametrize(
    ("name", "ids", "queue"),
    [
        (FactName.SIGN_IN_REQUESTED, {"contact": "c"}, Queue.REQUESTED_DECISION),
        (FactName.SIGN_IN_GRANTED, {"contact": "c", "sponsor": "s"}, Queue.REQUESTED_MAIL),
    ],
)
def test_a_sign_in_waits_behind_no_invitation(
    name: FactName, ids: dict[str, str], queue: Queue
) -> None:
    assert effects.queues_of(fact(name, ids=ids)) == (queue,)


@pytest.mark.parametrize(
    ("name", "kind", "reason", "counts"),
    [
        (FactName.MAIL_BOUNCED, "invitation", "bounced", {"hard_bounces": 1}),
        (FactName.MAIL_BOUNCED, "sign_up", "bounced", {"hard_bounces": 1}),
        (FactName.MAIL_BOUNCED, "invitation", "suppressed", {}),
        (FactName.MAIL_BOUNCED, "voucher", "bounced", {}),
        (FactName.MAIL_COMPLAINED, "invitation", "", {"complaints": 1}),
        (FactName.MAIL_COMPLAINED, "voucher", "", {}),
    ],
)
def test_bounces_and_complaints_count_of_invitations_alone(
    name: FactName, kind: str, reason: str, counts: dict[str, int]
) -> None:
    details = {"kind": kind} | ({"reason": reason} if reason else {})
    assert effects.counted(fact(name, ids={"mail": "m"}, **details)) == counts


def test_what_a_fact_counts_for() -> None:
    refused = fact(
        FactName.INVITATION_REFUSED, ids={"sponsor": "s", "invitation": "i"},
        reason="customer", channel="email", campaign_version=1,
    )  # fmt: skip
    assert effects.counted(refused) == {"refused": 1, "refused.customer": 1}
    exported = fact(FactName.VOUCHERS_EXPORTED, export=1, count=90)
    assert effects.counted(exported) == {"vouchers_exported": 90}
    assert effects.counted(about_voucher(FactName.VOUCHER_ROLLED_BACK)) == {"vouchers_redeemed": -1}
    assert effects.counted(fact(FactName.MAIL_SENT, ids={"mail": "m"}, kind="sign_in")) == {}


def test_a_fact_of_a_later_version_triggers_and_counts_nothing_and_holds_nothing_up() -> None:
    later = fact(FactName.MAIL_SENT)
    unknown = replace(later, name="voucher_replaced", details={"count": 3})
    assert effects.queues_of(unknown) == ()
    assert effects.counted(unknown) == {}
    assert effects.quantity_of(unknown) == 1
    assert not effects.is_known(unknown)


def test_a_reason_of_a_later_version_is_counted_under_its_text() -> None:
    refused = fact(
        FactName.INVITATION_REFUSED, ids={"sponsor": "s", "invitation": "i"},
        reason="a_reason_to_come", channel="email", campaign_version=1,
    )  # fmt: skip
    assert effects.counted(refused) == {"refused": 1, "refused.a_reason_to_come": 1}


def test_rewards_and_rewards_refused_count_the_confirmations_too() -> None:
    """What a rule grants is a reward, with an order or without."""
    for order in ({}, {"order": "yes"}):
        granted = about_voucher(FactName.VOUCHER_ISSUED, **order)
        assert effects.funnel(effects.counted(granted))["rewards"] == 1
    for rung in (0, 1):
        refused = fact(
            FactName.REWARD_REFUSED, ids={"referral": "r", "sponsor": "s"},
            rule="welcome", rung=rung, reason="sponsor_cap",
        )  # fmt: skip
        assert effects.funnel(effects.counted(refused))["rewards_refused"] == 1


def test_a_chain_goes_on_where_the_last_one_ended() -> None:
    one, two = fact(FactName.MAIL_SENT), fact(FactName.MAIL_FAILED, reason="été")
    lines = [journal.canonical(one), journal.canonical(two)]
    first, after_first = journal.chained(journal.GENESIS, lines[:1])
    second, after_second = journal.chained(after_first, lines[1:])
    assert journal.verify(journal.GENESIS, [*first.splitlines(), *second.splitlines()]) == (
        after_second
    )
    assert journal.chained(journal.GENESIS, lines) == (first + second, after_second)
    with pytest.raises(journal.BrokenChainError):
        journal.verify(journal.GENESIS, second.splitlines())
    # What a line says of the one before is checked too, though its hash is made of the right one.
    forged = second.replace(after_first.encode(), journal.GENESIS.encode())
    assert forged != second
    with pytest.raises(journal.BrokenChainError, match="line 1"):
        journal.verify(after_first, forged.splitlines())
