"""The page of the campaign file explains every field there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chalicelib.domain.campaign.wording import PLACES
from cli.campaign_file import campaign_schema

PAGE = (Path(__file__).resolve().parents[2] / "docs/campaign-file.md").read_text(encoding="utf-8")
TABLES = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
EXPLAINED = {name for cell in TABLES for name in re.findall(r"`([\w.]+)`", cell)}
# Both lists have the same limits: one set of rows explains them.
OF_THE_OTHER_LIST = "lists.vips"


def _fields(node: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, field in node.get("properties", {}).items():
        references = [one.get("$ref") for one in (field, *field.get("anyOf", ()))]
        reference = next(filter(None, references), "").rpartition("/")[2]
        group = schema["$defs"].get(reference, {})
        if "properties" in group:
            yield from _fields(group, schema, f"{path}{name}.")
        else:
            yield path + name


def _all_fields() -> set[str]:
    schema = campaign_schema()
    found = set(_fields(schema, schema))
    found |= set(_fields(schema["$defs"]["VoucherTemplate"], schema))
    return found | set(_fields(schema["$defs"]["Rule"], schema))


def test_every_field_is_explained_and_no_other() -> None:
    fields = {name for name in _all_fields() if not name.startswith(OF_THE_OTHER_LIST)}
    assert len(fields) > 40
    assert fields - EXPLAINED == set()
    assert EXPLAINED - fields == set()


def test_every_text_has_its_places_on_the_page() -> None:
    for kind, places in PLACES.items():
        [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `mails.{kind}.subject`")]
        said = row if "the same" not in row else _last_row_with_places(row)
        assert set(re.findall(r"`{(\w+)}`", said)) == places, kind


def _last_row_with_places(row: str) -> str:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `mails.")]
    before = rows[: rows.index(row)]
    return next(line for line in reversed(before) if "the same" not in line)
