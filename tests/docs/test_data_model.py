"""The page of the data model says what the key schema says."""

from __future__ import annotations

import re
from pathlib import Path

from chalicelib.adapters.dynamodb import schema
from chalicelib.services.ports import Agenda

PAGE = (Path(__file__).resolve().parents[2] / "docs/data-model.md").read_text(encoding="utf-8")


def test_every_kind_of_item_is_there_with_its_keys() -> None:
    told = set(
        re.findall(r"^\| `(\w+)` \| `([^`]+)` \| `([^`]+)` \| (?:`(\w+)`)? *\|", PAGE, re.MULTILINE)
    )
    assert told == {
        (rule.kind, rule.pk, rule.sk, rule.ends or "") for rule in schema.ITEM_KINDS.values()
    }


def test_the_access_patterns_are_those_of_the_schema() -> None:
    patterns = re.findall(r"^\| AP\d+ .*$", schema.__doc__ or "", re.MULTILINE)
    assert len(patterns) == 15
    assert re.findall(r"^\| AP\d+ .*$", PAGE, re.MULTILINE) == patterns


def test_every_agenda_is_explained() -> None:
    agendas = PAGE.partition("## Agendas")[2].partition("##")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", agendas, re.MULTILINE)) == {
        topic.value for topic in Agenda
    }
