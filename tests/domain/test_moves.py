"""Which moves the entities may make: the legal ones, and that every other raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chalicelib.domain import exports, invitations, mails, orders, vouchers
from chalicelib.domain.entity import IllegalMoveError
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mails import Mail, MailProblem, MailState
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.vouchers import Voucher, VoucherState
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import campaign
from tests.fakes.ports import MORNING

BY_KIND = {type(entity): entity for entity in ENTITIES}

Move = Callable[..., Any]


def reached(entity: Any, field: str, moves: dict[str, Move]) -> set[tuple[str, str]]:
    """From which state each of the moves is possible; every other raises."""
    states = type(getattr(entity, field))
    possible = set()
    for state in states:
        for name, move in moves.items():
            try:
                move(replace(entity, **{field: state}))
            except IllegalMoveError as error:
                assert str(error)  # noqa: PT017
            else:
                possible.add((state.value, name))
    return possible


def test_an_invitation_is_refused_or_sent_once_and_ends_once() -> None:
    invitation = BY_KIND[Invitation]
    assert isinstance(invitation, Invitation)
    assert invitation.decision
    decision = invitation.decision
    moves: dict[str, Move] = {
        "refuse": lambda one: invitations.refused(one, decision, MORNING),
        "send": lambda one: invitations.sent(one, MORNING),
        "confirm": lambda one: invitations.confirmed(one, "r", MORNING),
        "decline": lambda one: invitations.closed(one, InvitationState.DECLINED, MORNING),
        "bounce": lambda one: invitations.closed(one, InvitationState.BOUNCED, MORNING),
        "expire": lambda one: invitations.closed(one, InvitationState.EXPIRED, MORNING),
    }
    ends = {"confirm", "decline", "bounce", "expire"}
    assert reached(invitation, "state", moves) == {
        ("received", "refuse"), ("received", "send"),
        *((state, end) for state in ("received", "sent") for end in ends),
    }  # fmt: skip


def test_an_invitation_is_accepted_once_and_only_an_accepted_one_is_sent_or_confirmed() -> None:
    invitation = BY_KIND[Invitation]
    assert isinstance(invitation, Invitation)
    decision = invitation.decision
    assert decision
    undecided = replace(invitation, state=InvitationState.RECEIVED, decision=None)
    accepted = invitations.accepted(undecided, decision)
    moves: list[Move] = [
        lambda: invitations.accepted(accepted, decision),
        lambda: invitations.sent(undecided, MORNING),
        lambda: invitations.confirmed(undecided, "r", MORNING),
        lambda: invitations.closed(accepted, InvitationState.SENT, MORNING),
    ]
    for move in moves:
        with pytest.raises(IllegalMoveError):
            move()


def test_the_client_answers_once_on_what_it_was_sent() -> None:
    voucher, export = BY_KIND[Voucher], BY_KIND[Export]
    assert isinstance(voucher, Voucher)
    assert isinstance(export, Export)
    moves: list[Move] = [
        lambda: vouchers.acknowledged(replace(voucher, export=None), MORNING),
        lambda: vouchers.refused(replace(voucher, acknowledged_at=MORNING), "unknown"),
        lambda: exports.acknowledged(replace(export, acknowledged_at=MORNING), MORNING),
    ]
    for move in moves:
        with pytest.raises(IllegalMoveError):
            move()


def test_a_voucher_is_redeemed_expired_or_revoked_once_and_only_a_redemption_is_rolled_back() -> (
    None
):
    voucher = BY_KIND[Voucher]
    assert isinstance(voucher, Voucher)
    fresh = replace(voucher, export=None, revoked_at=None, acknowledged_at=None)
    live = {"issued", "exported", "acknowledged"}
    assert reached(fresh, "state", {"redeem": lambda one: vouchers.redeemed(one, "A1")}) == {
        (state, "redeem") for state in live
    }
    assert reached(fresh, "state", {"revoke": lambda one: vouchers.revoked(one, MORNING)}) == {
        (state, "revoke") for state in (*live, "redeemed")
    }
    roll_back = {"roll back": lambda one: vouchers.rolled_back(one, MORNING)}
    assert reached(fresh, "state", roll_back) == {("redeemed", "roll back")}
    assert vouchers.revoked(fresh, MORNING).state is VoucherState.REDEEMED  # noted, not moved


def test_a_refused_voucher_is_replaced_once_and_no_other_is() -> None:
    voucher = BY_KIND[Voucher]
    assert isinstance(voucher, Voucher)
    fresh = replace(voucher, acknowledged_at=None, refused_reason=None)
    refused = replace(vouchers.refused(fresh, ""), state=VoucherState.EXPORTED)
    assert vouchers.replaced(refused, "w", MORNING).state is VoucherState.REVOKED
    for one in (fresh, vouchers.replaced(refused, "w", MORNING)):
        with pytest.raises(IllegalMoveError):
            vouchers.replaced(one, "x", MORNING)


def test_law_5_a_voucher_is_exported_once_whatever_its_state() -> None:
    voucher = BY_KIND[Voucher]
    assert isinstance(voucher, Voucher)
    for state in VoucherState:
        fresh = replace(voucher, state=state, export=None)
        first = vouchers.exported(fresh, 7)
        assert first.export == 7
        with pytest.raises(IllegalMoveError):
            vouchers.exported(first, 8)


def test_an_order_moves_forward_whether_it_is_stored_or_not() -> None:
    order = BY_KIND[Order]
    assert isinstance(order, Order)
    moves: dict[str, Move] = {
        status.value: partial(orders.moved_order, campaign(), status=status, now=MORNING)
        for status in OrderStatus
    }
    forward = {
        ("placed", "kept"), ("placed", "returned"), ("placed", "cancelled"),
        ("kept", "returned"), ("kept", "cancelled"), ("returned", "cancelled"),
    }  # fmt: skip
    for revision in (0, 3):
        assert reached(replace(order, revision=revision), "status", moves) == forward


def test_law_5_an_export_grows_while_it_is_open_and_is_sealed_written_and_acknowledged() -> None:
    export = BY_KIND[Export]
    assert isinstance(export, Export)
    export = replace(export, acknowledged_at=None)
    moves: dict[str, Move] = {
        "add a part": lambda one: exports.next_part(one, []),
        "seal": lambda one: exports.sealed(one, MORNING),
        "write": lambda one: exports.written(one, "h", MORNING),
        "acknowledge": lambda one: exports.acknowledged(one, MORNING),
    }
    assert reached(export, "state", moves) == {
        (ExportState.OPEN, "add a part"), (ExportState.OPEN, "seal"),
        (ExportState.SEALED, "write"), (ExportState.SEALED, "acknowledge"),
        (ExportState.WRITTEN, "acknowledge"),
    }  # fmt: skip


def test_law_2_a_mail_is_sent_or_failed_once_and_leased_again_only_while_it_is_leased() -> None:
    mail = BY_KIND[Mail]
    assert isinstance(mail, Mail)
    moves: dict[str, Move] = {
        "send": lambda one: mails.sent(one, "p", MORNING),
        "fail": lambda one: mails.failed(one, MailProblem.REFUSED, MORNING),
        "lease again": lambda one: mails.leased_again(one, mail),
        "send again": lambda one: mails.to_send_again(one, MORNING),
    }
    about_voucher = replace(
        mail, mail_id=mails.voucher_mail("v"), ids={"voucher": "v"}, problem=MailProblem.BOUNCED
    )
    ends = {(MailState.FAILED, "send"), (MailState.SENT, "send again")}
    assert reached(about_voucher, "state", moves) == {
        *((MailState.LEASED, move) for move in ("send", "fail", "lease again")),
        *((MailState.WAITING, move) for move in ("send", "fail", "lease again")),
        *ends,
        (MailState.FAILED, "send again"),
    }
    moves = {"find undelivered": lambda one: mails.undelivered(one, MailProblem.BOUNCED, MORNING)}
    unharmed = replace(mail, problem=None)
    assert reached(unharmed, "state", moves) == {(MailState.SENT, "find undelivered")}
    assert reached(replace(mail, problem=MailProblem.BOUNCED), "state", moves) == set()
    # Only a voucher's mail that did not arrive is sent again.
    for other in (mail, replace(about_voucher, problem=None)):
        again: dict[str, Move] = {"send again": lambda one: mails.to_send_again(one, MORNING)}
        assert reached(other, "state", again) == set()
