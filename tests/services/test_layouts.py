"""Files laid out as the campaign says: read whole or in parts, written beside the exports."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from chalicelib.domain.campaign.layouts import ExportsLayout
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.files.receipt import receipt_json
from chalicelib.domain.vouchers import Voucher
from chalicelib.services import row_groups
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.file_ports import OtherContentError
from chalicelib.services.operations.end_files import end_files
from chalicelib.services.restoring.outside import outside_of
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.fuse import killed_everywhere
from tests.fakes.world import World, new_world
from tests.services.test_export import issued

RECIPE = Path(__file__).resolve().parents[2] / "docs/recipes/voucherify.yaml"
VOUCHERS = f"out/{CAMPAIGN}/vouchers/"
IMPORT = f"{VOUCHERS}00000001.import.csv.gz"
# Of "Import vouchers using CSV", Voucherify's API reference.
VOUCHERIFY = {
    "Code", "Voucher Type", "Value", "Discount Type", "Category", "Start Date", "Expiration Date",
    "Redemption Limit", "Redeemed Quantity", "Redeemed Amount", "Active", "Additional Info",
}  # fmt: skip
EXCEL = {
    "delimiter": "tab",
    "decimal": ",",
    "encoding": "utf-16",
    "columns": {"Bestellnummer": "order_id"},
}


def in_force(world: World, **files: Any) -> None:
    """Put the campaign with these layouts in force."""
    put_campaign(world.ports, campaign(files=files or None))
    world.clock.advance(seconds=10)


def rows_of(world: World) -> list[dict[str, str]]:
    buyers = ["jeanne@gmail.com", "someone@example.fr"]
    rows = [world.order(f"A{number}", of=buyers[number % 2]) for number in range(30)]
    rows[4] |= {"amount": "x"}
    rows[5] |= {"order_id": 'say "A5"'}
    return rows


def standard(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *([row[name] for name in COLUMNS] for row in rows)])
    return text.getvalue().encode()


def excel(rows: list[dict[str, str]]) -> bytes:
    """The same rows as a spreadsheet saves them as Unicode text, in Germany."""
    text = io.StringIO()
    names = ["Bestellnummer", *COLUMNS[1:]]
    cells = [
        [row[name].replace(".", ",") if name == "amount" else row[name] for name in COLUMNS]
        for row in rows
    ]
    csv.writer(text, delimiter="\t").writerows([names, *cells])
    return text.getvalue().encode("utf-16")


def with_referee() -> World:
    world = new_world()
    world.referral("jeanne@gmail.com")
    world.clock.advance(hours=1)
    return world


@pytest.mark.parametrize("part_rows", [5, 5_000], ids=["in parts", "at once"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_file_of_another_layout_comes_to_what_ours_does(
    monkeypatch: pytest.MonkeyPatch, part_rows: int, is_packed: bool
) -> None:
    monkeypatch.setattr(row_groups, "PART_ROWS", part_rows)
    world, twin = with_referee(), with_referee()
    for each in (world, twin):
        in_force(each, **({"orders": EXCEL} if each is world else {}))
    path = "orders/a.csv.gz" if is_packed else "orders/a.csv"
    pack = gzip.compress if is_packed else bytes
    content, other = excel(rows_of(world)), standard(rows_of(twin))
    receipts = [world.drop(path, pack(content)), twin.drop(path, pack(other))]
    said = [json.loads(receipt_json(one)) | {"sha256": ""} for one in receipts]
    assert said[0] == said[1]
    assert said[0]["rejected"] == 1
    assert said[0]["effects"] == {"recorded": 14, "not_a_referees": 15}


def test_a_receipt_names_what_was_found_and_what_to_declare() -> None:
    world = with_referee()
    in_force(world)
    receipt = json.loads(receipt_json(world.drop("orders/a.csv", excel(rows_of(world)))))
    assert (receipt["status"], receipt["reason"]) == ("refused", "utf16")
    detail = 'found UTF-16-LE, expected utf-8: declare files.orders.encoding: "utf-16"'
    assert receipt["errors"] == [{"line": 1, "reason": "utf16", "detail": detail}]
    rows = standard(rows_of(world)).decode().replace(",", ";").encode()
    receipt = json.loads(receipt_json(world.drop("orders/b.csv", rows)))
    detail = 'found a semicolon, expected a comma: declare files.orders.delimiter: ";"'
    assert receipt["errors"] == [{"line": 1, "reason": "other_delimiter", "detail": detail}]


def test_details_of_rows_stand_in_the_receipt_of_a_file_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_groups, "PART_ROWS", 5)
    world = with_referee()
    rows = rows_of(world)
    rows[7] |= {"amount": "8,00"}
    receipt = json.loads(receipt_json(world.drop("orders/a.csv", standard(rows))))
    detail = 'found a comma, expected a point: declare files.orders.decimal: ","'
    assert {"line": 9, "reason": "amount_other_decimal", "detail": detail} in receipt["errors"]


def test_addresses_in_a_file_of_another_encoding_are_found_all_the_same() -> None:
    world = with_referee()
    in_force(world, orders=EXCEL)
    rows = rows_of(world)
    rows[2] |= {"email_digest": "somebody@example.fr"}
    receipt = world.drop("orders/a.csv", excel(rows))
    assert receipt.quarantined
    assert "email_digest_plain_address" in {error.reason for error in receipt.errors}


@pytest.mark.parametrize("files", [None, {}, {"orders": {}, "consents": {}, "cohorts": {}}])
def test_without_a_layout_all_is_as_it_was(files: dict[str, Any] | None) -> None:
    """Byte for byte: what is stored of the campaign, receipts, exports."""
    world, plain = issued(), issued()
    if files is not None:
        in_force(world, **files)
        plain.clock.advance(seconds=10)
    assert "files" not in plain.campaign.model_dump(exclude_none=True)
    for each in (world, plain):
        each.export()
        each.drop("orders/a.csv", standard(rows_of(each)))
        each.acknowledge(1)
    written = [{**each.files.under("out/")} for each in (world, plain)]
    assert written[0] == written[1]
    assert {path.rpartition("/")[2] for path in plain.files.under(VOUCHERS)} == {
        "00000001.csv.gz",
        "00000001.manifest.json",
    }
    assert set(world.files.locked) == set(plain.files.locked)


def test_order_files_are_read_again_as_they_were_laid_out_when_they_were_dropped() -> None:
    world = with_referee()
    in_force(world, orders=EXCEL)
    world.drop("orders/a.csv", excel(rows_of(world)))
    in_force(world)
    world.drop("orders/b.csv", standard([world.order("B1", of="jeanne@gmail.com")]))
    since = world.clock() - timedelta(days=1)
    found = outside_of(world.ports, CAMPAIGN, since, []).ordered_at
    assert {"A0", "A29", "B1"} <= set(found)


# --- exports for import ---------------------------------------------------------------------------


def voucherify() -> dict[str, Any]:
    files: dict[str, Any] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))["files"]
    return files


def imported(world: World) -> list[dict[str, str]]:
    text = gzip.decompress(world.files.content[IMPORT]).decode()
    return list(csv.DictReader(io.StringIO(text)))


def with_import() -> World:
    world = issued()
    in_force(world, **voucherify())
    return world


def test_the_recipe_for_voucherify_makes_a_file_that_its_import_maps() -> None:
    world = with_import()
    world.export()
    export, rows = world.exported(1), imported(world)
    metadata = {"minimum_basket", "tandem_voucher"}
    assert set(rows[0]) - metadata <= VOUCHERIFY
    assert not any(" " in name for name in metadata)  # Voucherify takes no spaces in them
    for row, exported in zip(rows, export, strict=True):
        assert row == {
            "Code": exported["code"],
            "Voucher Type": "DISCOUNT_VOUCHER",
            "Value": exported["value"],
            "Discount Type": "AMOUNT",
            "Category": exported["template"],
            "Start Date": exported["valid_from"],
            "Expiration Date": exported["valid_until"],
            "Redemption Limit": "1",
            "Active": "true",
            "minimum_basket": exported["minimum_basket"],
            "tandem_voucher": exported["voucher"],
        }


def test_the_manifest_has_the_hash_of_the_file_for_import_and_the_export_its_own_columns() -> None:
    world, plain = with_import(), issued()
    plain.clock.advance(seconds=10)
    for each in (world, plain):
        each.export()
    manifests = [
        json.loads(each.files.content[f"{VOUCHERS}00000001.manifest.json"])
        for each in (world, plain)
    ]
    sha256 = hashlib.sha256(world.files.content[IMPORT]).hexdigest()
    assert manifests[0] == manifests[1] | {"import_sha256": sha256}


@pytest.mark.slow
def test_law_5_a_file_for_import_is_written_once_wherever_the_run_is_killed() -> None:
    worlds = killed_everywhere(with_import, lambda world, _: world.export(), lambda w: w.ports)
    expected = with_import()
    expected.export()
    kept = expected.files.under(VOUCHERS)
    for world in worlds:
        before = dict(world.files.under(VOUCHERS))
        # By the time of the next run, another layout may be in force.
        in_force(world, exports={"columns": {"Code": "code"}})
        world.export()
        after = world.files.under(VOUCHERS)
        assert {path: after[path] for path in before} == before
        assert set(after) == set(kept)
        manifest = json.loads(after[f"{VOUCHERS}00000001.manifest.json"])
        assert manifest["import_sha256"] == hashlib.sha256(after[IMPORT]).hexdigest()
        codes = [row["Code"] for row in imported(world)]
        assert sorted(codes) == sorted(one.code for one in world.memory.all(Voucher))


def test_law_5_a_file_for_import_that_a_killed_run_left_stays_and_is_that_of_the_manifest() -> None:
    world = with_import()
    world.files.content[IMPORT] = b"of an earlier layout"
    world.export()
    assert world.files.content[IMPORT] == b"of an earlier layout"
    manifest = json.loads(world.files.content[f"{VOUCHERS}00000001.manifest.json"])
    assert manifest["import_sha256"] == hashlib.sha256(b"of an earlier layout").hexdigest()


def test_where_nothing_is_imported_no_lock_is_asked_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = issued()
    in_force(world, orders=EXCEL)
    world.export()
    asked: list[str] = []
    monkeypatch.setattr(world.files, "lock_again", asked.append)
    world.acknowledge(1)
    locked = [path for path in asked if path.startswith(VOUCHERS)]
    assert locked == [f"{VOUCHERS}00000001.csv.gz", f"{VOUCHERS}00000001.manifest.json"]


def test_law_5_a_number_that_another_export_has_gets_no_file_for_import() -> None:
    world = with_import()
    world.files.content[f"{VOUCHERS}00000001.csv.gz"] = gzip.compress(b"code\nOTHER\n")
    with pytest.raises(OtherContentError):
        world.export()
    assert IMPORT not in world.files.content


def test_a_file_for_import_is_locked_and_ends_with_its_export() -> None:
    world = with_import()
    world.export()
    world.clock.advance(days=20)
    world.acknowledge(1)
    assert world.files.locked[IMPORT] == world.files.locked[f"{VOUCHERS}00000001.csv.gz"]
    assert world.files.locked[IMPORT] >= world.clock() + timedelta(days=34)
    world.clock.advance(days=35)
    assert end_files(world.ports, CAMPAIGN) == 3
    assert world.files.under(VOUCHERS) == {}


def test_a_file_for_import_is_no_export_to_those_who_read_exports() -> None:
    world = with_import()
    world.export()
    [export] = world.memory.all(Export)
    assert export.state is ExportState.WRITTEN
    found = outside_of(world.ports, CAMPAIGN, world.clock() - timedelta(days=1), [])
    assert {number: len(rows) for number, rows in found.exports.items()} == {1: export.rows}


def test_the_columns_for_import_keep_their_order_when_they_are_stored() -> None:
    declared = {"columns": {"Value": "value", "Code": "code"}}
    layout = ExportsLayout.model_validate(declared)
    stored = layout.model_dump(mode="json")
    assert stored == {"columns": [["Value", "value"], ["Code", "code"]]}
    assert ExportsLayout.model_validate(stored) == layout
    other = ExportsLayout.model_validate({"columns": {"Code": "code", "Value": "value"}})
    assert other != layout


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-x", "a\x00b", "a\tb"])
def test_a_column_for_import_is_not_named_like_a_formula(name: str) -> None:
    with pytest.raises(ValidationError):
        ExportsLayout.model_validate({"columns": {name: "code"}})


def test_a_restore_reads_an_order_file_whose_cents_an_earlier_version_declared() -> None:
    """The later layout reads its header, and none of its rows."""
    world = with_referee()
    in_force(world, orders={"columns": {"Bestellnummer": "order_id"}})
    row = world.order("O1", of="jeanne@gmail.com")
    content = standard([row]).replace(b"order_id", b"Bestellnummer", 1)
    assert world.drop("orders/a.csv", content).rejected == 0
    in_force(world, orders={"columns": {"Bestellnummer": "order_id"}, "decimal": ","})
    found = outside_of(world.ports, CAMPAIGN, world.clock() - timedelta(days=1), [])
    assert found.ordered_at == {"O1": datetime.fromisoformat(row["ordered_at"])}
