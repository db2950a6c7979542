"""What the client is late with: acknowledgements, order files, its own codes."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn

import pytest

from chalicelib.domain.watch import CodesLeft
from chalicelib.services import watch as watching
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.watch import Watch, Watched, count_codes, note_orders
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.due import reconcile
from tests.fakes.ports import MORNING
from tests.fakes.repository import LaggingRepository
from tests.fakes.world import World, new_world, wrapped
from tests.services.test_export import NEWCOMERS, issued
from tests.services.test_replacement import OWN_CODES

LATE = ("unacknowledged", "orders_missing", "codes_low")


def late(world: World) -> dict[str, int]:
    """What reconcile finds the client to be late with."""
    found = reconcile(world.ports)
    return {name: found[name] for name in LATE if found[name]}


def shown(world: World, watch: Watch) -> list[Watched]:
    """What the dashboard shows of it."""
    watched = view_dashboard(world.ports, CAMPAIGN).watched
    return [one for one in watched if one.watch is watch]


# --- acknowledgements -----------------------------------------------------------------------------


def test_an_export_is_to_be_acknowledged_within_a_day() -> None:
    world = issued()
    world.export()
    written = world.clock()
    world.clock.advance(hours=24)
    assert shown(world, Watch.ACKNOWLEDGEMENTS) == [
        Watched(Watch.ACKNOWLEDGEMENTS, overdue=False, since=written, left=1)
    ]
    assert late(world) == {}
    world.clock.advance(seconds=1)
    assert shown(world, Watch.ACKNOWLEDGEMENTS) == [
        Watched(Watch.ACKNOWLEDGEMENTS, overdue=True, since=written, left=1)
    ]
    assert late(world) == {"unacknowledged": 1}
    world.acknowledge(1)
    assert shown(world, Watch.ACKNOWLEDGEMENTS) == [
        Watched(Watch.ACKNOWLEDGEMENTS, overdue=False, left=0)
    ]
    assert late(world) == {}


def test_the_campaign_says_how_long_the_client_has_and_the_oldest_export_counts() -> None:
    world = new_world(acknowledge_within=2)
    world.referral(NEWCOMERS[0])
    world.export()
    world.clock.advance(hours=3)
    world.referral(NEWCOMERS[1])
    world.export()
    assert late(world) == {"unacknowledged": 1}
    world.acknowledge(1)
    assert late(world) == {}


def test_an_export_that_was_just_acknowledged_is_not_late_where_the_agenda_lags() -> None:
    world = issued()
    world.export()
    world.clock.advance(days=2)
    lagging = wrapped(
        world, lambda inner: LaggingRepository(inner, before=issued_and_exported().repository)
    )
    world.acknowledge(1)
    watched = view_dashboard(lagging, CAMPAIGN).watched
    assert Watched(Watch.ACKNOWLEDGEMENTS, overdue=False, left=0) in watched


def issued_and_exported() -> World:
    world = issued()
    world.export()
    return world


# --- order files ----------------------------------------------------------------------------------


def test_order_files_are_expected_only_where_the_campaign_says_so(world: World) -> None:
    world.clock.advance(days=60)
    assert late(world) == {}
    assert shown(world, Watch.ORDERS) == [Watched(Watch.ORDERS, overdue=False)]


def test_an_order_file_is_missed_after_the_time_the_campaign_names() -> None:
    world = new_world(orders_expected_every=36)
    dropped = world.clock()
    world.drop_orders(world.order("A1", of="stranger@example.fr"))
    world.clock.advance(hours=36)
    assert late(world) == {}
    world.clock.advance(seconds=1)
    assert late(world) == {"orders_missing": 1}
    assert shown(world, Watch.ORDERS) == [Watched(Watch.ORDERS, overdue=True, since=dropped)]
    world.drop_orders(world.order("A1", of="stranger@example.fr"))
    assert late(world) == {}


def test_an_order_file_that_was_refused_is_none() -> None:
    world = new_world(orders_expected_every=36)
    world.drop_orders(world.order("A1", of="stranger@example.fr"))
    world.clock.advance(hours=40)
    assert world.drop("orders/wrong.csv", b"order_id\n1\n").status == "refused"
    assert late(world) == {"orders_missing": 1}


def test_a_file_before_the_first_day_is_as_good_as_one_on_it() -> None:
    world = new_world(starts_on="2026-03-04", orders_expected_every=35)
    world.drop_orders(world.order("A1", of="stranger@example.fr"))
    world.clock.advance(days=2)  # nine hours after the first day has begun in Paris
    assert late(world) == {}
    world.clock.advance(days=1, hours=2)
    assert late(world) == {"orders_missing": 1}


def test_a_file_handled_late_does_not_hide_a_later_one(world: World) -> None:
    for dropped_at in (MORNING, MORNING + timedelta(hours=5), MORNING + timedelta(hours=1)):
        note_orders(world.ports, CAMPAIGN, dropped_at)
    [orders] = shown(world, Watch.ORDERS)
    assert orders.since == MORNING + timedelta(hours=5)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "overdue"),
    [
        ("2026-03-01", "2026-12-31", False),  # open since midnight of the day before: 34 hours
        ("2026-02-28", "2026-12-31", True),
        ("2026-03-03", "2026-12-31", False),  # not open yet
        ("2026-01-01", "2026-03-01", False),  # over
    ],
)
def test_a_campaign_without_any_order_file_counts_from_its_first_day_while_it_is_open(
    starts_on: str, ends_on: str, overdue: bool
) -> None:
    world = World()
    put_campaign(
        world.ports, campaign(starts_on=starts_on, ends_on=ends_on, orders_expected_every=35)
    )
    assert shown(world, Watch.ORDERS) == [Watched(Watch.ORDERS, overdue=overdue)]


# --- own codes ------------------------------------------------------------------------------------


def own(codes: int, *, days_left: int = 14, **changes: object) -> World:
    """A world with so many own codes dropped."""
    welcome = {**OWN_CODES["templates"]["welcome"], "days_left": days_left}
    templates = {**OWN_CODES["templates"], "welcome": welcome}
    world = new_world(**{**OWN_CODES, "templates": templates, **changes})
    lines = "".join(f"OWNCODE-{number}\n" for number in range(1, codes + 1))
    if codes:
        world.drop("codes/welcome/a.csv", lines.encode())
    return world


def test_own_codes_are_low_when_they_do_not_last_at_the_rate_of_the_last_week() -> None:
    world = own(9)
    world.referral(NEWCOMERS[0])
    world.clock.advance(days=3)
    world.referral(NEWCOMERS[1])
    world.referral(NEWCOMERS[2])
    # Three in seven days: fourteen days take six, and six are left.
    assert late(world) == {}
    world.referral(NEWCOMERS[3])
    # Four: eight, and five are left.
    assert late(world) == {"codes_low": 1}
    [codes] = shown(world, Watch.CODES)
    assert codes == Watched(
        Watch.CODES, overdue=True, since=world.clock(), template="welcome", left=5
    )
    # A week after the first one three count: six are needed again.
    world.drop("codes/welcome/b.csv", b"OWNCODE-10\n")
    assert late(world) == {"codes_low": 1}
    world.clock.advance(days=4)
    assert late(world) == {}


def test_the_days_are_those_of_the_template() -> None:
    world = own(9, days_left=15)
    for address in NEWCOMERS[:3]:
        world.referral(address)
    # Three in seven days: fifteen days take six and a half.
    assert late(world) == {"codes_low": 1}


def test_without_any_own_code_they_are_low_whatever_was_issued() -> None:
    world = own(0)
    assert late(world) == {"codes_low": 1}
    world.drop("codes/welcome/a.csv", b"OWNCODE-1\n")
    assert late(world) == {}


def test_own_codes_are_not_counted_once_the_campaign_is_over() -> None:
    world = own(0)
    assert late(world) == {"codes_low": 1}
    world.clock.advance(days=365)
    assert late(world) == {}


def test_codes_of_a_campaign_that_is_over_are_not_even_counted() -> None:
    world = own(5)
    count_codes(world.ports, world.campaign)
    [counted] = world.memory.all(CodesLeft)
    world.clock.advance(days=365)
    count_codes(world.ports, world.campaign)
    assert world.memory.all(CodesLeft) == [counted]


def test_without_own_codes_nothing_is_read_to_count_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(world.memory, "counts", read)
    count_codes(world.ports, world.campaign)


def test_codes_are_counted_no_further_than_anything_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "CODES_COUNTED", 3)
    world = own(9)
    count_codes(world.ports, world.campaign)
    assert [one.left for one in world.memory.all(CodesLeft)] == [3]


def test_a_template_with_minted_codes_is_not_watched(world: World) -> None:
    reconcile(world.ports)
    assert shown(world, Watch.CODES) == []


def test_a_template_that_mints_its_codes_by_now_is_not_shown_any_more() -> None:
    welcome, thanks = OWN_CODES["templates"].values()
    world = new_world(**OWN_CODES)
    for minted, left in ((set(), ["thank-you", "welcome"]), ({"codes"}, ["thank-you"])):
        templates = {
            "welcome": {name: value for name, value in welcome.items() if name not in minted},
            "thank-you": thanks | {"codes": "client"},
        }
        put_campaign(world.ports, campaign(**{**OWN_CODES, "templates": templates}))
        world.clock.advance(minutes=1)
        reconcile(world.ports)
        assert [one.template for one in shown(world, Watch.CODES)] == left
