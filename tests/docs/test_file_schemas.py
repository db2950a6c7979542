"""The published schemas of files have the columns and the values of the code."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chalicelib.domain.benefits import FreeDelivery, MoneyOff, PercentOff, kind_of
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.changes import ChangeKind
from chalicelib.domain.changes_files import CHANGE_COLUMNS
from chalicelib.domain.consents import ConsentSource, ConsentState
from chalicelib.domain.consents_files import CONSENT_COLUMNS
from chalicelib.domain.exports import VOUCHER_COLUMNS
from chalicelib.domain.files.exports import REFERRAL_COLUMNS
from chalicelib.domain.files.manifest import MAX_CANARIES, MAX_KEY_ID, parse_manifest
from chalicelib.domain.files.reading import MAX_ERRORS, FileRefusedError
from chalicelib.domain.files.statements import STATEMENT_COLUMNS
from chalicelib.domain.statements import AccountState
from tests.file_schemas import SCHEMAS, validator, wrong_with

FILES = sorted(SCHEMAS.glob("*.schema.json"))
COLUMNS = {
    "export": VOUCHER_COLUMNS,
    "changes": CHANGE_COLUMNS,
    "consents": CONSENT_COLUMNS,
    "statement": STATEMENT_COLUMNS,
    "referrals": REFERRAL_COLUMNS,
}
GUIDE = (SCHEMAS.parent / "client-guide.md").read_text("utf-8")


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return found


def values(kind: type[StrEnum]) -> list[str]:
    return [one.value for one in kind]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_schema_is_one_and_the_guide_names_it(file: Path) -> None:
    Draft202012Validator.check_schema(json.loads(file.read_text("utf-8")))
    assert f"schemas/{file.name}" in GUIDE


@pytest.mark.parametrize("name", COLUMNS)
def test_a_row_has_the_columns_of_the_file(name: str) -> None:
    described = schema(name)
    assert tuple(described["properties"]) == tuple(described["required"]) == COLUMNS[name]


def test_values_are_those_of_the_code() -> None:
    def of(name: str, field: str) -> list[str]:
        found: list[str] = schema(name)["properties"][field]["enum"]
        return found

    assert of("export", "holder") == of("statement", "holder") == values(HolderRole)
    kinds = (MoneyOff(1, "EUR"), PercentOff(10, "EUR"), FreeDelivery())
    assert of("export", "kind") == [*(kind_of(one) for one in kinds), ""]
    assert of("changes", "change") == values(ChangeKind)
    assert of("consents", "state") == values(ConsentState)
    assert of("consents", "source") == values(ConsentSource)
    assert of("statement", "state") == values(AccountState)


def test_limits_are_those_of_the_code() -> None:
    manifest = schema("list-manifest")["properties"]
    assert manifest["canaries"]["maxItems"] == MAX_CANARIES
    assert manifest["key_id"]["maxLength"] == MAX_KEY_ID
    assert schema("receipt")["properties"]["errors"]["maxItems"] == MAX_ERRORS


GOOD = {
    "rows": 3, "sha256": "5D" * 32, "key_id": "demo", "generated_at": "2026-05-04T04:00:00+02:00",
    "canaries": ["5d" * 32], "base": "0a" * 32, "made_by": "us",
}  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "rows": [None, -1, "3", True], "sha256": [None, "5d", 7], "key_id": [None, "", "k" * 17],
    "generated_at": [None, 7], "canaries": ["5d" * 32, ["5d"], [1]], "base": ["0a", 5],
}  # fmt: skip


def test_a_good_manifest_of_a_list_is_good_by_both() -> None:
    assert list(validator("list-manifest").iter_errors(GOOD)) == []
    assert parse_manifest(json.dumps(GOOD).encode()).rows == 3


@pytest.mark.parametrize(
    ("member", "value"), [(name, value) for name, each in WRONG.items() for value in each]
)
def test_a_manifest_that_is_refused_is_wrong_by_the_schema(member: str, value: object) -> None:
    wrong = {**GOOD, member: value}
    with pytest.raises(FileRefusedError):
        parse_manifest(json.dumps(wrong).encode())
    assert list(validator("list-manifest").iter_errors(wrong))


def test_a_file_that_is_not_as_its_schema_says_is_found() -> None:
    assert wrong_with("out/demo/receipts/orders/a.csv.json", b'{"status": "lost"}')
    assert wrong_with("out/demo/reports/a.csv.gz", b"") == []
