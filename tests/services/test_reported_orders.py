"""Orders of a call: one that cannot be recorded is left alone, and so are a campaign's own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.entity import Entity
from chalicelib.domain.files.orders import OrderRow
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import Order
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.orders.record import OrderOutcome
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.ports import Failure
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.repository import UnreadableError
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_orders import NEWCOMER, row_of

OTHER = "other-vip"
PAUL = "paul@example.fr"
STRANGER = OrderOutcome("not_a_referees")
RECORDED = OrderOutcome("recorded")


@pytest.fixture
def world() -> World:
    """Two campaigns, a referee in the first one."""
    world = new_world()
    put_campaign(world.ports, campaign(campaign=OTHER))
    world.referral(NEWCOMER)
    world.clock.advance(hours=1)
    return world


def spoil(world: World, entity: Entity) -> None:
    key = schema.key_of(entity)
    world.memory.unreadable.add((key["pk"], key["sk"]))


def reported(
    world: World, *rows: OrderRow, unreadable: str | None = None
) -> tuple[list[OrderOutcome | None], list[Failure]]:
    failures: list[Failure] = []
    readable = [one for one in (CAMPAIGN, OTHER) if one != unreadable]
    campaigns = [found for one in readable if (found := world.ports.campaigns.get(one))]
    outcomes = record_reported_orders(
        world.ports,
        campaigns,
        rows,
        unreadable=[unreadable] if unreadable else [],
        on_failure=failures.append,
    )
    return list(outcomes), failures


def test_an_order_that_cannot_be_read_is_left_and_named_and_the_others_are_recorded(
    world: World,
) -> None:
    rows = [row_of(world.order(f"A{number}", of=NEWCOMER)) for number in range(3)]
    reported(world, rows[1])
    spoil(world, next(one for one in world.memory.all(Order) if one.order_id == "A1"))
    outcomes, failures = reported(world, *rows)
    assert outcomes == [RECORDED, None, RECORDED]
    [failure] = failures
    assert (failure.kind, failure.name) == ("reported order", "2")  # no word of the client's
    assert isinstance(failure.error, UnreadableError)


@pytest.mark.parametrize("kind", [Invitation, Referral])
def test_where_a_row_leads_to_what_cannot_be_read_it_alone_is_left(
    world: World, kind: type[Invitation] | type[Referral]
) -> None:
    world.referral(PAUL)
    rows = [row_of(world.order(f"A{number}", of=of)) for number, of in enumerate((NEWCOMER, PAUL))]
    referral = world.memory.all(Referral)[1]
    [spoiled] = [
        one for one in world.memory.all(kind) if one.invitation_id == referral.invitation_id
    ]
    spoil(world, spoiled)
    outcomes, failures = reported(world, *rows)
    assert outcomes == [RECORDED, None]
    assert [failure.name for failure in failures] == ["2"]


def test_of_a_campaign_that_cannot_be_read_its_own_orders_alone_are_left(world: World) -> None:
    code = world.memory.all(Voucher)[0].code
    rows = [
        row_of(world.order("A1", of=NEWCOMER)),
        row_of(world.order("A2", code=code)),
        row_of(world.order("A3", of=VIPS[0])),  # a sponsor's
        row_of(world.order("A4", of="stranger@example.fr")),
    ]
    outcomes, failures = reported(world, *rows, unreadable=CAMPAIGN)
    assert (outcomes, failures) == ([None, None, None, STRANGER], [])
    assert world.memory.all(Order) == []
    # An order that it knows, by a report with nothing else that it knows.
    reported(world, rows[0])
    again = row_of(world.order("A1", "kept", of="stranger@example.fr"))
    assert reported(world, again, unreadable=CAMPAIGN)[0] == [None]
    # Of the other campaign nothing is known here: all are recorded.
    outcomes, _ = reported(world, *rows[1:], unreadable=OTHER)
    assert outcomes[1:] == [STRANGER, STRANGER]
    assert outcomes[0]


def test_without_anybody_to_note_it_a_failure_is_an_error(world: World) -> None:
    row = row_of(world.order("A1", of=NEWCOMER))
    reported(world, row)
    spoil(world, world.memory.all(Order)[0])
    with pytest.raises(UnreadableError):
        list(record_reported_orders(world.ports, [world.campaign], [row]))


def test_what_is_left_when_the_time_is_over_is_to_be_sent_again() -> None:
    world = new_world()
    world.referral(NEWCOMER)
    world.clock.advance(hours=1)
    rows = [row_of(world.order(f"A{number}", of=NEWCOMER)) for number in range(5)]
    until = world.clock() + timedelta(seconds=3)

    outcomes = []
    for outcome in record_reported_orders(world.ports, [world.campaign], rows, until=until):
        outcomes.append(outcome)
        world.clock.advance(seconds=1)
    assert outcomes == [RECORDED] * 3 + [None] * 2
    outcomes = [*record_reported_orders(world.ports, [world.campaign], rows)]
    assert [one.effect for one in outcomes if one] == ["known_already"] * 3 + ["recorded"] * 2


def test_however_many_fail_those_behind_them_are_recorded(world: World) -> None:
    """Sent again in the same order, those in front would keep the others back for ever."""
    rows = [row_of(world.order(f"A{number}", of=NEWCOMER)) for number in range(14)]
    reported(world, *rows)
    for order in world.memory.all(Order):
        if order.order_id != "A13":
            spoil(world, order)
    outcomes, failures = reported(world, *rows)
    assert [one.effect if one else None for one in outcomes] == [None] * 13 + ["known_already"]
    assert [one.name for one in failures] == [str(number) for number in range(1, 14)]


def test_a_campaign_in_force_is_named_by_its_id_where_it_cannot_be_read(world: World) -> None:
    current = next(one for one in world.memory.all(CurrentCampaign) if one.campaign == OTHER)
    fields = {name: {"S": str(value)} for name, value in vars(current).items()}
    assert schema.name_of(fields) == OTHER
