"""The client's acknowledgement: which mails may be sent, what was refused, and repeats."""

from __future__ import annotations

import pytest

from chalicelib.domain.exports import Export
from chalicelib.domain.facts import FactName
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.sponsors.space import voucher_view
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
    assert sorted(states(exported)) == ["acknowledged", "acknowledged", "exported"]
    # A second acknowledgement of an export does not change the first.
    exported.acknowledge(1)
    assert mailed(exported) == 2
    assert exported.facts(FactName.VOUCHER_REFUSED) == [refused]


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
