"""The page of the data model says what the key schema, the states and the bucket's rules say."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.exports import ExportState
from chalicelib.domain.invitations import InvitationState
from chalicelib.domain.mails import MailState
from chalicelib.domain.orders import OrderStatus
from chalicelib.domain.vouchers import VoucherState
from chalicelib.services.ports import Agenda

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/data-model.md").read_text(encoding="utf-8")
STATES: dict[str, type[StrEnum]] = {
    "invitation": InvitationState,
    "voucher": VoucherState,
    "order": OrderStatus,
    "export": ExportState,
    "mail": MailState,
}


def section(heading: str) -> str:
    """The part of the page under a heading."""
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_every_kind_of_item_is_there_with_its_keys() -> None:
    reported = set(
        re.findall(r"^\| `(\w+)` \| `([^`]+)` \| `([^`]+)` \| (?:`(\w+)`)? *\|", PAGE, re.MULTILINE)
    )
    assert reported == {
        (rule.kind, rule.pk, rule.sk, rule.ends or "") for rule in schema.ITEM_KINDS.values()
    }


def test_the_access_patterns_are_those_of_the_schema() -> None:
    patterns = re.findall(r"^\| AP\d+ .*$", schema.__doc__ or "", re.MULTILINE)
    assert len(patterns) == 28
    assert re.findall(r"^\| AP\d+ .*$", PAGE, re.MULTILINE) == patterns


def test_every_agenda_is_explained() -> None:
    agendas = re.findall(r"^\| `(\w+)` \|", section("Agendas"), re.MULTILINE)
    assert set(agendas) == {agenda.value for agenda in Agenda}


@pytest.mark.parametrize("entity", STATES)
def test_every_state_is_named(entity: str) -> None:
    [named] = re.findall(rf"^\| {entity} \| ([^|]+) \|", section("States"), re.MULTILINE)
    assert re.findall(r"`(\w+)`", named) == [state.value for state in STATES[entity]]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values."""


def _plain(loader: yaml.Loader, _tag: str, node: yaml.Node) -> str | list[Any]:
    if isinstance(node, yaml.ScalarNode):
        return str(loader.construct_scalar(node))
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node, deep=True)


_Loader.add_multi_constructor("!", _plain)


def test_what_ends_in_the_bucket_ends_as_the_template_says() -> None:
    template = yaml.load((ROOT / "infra/resources.yaml").read_text(encoding="utf-8"), _Loader)
    bucket = template["Resources"]["Bucket"]["Properties"]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    ends = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    reported = dict(
        re.findall(r"^\| `(\w+/)` \| [^|]+ \| ([^|]+) \|", section("The bucket"), re.MULTILINE)
    )
    assert {prefix for prefix, end in reported.items() if end != "stays"} == set(ends)
    for prefix, days in ends.items():
        assert reported[prefix].startswith(f"{days} days"), prefix
    [former] = [rule for rule in rules if rule["Id"] == "former-versions-end"]
    assert f"{former['NoncurrentVersionExpiration']['NoncurrentDays']} days" in section(
        "The bucket"
    )
