"""Moves that depend on more than a state: done once, and an error the second time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from chalicelib.domain import (
    invitations,
    mails,
    people,
    protection,
    redemptions,
    vouchers,
    watch,
)
from chalicelib.domain.changes_files import ChangesFile, next_changes_part
from chalicelib.domain.eligibility import Reason
from chalicelib.domain.entity import Entity, IllegalMoveError
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.fact_checks import (
    UNFINISHED_AT_MOST,
    first_check,
    found_unfinished,
    late_hours,
)
from chalicelib.domain.invitations import (
    Invitation,
    InvitationState,
    is_accepted,
    is_answerable,
    within_campaign,
)
from chalicelib.domain.mails import Mail, MailProblem, MailState
from chalicelib.domain.people import Token
from chalicelib.domain.protection import StopReason
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.vouchers import Voucher, VoucherState
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import campaign
from tests.fakes.ports import MORNING

E = TypeVar("E", bound=Entity)
RULES = campaign()
AGES = timedelta(days=365)


def one(kind: type[E], **changes: Any) -> E:
    found = next(entity for entity in ENTITIES if isinstance(entity, kind))
    return replace(found, **changes)


STOP = protection.stopped(RULES, None, StopReason.COMPLAINTS, MORNING)
MOVES: dict[str, Callable[[], object]] = {
    "a complaint": lambda: mails.complained(one(Mail, complained_at=MORNING), MORNING),
    "a bounce of what is not sent": lambda: mails.undelivered(
        one(Mail, state=MailState.LEASED, problem=None), MailProblem.BOUNCED, MORNING
    ),
    "a bounce that is no news": lambda: mails.undelivered(
        one(Mail, state=MailState.SENT, problem=MailProblem.BOUNCED), MailProblem.BOUNCED, MORNING
    ),
    "an invitation sent again": lambda: mails.to_send_again(
        one(Mail, state=MailState.SENT, problem=MailProblem.BOUNCED, ids={}), MORNING
    ),
    "a mail that arrived, sent again": lambda: mails.to_send_again(
        one(Mail, state=MailState.SENT, problem=None, ids={"voucher": "v"}), MORNING
    ),
    "an acceptance of what is closed": lambda: invitations.accepted(
        one(Invitation, state=InvitationState.EXPIRED, decision=None),
        one(Invitation).decision or pytest.fail("it has one"),
    ),
    "a token": lambda: people.used(one(Token, used_at=MORNING), MORNING),
    "a stop": lambda: protection.stopped(RULES, STOP, StopReason.COMPLAINTS, MORNING),
    "an end of a stop": lambda: protection.resumed(
        protection.resumed(STOP, {}, MORNING), {}, MORNING
    ),
    "a rollback": lambda: redemptions.rolled_back_redemption(
        one(Redemption, rolled_back_at=MORNING), MORNING
    ),
    "reinstating what is not redeemed": lambda: vouchers.reinstated(
        one(Voucher, state=VoucherState.REVOKED)
    ),
    "a part of what is sealed": lambda: next_changes_part(
        one(ChangesFile, state=ExportState.SEALED), []
    ),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_what_was_done_or_cannot_be_is_an_error(move: Callable[[], object]) -> None:
    with pytest.raises(IllegalMoveError):
        move()


@pytest.mark.parametrize("state", MailState)
def test_a_mail_is_settled_by_its_age_only_while_it_is_on_its_way(state: MailState) -> None:
    on_its_way = state in {MailState.LEASED, MailState.WAITING}
    mail = one(Mail, state=state, leased_at=MORNING)
    assert mails.is_overdue(mail, MORNING + AGES) is on_its_way
    assert not mails.is_overdue(mail, MORNING)
    assert mails.may_be_leased(mail, timedelta(minutes=5), MORNING + AGES) is on_its_way


@pytest.mark.parametrize("state", MailState)
def test_a_mail_on_its_way_is_not_shown_as_undelivered(state: MailState) -> None:
    mail = one(
        Mail,
        mail_id=mails.voucher_mail("v"),
        state=state,
        problem=MailProblem.BOUNCED,
        ids={"voucher": "v"},
    )
    assert mails.is_to_be_shown(mail) is (state in {MailState.SENT, MailState.FAILED})
    assert not mails.is_to_be_shown(replace(mail, problem=None))


def test_only_an_invitation_found_eligible_can_be_answered() -> None:
    invitation = one(
        Invitation, state=InvitationState.RECEIVED, closes_at=MORNING + AGES, ended_at=None
    )
    assert invitation.decision
    refused = replace(invitation.decision, reason=Reason.CUSTOMER)
    for decision, accepted in (
        (replace(invitation.decision, reason=Reason.ELIGIBLE), True),
        (refused, False),
        (None, False),
    ):
        decided = replace(invitation, decision=decision)
        assert is_accepted(decided) is accepted
        assert is_answerable(decided, MORNING) is accepted


def test_an_invitation_that_closes_before_its_campaign_does_not_stay_open_until_its_end() -> None:
    last = RULES.last_second
    for closes_at in (last - AGES, last - timedelta(seconds=1), last):
        invitation = one(Invitation, closes_at=closes_at)
        assert within_campaign(RULES, invitation).closes_at == closes_at
    for closes_at in (last + timedelta(seconds=1), last + AGES):
        invitation = one(Invitation, closes_at=closes_at)
        assert within_campaign(RULES, invitation).closes_at == last


def test_an_export_that_is_not_written_or_is_acknowledged_is_not_waited_for() -> None:
    late = one(Export, state=ExportState.WRITTEN, written_at=MORNING, acknowledged_at=None)
    assert watch.is_unacknowledged(RULES, late, MORNING + AGES)
    acknowledged = replace(late, acknowledged_at=MORNING)
    assert not watch.is_unacknowledged(RULES, acknowledged, MORNING + AGES)
    assert not watch.is_unacknowledged(RULES, replace(late, written_at=None), MORNING + AGES)


def test_an_hour_that_nobody_looked_at_is_late_six_hours_after_it_could_have_been() -> None:
    check = first_check(MORNING)
    late = check.hour + timedelta(hours=1 + 6, minutes=15)
    assert late_hours(check, late - timedelta(seconds=1)) == 0
    assert late_hours(check, late) == 1
    assert late_hours(check, late + timedelta(hours=2)) == 3


def test_of_unfinished_hours_the_latest_are_kept_as_many_as_an_item_holds() -> None:
    check = first_check(MORNING)
    for number in range(UNFINISHED_AT_MOST + 1):
        check = found_unfinished(check, MORNING + timedelta(hours=number), MORNING)
    assert len(check.unfinished) == UNFINISHED_AT_MOST
    assert check.unfinished[0].hour == MORNING + timedelta(hours=1)
    size = sum(len(name) + len(str(value)) + 3 for name, value in vars(check.unfinished[0]).items())
    assert size * UNFINISHED_AT_MOST < 300_000
