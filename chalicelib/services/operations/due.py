"""Working on a stretch of an agenda, as a message of the queue `due` names it.

A long stretch is cut, and its pieces are queued; a short one is worked on, one entry after the
other. An entry that cannot be handled is counted and named, and stops neither its neighbours nor
the next run. Which work an agenda stands for is in `_WORK`; undecided invitations are not worked on
here but queued for `decide`, ten in a call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from chalicelib.domain.effects import Queue
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.orders import Order
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.isolation import Isolation
from chalicelib.services.operations.expire import close_due, end_due, keep_due
from chalicelib.services.operations.overdue_mails import settle_overdue
from chalicelib.services.operations.rekey import rekey_referral
from chalicelib.services.ports import Agenda, Entry, OnFailure, Ports, Stretch
from chalicelib.services.requeue import received_fact
from chalicelib.services.stretches import LENGTH, cut
from chalicelib.services.vouchers.review_rewards import end_hold_due

QUEUED = "queued"
FACTS_A_CALL = 10


@dataclass(frozen=True)
class _Work:
    """The kind of entity on an agenda, and what is done with one; the name of its outcome, or None
    when there was nothing to do.
    """

    kind: type[Entity]
    handle: Callable[[Ports, Stretch, Entry[Any]], str | None]


def _named(
    outcome: str, handle: Callable[[Ports, Any], bool]
) -> Callable[[Ports, Stretch, Entry[Any]], str | None]:
    return lambda ports, _, entry: outcome if handle(ports, entry.key) else None


_WORK: Mapping[Agenda, _Work] = {
    Agenda.CLOSING: _Work(Invitation, _named("invitations", close_due)),
    Agenda.EXPIRING: _Work(Voucher, _named("vouchers", end_due)),
    Agenda.REFUSED: _Work(Voucher, _named("vouchers", end_due)),
    Agenda.LEASED: _Work(Mail, _named("mails", settle_overdue)),
    Agenda.HELD_REWARDS: _Work(Reward, _named("rewards", end_hold_due)),
    Agenda.RETURN_WINDOW: _Work(Order, _named("orders", keep_due)),
    Agenda.REFERRALS: _Work(
        Referral, lambda ports, stretch, entry: rekey_referral(ports, stretch.scope, entry)
    ),
}


def work_off(
    ports: Ports, stretch: Stretch, on_failure: OnFailure, length: int = LENGTH
) -> dict[str, int]:
    """Do all the work of a stretch, or queue its pieces if it has more than `length` entries;
    returns how much of each kind.
    """
    kind = Invitation if stretch.agenda is Agenda.UNDECIDED else _WORK[stretch.agenda].kind
    pieces = cut(ports, kind, stretch, length)
    if len(pieces) > 1:
        ports.queues.put_stretches(pieces)
        return {"pieces": len(pieces)}
    isolation = Isolation(on_failure)
    done: Counter[str] = Counter()
    for piece in pieces:
        if stretch.agenda is Agenda.UNDECIDED:
            done[QUEUED] = _queue_undecided(ports, piece, isolation)
        else:
            done.update(_outcomes(ports, piece, isolation))
    counted = {"left": isolation.left, "not_handled": isolation.failed}
    return dict(done) | {name: value for name, value in counted.items() if value}


def _outcomes(ports: Ports, piece: Stretch, isolation: Isolation) -> Iterator[str]:
    work = _WORK[piece.agenda]
    for entry in ports.repository.entries(work.kind, piece):
        outcome = None
        with isolation.of(work.kind.__name__, _name(piece, entry)):
            outcome = work.handle(ports, piece, entry)
        if outcome:
            yield outcome


def _queue_undecided(ports: Ports, piece: Stretch, isolation: Isolation) -> int:
    facts = _received(ports, piece, isolation)
    queued = 0
    # Ten at a time while reading: if it is killed, those already queued are not lost.
    while batch := list(islice(facts, FACTS_A_CALL)):
        ports.queues.put(Queue.DECIDE, batch)
        queued += len(batch)
    return queued


def _received(ports: Ports, piece: Stretch, isolation: Isolation) -> Iterator[Fact]:
    for entry in ports.repository.entries(Invitation, piece):
        fact = None
        with isolation.of(Invitation.__name__, _name(piece, entry)):
            fact = received_fact(ports, entry.key)
        if fact:
            yield fact


def _name(piece: Stretch, entry: Entry[Any]) -> str:
    """Where the index has it, by which ops find the item. Its key may be a code, or a client's."""
    return f"{piece.partition} {entry.position}"
