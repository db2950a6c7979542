"""What cannot be read, whatever stored it, stops nothing beside it: it is named, and waits."""

from __future__ import annotations

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.consents import ConsentChange
from chalicelib.domain.entity import Entity
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.consents.write import write_consents
from chalicelib.services.ports import Failure
from chalicelib.services.vouchers.changes import write_changes
from tests.fakes.repository import UnreadableError, _pair
from tests.fakes.till import Till
from tests.fakes.world import World, new_world
from tests.services.test_changes import changes_in
from tests.services.test_consents import consenting
from tests.services.test_erased_books import erase

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
