"""What the receipts of dropped files say, and where they are."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.files.paths import names_an_address, public_path
from chalicelib.domain.files.receipt import Receipt
from chalicelib.services.ingest import ADDRESS_IN_NAME, Drop, ingest
from tests.fakes.campaign import CAMPAIGN, CANARY, digest
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.services.test_orders import CLIENT_TEMPLATES, NEWCOMER

HEADER = "order_id,ordered_at,email_digest,voucher_code,amount,currency,status"


def receipts(world: World) -> dict[str, dict[str, Any]]:
    """All receipts, by their path without the folder."""
    folder = f"out/{CAMPAIGN}/receipts/"
    return {
        path.removeprefix(folder): json.loads(content)
        for path, content in world.files.under(folder).items()
    }


def orders_of(*addresses: str) -> bytes:
    """An order file, one order a person."""
    rows = [
        f"A{number},2026-03-02T09:00:00Z,{digest(address)},,80.00,EUR,placed"
        for number, address in enumerate(addresses)
    ]
    return "\n".join([HEADER, *rows]).encode()


def processed(world: World, drop: Drop) -> Receipt:
    receipt = ingest(world.ports, drop)
    assert receipt
    return receipt


# --- what became of rows --------------------------------------------------------------------------


def test_the_effects_of_orders_add_up_to_the_accepted_rows(world: World) -> None:
    world.referral(NEWCOMER)
    placed = world.order("A1", of=NEWCOMER)
    receipt = world.drop_orders(
        placed,
        placed,
        world.order("A2", of="stranger@example.fr"),
        world.order("A3", of=NEWCOMER, amount="x"),
        world.order("A4", of=NEWCOMER, currency="USD"),
    )
    assert receipt.effects == {"recorded": 1, "known_already": 1, "not_a_referees": 1}
    assert receipt.accepted == sum(receipt.effects.values()) == 3
    assert receipts(world)["orders/orders.csv.json"]["effects"] == receipt.effects


def test_codes_are_stored_or_known_already() -> None:
    world = new_world(templates=CLIENT_TEMPLATES)
    first = world.drop("codes/welcome/a.csv", b"code\nOWN-1001\nOWN-1002\n")
    again = world.drop("codes/welcome/b.csv", b"code\nOWN-1002\nOWN-1003\n")
    assert first.effects == {"stored": 2}
    assert again.effects == {"known_already": 1, "stored": 1}


# --- one receipt for each drop --------------------------------------------------------------------


def test_each_drop_at_a_path_has_its_own_receipt_beside_the_latest(world: World) -> None:
    world.referral(NEWCOMER)
    first = world.drop("orders/daily.csv", orders_of(NEWCOMER))
    world.clock.advance(minutes=1)
    second = world.drop("orders/daily.csv", b"order\n1\n")
    world.clock.advance(minutes=1)
    third = world.drop("orders/daily.csv", orders_of(NEWCOMER))
    found = {path: one for path, one in receipts(world).items() if path.startswith("orders/")}
    times = ["090000", "090100", "090200"]
    own = [
        f"orders/daily.csv@20260302T{time}Z-{receipt.sha256[:8]}.json"
        for time, receipt in zip(times, [first, second, third], strict=True)
    ]
    assert set(found) == {"orders/daily.csv.json", *own}
    assert found["orders/daily.csv.json"] == found[own[2]]
    assert [found[path]["status"] for path in own] == ["accepted", "refused", "accepted"]
    assert [found[path]["effects"] for path in own] == [
        {"recorded": 1},
        {},
        {"known_already": 1},
    ]


def test_a_drop_that_is_handled_late_has_its_own_receipt_and_leaves_the_latest(
    world: World,
) -> None:
    early = world.put_file("orders/daily.csv", orders_of(NEWCOMER))
    world.clock.advance(minutes=1)
    world.drop("orders/daily.csv", b"order\n1\n")
    processed(world, early)
    latest = receipts(world)["orders/daily.csv.json"]
    assert latest["reason"] == "unknown_column"
    own = [one for path, one in receipts(world).items() if path.startswith("orders/daily.csv@")]
    assert sorted(one["status"] for one in own) == ["accepted", "refused"]


def test_a_drop_delivered_twice_has_the_receipt_that_says_what_it_did(world: World) -> None:
    world.referral(NEWCOMER)
    drop = world.put_file("orders/daily.csv", orders_of(NEWCOMER))
    processed(world, drop)
    before = receipts(world)
    assert processed(world, drop).effects == {"known_already": 1}
    assert receipts(world) == before
    assert before["orders/daily.csv.json"]["effects"] == {"recorded": 1}


def test_a_drop_whose_latest_receipt_was_not_written_gets_it_when_delivered_again(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    drop = world.put_file("orders/daily.csv", orders_of(NEWCOMER))
    processed(world, drop)
    latest = f"out/{CAMPAIGN}/receipts/orders/daily.csv.json"
    written = world.files.content.pop(latest)
    processed(world, drop)
    assert world.files.content[latest] == written


def test_a_refused_drop_that_is_accepted_later_has_the_later_receipt(world: World) -> None:
    drop = world.put_file("codes/welcome/a.csv", b"code\nOWN-1001\n")
    assert processed(world, drop).reason == "unknown_template"
    accepting = new_world(templates=CLIENT_TEMPLATES)
    world.ports = replace(world.ports, campaigns=accepting.ports.campaigns)
    processed(world, drop)
    of_codes = [one for path, one in receipts(world).items() if path.startswith("codes/")]
    assert [one["status"] for one in of_codes] == ["accepted"] * 2


# --- a file named like an address -----------------------------------------------------------------

NAMES = [
    "jeanne@example.fr",
    "jeanne%40example.fr",
    "jeanne%2540example.fr",
    "jeanne\uff20example.fr",
    "jeanne%EF%BC%A0example.fr",
    "jeanne&#64;example.fr",
]


def left_behind(world: World) -> str:
    """All that is kept, in readable form: the bucket but for `in/`, the table, the facts."""
    files = {path: one for path, one in world.files.content.items() if not path.startswith("in/")}
    return repr([files, vars(world.memory), world.repository.stream])


@pytest.mark.parametrize("name", NAMES)
def test_law_9_a_name_that_holds_an_address_is_repeated_nowhere(world: World, name: str) -> None:
    world.referral(NEWCOMER)
    assert name not in left_behind(world)
    content = orders_of(NEWCOMER)
    drop = world.put_file(f"orders/{name}.csv", content)
    receipt = processed(world, drop)
    unnamed = f"orders/unnamed-{receipt.sha256[:8]}.csv"
    assert name not in left_behind(world)
    # The orders count, and the file is taken out of the client's folder.
    assert (receipt.status, receipt.effects) == ("accepted", {"recorded": 1})
    assert drop.key not in world.files.content
    assert world.files.content[f"quarantine/{CAMPAIGN}/{unnamed}"] == content
    found = receipts(world)[f"{unnamed}.json"]
    assert (found["file"], found["name_withheld"], found["quarantined"]) == (unnamed, True, True)
    assert [path for path in receipts(world) if path.startswith(f"{unnamed}@")]


@pytest.mark.parametrize(
    ("path", "reason", "shown"),
    [
        ("customers/full/{}.csv", ADDRESS_IN_NAME, "customers/full/unnamed-{}.csv"),
        ("vips/add/{}.manifest.json", ADDRESS_IN_NAME, "vips/add/unnamed-{}.manifest.json"),
        ("codes/{}/a.csv", "unknown_template", "codes/unnamed-{}/a.csv"),
        ("acks/{}.ack", "not_an_export_name", "acks/unnamed-{}.ack"),
        ("{}", "unknown_path", "unnamed-{}"),
        ("{}/orders.csv", "unknown_path", "unnamed-{}/orders.csv"),
    ],
)
def test_law_9_a_refused_file_named_like_an_address_changes_nothing_and_is_not_named(
    world: World, path: str, reason: str, shown: str
) -> None:
    content = "\n".join(["digest", *map(digest, [*CUSTOMERS, *VIPS, CANARY])]).encode()
    drop = world.put_file(path.format("jeanne@example.fr"), content)
    receipt = processed(world, drop)
    assert (receipt.status, receipt.reason) == ("refused", reason)
    assert receipt.file == shown.format(receipt.sha256[:8])
    assert "jeanne" not in left_behind(world)
    assert "jeanne" not in repr(receipt)
    assert drop.area in {"customers", "vips", "codes", "acks", "unknown"}
    assert drop.key not in world.files.content
    assert f"quarantine/{CAMPAIGN}/{receipt.file}" in world.files.content


@pytest.mark.parametrize("name", ["daily", "été 1+1", "50%", "a&b", "x" * 200])
def test_any_other_name_is_kept(world: World, name: str) -> None:
    receipt = world.drop(f"orders/{name}.csv", orders_of(NEWCOMER))
    assert receipt.file == f"orders/{name}.csv"
    assert (receipt.name_withheld, receipt.quarantined) == (False, False)
    assert f"in/{CAMPAIGN}/orders/{name}.csv" in world.files.content
    assert "name_withheld" not in receipts(world)[f"orders/{name}.csv.json"]


LONGEST_KEY = 1024  # bytes, of S3


@pytest.mark.parametrize("path", ["orders/" + "é" * 400 + ".csv", "/".join(["folder12"] * 100)])
def test_a_name_too_long_to_write_beside_has_a_receipt_all_the_same(
    world: World, path: str
) -> None:
    world.clock.advance(microseconds=1)
    receipt = world.drop(path, orders_of(NEWCOMER))
    assert receipt.file != path
    assert receipt.name_withheld
    assert not receipt.quarantined
    assert max(len(key.encode()) for key in world.files.under("out/")) <= LONGEST_KEY


@given(st.text(st.sampled_from("a/.@%4025é\uff20"), min_size=1, max_size=400))
def test_what_is_shown_of_a_path_holds_no_address_and_fits_in_a_key(path: str) -> None:
    shown = public_path(path, "ab" * 32)
    assert not names_an_address(shown)
    longest = f"out/{'c' * 40}/receipts/{shown}@20260302T090000.000001Z-abababab.json"
    assert len(longest.encode()) <= LONGEST_KEY
    assert shown == path or "unnamed-abababab" in shown


def test_receipts_of_one_second_are_kept_apart(world: World) -> None:
    world.drop("orders/daily.csv", orders_of(NEWCOMER))
    world.clock.now += timedelta(milliseconds=120)
    world.drop("orders/daily.csv", orders_of(NEWCOMER))
    assert len([path for path in receipts(world) if path.startswith("orders/daily.csv@")]) == 2
