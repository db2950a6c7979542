"""What cannot be read, whatever stored it, stops nothing beside it: it is named, and waits."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.consents import Consent, ConsentChange
from chalicelib.domain.effects import Queue
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export
from chalicelib.domain.facts import FactName
from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.people import RefereeClaim
from chalicelib.domain.protection import HeldInvitation
from chalicelib.domain.vouchers import Voucher
from chalicelib.domain.wall_links import WallLink
from chalicelib.services.consents.write import write_consents
from chalicelib.services.file_parts import PartLeftError, work_off
from chalicelib.services.ingest import ingest
from chalicelib.services.invitations.respond import view_offer
from chalicelib.services.isolation import read_apart
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.mails.resend import undelivered_mails
from chalicelib.services.operations.consequences import is_undone
from chalicelib.services.operations.due import work_off as work_off_stretch
from chalicelib.services.operations.reconcile import reconcile
from chalicelib.services.operations.wall_links import (
    make_wall_link,
    revoke_wall_link,
    wall_links,
)
from chalicelib.services.ports import ContentionError, Failure
from chalicelib.services.protection import resume
from chalicelib.services.restoring.adopt import adopt
from chalicelib.services.row_work import FAILING_AT_ONCE, RowWork, do_each
from chalicelib.services.sponsors.space import view_sponsor_space
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.replace_refused import refused_vouchers
from chalicelib.services.vouchers.review_rewards import held_rewards
from tests.fakes.campaign import CAMPAIGN, digest
from tests.fakes.repository import UnreadableError, _pair
from tests.fakes.till import Till
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_changes import changes_in
from tests.services.test_consents import consenting
from tests.services.test_erased_books import erase
from tests.services.test_file_parts import in_parts_of, order_file
from tests.services.test_held_rewards import held_in, thanks_held, world_with
from tests.services.test_protection import halted, sent
from tests.services.test_restoring import restore, take

__all__ = ["halted", "sent"]  # fixtures

PEOPLE = ("jeanne@example.fr", "paul@example.fr", "marie@example.fr")


def spoil(world: World, *entities: Entity) -> None:
    """These cannot be read any more."""
    world.memory.unreadable |= {_pair(schema.key_of(one)) for one in entities}


# --- files of changes and consents ----------------------------------------------------------------


def used_and_revoked(till: Till) -> list[VoucherChange]:
    """The changes of two vouchers, each used and given back; the earliest first."""
    vouchers = [till.issue(), till.issue()]
    till.world.export()
    for number, code in enumerate(vouchers):
        till.world.clock.advance(minutes=1)
        till.redeem(code, f"A{number}")
        till.world.clock.advance(minutes=1)
        till.roll_back(code)
    return sorted(till.world.memory.all(VoucherChange), key=lambda one: one.position)


@pytest.mark.parametrize("kind", [VoucherChange, Voucher])
def test_a_change_that_cannot_be_written_holds_up_its_own_voucher_alone(
    kind: type[Entity],
) -> None:
    world = new_world()
    first, *_ = changes = used_and_revoked(Till(world))
    others = [one.voucher_id for one in changes if one.voucher_id != first.voucher_id]
    [voucher] = [one for one in world.memory.all(Voucher) if one.code_key == first.code_key]
    spoil(world, first if kind is VoucherChange else voucher)
    with pytest.raises(UnreadableError):
        write_changes(world.ports, world.campaign)
    failures: list[Failure] = []
    write_changes(world.ports, world.campaign, failures.append)
    [rows] = changes_in(world).values()
    assert [row["voucher"] for row in rows] == others
    assert {one.name for one in failures} == {first.voucher_id}
    world.memory.unreadable.clear()
    write_changes(world.ports, world.campaign)
    _, rest = changes_in(world).values()
    assert [row["change"] for row in rest] == ["redeemed", "rolled_back"]


def with_an_unreadable_word() -> tuple[World, ConsentChange]:
    world = new_world()
    for address in PEOPLE:
        consenting(world, address)
    bad, *_ = world.memory.all(ConsentChange)
    spoil(world, bad)
    return world, bad


def test_a_word_that_cannot_be_read_holds_up_no_other() -> None:
    world, bad = with_an_unreadable_word()
    with pytest.raises(UnreadableError):
        write_consents(world.ports, world.campaign)
    failures: list[Failure] = []
    [file] = write_consents(world.ports, world.campaign, failures.append)
    assert file.rows == 2
    assert {one.kind for one in failures} == {"CONSENT_CHANGE"}
    assert world.memory.all(ConsentChange) == [bad]


def test_law_9_somebody_elses_word_that_cannot_be_read_keeps_nobody_from_being_forgotten() -> None:
    world, bad = with_an_unreadable_word()
    erase(world, PEOPLE[2])
    assert world.memory.all(ConsentChange) == [bad]


# --- pages ----------------------------------------------------------------------------------------


def test_what_a_sponsor_cannot_be_shown_keeps_nothing_else_from_her_page() -> None:
    world = new_world()
    session = world.sponsor()
    world.invite(session, *PEOPLE)
    world.run()
    for number, address in enumerate(PEOPLE):
        world.confirm(address)
        world.run()
        world.drop_orders(world.order(f"A{number}", "kept", of=address), file=f"a{number}")
        world.run()
    bad, *others = world.memory.all(Invitation)
    voucher, *vouchers = world.memory.held_by(session.sponsor_id)
    spoil(world, bad, voucher)
    with pytest.raises(UnreadableError):
        view_sponsor_space(world.ports, session)
    failures: list[Failure] = []
    space = view_sponsor_space(world.ports, session, failures.append)
    assert {one.invitation_id for one in space.invitations} == {one.invitation_id for one in others}
    assert {one.voucher_id for one in space.vouchers} == {one.voucher_id for one in vouchers}
    assert [(one.kind, one.name) for one in failures] == [
        ("INVITATION", bad.invitation_id), ("VOUCHER", voucher.voucher_id),
    ]  # fmt: skip


def test_nor_a_referee_of_hers() -> None:
    world = new_world()
    world.referral(PEOPLE[0])
    token = world.token_of(PEOPLE[0])
    spoil(world, *world.memory.all(Voucher))
    with pytest.raises(UnreadableError):
        view_offer(world.ports, token)
    failures: list[Failure] = []
    assert view_offer(world.ports, token, failures.append).vouchers == ()
    assert [one.kind for one in failures] == ["VOUCHER"]


# --- what ops are shown ---------------------------------------------------------------------------


def test_a_held_reward_that_cannot_be_read_hides_no_other() -> None:
    world = world_with()
    for number, address in enumerate(PEOPLE[:2]):
        thanks_held(world, f"A{number}", address)
    bad, *others = held_in(world)
    spoil(world, bad)
    with pytest.raises(UnreadableError):
        held_rewards(world.ports, CAMPAIGN)
    failures: list[Failure] = []
    shown = held_rewards(world.ports, CAMPAIGN, failures.append)
    assert {RewardKey.of(one.reward) for one in shown} == set(map(RewardKey.of, others))
    assert [(one.kind, one.name) for one in failures] == [("REWARD", bad.referral_id)]


def test_a_mail_that_cannot_be_read_hides_no_other() -> None:
    world = new_world()
    for address in PEOPLE[:2]:
        world.referral(address)
    world.export()
    world.mailer.answers = [MailNotSentError("MessageRejected", final=True)] * 2
    world.acknowledge(1)
    world.run()
    bad, *others = undelivered_mails(world.ports, CAMPAIGN)
    assert len(others) == 1
    spoil(world, bad)
    failures: list[Failure] = []
    assert undelivered_mails(world.ports, CAMPAIGN, failures.append) == others
    assert [(one.kind, one.name) for one in failures] == [("MAIL", bad.mail_id)]


def test_a_wall_link_that_cannot_be_read_keeps_no_other_from_being_revoked() -> None:
    world = new_world()
    for _ in range(2):
        make_wall_link(world.ports, world.campaign, by="AIDAOPS", days=7)
    bad, other = world.memory.all(WallLink)
    spoil(world, bad)
    with pytest.raises(UnreadableError):
        wall_links(world.ports, CAMPAIGN)
    failures: list[Failure] = []
    assert wall_links(world.ports, CAMPAIGN, failures.append) == [other]
    assert [(one.kind, one.name) for one in failures] == [("WALL_LINK", CAMPAIGN)]
    revoke_wall_link(world.ports, CAMPAIGN, other.link_id, by="AIDAOPS")
    assert world.memory.all(WallLink) == [bad]


def test_a_refused_voucher_that_cannot_be_read_hides_no_other() -> None:
    world = new_world()
    for address in PEOPLE[:2]:
        world.referral(address)
    world.export()
    codes = [row["code"] for row in world.exported(1)]
    world.acknowledge(1, "\n".join(["code,reason", *(f"{one},taken" for one in codes)]).encode())
    refused = world.memory.all(Voucher)
    [bad, *_] = [one for one in refused if one.code in codes]
    was = refused_vouchers(world.ports, CAMPAIGN)
    spoil(world, bad)
    failures: list[Failure] = []
    now = refused_vouchers(world.ports, CAMPAIGN, failures.append)
    assert now == [one for one in was if one.voucher_id != bad.voucher_id]
    assert len(failures) == len(was) - len(now)


# --- reconcile ------------------------------------------------------------------------------------


def work_off_queued(world: World) -> None:
    """What was handed out, as far as it can be done."""
    for stretch in world.queues.stretches:
        work_off_stretch(world.ports, stretch, lambda _: None)
    world.queues.stretches.clear()


def watched(world: World, spoiled: Entity) -> dict[str, int]:
    """What `reconcile` finds, which names what cannot be read, alone."""
    failures: list[Failure] = []
    found = reconcile(world.ports, failures.append)
    assert [one.kind for one in failures] == [schema.ITEM_KINDS[type(spoiled)].kind]
    assert found["not_handled"] == 1
    return found


def test_an_undecided_invitation_that_cannot_be_read_keeps_no_other_from_being_queued() -> None:
    world = new_world()
    world.invite(world.sponsor(), *PEOPLE)
    world._streamed = len(world.repository.stream)  # their facts are lost
    world.clock.advance(minutes=16)
    bad, *others = world.memory.all(Invitation)
    [fact] = world.facts(FactName.LIST_ACCEPTED)[-1:]
    spoil(world, bad)
    assert watched(world, bad)["undecided"] == 2
    work_off_queued(world)
    queued = {fact.subject for fact in world.queues.waiting[Queue.DECIDE]}
    assert queued == {one.invitation_id for one in others}
    later = replace(fact, at=world.clock())
    assert is_undone(world.ports, later, {})
    world.run()
    assert not is_undone(world.ports, later, {})


def test_a_held_reward_that_cannot_be_read_keeps_time_from_deciding_on_no_other() -> None:
    world = world_with()
    for number, address in enumerate(PEOPLE[:2]):
        thanks_held(world, f"A{number}", address)
    bad, *others = held_in(world)
    assert others
    world.clock.now = max(one.hold.ends_at for one in others if one.hold)
    spoil(world, bad)
    watched(world, bad)
    work_off_queued(world)
    assert held_in(world) == [bad]


def test_a_voucher_that_cannot_be_read_leaves_the_others_that_wait_too_long_counted() -> None:
    world = new_world()
    till = Till(world)
    for _ in range(3):
        till.issue()
    world.clock.advance(hours=2)
    bad, *_ = world.memory.all(Voucher)
    spoil(world, bad)
    assert watched(world, bad)["unexported"] == 2


def test_a_held_invitation_that_cannot_be_read_holds_up_no_other(halted: World) -> None:
    halted.invite(halted.sponsor(VIPS[1]), *PEOPLE)
    halted.run()
    bad, *others = halted.memory.all(HeldInvitation)
    assert len(others) == 2
    resume(halted.ports, CAMPAIGN, "AIDAOPS")
    [fact] = halted.facts(FactName.INVITATIONS_RESUMED)
    halted._streamed = len(halted.repository.stream)  # its fact is lost
    spoil(halted, bad)
    assert is_undone(halted.ports, fact, {})
    watched(halted, bad)
    halted.run()
    assert not is_undone(halted.ports, fact, {})
    assert halted.memory.all(HeldInvitation) == [bad]


# --- rows of files --------------------------------------------------------------------------------


def with_orders() -> tuple[World, list[dict[str, str]]]:
    """Reports that three known orders are kept."""
    world = new_world()
    for address in PEOPLE:
        world.referral(address)
    rows = [world.order(f"A{n}", "placed", of=address) for n, address in enumerate(PEOPLE)]
    world.drop_orders(*rows, file="placed")
    world.run()
    return world, [row | {"status": "kept"} for row in rows]


def kept(world: World) -> set[str]:
    return {one.order_id for one in world.memory.all(Order) if one.status is OrderStatus.KEPT}


@pytest.mark.parametrize("kind", [Order, RefereeClaim])
def test_an_order_that_cannot_be_recorded_holds_up_no_other_of_its_file(
    kind: type[Entity],
) -> None:
    world, rows = with_orders()
    spoil(world, world.memory.all(kind)[0])
    with suppress(UnreadableError):
        world.drop_orders(*rows, file="kept")
    assert kept(world) >= {"A1", "A2"}


def test_an_order_of_a_referee_who_cannot_be_read_is_no_strangers() -> None:
    """It would be counted as done."""
    world, _ = with_orders()
    row = world.order("B1", "kept", of=PEOPLE[0])
    spoil(world, *world.memory.all(RefereeClaim))
    with pytest.raises(UnreadableError):
        world.drop_orders(row, file="more")


def test_nor_any_other_of_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    world, rows = with_orders()
    in_parts_of(monkeypatch, 2)
    spoil(world, world.memory.all(Order)[0])
    ingest(world.ports, world.put_file("orders/kept.csv", order_file(*rows)))
    assert len(world.queues.parts) == 2
    failures: list[Failure] = []
    for part in world.queues.parts:
        with suppress(PartLeftError):
            work_off(world.ports, part, failures.append)
    assert kept(world) == {"A1", "A2"}
    assert [one.kind for one in failures] == ["row"]


def test_a_voucher_that_cannot_be_read_keeps_no_file_of_orders_from_being_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two orders name it, so they are in one part."""
    world, rows = with_orders()
    in_parts_of(monkeypatch, 2)
    bad, *_ = world.memory.all(Voucher)
    spoil(world, bad)
    named = [row | {"voucher_code": bad.code} for row in rows]
    ingest(world.ports, world.put_file("orders/kept.csv", order_file(*named)))
    assert len(world.queues.parts) == 1


def test_a_voucher_that_cannot_be_acknowledged_holds_up_no_other() -> None:
    world = new_world()
    for address in PEOPLE:
        world.referral(address)
    world.export()
    first = world.exported(1)[0]["code"]
    [bad] = [one for one in world.memory.all(Voucher) if one.code == first]
    spoil(world, bad)
    with pytest.raises(UnreadableError):
        world.acknowledge(1)
    known = [one for one in world.memory.all(Voucher) if one.acknowledged_at]
    assert len(known) == len(PEOPLE) - 1


def test_the_clients_word_on_one_that_cannot_be_read_holds_up_no_other() -> None:
    world = new_world()
    rows = [f"{digest(address)},withdrawn,{world.clock().isoformat()}" for address in PEOPLE]
    world.drop("consents/first.csv", "\n".join(["email_digest,state,at", *rows]).encode())
    bad, *others = world.memory.all(Consent)
    spoil(world, bad)
    world.clock.advance(minutes=1)
    rows = [f"{digest(address)},given,{world.clock().isoformat()}" for address in PEOPLE]
    with pytest.raises(UnreadableError):
        world.drop("consents/second.csv", "\n".join(["email_digest,state,at", *rows]).encode())
    given = [one.digest for one in world.memory.all(Consent) if one.given]
    assert given == [one.digest for one in others]


def test_what_is_probably_not_the_fault_of_a_row_stops_the_file() -> None:
    done: list[int] = []

    def work(line: int, error: Exception | None) -> RowWork:
        def do() -> None:
            done.append(line)
            if error:
                raise error

        return RowWork(line, str(line // 2), do)

    do_each([work(1, None), work(2, None)])
    with pytest.raises(UnreadableError):
        do_each([work(4, UnreadableError()), work(5, None), work(6, None)])
    assert done == [1, 2, 4, 6]
    with pytest.raises(ContentionError):
        do_each([work(8, ContentionError()), work(10, None)])
    assert done[4:] == [8]
    with pytest.raises(UnreadableError):
        do_each([work(line, UnreadableError()) for line in range(100, 200, 2)])
    assert len(done[5:]) == FAILING_AT_ONCE


# --- a table that was taken back ------------------------------------------------------------------


def test_an_item_that_cannot_be_read_keeps_nothing_else_from_being_brought_back() -> None:
    world = new_world()
    for address in PEOPLE:
        world.referral(address)
    taken = take(world)
    world.export()
    world.run()
    world.acknowledge(1)
    world.run()
    world.clock.advance(minutes=10)
    was = world.memory.all(Voucher)
    restore(world, taken)
    bad, *others = world.memory.all(Voucher)
    spoil(world, bad)
    [done] = adopt(world.ports, taken.at)
    now = {one.voucher_id: one for one in world.memory.all(Voucher)}
    for one in was:
        if one.voucher_id != bad.voucher_id:
            assert replace(now[one.voucher_id], revision=0) == replace(one, revision=0)
    assert len(others) == len(was) - 1
    lost = {(fact.name, fact.subject) for fact in done.without_state}
    assert (FactName.VOUCHER_ACKNOWLEDGED, bad.voucher_id) in lost
    assert done.unknown_vouchers == []
    [export] = world.memory.all(Export)
    assert export.rows == len(was)
    assert export.acknowledged_at is None


def test_what_has_to_wait_is_not_looked_for_in_halves() -> None:
    asked: list[list[int]] = []

    def read(some: list[int]) -> list[int]:
        asked.append(some)
        raise ContentionError

    with pytest.raises(ContentionError):
        read_apart([1, 2], read)
    assert asked == [[1, 2]]
