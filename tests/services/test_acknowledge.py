"""The client's acknowledgement: which mails may be sent, what was refused, and repeats."""

from __future__ import annotations

import pytest

from chalicelib.domain import vouchers
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.ports import Replace
from chalicelib.services.voucher_views import voucher_view
from chalicelib.services.vouchers.acknowledge import ingest_ack
from chalicelib.services.vouchers.export import export_vouchers
from chalicelib.services.vouchers.redeem import redeem
from tests.fakes.fuse import killed_everywhere
from tests.fakes.world import World
from tests.services.test_export import NEWCOMERS, issued


@pytest.fixture
def exported() -> World:
    """A world with an export of three vouchers."""
    world = issued(3)
    world.export()
    return world


def states(world: World) -> list[VoucherState]:
    return [voucher.state for voucher in world.memory.all(Voucher)]


def mailed(world: World) -> int:
    world.run()
    return sum(len(world.mailer.to(address)) - 1 for address in NEWCOMERS[:3])


def test_no_vouchers_mail_leaves_before_the_acknowledgement(exported: World) -> None:
    assert mailed(exported) == 0
    assert {voucher_view(one) for one in exported.memory.all(Voucher)} == {"preparing"}
    assert exported.acknowledge(1).status == "accepted"
    assert mailed(exported) == 3
    assert {voucher_view(one) for one in exported.memory.all(Voucher)} == {"available"}
    assert exported.memory.all(Export)[0].acknowledged_at


def test_law_7_an_acknowledgement_repeated_has_no_second_effect(exported: World) -> None:
    for _ in range(3):
        assert exported.acknowledge(1).status == "accepted"
    assert mailed(exported) == 3
    assert len(exported.facts(FactName.VOUCHER_ACKNOWLEDGED)) == 3


def test_a_refused_code_is_not_mailed_and_the_others_are(exported: World) -> None:
    code = exported.exported(1)[1]["code"]
    receipt = exported.acknowledge(1, f"code,reason\n{code.lower()},unknown template\n".encode())
    assert (receipt.status, receipt.rows) == ("accepted", 1)
    assert mailed(exported) == 2
    [refused] = exported.facts(FactName.VOUCHER_REFUSED)
    assert sorted(states(exported)) == ["acknowledged", "acknowledged", "issued", "revoked"]
    # A second acknowledgement of an export does not change the first.
    exported.acknowledge(1)
    assert mailed(exported) == 2
    assert exported.facts(FactName.VOUCHER_REFUSED) == [refused]


def acknowledged(world: World, content: bytes = b"") -> dict[str, int]:
    """The effects that an acknowledgement of the first export reports."""
    tally = Tally()
    ingest_ack(world.ports, world.campaign, 1, plain=[content] if content else [], tally=tally)
    return tally.effects


def test_the_effects_of_an_acknowledgement_count_vouchers_not_lines(exported: World) -> None:
    code = exported.exported(1)[0]["code"]
    assert acknowledged(exported, f"{code},\n".encode()) == {"acknowledged": 2, "refused": 1}
    assert acknowledged(exported) == {"already": 3}


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (b"WE-22222-22222-22222,unknown\n", "code_not_in_export", 1),
        (b"\n=1+1,unknown\n", "code_invalid", 2),
        ("code\n".encode("utf-16"), "utf16", 1),
    ],
)
def test_an_acknowledgement_that_is_wrong_changes_nothing(
    exported: World, content: bytes, reason: str, line: int
) -> None:
    receipt = exported.acknowledge(1, content)
    assert (receipt.status, receipt.reason) == ("refused", reason)
    assert receipt.errors[0].line == line
    assert set(states(exported)) == {VoucherState.EXPORTED}
    assert mailed(exported) == 0


def test_an_acknowledgement_of_an_export_that_is_not_there_is_refused(exported: World) -> None:
    assert exported.acknowledge(2).reason == "unknown_export"
    assert exported.drop("acks/1.ack", b"").reason == "not_an_export_name"


def worlds_of_killed_exporters(state: ExportState, *, file: bool) -> list[World]:
    """Worlds whose exporter was killed with the export in a state, with or without its file."""
    worlds = killed_everywhere(
        lambda: issued(3),
        lambda world, ports: export_vouchers(ports, world.campaign),
        lambda world: world.ports,
    )
    found = [
        world
        for world in worlds
        if [export.state for export in world.memory.all(Export)] == [state]
        and bool(world.files.under("out/demo-vip/vouchers/00000001.csv.gz")) is file
    ]
    assert found
    return found


@pytest.mark.slow
def test_an_export_counts_as_soon_as_its_file_is_there() -> None:
    for world in worlds_of_killed_exporters(ExportState.SEALED, file=True):
        acknowledge_before_it_is_noted(world)


def acknowledge_before_it_is_noted(world: World) -> None:
    assert world.acknowledge(1).status == "accepted"
    assert mailed(world) == 3
    assert world.acknowledge(1).status == "accepted"
    written = world.export()
    assert written
    assert (written.state, written.acknowledged_at) == (ExportState.WRITTEN, world.clock())
    assert world.export() is None
    assert mailed(world) == 3


@pytest.mark.slow
@pytest.mark.parametrize("state", [ExportState.OPEN, ExportState.SEALED])
def test_an_export_without_its_file_cannot_be_acknowledged(state: ExportState) -> None:
    for world in worlds_of_killed_exporters(state, file=False):
        assert world.acknowledge(1).reason == "unknown_export"
        assert mailed(world) == 0


def test_a_voucher_used_before_the_acknowledgement_stays_used(exported: World) -> None:
    row = exported.exported(1)[0]
    exported.drop_orders(exported.order("A1", code=row["code"]))
    exported.acknowledge(1)
    assert sorted(states(exported)) == ["acknowledged", "acknowledged", "redeemed"]
    assert mailed(exported) == 2


def test_a_code_acknowledged_before_cannot_be_refused_any_more(exported: World) -> None:
    code = exported.exported(1)[0]["code"]
    exported.acknowledge(1)
    receipt = exported.acknowledge(1, f"{code},too late\n".encode())
    assert (receipt.status, receipt.reason) == ("refused", "code_acknowledged_already")
    assert exported.facts(FactName.VOUCHER_REFUSED) == []


def test_a_used_code_that_is_refused_does_not_refuse_the_same_file_again(exported: World) -> None:
    world = exported
    first = world.exported(1)[0]["code"]
    purchase = Purchase(order_id="A1", ordered_at=world.clock(), amount_minor=8000, currency="EUR")
    redeem(world.ports, first, purchase)
    # As a first attempt leaves it that is killed after the used code.
    [used] = [one for one in world.memory.all(Voucher) if one.code == first]
    world.repository.commit(Replace(vouchers.acknowledged(used, world.clock())))
    for _ in range(2):
        assert world.acknowledge(1, f"{first},used\n".encode()).status == "accepted"
    assert all(one.acknowledged_at for one in world.memory.all(Voucher))
