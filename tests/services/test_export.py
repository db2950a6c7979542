"""Voucher files: every voucher in exactly one, none ever changed, whenever the run is killed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from copy import deepcopy
from dataclasses import replace

import pytest

from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.facts import FactName
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.vouchers.export import export_vouchers
from tests.fakes.campaign import digest
from tests.fakes.due import reconcile
from tests.fakes.fuse import killed_everywhere
from tests.fakes.repository import LaggingRepository
from tests.fakes.world import VIPS, World, new_world

NEWCOMERS = [f"new{number}@example.fr" for number in range(4)]
FOLDER = "out/demo-vip/vouchers/"


def issued(count: int = 3) -> World:
    """A world with some vouchers that wait for their export."""
    world = new_world()
    world.invite(world.sponsor(), *NEWCOMERS[:count])
    world.run()
    for address in NEWCOMERS[:count]:
        world.confirm(address)
    world.run()
    return world


def exported_codes(world: World) -> Counter[str]:
    """How often each code is in a file, from the bucket."""
    numbers = range(1, len(world.files.under(FOLDER)) // 2 + 1)
    return Counter(row["code"] for number in numbers for row in world.exported(number))


def all_once(world: World) -> Counter[str]:
    return Counter(voucher.code for voucher in world.memory.all(Voucher))


def test_nothing_waiting_makes_no_file(world: World) -> None:
    assert world.export() is None
    assert world.files.under(FOLDER) == {}


def test_an_export_has_a_number_a_file_and_a_manifest_that_agrees() -> None:
    world = issued()
    export = world.export()
    assert export
    assert (export.number, export.rows, export.state) == (1, 3, ExportState.WRITTEN)
    content = world.files.content[f"{FOLDER}00000001.csv.gz"]
    manifest = json.loads(world.files.content[f"{FOLDER}00000001.manifest.json"])
    assert manifest["rows"] == 3
    assert manifest["sha256"] == export.sha256 == hashlib.sha256(content).hexdigest()
    rows = world.exported(1)
    assert {row["holder_digest"] for row in rows} == set(map(digest, NEWCOMERS[:3]))
    assert {(row["value"], row["minimum_basket"], row["currency"]) for row in rows} == {
        ("10.00", "40.00", "EUR")
    }
    assert {row["valid_until"] for row in rows} == {"2026-05-01T21:59:59+00:00"}
    assert {voucher.state for voucher in world.memory.all(Voucher)} == {VoucherState.EXPORTED}


def test_law_5_running_it_again_changes_nothing() -> None:
    world = issued()
    world.export()
    before = dict(world.files.content)
    assert world.export() is None
    assert world.files.content == before
    assert len(world.facts(FactName.EXPORT_WRITTEN)) == 1


def test_the_next_export_takes_what_was_issued_since() -> None:
    world = issued(2)
    world.export()
    first = dict(world.files.under(FOLDER))
    world.referral("late@example.fr", VIPS[1])
    second = world.export()
    assert second
    assert (second.number, second.rows) == (2, 1)
    assert first.items() <= world.files.under(FOLDER).items()
    assert exported_codes(world) == all_once(world)


def test_more_vouchers_than_fit_a_transaction_make_parts_of_one_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chalicelib.services.vouchers.export._Exports.part_rows", 2)
    world = issued(3)
    export = world.export()
    assert export
    assert (export.parts, export.rows) == (2, 3)
    assert exported_codes(world) == all_once(world)
    world.run()
    assert world.funnel()["vouchers_exported"] == 3


def test_the_biggest_part_fits_in_one_transaction() -> None:
    world = new_world(quotas={"invitations_per_sponsor": 100, "referees_per_call": 20})
    people = [f"p{number}@example.fr" for number in range(95)]
    session = world.sponsor()
    for start in range(0, 95, 19):
        world.invite(session, *people[start : start + 19])
    world.run()
    for address in people:
        world.confirm(address)
    world.run()
    export = world.export()
    assert export
    assert (export.parts, export.rows) == (2, 95)


@pytest.mark.slow
def test_law_5_killed_at_every_step_and_run_again_each_voucher_is_in_one_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chalicelib.services.vouchers.export._Exports.part_rows", 2)
    undisturbed = issued(3)
    undisturbed.export()
    worlds = killed_everywhere(
        lambda: issued(3),
        lambda world, ports: export_vouchers(ports, world.campaign),
        lambda world: world.ports,
    )
    assert len(worlds) > 20
    for world in worlds:
        left_behind = dict(world.files.under(FOLDER))
        world.clock.advance(minutes=5)
        world.export()
        assert world.export() is None
        assert exported_codes(world) == all_once(world)
        assert left_behind.items() <= world.files.under(FOLDER).items()
        file = f"{FOLDER}00000001.csv.gz"
        assert world.files.content[file] == undisturbed.files.content[file]
        [export] = world.memory.all(Export)
        assert export.sha256 == hashlib.sha256(world.files.content[file]).hexdigest()
        world.run()
        assert world.funnel()["vouchers_exported"] == 3


def test_law_5_agendas_that_lag_put_no_voucher_in_two_files() -> None:
    world = issued(2)
    before = deepcopy(world.memory)
    world.export()
    ports = replace(world.ports, repository=LaggingRepository(world.repository, before))
    assert export_vouchers(ports, world.campaign) is None
    world.referral("late@example.fr", VIPS[1])
    assert export_vouchers(ports, world.campaign) is None
    world.export()
    assert exported_codes(world) == all_once(world)


def test_a_voucher_revoked_before_its_export_is_in_it_and_ended_already(world: World) -> None:
    world.referral(NEWCOMERS[0])
    world.clock.advance(days=1)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMERS[0]))
    world.run()
    world.clock.advance(hours=1)
    world.drop_orders(world.order("A1", "returned", of=NEWCOMERS[0]), file="returned")
    world.run()
    world.export()
    revoked = [row for row in world.exported(1) if row["template"] != "welcome"]
    assert len(revoked) == 2
    assert {row["valid_until"] for row in revoked} == {world.clock().isoformat()}
    assert exported_codes(world) == all_once(world)


def test_vouchers_that_wait_too_long_are_found_by_the_watch() -> None:
    world = issued()
    assert reconcile(world.ports)["unexported"] == 0
    world.clock.advance(hours=1, seconds=1)
    assert reconcile(world.ports)["unexported"] == 3
