"""The demo's files contain what its documents say, and Tandem accepts them."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.campaign.rules import HolderRole, Release, Trigger
from chalicelib.domain.files.manifest import parse_manifest
from chalicelib.domain.files.orders import OrderRow, orders
from chalicelib.domain.files.reading import Tally
from cli.campaign_file import campaign_of
from cli.hashing.manifest import canaries
from local.demo.lists import (
    CAMPAIGN_FILE,
    KEY_FILE,
    DemoList,
    customer_list,
    demo_key,
    digest_of,
    vip_list,
)
from local.demo.orders import order_file

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def customers() -> DemoList:
    return customer_list()


@pytest.fixture(scope="module")
def vips() -> DemoList:
    return vip_list()


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return campaign_of(CAMPAIGN_FILE.read_bytes())


def digests(made: DemoList) -> list[str]:
    header, *lines = gzip.decompress(made.content).decode().splitlines()
    assert header == "digest"
    return lines


def test_the_customer_list_has_200_000_digests_and_the_2_000_known_customers(
    customers: DemoList,
) -> None:
    listed = digests(customers)
    assert len(listed) == len(set(listed)) == customers.rows == 200_000
    known = {digest_of(f"customer{number}@demo.test") for number in range(1, 2001)}
    assert known <= set(listed)
    assert digest_of("customer2001@demo.test") not in listed
    assert digest_of("jeanne@demo.test") not in listed


def test_the_vip_list_has_the_500_vips_who_are_customers(
    customers: DemoList, vips: DemoList
) -> None:
    listed = {digest_of(f"vip{number}@demo.test") for number in range(1, 501)}
    assert set(digests(vips)) == listed
    assert vips.rows == len(digests(vips)) == 500
    assert listed <= set(digests(customers))


def test_the_canaries_are_in_the_lists(
    customers: DemoList, vips: DemoList, campaign: Campaign
) -> None:
    assert campaign.lists[ListName.CUSTOMERS].canaries == tuple(canaries(demo_key(), 2))
    assert set(campaign.lists[ListName.CUSTOMERS].canaries) <= set(digests(customers))
    assert set(campaign.lists[ListName.VIPS].canaries) <= set(digests(vips))


def test_the_lists_are_the_same_every_time(customers: DemoList, vips: DemoList) -> None:
    assert (customer_list(), vip_list()) == (customers, vips)


def test_the_manifests_are_of_the_lists(customers: DemoList, vips: DemoList) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for made in (customers, vips):
        manifest = parse_manifest(made.manifest(now))
        assert manifest.rows == made.rows
        assert manifest.sha256 == sha256(made.content).hexdigest()
        assert (manifest.key_id, manifest.generated_at) == ("demo", now)


def test_the_key_is_the_one_of_the_published_vectors() -> None:
    vectors = json.loads((ROOT / "docs/vectors/digests.json").read_text(encoding="utf-8"))
    assert KEY_FILE.read_text().strip() == vectors["hmac_key_hex"]


def test_the_campaign_has_a_ladder_of_three_orders_and_a_sponsors_reward(
    campaign: Campaign,
) -> None:
    granted = [(rule.when, rule.conditions.order, rule.to) for rule in campaign.rules]
    assert granted == [
        (Trigger.REFERRAL_CONFIRMED, None, HolderRole.REFEREE),
        (Trigger.ORDER_KEPT, 1, HolderRole.REFEREE),
        (Trigger.ORDER_KEPT, 2, HolderRole.REFEREE),
        (Trigger.ORDER_KEPT, 3, HolderRole.REFEREE),
        (Trigger.ORDER_KEPT, 1, HolderRole.SPONSOR),
    ]
    assert campaign.release is Release.ON_ACKNOWLEDGEMENT
    assert campaign.locales == ("fr", "en")
    assert campaign.digests.key_ids == ("demo",)


def test_an_order_file_is_read_back_as_it_was_made() -> None:
    paris = timezone(timedelta(hours=1))
    code, jeanne = "WE-22222-22222-2222", digest_of("jeanne@demo.test")
    at = datetime(2026, 3, 1, 9, 30, tzinfo=paris)
    made = [
        OrderRow("O-1", at, jeanne, code, 4205, "EUR", "placed"),
        OrderRow("O-2", at.astimezone(UTC), None, code, 4000, "EUR", "kept"),
        OrderRow("O-3", at, jeanne, None, 7, "EUR", "returned"),
    ]
    tally = Tally()
    assert [row for _, row in orders([order_file(made)], tally)] == made
    assert tally.errors == []
