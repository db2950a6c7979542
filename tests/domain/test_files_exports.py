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
    holder_key_id="k1",
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


def file_of(parts: list[ExportPart]) -> bytes:
    return voucher_file(parts).content


def test_a_voucher_file_has_the_promised_columns_money_and_times() -> None:
    header, row = rows_of(file_of([part(VOUCHER)]))
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
        "voucher": "v1",
        "kind": "money_off",
        "value_percent": "",
        "key_id": "k1",
    }


def test_a_voucher_file_without_vouchers_is_its_header() -> None:
    assert rows_of(file_of([])) == [list(VOUCHER_COLUMNS)]


def test_a_column_added_while_an_export_is_open_is_empty_for_the_rows_before() -> None:
    later = replace(part(VOUCHER), columns=(*VOUCHER_COLUMNS, "newer"))
    later = replace(later, rows=tuple((*row, "newest") for row in later.rows))
    header, *rows = rows_of(file_of([part(VOUCHER), later, part(VOUCHER)]))
    assert header == [*VOUCHER_COLUMNS, "newer"]
    assert [row[-1] for row in rows] == ["", "newest", ""]
    assert {tuple(row[:-1]) for row in rows} == {voucher_cells(VOUCHER)}


def test_law_5_the_columns_of_an_export_are_those_of_its_parts_in_any_version() -> None:
    """A file written by one version and written again by the next must be the same bytes."""
    columns, row = VOUCHER_COLUMNS[:11], voucher_cells(VOUCHER)[:11]
    earlier = replace(part(VOUCHER), columns=columns, rows=(row,))
    assert rows_of(file_of([earlier])) == [list(columns), list(row)]


def test_law_5_the_same_vouchers_written_again_are_the_same_bytes() -> None:
    packed = file_of([part(*[VOUCHER] * 1000)])
    assert packed == file_of([part(*[VOUCHER] * 1000)])
    assert packed[3:8] == bytes(5)  # no name, no time in the gzip header


def test_a_referral_file_is_the_correspondence_table() -> None:
    line = ReferralLine("r1", "ab" * 32, "cd" * 32, datetime(2024, 5, 1, tzinfo=UTC), 3, 7)
    header, row = rows_of(referral_file([line.text]))
    assert tuple(header) == REFERRAL_COLUMNS
    assert row == ["r1", "ab" * 32, "cd" * 32, "2024-05-01T00:00:00+00:00", "3", "7", "", ""]


def test_the_manifest_speaks_of_the_gzipped_file_and_can_be_read_as_one() -> None:
    packed = file_of([part(VOUCHER)])
    content = manifest_of(packed, part(VOUCHER))
    assert json.loads(content)["export"] == "00000007"
    assert parse_manifest(content).rows == 1
    assert parse_manifest(content).sha256 == hashlib.sha256(packed).hexdigest()


def manifest_of(packed: bytes, *parts: ExportPart) -> bytes:
    return manifest_json(
        export=export_name(7),
        sums=voucher_file(parts).sums,
        content=packed,
        generated_at=datetime(2024, 5, 1, tzinfo=UTC),
    )


def test_the_manifest_sums_each_template_to_the_cent() -> None:
    dear = replace(VOUCHER, template="thank-you", value_minor=1505)
    cheap = replace(VOUCHER, value_minor=1)
    members = json.loads(manifest_of(b"", part(VOUCHER, dear), part(cheap)))
    assert members["rows"] == 3
    assert members["sums"] == [
        {"template": "thank-you", "currency": "EUR", "rows": 1, "value": "15.05"},
        {"template": "welcome", "currency": "EUR", "rows": 2, "value": "10.01"},
    ]


def test_the_manifest_names_the_earliest_and_the_latest_issue() -> None:
    at_noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    moments = [at_noon + timedelta(microseconds=1), at_noon, at_noon + timedelta(seconds=1)]
    vouchers = [replace(VOUCHER, issued_at=moment) for moment in moments]
    members = json.loads(manifest_of(b"", part(*vouchers)))
    assert (members["first"], members["last"]) == (
        "2024-05-01T12:00:00+00:00",
        "2024-05-01T12:00:01+00:00",
    )


def test_issues_of_several_offsets_are_compared_as_moments() -> None:
    moments = [
        "2024-05-01T12:00:00+02:00",
        "2024-05-01T11:00:00+00:00",
        "2024-05-01T12:00:00+03:00",
    ]
    vouchers = [replace(VOUCHER, issued_at=datetime.fromisoformat(one)) for one in moments]
    members = json.loads(manifest_of(b"", part(*vouchers)))
    assert (members["first"], members["last"]) == (moments[2], moments[1])


def test_a_wider_part_is_counted_once() -> None:
    later = replace(part(VOUCHER), columns=(*VOUCHER_COLUMNS, "newer"))
    later = replace(later, rows=tuple((*row, "newest") for row in later.rows))
    members = json.loads(manifest_of(b"", part(VOUCHER), later))
    assert (members["rows"], members["sums"][0]["rows"]) == (2, 2)


@pytest.mark.parametrize(
    ("keys", "named"),
    [(["k1", "k1"], "k1"), (["k1", "k2"], None), (["k1", None], None), ([None], None)],
)
def test_the_manifest_names_a_key_only_if_every_row_has_it(
    keys: list[str | None], named: str | None
) -> None:
    vouchers = [replace(VOUCHER, holder_key_id=key) for key in keys]
    assert json.loads(manifest_of(b"", part(*vouchers)))["key_id"] == named


def test_the_manifest_of_a_part_without_the_column_names_no_key() -> None:
    earlier = replace(
        part(VOUCHER), columns=VOUCHER_COLUMNS[:11], rows=(voucher_cells(VOUCHER)[:11],)
    )
    members = json.loads(manifest_of(b"", earlier))
    assert (members["key_id"], members["rows"], len(members["sums"])) == (None, 1, 1)


@pytest.mark.parametrize(("minor", "text"), [(0, "0.00"), (5, "0.05"), (1050, "10.50")])
def test_money_is_written_as_a_decimal_string(minor: int, text: str) -> None:
    assert decimal_text(minor) == text
