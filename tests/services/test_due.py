"""Working on agendas by messages: cut, worked on in any order and more than once, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.mail_ports import MailUncertainError
from chalicelib.services.operations import due, overdue_mails
from chalicelib.services.operations import reconcile as watch
from chalicelib.services.operations.due import work_off
from chalicelib.services.operations.expire import close_due, end_due, expire, keep_due
from chalicelib.services.operations.overdue_mails import settle_overdue
from chalicelib.services.operations.relay import relay
from chalicelib.services.ports import Agenda, Entry, Failure, Insert, Key, Ports, Stretch
from chalicelib.services.requeue import requeue_undecided
from chalicelib.services.stretches import cut
from chalicelib.services.vouchers.replace_refused import replace_refused
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.due import must_not_fail
from tests.fakes.fuse import KilledError
from tests.fakes.repository import LaggingRepository, MemoryRepository, _pair
from tests.fakes.world import World, new_world
from tests.services.test_replacement import OWN_CODES, refuse

NEWCOMER = "jeanne@example.fr"
OTHERS = ("paul@example.fr", "nina@example.fr", "hugo@example.fr")


def pieces_of(world: World, length: int) -> list[Stretch]:
    """What is closing, in pieces."""
    return [
        piece
        for stretch in world.repository.stretches(Agenda.CLOSING)
        for piece in cut(world.ports, Invitation, stretch, length)
    ]


def test_an_empty_stretch_has_no_piece(world: World) -> None:
    stretch = Stretch(Agenda.CLOSING, "", "closing##00", "0", "1")
    assert cut(world.ports, Invitation, stretch, 10) == []


def many_invitations(world: World, number: int) -> None:
    """Invitations that close in the same second."""
    one = next(one for one in ENTITIES if isinstance(one, Invitation))
    for start in range(0, number, 50):
        sent = (
            replace(one, invitation_id=f"i{at}", ended_at=None, campaign_version=1)
            for at in range(start, start + 50)
        )
        world.repository.commit(*map(Insert, sent))


def test_a_stretch_is_cut_into_pieces_that_leave_nothing_out(world: World) -> None:
    many_invitations(world, 500)
    pieces = pieces_of(world, 3)
    assert len(pieces) >= 500 / 3
    listed = [
        (piece, entry.key)
        for piece in pieces
        for entry in world.repository.entries(Invitation, piece)
    ]
    assert len({key for _, key in listed}) == len(listed) == 500
    for one, following in pairwise(pieces):
        assert one.partition != following.partition or one.last < following.first


def test_entries_at_one_position_stay_together(world: World) -> None:
    many_invitations(world, 50)
    stretch = next(world.repository.stretches(Agenda.CLOSING))

    entries = [
        replace(entry, position="2026") for entry in world.repository.entries(Invitation, stretch)
    ]
    # As in the index of before.
    repository = MemoryRepository()
    repository.entries = lambda *_: iter(entries)  # type: ignore[assignment, method-assign]
    [piece] = cut(replace(world.ports, repository=repository), Invitation, stretch, 1)
    assert (piece.first, piece.last) == ("2026", "2026")


def test_a_long_stretch_is_queued_in_pieces_and_a_short_one_worked_on(world: World) -> None:
    many_invitations(world, 200)
    world.clock.advance(days=40)
    assert expire(world.ports) == len(world.queues.stretches) <= 32
    handed_out = list(world.queues.stretches)
    world.queues.stretches.clear()
    cut_up = [work_off(world.ports, stretch, must_not_fail, 2) for stretch in handed_out]
    assert sum(done.get("pieces", 0) for done in cut_up) == len(world.queues.stretches)
    # In the reverse order, and each twice: nothing is done twice.
    closed = [
        work_off(world.ports, piece, must_not_fail, 2).get("invitations", 0)
        for piece in [*reversed(world.queues.stretches), *world.queues.stretches]
    ]
    assert max(closed) <= 3
    assert sum(closed) + sum(done.get("invitations", 0) for done in cut_up) == 200
    states = {one.state for one in world.memory.all(Invitation)}
    assert states == {InvitationState.EXPIRED}
    assert len(world.facts(FactName.INVITATION_EXPIRED)) == 200


def test_nothing_is_handed_out_when_nothing_is_due(world: World) -> None:
    world.referral(NEWCOMER)
    assert expire(world.ports) == 0
    assert world.queues.stretches == []


def everything_due() -> World:
    """Several invitations, vouchers and an order, all of them due."""
    world = new_world()
    world.referral(NEWCOMER)
    world.export()
    world.invite(world.sponsor(), *OTHERS)
    world.drop_orders(world.order("A1", of=NEWCOMER))
    world.run()
    world.clock.advance(days=70)
    return world


def test_one_that_cannot_be_handled_stops_neither_its_neighbours_nor_the_next_run() -> None:
    world = everything_due()
    for kind, state in ((Invitation, InvitationState.SENT), (Voucher, None), (Order, None)):
        broken = next(
            key
            for key, one in world.memory._items.items()
            if isinstance(one, kind) and (state is None or getattr(one, "state", None) is state)
        )
        world.memory.unreadable.add(broken)
    for _ in range(2):
        expire(world.ports)
        failures: list[Failure] = []
        found = [
            work_off(world.ports, stretch, failures.append) for stretch in world.queues.stretches
        ]
        world.queues.stretches.clear()
        assert sum(done.get("not_handled", 0) for done in found) == len(failures) == 3
        assert {failure.kind for failure in failures} == {"Invitation", "Voucher", "Order"}
        codes = {one.code_key for one in world.memory.all(Voucher)}
        assert not any(code in failure.name for code in codes for failure in failures)
    closed = [one for one in world.memory.all(Invitation) if one.state is InvitationState.EXPIRED]
    assert len(closed) == 2
    world.memory.unreadable.clear()
    expire(world.ports)
    done = [work_off(world.ports, one, must_not_fail) for one in world.queues.stretches]
    assert {name for each in done for name in each} == {"invitations", "vouchers", "orders"}


def test_what_a_list_has_to_answer_first_is_left_and_is_no_failure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.services.errors import RetryLaterError, WaitsFor
    from chalicelib.services.operations import due

    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    world.clock.advance(days=15)
    expire(world.ports)

    def later(*_: object) -> str:
        raise RetryLaterError(WaitsFor.A_LIST)

    work = replace(due._WORK[Agenda.CLOSING], handle=later)
    monkeypatch.setitem(due._WORK, Agenda.CLOSING, work)
    [stretch] = world.queues.stretches
    assert work_off(world.ports, stretch, must_not_fail) == {"left": 1}


# --- what the index still lists -----------------------------------------------------------------


def test_what_is_not_due_by_its_own_state_is_left_alone_however_it_was_listed(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    world.export()
    world.invite(world.sponsor(), OTHERS[0])
    world.drop_orders(world.order("A1", of=NEWCOMER))
    world.run()
    invitation = next(
        one for one in world.memory.all(Invitation) if one.state is InvitationState.SENT
    )
    [voucher] = world.memory.all(Voucher)
    [order] = world.memory.all(Order)
    ports = world.ports
    ids = {"sponsor_id": invitation.sponsor_id, "invitation_id": invitation.invitation_id}
    world.clock.now = invitation.closes_at
    assert not close_due(ports, Key.of(Invitation, **ids))
    world.clock.now = order.return_window_ends_at - timedelta(seconds=1)
    assert not keep_due(ports, Key.of(Order, campaign=CAMPAIGN, order_id="A1"))
    world.clock.now = voucher.valid_until + timedelta(days=3, seconds=-1)
    assert not end_due(ports, Key.of(Voucher, code_key=voucher.code_key))
    assert world.memory.all(Order)[0].status is OrderStatus.PLACED


def test_a_confirmed_invitation_that_the_index_still_lists_does_not_close() -> None:
    world = new_world()
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    before = MemoryRepository()
    before._items = dict(world.memory._items)
    world.confirm(NEWCOMER)
    world.clock.advance(days=15)
    lagging = replace(world.ports, repository=LaggingRepository(world.repository, before))
    expire(lagging)
    [stretch] = world.queues.stretches
    assert work_off(lagging, stretch, must_not_fail) == {}
    [invitation] = world.memory.all(Invitation)
    assert invitation.state is InvitationState.CONFIRMED


def test_an_order_and_a_voucher_that_were_settled_meanwhile_are_left_alone() -> None:
    world = new_world()
    world.referral(NEWCOMER)
    world.export()
    world.drop_orders(world.order("A1", of=NEWCOMER))
    world.run()
    before = MemoryRepository()
    before._items = dict(world.memory._items)
    world.drop_orders(world.order("A1", "returned", of=NEWCOMER), file="returned")
    world.clock.advance(days=70)
    [voucher] = world.memory.all(Voucher)
    assert end_due(world.ports, Key.of(Voucher, code_key=voucher.code_key))
    facts = len(world.facts())
    lagging = replace(world.ports, repository=LaggingRepository(world.repository, before))
    assert expire(lagging) == 2
    assert [work_off(lagging, one, must_not_fail) for one in world.queues.stretches] == [{}, {}]
    assert len(world.facts()) == facts


# --- undecided invitations ----------------------------------------------------------------------


def entries_of(world: World, stretch: Stretch) -> list[Entry[Invitation]]:
    return list(world.repository.entries(Invitation, stretch))


def undecided(world: World, *more: str) -> None:
    """Four invitations and more that wait for a list; their messages are gone."""
    session = world.sponsor()
    world.lists.fails = "no_list"
    world.invite(session, NEWCOMER, *OTHERS, *more)
    world.run()
    world.lists.fails = None
    world.queues.waiting.clear()


def test_undecided_invitations_are_queued_again_by_the_message(world: World) -> None:
    undecided(world)
    assert requeue_undecided(world.ports, "other") == 0
    assert 1 <= requeue_undecided(world.ports, CAMPAIGN) <= 4
    assert world.queues.waiting[Queue.DECIDE] == []
    done = [work_off(world.ports, one, must_not_fail) for one in world.queues.stretches]
    assert sum(each["queued"] for each in done) == 4
    facts = world.queues.waiting[Queue.DECIDE]
    assert [fact.name for fact in facts] == [FactName.INVITATION_RECEIVED] * 4
    world.run()
    assert all(len(world.mailer.to(address)) == 1 for address in (NEWCOMER, *OTHERS))


def test_an_invitation_that_was_decided_meanwhile_is_not_queued_again(world: World) -> None:
    undecided(world)
    before = MemoryRepository()
    before._items = dict(world.memory._items)
    lagging = replace(world.ports, repository=LaggingRepository(world.repository, before))
    requeue_undecided(world.ports, CAMPAIGN)
    world.run()
    assert requeue_undecided(lagging, CAMPAIGN) >= 1
    for stretch in world.queues.stretches:
        assert work_off(lagging, stretch, must_not_fail)["queued"] == 0
    assert world.queues.waiting[Queue.DECIDE] == []


def test_an_invitation_whose_fact_cannot_be_read_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    undecided(world)
    broken = world.memory.all(Invitation)[0].invitation_id
    read = world.repository.facts_of

    def facts_of(subject: str, since: datetime, until: datetime) -> object:
        if subject == broken:
            raise ValueError
        return read(subject, since, until)

    monkeypatch.setattr(world.repository, "facts_of", facts_of)
    requeue_undecided(world.ports, CAMPAIGN)
    failures: list[Failure] = []
    for stretch in world.queues.stretches:
        work_off(world.ports, stretch, failures.append)
    assert len(world.queues.waiting[Queue.DECIDE]) == 3
    assert [failure.kind for failure in failures] == ["Invitation"]


def test_what_was_queued_before_a_kill_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "FACTS_A_CALL", 1)
    undecided(world, *(f"new{at}@example.fr" for at in range(6)))
    requeue_undecided(world.ports, CAMPAIGN)
    read, reads = world.repository.facts_of, 0

    def facts_of(subject: str, since: datetime, until: datetime) -> object:
        nonlocal reads
        reads += 1
        if reads > 1:
            raise KilledError
        return read(subject, since, until)

    monkeypatch.setattr(world.repository, "facts_of", facts_of)
    longest = max(world.queues.stretches, key=lambda one: len(entries_of(world, one)))
    assert len(entries_of(world, longest)) > 1
    with pytest.raises(KilledError):
        work_off(world.ports, longest, must_not_fail)
    assert len(world.queues.waiting[Queue.DECIDE]) == 1


# --- reconcile ----------------------------------------------------------------------------------


def with_another_campaign() -> World:
    """A second campaign after the first, in which an invitation waits."""
    world = new_world()
    from chalicelib.services.campaigns.put import put_campaign

    world.clock.advance(seconds=1)
    put_campaign(world.ports, campaign(campaign="other"))
    return world


@pytest.mark.parametrize("broken", ["campaign", "check"])
def test_reconcile_goes_on_after_what_it_cannot_handle(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = with_another_campaign()
    undecided(world)
    world.clock.advance(minutes=16)
    if broken == "campaign":
        world.memory.unreadable.add(("CAMPAIGN#other", "IN_FORCE"))
    else:

        def fails(*_: object) -> None:
            raise ValueError

        monkeypatch.setattr(watch, "watched", fails)
    failures: list[Failure] = []
    found = watch.reconcile(world.ports, failures.append)
    assert found["undecided"] == 4
    assert found["not_handled"] == len(failures) > 0
    assert {failure.name for failure in failures} <= {"CAMPAIGN#other", CAMPAIGN, "other"}


def with_leased_mails() -> World:
    """Three vouchers' mails of which nobody knows whether they left."""
    world = new_world(release="at_once")
    people = (NEWCOMER, *OTHERS[:2])
    world.invite(world.sponsor(), *people)
    world.run()
    for address in people:
        world.confirm(address)
    world.mailer.answers = [MailUncertainError("ReadTimeoutError")] * 3
    world.run()
    world.queues.waiting.clear()  # their messages are lost
    world.clock.advance(minutes=16)
    return world


@pytest.mark.parametrize("broken", ["item", "work"])
def test_a_mail_that_cannot_be_handled_stops_none_of_the_others(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = with_leased_mails()
    leased = [one for one in world.memory.all(Mail) if one.state is MailState.LEASED]
    assert len(leased) == 3
    bad = leased[0]
    failures: list[Failure] = []
    if broken == "item":
        world.memory.unreadable.add(_pair(schema.key_of(bad)))
    else:

        def relayed(ports: Ports, facts: Sequence[Fact]) -> int:
            if facts[0].subject == bad.voucher_id:
                raise ValueError
            return relay(ports, facts)

        monkeypatch.setattr(overdue_mails, "relay", relayed)
    found = watch.reconcile(world.ports, failures.append)
    assert found["leased"] == (2 if broken == "item" else 3)
    assert found["not_handled"] == len(failures) == (1 if broken == "item" else 0)
    done = [work_off(world.ports, one, failures.append) for one in world.queues.stretches]
    assert sum(one.get("mails", 0) for one in done) == 2
    assert sum(one.get("not_handled", 0) for one in done) == 1
    queued = {fact.subject for fact in world.queues.waiting[Queue.MAIL]}
    assert queued == {one.voucher_id for one in leased[1:]}


def test_a_mail_is_queued_again_once_it_is_overdue_and_until_it_is_settled() -> None:
    world = with_leased_mails()
    leased = next(one for one in world.memory.all(Mail) if one.state is MailState.LEASED)
    key = Key.of(Mail, mail_id=leased.mail_id)
    world.clock.advance(minutes=-2)
    assert not settle_overdue(world.ports, key)
    world.clock.advance(minutes=2)
    assert settle_overdue(world.ports, key)
    world.run()  # sent again, and answered this time
    world.clock.advance(minutes=16)
    assert not settle_overdue(world.ports, key)


@pytest.mark.parametrize("broken", ["item", "work"])
def test_a_refused_voucher_that_cannot_be_replaced_stops_none_of_the_others(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world(**OWN_CODES)
    world.drop("codes/welcome/codes.csv", b"code\nA1B2C3\nD4E5F6\n")
    for address in (NEWCOMER, OTHERS[0]):
        world.referral(address)
    world.export()
    refuse(world, 1)
    waiting = [one for one in world.memory.all(Voucher) if one.refused_reason is not None]
    assert len(waiting) == 2
    world.drop("codes/welcome/more.csv", b"code\nG7H8J9\nK2L3M4\n")
    bad = waiting[0]
    if broken == "item":
        world.memory.unreadable.add(_pair(schema.key_of(bad)))
    else:

        def replaced(ports: Ports, document: Campaign, code_key: str) -> object:
            if code_key == bad.code_key:
                raise ValueError
            return replace_refused(ports, document, code_key)

        monkeypatch.setattr(watch, "replace_refused", replaced)
    failures: list[Failure] = []
    found = watch.reconcile(world.ports, failures.append)
    assert found["not_handled"] == len(failures) == 1
    world.memory.unreadable.clear()
    replacements = {one.replaces for one in world.memory.all(Voucher) if one.replaces}
    assert replacements == {waiting[1].voucher_id}
