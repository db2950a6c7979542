import csv
import gzip
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib.domain.campaign.rules import HolderRole, Release
from chalicelib.domain.exports import VOUCHER_COLUMNS, ExportPart, export_name, voucher_cells
from chalicelib.domain.files.exports import (
    REFERRAL_COLUMNS,
    ReferralLine,
    manifest_json,
    referral_file,
    voucher_file,
)
from chalicelib.domain.files.manifest import parse_manifest
from chalicelib.domain.money import decimal_text
from chalicelib.domain.vouchers import Voucher, VoucherState

PARIS = timezone(timedelta(hours=2))
VOUCHER = Voucher(
    code_key="22222222222222",
    voucher_id="v1",
    code="WE-2222222222222-2",
    campaign="demo-vip",
    campaign_version=1,
    template="welcome",
    holder=HolderRole.REFEREE,
    holder_id="r1",
    holder_digest="ab" * 32,
    contact_id="c1",
    referral_id="r1",
    rule="welcome",
    rung=0,
    value_minor=1000,
    currency="EUR",
    minimum_basket_minor=4005,
    valid_from=datetime(2024, 5, 1, tzinfo=PARIS),
    valid_until=datetime(2024, 5, 31, 23, 59, 59, tzinfo=PARIS),
    issued_at=datetime(2024, 5, 1, 8, 30, tzinfo=UTC),
    state=VoucherState.ISSUED,
    release=Release.AT_ONCE,
    correlation="k1",
)


def part(*vouchers: Voucher) -> ExportPart:
    return ExportPart(
        campaign="demo-vip",
        number=1,
        part=1,
        codes=tuple(voucher.code for voucher in vouchers),
        columns=VOUCHER_COLUMNS,
        rows=tuple(map(voucher_cells, vouchers)),
    )


def rows_of(packed: bytes) -> list[list[str]]:
    return list(csv.reader(gzip.decompress(packed).decode().splitlines()))


def test_a_voucher_file_has_the_promised_columns_money_and_times() -> None:
    header, row = rows_of(voucher_file([part(VOUCHER)]))
    assert tuple(header) == VOUCHER_COLUMNS
    assert dict(zip(header, row, strict=True)) == {
        "code": "WE-2222222222222-2",
        "template": "welcome",
        "holder": "referee",
        "holder_digest": "ab" * 32,
        "value": "10.00",
        "currency": "EUR",
        "minimum_basket": "40.05",
        "valid_from": "2024-05-01T00:00:00+02:00",
        "valid_until": "2024-05-31T23:59:59+02:00",
        "issued_at": "2024-05-01T08:30:00+00:00",
        "referral": "r1",
    }


def test_a_voucher_file_without_vouchers_is_its_header() -> None:
    assert rows_of(voucher_file([])) == [list(VOUCHER_COLUMNS)]


def test_a_column_added_while_an_export_is_open_is_empty_for_the_rows_before() -> None:
    later = replace(part(VOUCHER), columns=(*VOUCHER_COLUMNS, "kind"))
    later = replace(later, rows=tuple((*row, "money") for row in later.rows))
    header, *rows = rows_of(voucher_file([part(VOUCHER), later, part(VOUCHER)]))
    assert header == [*VOUCHER_COLUMNS, "kind"]
    assert [row[-1] for row in rows] == ["", "money", ""]
    assert {tuple(row[:-1]) for row in rows} == {voucher_cells(VOUCHER)}


def test_law_5_the_columns_of_an_export_are_those_of_its_parts_in_any_version() -> None:
    """A file written by one version and written again by the next must be the same bytes."""
    earlier = replace(part(VOUCHER), columns=("code",), rows=(("WE-1",),))
    assert rows_of(voucher_file([earlier])) == [["code"], ["WE-1"]]


def test_law_5_the_same_vouchers_written_again_are_the_same_bytes() -> None:
    packed = voucher_file([part(*[VOUCHER] * 1000)])
    assert packed == voucher_file([part(*[VOUCHER] * 1000)])
    assert packed[3:8] == bytes(5)  # no name, no time in the gzip header


def test_a_referral_file_is_the_correspondence_table() -> None:
    line = ReferralLine("r1", "ab" * 32, "cd" * 32, datetime(2024, 5, 1, tzinfo=UTC), 3)
    header, row = rows_of(referral_file([line]))
    assert tuple(header) == REFERRAL_COLUMNS
    assert row == ["r1", "ab" * 32, "cd" * 32, "2024-05-01T00:00:00+00:00", "3"]


def test_the_manifest_speaks_of_the_gzipped_file_and_can_be_read_as_one() -> None:
    packed = voucher_file([part(VOUCHER)])
    content = manifest_json(
        export=export_name(7),
        rows=1,
        content=packed,
        key_id="k1",
        generated_at=datetime(2024, 5, 1, tzinfo=UTC),
    )
    assert json.loads(content)["export"] == "00000007"
    assert parse_manifest(content).rows == 1
    assert parse_manifest(content).sha256 == hashlib.sha256(packed).hexdigest()


@pytest.mark.parametrize(("minor", "text"), [(0, "0.00"), (5, "0.05"), (1050, "10.50")])
def test_money_is_written_as_a_decimal_string(minor: int, text: str) -> None:
    assert decimal_text(minor) == text
