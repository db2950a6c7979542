"""A reward that was revoked and is granted again has another voucher: what comes late about the
first one tells nobody the code of the second before the client has loaded it.
"""

from __future__ import annotations

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.mails.send import send_mail
from tests.fakes.world import SENDER, VIPS, World, new_world

NEWCOMER = "jeanne@example.fr"
RULES = [
    {"id": "kept", "when": "order_kept", "if": {"order": 1}, "issue": "thank-you", "to": "sponsor"}
]


@pytest.fixture
def world() -> World:
    """The sponsor's voucher was exported, then revoked; another order has earned another one."""
    made = new_world(rules=RULES, release="on_acknowledgement")
    made.referral(NEWCOMER)
    report(made, "A1", "kept")
    made.export()
    report(made, "A1", "returned")
    report(made, "A2", "kept")
    first, second = vouchers(made)
    assert (first.state, second.state) == (VoucherState.REVOKED, VoucherState.ISSUED)
    return made


def report(world: World, order_id: str, status: str) -> None:
    world.drop_orders(world.order(order_id, status, of=NEWCOMER), file=f"{order_id}-{status}")
    world.run()


def vouchers(world: World) -> list[Voucher]:
    return sorted(world.memory.all(Voucher), key=lambda one: one.code_key)


def mailed_codes(world: World) -> list[bool]:
    """Of each voucher, whether its code was mailed to the sponsor."""
    mails = {mail.mail_id for mail in world.mailer.to(VIPS[0])}
    return [f"voucher-{one.voucher_id}" in mails for one in vouchers(world)]


def test_the_acknowledgement_of_the_revoked_one_mails_no_code(world: World) -> None:
    world.acknowledge(1)
    world.run()
    assert mailed_codes(world) == [False, False]


def test_its_own_acknowledgement_mails_it_once_whatever_comes_again(world: World) -> None:
    world.acknowledge(1)
    world.run()
    world.export()
    world.acknowledge(2)
    world.run()
    assert mailed_codes(world) == [False, True]
    for fact in world.facts(FactName.VOUCHER_ACKNOWLEDGED, FactName.VOUCHER_ISSUED):
        assert send_mail(world.ports, SENDER, fact) == "sent_already"
