"""What the table has of a campaign is removed three years after its last day, and not before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.exports import ExportSequence
from chalicelib.domain.journal import JournalHead
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.people import Opposition, RefereeClaim, Sponsor
from chalicelib.domain.redemptions import OrderUses, RedemptionRefusal
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import InvalidError
from chalicelib.services.operations.end_records import end_records
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import Insert, Replace
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign
from tests.fakes.due import expire, reconcile
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world

REFEREE = "jeanne@gmail.com"
SECOND = timedelta(seconds=1)


def current(world: World) -> CurrentCampaign:
    found = world.repository.get(CurrentCampaign, campaign=CAMPAIGN)
    assert found
    return found


def work(world: World, until: datetime | None = None) -> int:
    return end_records(world.ports, current(world), until or world.clock() + timedelta(hours=1))


@pytest.fixture
def over() -> World:
    """A campaign with a referral, an order and a redeemed voucher, three years after its last
    day.
    """
    world = new_world()
    world.referral(REFEREE)
    world.export()
    world.acknowledge(1)
    [code] = [row["code"] for row in world.exported(1)]
    world.clock.advance(days=1)
    world.drop_orders(world.order("A1", "kept", of=REFEREE, code=code))
    world.drop_orders(world.order("A2", "kept", code=code), file="refused")
    world.run()
    world.export()
    seal(world.ports)
    world.clock.now = world.campaign.records_end_at()
    expire(world.ports)
    world.run()
    return world


def left(world: World) -> set[str]:
    return {type(one).__name__ for one in world.memory._items.values()}


def test_nothing_is_removed_before_that_day(over: World) -> None:
    assert work(over) == 0
    assert over.memory.all(Referral)


def test_after_it_only_what_names_no_person_is_left(over: World) -> None:
    assert over.memory.all(OrderUses)
    assert over.memory.all(RedemptionRefusal)
    over.clock.now += SECOND
    assert work(over) > 20
    assert left(over) == {
        "CampaignVersion", "CurrentCampaign", "ExportSequence", "JournalHead",
        "JournalGroup", "JournalPart",  # of the chain, and no campaign's
    }  # fmt: skip
    assert over.memory.all(CampaignVersion)
    assert over.memory.all(ExportSequence)
    assert over.memory.all(JournalHead)
    assert [fact for fact in over.memory._facts.values() if fact.campaign == CAMPAIGN] == []
    assert over.repository.counts(CAMPAIGN) == {}


def test_reconcile_does_it_and_says_how_many(over: World) -> None:
    over.clock.now += SECOND
    assert reconcile(over.ports)["records_ended"] > 20
    assert reconcile(over.ports)["records_ended"] == 0


def test_a_prolonged_campaign_keeps_its_records(over: World) -> None:
    longer = campaign(ends_on="2027-03-31")
    over.clock.now -= timedelta(days=900)
    put_campaign(over.ports, longer)
    over.clock.now += timedelta(days=900) + SECOND
    assert work(over) == 0
    over.clock.now = longer.records_end_at() + SECOND
    assert work(over) > 0


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Voucher, {"ended_at": None, "state": VoucherState.ACKNOWLEDGED}),
        (Voucher, {"export": None}),
        (Voucher, {"ended_at": None, "state": VoucherState.ISSUED, "refused_reason": "unreadable"}),
        (Order, {"status": OrderStatus.PLACED}),
    ],
)
def test_law_4_nothing_is_removed_while_a_voucher_or_an_order_is_open(
    over: World, kind: type[Any], changes: dict[str, Any]
) -> None:
    """Also where its end comes long after: a voucher may be good for years."""
    over.clock.now += SECOND
    over.repository.commit(Replace(replace(over.memory.all(kind)[0], **changes)))
    assert work(over) == 0
    assert over.memory.all(Referral)


def test_the_work_goes_on_where_it_stopped(over: World) -> None:
    over.clock.now += SECOND
    runs = 0
    while current(over).records_ended_at is None:
        work(over, until=over.clock())  # a page each time
        runs += 1
        assert runs < 100
    assert runs > 2
    assert not over.memory.all(RefereeClaim)
    assert not over.memory.all(Sponsor)
    assert work(over) == 0


def test_what_is_reported_later_is_removed_a_year_after(over: World) -> None:
    over.clock.now += SECOND
    work(over)
    over.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY], file="late")
    assert {"FileRecord", "CurrentList", "ListVersion"} <= left(over)
    over.clock.advance(days=364)
    assert work(over) == 0
    over.clock.advance(days=1)
    assert work(over) > 0
    assert not {"FileRecord", "CurrentList", "ListVersion"} & left(over)


def test_the_segments_of_its_lists_are_removed_with_them(over: World) -> None:
    segment = f"lists/{CAMPAIGN}/customers/00000001-a.seg"
    other = f"lists/{CAMPAIGN}-2/customers/00000001-a.seg"
    for path in (segment, other):
        over.files.write(path, b"segment")
    over.clock.now += SECOND
    work(over)
    assert segment not in over.files.content
    assert other in over.files.content


def test_law_2_a_campaign_whose_records_have_ended_is_not_put_again(over: World) -> None:
    put_campaign(over.ports, campaign(invitation_days=7))
    over.clock.now += SECOND
    with pytest.raises(InvalidError, match="records_have_ended"):
        put_campaign(over.ports, campaign(ends_on="2031-12-31"))


def test_an_opposition_stays_it_is_the_brands(over: World) -> None:
    word = Opposition(brand="demo", digest="d", recorded_at=over.clock())
    over.repository.commit(Insert(word))
    over.clock.now += SECOND
    work(over)
    assert over.memory.all(Opposition)
