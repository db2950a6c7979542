"""The files that a client settles its accounts with, written by the functions as they are deployed:
under the roles of the template, whose policies the emulator evaluates.
"""

from __future__ import annotations

import csv
import gzip

import pytest

from local.narration import Narrator
from local.running import Stack
from local.surfaces import Surfaces
from tests.e2e.conftest import Played
from tests.file_schemas import schema_of, wrong_with

RECONCILIATION = "reports/reconciliation-"

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]


@pytest.fixture(scope="module")
def world(stack: Stack, played: Played) -> Surfaces:
    """After the story, with the two functions run once more: it raises if one fails. The report
    of the day, which the first run wrote, is made again.
    """
    stack.run("export")
    for key in played.world.output_keys(RECONCILIATION):
        stack.s3.delete_object(Bucket=stack.bucket, Key=key)
    stack.run("report")
    return played.world


def rows_in(world: Surfaces, path: str) -> list[dict[str, str]]:
    content = gzip.decompress(world.output_file(path) or b"").decode()
    return list(csv.DictReader(content.splitlines()))


def test_what_the_story_redeemed_is_in_files_of_changes(world: Surfaces, played: Played) -> None:
    paths = [key.split("/", 2)[2] for key in world.output_keys("changes/") if key.endswith(".gz")]
    assert paths == [f"changes/{number:08}.csv.gz" for number in range(1, len(paths) + 1)]
    counted = [row["change"] for path in paths for row in rows_in(world, path)]
    left = counted.count("redeemed") - counted.count("rolled_back")
    assert left == played.given["vouchers_redeemed"] > 0


def test_what_the_story_wrote_is_as_the_schemas_say(world: Surfaces) -> None:
    paths = [path for path in world.output_keys("") if schema_of(path)]
    assert {schema_of(path) for path in paths} >= {"export", "changes", "receipt", "referrals"}
    for path in paths:
        content = world.output_file(path.split("/", 2)[2])
        assert wrong_with(path, content or b"") == []


def test_the_table_and_the_files_of_the_story_agree(world: Surfaces) -> None:
    [path] = world.output_keys(RECONCILIATION)
    content = world.output_file(path.split("/", 2)[2])
    assert content == b"voucher,difference,in_table,in_files\n"


def test_a_large_file_is_handled_in_parts_and_has_one_receipt(
    stack: Stack, played: Played, narrator: Narrator
) -> None:
    """Orders of people whom nobody knows, so the files of the story stay as they are."""
    world, path = played.world, "orders/large.csv.gz"
    rows = [
        f"L{number % 11_000:05},2026-05-04T21:14:03+02:00,{number:064x},SHOP10,45.00,EUR,kept\n"
        for number in range(12_000)
    ]
    rows[7] = rows[7].replace("45.00", "?")
    header = "order_id,ordered_at,email_digest,voucher_code,amount,currency,status\n"
    world.drop(path, gzip.compress("".join([header, *rows]).encode()))
    narrator.wait("the receipt of all parts", lambda: int(bool(world.receipt(path))), 1)
    receipt = world.receipt(path) or {}
    assert (receipt["status"], receipt["rows"], receipt["rejected"]) == ("partial", 12_000, 1)
    assert receipt["effects"] == {"not_a_referees": 11_999}
    assert [one["line"] for one in receipt["vouchers"]] == [*range(2, 9), *range(10, 1003)]
    assert [error["line"] for error in receipt["errors"]] == [9]
    staged = stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix="parts/")
    assert staged.get("KeyCount", 0) == 0
