"""A refused code is replaced: once, for the same reward; its holder learns the good one only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.changes import ChangeKind, VoucherChange
from chalicelib.domain.fact_bodies import VoucherIssued, body_as
from chalicelib.domain.facts import FactName
from chalicelib.domain.people import Session
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import (
    MOST_REFUSALS,
    Voucher,
    VoucherProblem,
    VoucherState,
)
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ingest import ingest
from chalicelib.services.issuing import ReplacementOutcome
from chalicelib.services.orders.record import record_order
from chalicelib.services.ports import Ports
from chalicelib.services.sponsors.space import view_sponsor_space
from chalicelib.services.voucher_views import voucher_view
from chalicelib.services.vouchers.redeem import check_voucher
from chalicelib.services.vouchers.replace_refused import replace_refused
from chalicelib.services.vouchers.reward import reward
from tests.fakes.campaign import campaign
from tests.fakes.due import expire, reconcile
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import World, new_world, wrapped
from tests.services.test_orders import row_of

REFEREE = "jeanne@example.fr"
OWN_CODES: dict[str, Any] = {
    "templates": {
        "welcome": {"prefix": "OW", "value": "10.00", "valid_days": 60, "codes": "client"},
        "thank-you": {"prefix": "TY", "value": "15.00", "valid_days": 90},
    },
    "rules": [
        {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"},
        {"id": "thanks", "when": "order_kept", "issue": "thank-you", "to": "sponsor"},
    ],
}


def exported(world: World) -> World:
    """The world with the referee's voucher in the first export."""
    world.referral(REFEREE)
    world.export()
    return world


def refuse(world: World, number: int, *templates: str) -> None:
    """The client refuses the codes of an export, of some templates or all, and nothing else."""
    rows = world.exported(number)
    refused = [row["code"] for row in rows if not templates or row["template"] in templates]
    lines = [f"{code},no such card: {REFEREE.replace('@', ' at ')}" for code in refused]
    assert world.acknowledge(number, "\n".join(lines).encode()).status == "accepted"
    world.run()


def by_state(world: World, state: VoucherState) -> Voucher:
    [found] = [one for one in world.memory.all(Voucher) if one.state is state]
    return found


def changes(world: World) -> list[VoucherChange]:
    return sorted(world.memory.all(VoucherChange), key=lambda change: change.position)


def test_a_refused_voucher_is_revoked_and_replaced_in_one_transaction() -> None:
    world = exported(new_world())
    before = by_state(world, VoucherState.EXPORTED)
    world.clock.advance(hours=2)
    refuse(world, 1)
    old, new = by_state(world, VoucherState.REVOKED), by_state(world, VoucherState.ISSUED)
    assert (old.voucher_id, old.replaced_by) == (before.voucher_id, new.voucher_id)
    assert (old.revoked_at, old.refused_reason) == (
        world.clock(),
        "no such card: jeanne at example.fr",
    )
    assert new.code != old.code
    assert new == replace(
        before,
        revision=new.revision,
        voucher_id=new.voucher_id,
        code=new.code,
        code_key=new.code_key,
        state=VoucherState.ISSUED,
        export=None,
        issued_at=world.clock(),
        replaces=before.voucher_id,
    )
    [earned] = world.memory.all(Reward)
    assert earned.code_key == new.code_key
    [refusal] = world.facts(FactName.VOUCHER_REFUSED)
    issued = world.facts(FactName.VOUCHER_ISSUED)[-1]
    assert (refusal.subject, issued.subject) == (old.voucher_id, new.voucher_id)
    assert body_as(issued, VoucherIssued).replaces_id == old.voucher_id


def test_the_client_reads_that_the_old_code_was_refused_and_then_replaced() -> None:
    world = exported(new_world())
    refuse(world, 1)
    old = by_state(world, VoucherState.REVOKED)
    assert [(one.change, one.voucher_id, one.reason) for one in changes(world)] == [
        (ChangeKind.REFUSED, old.voucher_id, "refused_by_client"),
        (ChangeKind.REPLACED, old.voucher_id, ""),
    ]
    assert check_voucher(world.ports, old.code)[1] is VoucherProblem.REFUSED_BY_CLIENT


def test_the_replacement_ends_as_if_it_had_been_issued_first() -> None:
    world = exported(new_world())
    world.clock.advance(days=3)
    refuse(world, 1)
    old, new = by_state(world, VoucherState.REVOKED), by_state(world, VoucherState.ISSUED)
    assert (new.valid_until - old.valid_until).days == 3
    assert new.valid_from == old.valid_from


def test_the_holder_is_mailed_the_good_code_alone() -> None:
    world = exported(new_world())
    refuse(world, 1)
    assert len(world.mailer.to(REFEREE)) == 1  # the invitation
    world.export()
    world.acknowledge(2)
    world.run()
    [_, mail] = world.mailer.to(REFEREE)
    assert by_state(world, VoucherState.ACKNOWLEDGED).code in mail.text
    assert "Ce code remplace" not in mail.text


def test_with_release_at_once_the_good_code_follows_the_refused_one() -> None:
    world = exported(new_world(release="at_once"))
    refuse(world, 1)
    mails = world.mailer.to(REFEREE)[1:]
    old, new = by_state(world, VoucherState.REVOKED), by_state(world, VoucherState.ISSUED)
    assert [(old.code in mail.text, new.code in mail.text) for mail in mails] == [
        (True, False),
        (False, True),
    ]
    assert ["Ce code remplace" in mail.text for mail in mails] == [False, True]


def seen_by(world: World, session: Session) -> list[str]:
    return [voucher_view(one) for one in view_sponsor_space(world.ports, session).vouchers]


@pytest.mark.parametrize("release", ["on_acknowledgement", "at_once"])
def test_the_sponsor_sees_one_voucher_never_the_refused_one(release: str) -> None:
    world = new_world(release=release)
    world.referral(REFEREE)
    world.drop_orders(world.order("A1", "kept", of=REFEREE))
    world.run()
    world.export()
    session = world.sponsor()
    refuse(world, 1, "thank-you")
    at_once = release == "at_once"
    assert seen_by(world, session) == ["available" if at_once else "preparing"]
    world.export()
    world.acknowledge(2)
    assert seen_by(world, session) == ["available"]


def waiting_for_codes() -> World:
    """A world with a refused own code, and none left to replace it."""
    world = new_world(**OWN_CODES, release="at_once")
    world.drop("codes/welcome/a.csv", b"OWNCODE-1\n")
    exported(world)
    refuse(world, 1)
    return world


def test_without_a_code_left_the_refusal_is_recorded_and_replaced_when_codes_arrive() -> None:
    world = waiting_for_codes()
    [waits] = world.memory.all(Voucher)
    assert (waits.state, voucher_view(waits)) == (VoucherState.EXPORTED, "preparing")
    assert check_voucher(world.ports, "OWNCODE-1")[1] is VoucherProblem.REFUSED_BY_CLIENT
    assert [one.change for one in changes(world)] == [ChangeKind.REFUSED]
    assert reconcile(world.ports)["unreplaced"] == 1
    world.drop("codes/welcome/b.csv", b"OWNCODE-2\n")
    assert reconcile(world.ports)["unreplaced"] == 0
    assert by_state(world, VoucherState.ISSUED).code == "OWNCODE-2"
    assert by_state(world, VoucherState.REVOKED).code == "OWNCODE-1"
    assert [one.change for one in changes(world)] == [ChangeKind.REFUSED, ChangeKind.REPLACED]
    assert reconcile(world.ports)["unreplaced"] == 0
    assert len(world.memory.all(Voucher)) == 2


def test_a_voucher_that_cannot_be_replaced_is_left_as_it_is() -> None:
    world = waiting_for_codes()
    [waits] = world.memory.all(Voucher)
    outcome = replace_refused(world.ports, world.campaign, waits.code_key)
    assert outcome is not ReplacementOutcome.REPLACED
    assert world.memory.all(Voucher) == [waits]


def test_a_voucher_that_waits_for_a_replacement_ends_on_its_day() -> None:
    world = waiting_for_codes()
    world.clock.advance(days=70)
    expire(world.ports)
    [voucher] = world.memory.all(Voucher)
    assert voucher.state is VoucherState.EXPIRED
    world.drop("codes/welcome/b.csv", b"OWNCODE-2\n")
    assert reconcile(world.ports)["unreplaced"] == 0
    assert len(world.memory.all(Voucher)) == 1


def test_a_template_that_is_gone_is_taken_from_the_version_of_the_issue() -> None:
    world = exported(new_world())
    put_campaign(world.ports, campaign(**OWN_CODES | {
        "templates": {"thank-you": OWN_CODES["templates"]["thank-you"]},
        "rules": OWN_CODES["rules"][1:],
    }))  # fmt: skip
    world.clock.advance(minutes=1)
    assert "welcome" not in world.campaign.templates
    refuse(world, 1)
    assert by_state(world, VoucherState.ISSUED).code.startswith("WE-")


def refused_to_the_limit(world: World) -> None:
    for number in range(1, MOST_REFUSALS + 1):
        refuse(world, number)
        world.export()


def test_a_holder_whose_codes_are_refused_three_times_gets_no_further_one() -> None:
    world = exported(new_world())
    refused_to_the_limit(world)
    vouchers = world.memory.all(Voucher)
    assert len(vouchers) == MOST_REFUSALS
    assert [one.voucher_id for one in vouchers if one.replaced_by is None] == [
        vouchers[-1].voucher_id
    ]
    [fact] = world.facts(FactName.VOUCHER_REFUSED_REPEATEDLY)
    assert (fact.subject, fact.details["refusals"]) == (vouchers[-1].voucher_id, MOST_REFUSALS)
    for _ in range(2):
        assert reconcile(world.ports)["refused_repeatedly"] == 1
    assert len(world.facts(FactName.VOUCHER_REFUSED_REPEATEDLY)) == 1
    assert len(world.memory.all(Voucher)) == MOST_REFUSALS


def test_the_refusals_of_one_holder_do_not_count_for_another() -> None:
    world = new_world()
    for address in (REFEREE, "paul@example.fr", "zoe@example.fr", "luc@example.fr"):
        world.referral(address)
    world.export()
    refuse(world, 1)
    assert world.facts(FactName.VOUCHER_REFUSED_REPEATEDLY) == []
    assert len(world.memory.all(Voucher)) == 8


def test_a_replacement_is_no_further_reward() -> None:
    world = exported(new_world())
    refuse(world, 1)
    assert world.funnel() | {"rewards": 1, "vouchers_issued": 2, "vouchers_replaced": 1} == (
        world.funnel()
    )


def test_a_code_that_was_used_is_known_whatever_the_acknowledgement_says() -> None:
    world = exported(new_world())
    code = world.exported(1)[0]["code"]
    world.drop_orders(world.order("A1", code=code, of=REFEREE))
    refuse(world, 1)
    [voucher] = world.memory.all(Voucher)
    assert (voucher.state, voucher.refused_reason) == (VoucherState.REDEEMED, None)
    assert voucher.acknowledged_at


def test_a_voucher_revoked_before_its_refusal_is_not_replaced() -> None:
    world = exported(new_world())
    world.drop_orders(world.order("A1", "kept", of=REFEREE))
    world.run()
    world.export()
    world.drop_orders(world.order("A1", "returned", of=REFEREE), file="returned")
    world.run()
    vouchers = len(world.memory.all(Voucher))
    refuse(world, 2)
    assert len(world.memory.all(Voucher)) == vouchers
    assert reconcile(world.ports)["unreplaced"] == 0
    assert ChangeKind.REFUSED not in [one.change for one in changes(world)]


def test_a_voucher_that_ended_before_its_refusal_is_not_replaced() -> None:
    world = exported(new_world())
    world.clock.advance(days=70)
    expire(world.ports)
    refuse(world, 1)
    [voucher] = world.memory.all(Voucher)
    assert (voucher.state, len(world.facts(FactName.VOUCHER_REFUSED))) == (VoucherState.EXPIRED, 1)


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("returns_first", [True, False])
def test_law_4_an_order_returned_while_its_voucher_is_replaced_leaves_no_voucher(
    at: int, returns_first: bool
) -> None:
    """Both orders of events, one of them at each worst moment of the other."""
    world = exported(new_world())
    world.drop_orders(world.order("A1", "kept", of=REFEREE))
    world.run()
    world.export()
    record_order(world.ports, world.campaign, row_of(world.order("A1", "returned", of=REFEREE)))
    [returned] = world.facts(FactName.ORDER_RETURNED)
    codes = [row["code"] for row in world.exported(2)]
    ack = world.put_file("acks/00000002.ack", "\n".join(f"{one}," for one in codes).encode())

    def take_back(ports: Ports) -> None:
        reward(ports, returned)

    def refuse_all(ports: Ports) -> None:
        ingest(ports, ack)

    happened: list[bool] = []
    first, second = (take_back, refuse_all) if returns_first else (refuse_all, take_back)

    def compete() -> None:
        happened.append(True)
        first(world.ports)

    second(wrapped(world, lambda inner: ContestedRepository(inner, compete, at)))
    if not happened:  # it commits less often
        compete()
    of_the_order = [one for one in world.memory.all(Voucher) if one.rung]
    assert {one.state for one in of_the_order} == {VoucherState.REVOKED}
    assert all(one.revoked_at for one in world.memory.all(Reward) if one.rung)
