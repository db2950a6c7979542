import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.files.orders import (
    COLUMNS,
    FieldError,
    FieldReason,
    OrderRow,
    orders,
    parse_order,
)
from chalicelib.domain.files.reading import FileRefusedError, LineError, Tally

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/vectors/order-lines.json").read_bytes()
)
# By the campaign, in services.
JUDGED_LATER = frozenset({"currency_not_the_campaigns"})

GOOD = {
    "order_id": "A-1",
    "ordered_at": "2024-05-01T10:00:00+02:00",
    "email_digest": "AB" * 32,
    "voucher_code": "CW-22222-22222-2222",
    "amount": "42.50",
    "currency": "EUR",
    "status": "placed",
}
HEADER = ",".join(COLUMNS)


def line(**changes: str) -> str:
    return ",".join((GOOD | changes).values())


def read(*rows: str, header: str = HEADER) -> tuple[list[tuple[int, OrderRow]], Tally]:
    tally = Tally()
    return list(orders(["\n".join([header, *rows]).encode()], tally)), tally


def test_an_order_becomes_minor_units_and_an_aware_instant() -> None:
    assert parse_order(GOOD) == OrderRow(
        order_id="A-1",
        ordered_at=datetime(2024, 5, 1, 10, tzinfo=timezone(timedelta(hours=2))),
        email_digest="ab" * 32,
        voucher_code="CW-22222-22222-2222",
        amount_minor=4250,
        currency="EUR",
        status="placed",
    )


@given(st.integers(0, 10**12 - 1))
def test_an_amount_is_exact(minor: int) -> None:
    row = parse_order(GOOD | {"amount": f"{minor // 100}.{minor % 100:02d}"})
    assert isinstance(row, OrderRow)
    assert row.amount_minor == minor


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        ("0", 0),
        ("12", 1200),
        ("12.5", 1250),
        ("007", 700),
        ("45.0000", 4500),
        ("45.5000", 4550),
        ("45.550", 4555),
    ],
)
def test_decimals_may_be_left_out_and_zeros_added(amount: str, minor: int) -> None:
    row = parse_order(GOOD | {"amount": amount})
    assert isinstance(row, OrderRow)
    assert row.amount_minor == minor


def test_lines_that_end_with_a_carriage_return_alone_are_refused_without_their_content() -> None:
    content = f"{','.join(COLUMNS)}\r{','.join(GOOD.values())}\r"
    with pytest.raises(FileRefusedError) as refused:
        list(orders([content.encode()], Tally()))
    assert refused.value.reason == "carriage_return_alone"
    assert (refused.value.line, refused.value.detail) == (1, "")


def test_an_amount_of_any_length_is_read_at_once() -> None:
    endless = f"1.{'0' * 60_000}x"  # in a call; a search that starts at each zero takes minutes
    started = time.process_time()
    assert parse_order(GOOD | {"amount": endless}) == (FieldError("amount", "invalid"),)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("status", ["returned", "cancelled"])
@pytest.mark.parametrize("amount", ["-52.00", "52.00", "-52", "-52.0000"])
def test_a_refund_may_be_negative(status: str, amount: str) -> None:
    row = parse_order(GOOD | {"amount": amount, "status": status})
    assert isinstance(row, OrderRow)
    assert row.amount_minor == 5200


@pytest.mark.parametrize("status", ["placed", "kept"])
@pytest.mark.parametrize("amount", ["-52.00", "-0"])
def test_what_is_bought_is_not_negative(status: str, amount: str) -> None:
    problems = parse_order(GOOD | {"amount": amount, "status": status})
    assert problems == (FieldError("amount", "invalid"),)


@pytest.mark.parametrize(
    "order_id",
    [
        "4.68769E+11", "4,68769E+11", "4.68769e+11", "4.68769E11", "468.769E+09", "1E+05", "1e+05",
        "1E+100", "1.2E-04", "-4.68769E+11", "#NAME?", "#NOM?", "#¿NOMBRE?", "#VALUE!", "#VALEUR!",
        "#REF!", "#DIV/0!", "#¡DIV/0!", "#N/A", "#NV", "#NUM!", "#ERROR!", "Err:502", "#####",
    ],
)  # fmt: skip
def test_an_order_id_that_a_spreadsheet_has_damaged_is_refused(order_id: str) -> None:
    assert parse_order(GOOD | {"order_id": order_id}) == (FieldError("order_id", "damaged"),)


@pytest.mark.parametrize(
    "order_id",
    [
        "1E5", "12E-05", "5E-01", "12E+05", "E+11", "#1001", "#A", "#A1!", "#", "##", "A1.2E+3",
        "1.2E", "4.6.8E+11", "1234.5E+3", "468769123456", "FR 2026/17", "...", "N/A", "4.5", "1,5",
    ],
)  # fmt: skip
def test_an_order_id_that_no_spreadsheet_writes_is_one(order_id: str) -> None:
    row = parse_order(GOOD | {"order_id": order_id})
    assert isinstance(row, OrderRow)
    assert row.order_id == order_id


@pytest.mark.parametrize("code", ["x" * 1000, "a\x00", " WE-1 ", "PROMO1, PROMO2", "4.68769E+11"])
def test_a_code_that_is_none_of_ours_does_not_cost_the_order(code: str) -> None:
    row = parse_order(GOOD | {"voucher_code": code})
    assert isinstance(row, OrderRow)
    assert row.voucher_code == code


def test_an_order_may_have_a_digest_or_a_code_alone() -> None:
    by_code = parse_order(GOOD | {"email_digest": ""})
    by_digest = parse_order(GOOD | {"voucher_code": ""})
    assert isinstance(by_code, OrderRow)
    assert isinstance(by_digest, OrderRow)
    assert (by_code.email_digest, by_digest.voucher_code) == (None, None)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("order_id", "", "missing"),
        ("order_id", "x" * 65, "too_long"),
        ("order_id", "a\tb", "invalid"),
        ("order_id", " a", "invalid"),
        ("order_id", ".", "invalid"),
        ("order_id", "..", "invalid"),
        ("order_id", "a\u202eb", "invalid"),
        ("order_id", "a\ud800", "invalid"),
        ("ordered_at", "", "missing"),
        ("ordered_at", "2024-05-01T10:00:00", "without_offset"),
        ("ordered_at", "2024-05-01", "without_offset"),
        ("ordered_at", "01/05/2024", "invalid"),
        ("ordered_at", "2024-02-30T10:00:00Z", "invalid"),
        ("ordered_at", "0001-01-01T00:00:00+10:00", "invalid"),
        ("ordered_at", "0001-01-01T00:00:00+00:00", "invalid"),  # a date that is not set, in .NET
        ("email_digest", "ab" * 20, "invalid"),
        ("email_digest", "zz" * 32, "invalid"),
        ("email_digest", "1.23457E+63", "damaged"),
        ("email_digest", "jeanne@example.fr", "plain_address"),
        ("voucher_code", "jeanne@example.fr", "plain_address"),
        ("order_id", f"{'j' * 64}@example.fr", "plain_address"),
        ("ordered_at", "jeanne@example.fr", "plain_address"),
        ("amount", "jeanne@example.fr", "plain_address"),
        ("currency", "jeanne@example.fr", "plain_address"),
        ("status", "jeanne@example.fr", "plain_address"),
        ("amount", "", "missing"),
        ("amount", "12,50", "invalid"),
        ("amount", "-1", "invalid"),
        ("amount", "1e3", "invalid"),
        ("amount", "12.", "invalid"),
        ("amount", ".5", "invalid"),
        ("amount", " 1", "invalid"),
        ("amount", "١٢", "invalid"),
        ("amount", "1" * 11, "invalid"),
        ("amount", "12.505", "too_many_decimals"),
        ("amount", "12.5050", "too_many_decimals"),
        ("amount", "--1", "invalid"),
        ("amount", "\u22121", "invalid"),
        ("amount", "-", "invalid"),
        ("currency", "eur", "invalid"),
        ("currency", "EURO", "invalid"),
        ("status", "shipped", "invalid"),
        ("status", "Placed", "invalid"),
    ],
)
def test_a_wrong_field_is_named_with_its_reason(
    field: str, value: str, reason: FieldReason
) -> None:
    assert parse_order(GOOD | {field: value}) == (FieldError(field, reason),)


def test_every_wrong_field_of_an_order_is_reported() -> None:
    problems = parse_order({"amount": "x"})
    assert not isinstance(problems, OrderRow)
    assert [(p.field, p.reason) for p in problems] == [
        ("order_id", "missing"),
        ("ordered_at", "missing"),
        ("email_digest", "missing"),
        ("amount", "invalid"),
        ("currency", "missing"),
        ("status", "missing"),
    ]


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=20)))
def test_any_texts_are_an_order_or_have_problems(values: dict[str, str]) -> None:
    assert parse_order(values)


# --- files ---


def test_good_rows_pass_and_bad_ones_are_reported_by_line() -> None:
    rows, tally = read(line(), line(amount="x", currency="e"), "", "only,three,fields", line())
    assert [number for number, _ in rows] == [2, 6]
    assert tally.errors == [
        LineError(3, "amount_invalid"),
        LineError(3, "currency_invalid"),
        LineError(5, "wrong_number_of_fields"),
    ]
    assert (tally.rows, tally.accepted, tally.rejected) == (4, 2, 2)


def test_columns_may_come_in_any_order_and_quoted() -> None:
    backwards = list(reversed(COLUMNS))
    row = ",".join(f'"{GOOD[name]}"' for name in backwards)
    rows, _ = read(row, header=",".join(backwards))
    assert [parsed for _, parsed in rows] == [parse_order(GOOD)]


def test_quotes_left_open_concern_their_own_line() -> None:
    rows, tally = read(line(order_id='"open'), line())
    assert [number for number, _ in rows] == [3]
    assert tally.errors == [LineError(2, "bad_quotes")]


def test_an_order_with_a_line_break_in_it_is_refused_whole() -> None:
    broken = line(order_id='"F6\n19"')
    rows, tally = read(line(), broken, line(order_id="A-2"))
    assert [(number, row.order_id) for number, row in rows] == [(2, "A-1"), (5, "A-2")]
    assert (tally.rows, tally.errors) == (3, [LineError(3, "bad_quotes")])


def written_as(case: dict[str, str]) -> str:
    return case["line"].replace(",D,", f",{GOOD['email_digest']},")


@pytest.mark.parametrize("case", VECTORS["lines"], ids=lambda case: case["line"])
def test_lines_as_back_offices_write_them(case: dict[str, Any]) -> None:
    rows, tally = read(written_as(case), line(order_id="next"), header=VECTORS["header"])
    reasons = [] if case.get("reason") in JUDGED_LATER else list(filter(None, [case.get("reason")]))
    assert [error.reason for error in tally.errors] == reasons
    assert {error.line for error in tally.errors} <= {2}
    assert (tally.rows, tally.accepted) == (2, 2 - len(reasons))
    assert rows[-1][1].order_id == "next"
    if not reasons and "amount_minor" in case:
        assert rows[0][1].amount_minor == case["amount_minor"]


def test_a_header_alone_is_a_day_without_orders() -> None:
    rows, tally = read()
    assert (rows, tally.rows) == ([], 0)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "empty_file"),
        (HEADER + ",remarks", "unknown_column: remarks"),
        (HEADER.replace("amount", "Amount"), "unknown_column: Amount"),
        (HEADER.replace(",status", ""), "missing_column: status"),
        (HEADER + ",status", "duplicate_column: status"),
        ('"', "missing_column: " + ", ".join(COLUMNS)),
    ],
)
def test_a_wrong_header_refuses_the_file(header: str, reason: str) -> None:
    with pytest.raises(FileRefusedError) as caught:
        read(header=header)
    assert str(caught.value) == reason


def test_a_file_without_its_header_does_not_show_its_first_row() -> None:
    with pytest.raises(FileRefusedError) as caught:
        read(header=line())
    assert caught.value.line == 1
    assert "CW-" not in str(caught.value)
    assert "ABAB" not in str(caught.value)
