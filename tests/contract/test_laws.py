"""Laws 1, 2, 4, 5, 6, 7 and 10 at the worst moment, on both repositories, with guards and without.

A competitor acts between what a use case has read and what it commits. With the conditions of the
commit the law holds; with them taken away it breaks, so it is they that hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress

import pytest

from chalicelib.adapters.dynamodb import repository as dynamo
from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.orders import OrderRow, parse_order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import Purchase
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import GoneError, RefusedError, RetryLaterError
from chalicelib.services.ingest import ingest
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.invite import Referee, invite
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.mails.send import send_mail
from chalicelib.services.operations.project import project
from chalicelib.services.orders.record import record_order
from chalicelib.services.ports import Ports
from chalicelib.services.vouchers.export import export_vouchers
from chalicelib.services.vouchers.redeem import redeem, roll_back
from chalicelib.services.vouchers.reward import reward
from tests.contract.aws import new_table
from tests.contract.conftest import BOTH
from tests.fakes.campaign import CANARY, campaign, digest, templates
from tests.fakes.repository import ContestedRepository, MemoryRepository
from tests.fakes.world import CUSTOMERS, SENDER, VIPS, World, new_world, wrapped

pytestmark = pytest.mark.slow

NEWCOMER = "jeanne.dupont@gmail.com"
ALIAS = "jeannedupont+x@gmail.com"

with_and_without = pytest.mark.parametrize(
    "guards", [True, False], ids=["guarded", "guards_removed"]
)


@pytest.fixture(params=BOTH)
def world(request: pytest.FixtureRequest, guards: bool, monkeypatch: pytest.MonkeyPatch) -> World:
    """The demo world on one of the repositories, maybe without its guards."""
    if request.param == "memory":
        return new_world(MemoryRepository(guards=guards))
    if not guards:
        always = "attribute_exists(pk) OR attribute_not_exists(pk)"
        monkeypatch.setattr(dynamo, "KEY_IS_FREE", always)
        monkeypatch.setattr(dynamo, "KEY_IS_FREE_OR_ENDED", f"{always} OR #ttl < :now")
        monkeypatch.setattr(dynamo, "UNCHANGED", f"revision = :revision OR {always}")
        monkeypatch.setattr(dynamo, "NOT_COUNTED", f"counted = :no OR {always}")
    return new_world(new_table(request.getfixturevalue("clients")))


def contested(world: World, competitor: Callable[[], object], at: int = 1) -> Ports:
    return wrapped(world, lambda inner: ContestedRepository(inner, competitor, at))


def purchase(world: World, order_id: str) -> Purchase:
    return Purchase(order_id=order_id, ordered_at=world.clock(), amount_minor=8000, currency="EUR")


def voucher_code(world: World) -> str:
    """The code of the first voucher of a confirmed referral."""
    world.referral(NEWCOMER)
    world.export()
    return world.exported(1)[0]["code"]


@with_and_without
def test_law_1_of_two_sponsors_at_the_same_instant_one_wins(world: World, guards: bool) -> None:
    sessions = [world.sponsor(vip) for vip in VIPS[:2]]
    for session, address in zip(sessions, (NEWCOMER, ALIAS), strict=True):
        world.invite(session, address)
    first, second = world.facts(FactName.INVITATION_RECEIVED)
    ports = contested(world, lambda: decide_invitation(world.ports, second))
    outcome = decide_invitation(ports, first)
    world.run()
    assert outcome == ("already_invited" if guards else "eligible")
    assert len(world.mailer.to(ALIAS)) == 1
    assert len(world.mailer.to(NEWCOMER)) == (0 if guards else 1)


@with_and_without
def test_law_1_two_confirmations_at_the_same_instant_make_one_referral(
    world: World, guards: bool
) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    token = world.token_of(NEWCOMER)
    ports = contested(world, lambda: confirm(world.ports, token, "1", False))
    _, made = confirm(ports, token, "1", False)
    assert made is not guards
    assert len(world.facts(FactName.REFERRAL_CONFIRMED)) == (1 if guards else 2)


@with_and_without
def test_a_referee_cannot_confirm_and_decline_at_the_same_instant(
    world: World, guards: bool
) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    token = world.token_of(NEWCOMER)
    ports = contested(world, lambda: decline(world.ports, token))
    with pytest.raises(GoneError) if guards else nullcontext():
        confirm(ports, token, "1", False)
    assert bool(world.facts(FactName.REFERRAL_CONFIRMED)) is not guards


@with_and_without
def test_law_2_two_senders_at_the_same_instant_send_one_mail(world: World, guards: bool) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    [received] = world.facts(FactName.INVITATION_RECEIVED)
    decide_invitation(world.ports, received)
    [accepted] = world.facts(FactName.INVITATION_ACCEPTED)
    ports = contested(world, lambda: send_mail(world.ports, SENDER, accepted))
    with pytest.raises(RetryLaterError) if guards else nullcontext():
        send_mail(ports, SENDER, accepted)
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == (1 if guards else 2)


@with_and_without
def test_a_quota_holds_for_two_calls_at_the_same_instant(world: World, guards: bool) -> None:
    session = world.sponsor()
    ports = contested(world, lambda: world.invite(session, "a@example.fr"))
    invite(ports, session, [Referee(Address.parse("b@example.fr"))], None)
    sponsor = world.repository.get(Sponsor, sponsor_id=session.sponsor_id)
    assert sponsor
    assert sponsor.invited == (2 if guards else 1)


@with_and_without
def test_law_4_a_reward_worked_on_twice_at_the_same_instant_is_one_voucher(
    world: World, guards: bool
) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    confirm(world.ports, world.token_of(NEWCOMER), "1", False)
    [confirmed] = world.facts(FactName.REFERRAL_CONFIRMED)
    ports = contested(world, lambda: reward(world.ports, confirmed))
    outcome = reward(ports, confirmed)
    assert outcome == ([] if guards else ["granted"])
    assert len(world.facts(FactName.VOUCHER_ISSUED)) == (1 if guards else 2)


@with_and_without
def test_law_4_an_order_returned_while_its_reward_is_granted_grants_nothing(
    world: World, guards: bool
) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    [kept] = world.facts(FactName.ORDER_KEPT)
    ports = contested(world, lambda: world.drop_orders(world.order("A1", "returned", of=NEWCOMER)))
    outcomes = reward(ports, kept)
    assert ("granted" in outcomes) is not guards


@with_and_without
def test_two_rewards_of_one_sponsor_at_the_same_instant_keep_the_cap(
    world: World, guards: bool
) -> None:
    put_campaign(world.ports, campaign(caps={"sponsor_rewards": 1}))
    issued = values_issued_at_once(world)
    assert issued.count(1500) == (1 if guards else 2)


@with_and_without
def test_two_rewards_at_the_same_instant_keep_the_budget(world: World, guards: bool) -> None:
    put_campaign(world.ports, campaign(caps={"budget": "45.00"}))
    assert sum(values_issued_at_once(world)) == (4500 if guards else 6000)


def values_issued_at_once(world: World) -> list[int]:
    """The values of all vouchers after two referrals of a sponsor earned rewards at once."""
    world.clock.advance(minutes=1)  # the campaign before is cached
    for address in (NEWCOMER, "paul@example.fr"):
        world.referral(address)
    world.drop_orders(
        world.order("A1", "kept", of=NEWCOMER), world.order("B1", "kept", of="paul@example.fr")
    )
    first, second = world.facts(FactName.ORDER_KEPT)
    # The third write is that of the sponsor's reward.
    reward(contested(world, lambda: reward(world.ports, second), at=3), first)
    return [int(fact.details["value_minor"] or 0) for fact in world.facts(FactName.VOUCHER_ISSUED)]


@with_and_without
def test_law_5_two_exporters_at_the_same_instant_export_a_voucher_once(
    world: World, guards: bool
) -> None:
    world.referral(NEWCOMER)
    ports = contested(world, world.export, at=2)
    export_vouchers(ports, world.campaign)
    exported = world.facts(FactName.VOUCHERS_EXPORTED)
    assert sum(int(fact.details["count"] or 0) for fact in exported) == (1 if guards else 2)
    assert len(world.exported(1)) == 1


@with_and_without
def test_law_6_of_four_concurrent_redemptions_one_wins(world: World, guards: bool) -> None:
    code = voucher_code(world)
    won: list[str] = []

    def redeem_while_others_do(number: int) -> None:
        ports = world.ports
        if number:
            ports = contested(world, lambda: redeem_while_others_do(number - 1))
        with suppress(RefusedError):
            redeem(ports, code, purchase(world, f"A{number}"))
            won.append(f"A{number}")

    redeem_while_others_do(3)
    assert won == (["A0"] if guards else ["A0", "A1", "A2", "A3"])
    assert len(world.facts(FactName.VOUCHER_REDEEMED)) == len(won)


@with_and_without
def test_law_6_of_two_concurrent_rollbacks_one_wins(world: World, guards: bool) -> None:
    code = voucher_code(world)
    redeem(world.ports, code, purchase(world, "A1"))
    roll_back(contested(world, lambda: roll_back(world.ports, code, "A1")), code, "A1")
    assert len(world.facts(FactName.VOUCHER_ROLLED_BACK)) == (1 if guards else 2)


@with_and_without
def test_law_6_a_report_and_a_call_at_the_same_instant_use_a_voucher_once(
    world: World, guards: bool
) -> None:
    code = voucher_code(world)
    row = parse_order(world.order("A1", of=NEWCOMER, code=code))
    assert isinstance(row, OrderRow)
    ports = contested(world, lambda: redeem(world.ports, code, purchase(world, "A2")))
    outcome = record_order(ports, world.campaign, row)
    assert outcome.voucher == ("exhausted" if guards else None)
    assert len(world.facts(FactName.VOUCHER_REDEEMED)) == (1 if guards else 2)


@with_and_without
def test_law_6_a_cancellation_and_a_rollback_at_the_same_instant_give_back_once(
    world: World, guards: bool
) -> None:
    code = voucher_code(world)
    world.drop_orders(world.order("A1", of=NEWCOMER, code=code))
    row = parse_order(world.order("A1", "cancelled", of=NEWCOMER))
    assert isinstance(row, OrderRow)
    record_order(contested(world, lambda: roll_back(world.ports, code, "A1")), world.campaign, row)
    assert len(world.facts(FactName.VOUCHER_ROLLED_BACK)) == (1 if guards else 2)


@with_and_without
def test_of_two_vouchers_that_exclude_each_other_redeemed_on_one_order_at_once_one_wins(
    world: World, guards: bool
) -> None:
    put_campaign(world.ports, campaign(templates=templates(welcome={"not_with": ["welcome"]})))
    world.clock.advance(minutes=1)  # the one before is cached
    for referee in (NEWCOMER, "paul@example.fr"):
        world.referral(referee)
    world.export()
    first, second = (row["code"] for row in world.exported(1))
    ports = contested(world, lambda: redeem(world.ports, second, purchase(world, "A1")))
    with pytest.raises(RefusedError, match="not_with_other_voucher") if guards else nullcontext():
        redeem(ports, first, purchase(world, "A1"))
    assert len(world.facts(FactName.VOUCHER_REDEEMED)) == (1 if guards else 2)


@with_and_without
def test_law_4_an_order_reported_twice_at_the_same_instant_is_one_order(
    world: World, guards: bool
) -> None:
    world.referral(NEWCOMER)
    row = world.order("A1", "kept", of=NEWCOMER)
    recorded = parse_order(row)
    assert isinstance(recorded, OrderRow)
    ports = contested(world, lambda: world.drop_orders(row))
    outcome = record_order(ports, world.campaign, recorded)
    assert outcome.effect == ("known_already" if guards else "recorded")
    world.run()
    assert world.funnel()["orders_kept"] == (1 if guards else 2)


@with_and_without
def test_law_7_one_file_processed_twice_at_the_same_instant_is_one_version(
    world: World, guards: bool
) -> None:
    content = "\n".join(map(digest, [*CUSTOMERS, *VIPS, CANARY, NEWCOMER])).encode()
    drops = [world.put_file(f"customers/full/{name}.csv", content) for name in "ba"]
    before = len(world.facts(FactName.LIST_ACCEPTED))
    receipt = ingest(contested(world, lambda: ingest(world.ports, drops[0])), drops[1])
    assert receipt
    assert (receipt.status, receipt.version) == ("accepted", 2)
    assert len(world.facts(FactName.LIST_ACCEPTED)) - before == (1 if guards else 2)


@with_and_without
def test_law_10_two_projectors_at_the_same_instant_count_a_fact_once(
    world: World, guards: bool
) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    [received] = world.facts(FactName.INVITATION_RECEIVED)
    project(contested(world, lambda: project(world.ports, [received])), [received])
    assert world.funnel()["invited"] == (1 if guards else 2)
