"""The page "operations" has the end of every kind of item and every folder, as the code has it."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.campaign.file import RECORDS_DAYS
from chalicelib.domain.entity import Entity
from chalicelib.domain.fact_checks import FactCheck
from chalicelib.domain.files.ends import AFTER_ACKNOWLEDGEMENT, AFTER_WRITTEN, BOOKS, EXPORTS
from chalicelib.domain.journal import JournalGroup, JournalPart
from chalicelib.domain.lists.ends import KEPT_AFTER_REPLACED
from chalicelib.domain.people import Opposition
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.referral_orders import FurtherOrder
from chalicelib.services.operations.end_records import STAYS
from tests.docs.test_data_model import _Loader

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## What ends when\n")[2].partition("\n## ")[0]
ITEMS = dict(
    re.findall(r"^\| `?(\w+)`? \| (date|campaign|owner|stays) \| \S", SECTION, re.MULTILINE)
)
FOLDERS = {
    folder: (int(days), by)
    for folder, days, by in re.findall(
        r"^\| `([^`]+/)` \| (\d+) days after [^|]+ \| ([^|]+) \|", SECTION, re.MULTILINE
    )
}
# What names no campaign: its removal with its owner is in tests/contract/test_repository.py.
OWNED = {Redemption, FurtherOrder}
OF_NO_CAMPAIGN = {Opposition, FactCheck, JournalPart, JournalGroup}


def end_of(kind: type[Entity]) -> str:
    """By what an item of a kind ends, as the code has it."""
    if schema.ITEM_KINDS[kind].ends:
        return "date"
    if kind in OWNED:
        return "owner"
    if kind in {*STAYS, *OF_NO_CAMPAIGN}:
        return "stays"
    assert "campaign" in {field.name for field in fields(kind)}, "nothing ends it"
    return "campaign"


@pytest.mark.parametrize("kind", schema.ITEM_KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_item_has_its_end_on_the_page(kind: type[Entity]) -> None:
    assert ITEMS.get(schema.ITEM_KINDS[kind].kind) == end_of(kind)


def test_the_page_names_no_other_kind() -> None:
    kinds = {rule.kind for rule in schema.ITEM_KINDS.values()}
    assert set(ITEMS) == {*kinds, schema.FACT_KIND, "counts"}
    assert f"{RECORDS_DAYS:,} days (three years)" in SECTION


def test_the_folders_end_as_the_template_and_the_code_say() -> None:
    template = yaml.load((ROOT / "infra/resources.yaml").read_text(encoding="utf-8"), _Loader)
    bucket = template["Resources"]["Bucket"]["Properties"]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    books = days.pop("out/")
    last = days.pop("lists/")
    expected = {prefix: (end, "S3") for prefix, end in days.items()}
    expected |= {f"out/{{campaign}}/{area}/": (books, "S3") for area in BOOKS}
    expected["lists/"] = (KEPT_AFTER_REPLACED.days, "`reconcile`, S3")
    ends = {EXPORTS: AFTER_ACKNOWLEDGEMENT, **AFTER_WRITTEN}
    expected |= {
        f"out/{{campaign}}/{area}/": (end.days, "`reconcile`") for area, end in ends.items()
    }
    assert expected == FOLDERS
    assert f"{last} days after it was made at the latest" in SECTION


def test_every_folder_that_the_code_writes_under_out_is_on_the_page() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "chalicelib").rglob("*.py")]
    written = {area for text in sources for area in re.findall(r"out/\{[^{}/]+\}/(\w+)/", text)}
    assert {"vouchers", "receipts", "journal", "referrals"} <= written
    named = {folder.split("/")[2] for folder in FOLDERS if folder.startswith("out/")}
    assert written <= named


def test_the_client_reads_the_same_ends_in_its_guide() -> None:
    guide = (ROOT / "docs/client-guide.md").read_text(encoding="utf-8")
    table = guide.partition("### How long they stay\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| (`.*`) \| ([\d,]+) days ", table, re.MULTILINE)
    said = {
        f"out/{{campaign}}/{area}": int(days.replace(",", ""))
        for areas, days in rows
        for area in re.findall(r"`(\w+/)`", areas)
    }
    assert said == {path: days for path, (days, _) in FOLDERS.items() if path.startswith("out/")}
