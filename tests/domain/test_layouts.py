"""Files laid out as the campaign says; what is laid out otherwise is named with what to declare."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from chalicelib.domain.campaign.layouts import DROPPED, ExportColumn
from chalicelib.domain.exports import VOUCHER_COLUMNS
from chalicelib.domain.files import cohorts, consents, orders
from chalicelib.domain.files.cohorts import newcomers
from chalicelib.domain.files.layouts import Layout, utf8_of_utf16
from chalicelib.domain.files.lines import lines
from chalicelib.domain.files.reading import FileRefusedError, LineError, Tally
from tests.fakes.campaign import campaign

DIGEST = "ab" * 32
Rows = Sequence[tuple[str, ...]]
ROWS = [
    ("order_id", "ordered_at", "email_digest", "voucher_code", "amount", "currency", "status"),
    ("A-1", "2024-05-01T10:00:00+02:00", DIGEST, "", "42.50", "EUR", "placed"),
    ("Größe ⚑", "2024-05-01T10:00:00+02:00", DIGEST, "", "7", "EUR", "kept"),
]
LATIN = [ROWS[0], ROWS[1], ("Größe", *ROWS[2][1:])]
SIZES = pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])


def text(rows: Rows, delimiter: str = ",") -> str:
    return "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"


def cut(whole: bytes, size: int) -> Iterator[bytes]:
    return (whole[start : start + size] for start in range(0, len(whole), size))


def read(whole: bytes, size: int = 1000, **files: Any) -> tuple[list[Any], Tally]:
    tally = Tally()
    layout = campaign(files={"orders": files} if files else None).layout_of("orders")
    return list(orders.orders(cut(whole, size), tally, layout)), tally


def refusal(whole: bytes, size: int = 1000, **files: Any) -> tuple[str, int, str]:
    with pytest.raises(FileRefusedError) as refused:
        read(whole, size, **files)
    return refused.value.reason, refused.value.line, refused.value.detail


STANDARD = read(text(ROWS).encode())[0]


def test_the_columns_that_a_layout_may_name_are_those_there_are() -> None:
    assert DROPPED == {
        "orders": orders.COLUMNS,
        "consents": consents.COLUMNS,
        "cohorts": cohorts.COLUMNS,
    }
    assert get_args(ExportColumn) == VOUCHER_COLUMNS


# --- encodings ------------------------------------------------------------------------------------


@SIZES
@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("has_mark", [True, False])
def test_utf16_is_read_when_it_is_declared(size: int, order: str, has_mark: bool) -> None:
    mark = {"le": codecs.BOM_UTF16_LE, "be": codecs.BOM_UTF16_BE}[order] if has_mark else b""
    whole = mark + text(ROWS).encode(f"utf-16-{order}")
    assert len(STANDARD) == 2
    assert read(whole, size, encoding="utf-16") == (STANDARD, Tally(rows=2))


@pytest.mark.parametrize(("order", "found"), [("le", "UTF-16-LE"), ("be", "UTF-16-BE")])
def test_utf16_that_is_not_declared_is_named(order: str, found: str) -> None:
    declare = f'found {found}, expected utf-8: declare files.orders.encoding: "utf-16"'
    assert refusal(text(ROWS).encode(f"utf-16-{order}")) == ("utf16", 1, declare)
    assert refusal("\ufeff".encode(f"utf-16-{order}") + text(ROWS).encode(f"utf-16-{order}")) == (
        "utf16", 1, declare,
    )  # fmt: skip
    # Declared as something else than it is, too.
    declare = declare.replace("utf-8", "windows-1252")
    whole = text(ROWS).encode(f"utf-16-{order}")
    assert refusal(whole, encoding="windows-1252") == ("utf16", 1, declare)


@SIZES
def test_what_is_declared_as_utf16_and_is_not_is_named(size: int) -> None:
    declare = 'found no UTF-16, expected utf-16: declare files.orders.encoding: "utf-8"'
    for whole in (text(ROWS).encode(), "\ufeff".encode() + text(ROWS).encode()):
        assert refusal(whole, size, encoding="utf-16") == ("other_encoding", 1, declare)


@SIZES
def test_utf16_that_is_damaged_is_refused_at_its_line(size: int) -> None:
    whole = text(ROWS).encode("utf-16-le")
    damaged = whole[:-4] + b"\x00\xd8" + whole[-4:]  # half a character
    assert refusal(damaged, size, encoding="utf-16") == ("not_utf16", 3, "")
    assert refusal(whole[:-1], size, encoding="utf-16") == ("not_utf16", 3, "")


def test_an_empty_file_is_empty_in_any_encoding() -> None:
    assert list(utf8_of_utf16([])) == []
    for encoding in ("utf-8", "utf-16", "windows-1252"):
        assert refusal(b"", encoding=encoding)[0] == "empty_file"
    assert refusal(b"x", encoding="utf-16")[0] == "other_encoding"


def test_windows_1252_is_read_when_it_is_declared() -> None:
    whole = text(LATIN).encode("windows-1252")
    assert read(whole, encoding="windows-1252")[0] == read(text(LATIN).encode())[0]
    assert refusal(whole) == (
        "not_utf8",
        3,
        (
            "found no UTF-8, perhaps Windows-1252, expected utf-8: "
            'declare files.orders.encoding: "windows-1252"'
        ),
    )


def test_utf8_that_is_declared_as_windows_1252_is_named() -> None:
    declare = 'found UTF-8, expected windows-1252: declare files.orders.encoding: "utf-8"'
    whole = text(LATIN).encode()
    assert refusal(whole, encoding="windows-1252") == ("other_encoding", 3, declare)
    marked = "\ufeff".encode() + text([ROWS[0]]).encode()
    assert refusal(marked, encoding="windows-1252") == ("other_encoding", 1, declare)


def test_a_byte_that_windows_1252_does_not_have_is_refused_at_its_line() -> None:
    whole = text(ROWS[:2]).encode() + b"\x81\n"
    assert refusal(whole, encoding="windows-1252") == ("not_windows_1252", 3, "")


def test_a_file_that_no_campaign_file_describes_is_refused_as_ever() -> None:
    for whole in (text(ROWS).encode("utf-16-le"), text(LATIN).encode("windows-1252")):
        with pytest.raises(FileRefusedError) as refused:
            list(lines([whole]))
        assert refused.value.detail == ""


# --- delimiters, decimals, columns ----------------------------------------------------------------


@pytest.mark.parametrize(("word", "sign"), [(";", ";"), ("|", "|"), ("tab", "\t")])
def test_a_delimiter_is_read_when_it_is_declared_and_named_when_not(word: str, sign: str) -> None:
    whole = text(ROWS, sign).encode()
    assert read(whole, delimiter=word)[0] == STANDARD
    named = {";": "a semicolon", "|": "a bar", "tab": "a tab"}[word]
    declare = f'found {named}, expected a comma: declare files.orders.delimiter: "{word}"'
    assert refusal(whole) == ("other_delimiter", 1, declare)
    assert refusal(whole.replace(b"order_id", b'"order_id"')) == ("other_delimiter", 1, declare)
    declare = f'found a comma, expected {named}: declare files.orders.delimiter: ","'
    assert refusal(text(ROWS).encode(), delimiter=word) == ("other_delimiter", 1, declare)


def test_a_header_of_other_names_is_no_other_delimiter() -> None:
    assert refusal(b"name;street\n") == ("unknown_column", 1, "number 1")
    assert refusal(b"order_id;street\n") == ("unknown_column", 1, "number 1")


@pytest.mark.parametrize("sign", [",", ";", "|", "\t"])
def test_quotes_and_broken_records_are_the_same_with_any_delimiter(sign: str) -> None:
    word = "tab" if sign == "\t" else sign
    good = sign.join(ROWS[1])
    quoted = sign.join(f'"{cell}"' for cell in ROWS[2])
    broken = good.replace("A-1", '"A\n-1"')
    odd = good.replace("A-1", 'A"1')
    inside = good.replace("A-1", f'"A{sign}1"')
    whole = "\n".join([sign.join(ROWS[0]), good, quoted, broken, odd, inside]).encode()
    rows, tally = read(whole, delimiter=word)
    assert [(line, row.order_id) for line, row in rows][:3] == [
        (2, "A-1"), (3, "Größe ⚑"), (7, f"A{sign}1"),
    ][: 2 if sign == "\t" else 3]  # fmt: skip
    found = [(error.line, error.reason) for error in tally.errors]
    tab_in_id = [(7, "order_id_invalid")] if sign == "\t" else []
    assert found == [(4, "bad_quotes"), (6, "bad_quotes"), *tab_in_id]


@pytest.mark.parametrize(
    ("declared", "amount", "minor"),
    [
        (",", "42,50", 4250), (",", "42", 4200), (",", "42,5", 4250), (",", "42,5000", 4250),
        (".", "42.50", 4250), (".", "42", 4200),
    ],
)  # fmt: skip
def test_the_sign_before_the_cents_is_the_one_declared(
    declared: str, amount: str, minor: int
) -> None:
    whole = text([ROWS[0], (*ROWS[1][:4], amount, *ROWS[1][5:])], ";").encode()
    [(_, row)], tally = read(whole, delimiter=";", decimal=declared)
    assert (row.amount_minor, tally.errors) == (minor, [])


@pytest.mark.parametrize(
    ("declared", "amount", "other"),
    [(",", "42.50", "."), (",", "1.234", "."), (".", "42,50", ","), (".", "1,234", ",")],
)
def test_an_amount_with_the_other_sign_is_rejected_and_named(
    declared: str, amount: str, other: str
) -> None:
    whole = text([ROWS[0], (*ROWS[1][:4], amount, *ROWS[1][5:])], ";").encode()
    rows, tally = read(whole, delimiter=";", decimal=declared)
    named, expected = ({".": "a point", ",": "a comma"}[sign] for sign in (other, declared))
    detail = f'found {named}, expected {expected}: declare files.orders.decimal: "{other}"'
    assert (rows, tally.errors) == ([], [LineError(2, "amount_other_decimal", detail)])


@pytest.mark.parametrize("amount", ["1.234,50", "1,234.50", "12,", "x"])
@pytest.mark.parametrize("declared", [".", ","])
def test_any_other_amount_is_invalid_whatever_is_declared(declared: str, amount: str) -> None:
    whole = text([ROWS[0], (*ROWS[1][:4], amount, *ROWS[1][5:])], ";").encode()
    _, tally = read(whole, delimiter=";", decimal=declared)
    assert [error.reason for error in tally.errors] == ["amount_invalid"]


def test_an_amount_with_the_other_sign_beside_another_problem_names_both() -> None:
    whole = text([ROWS[0], ("A", "x", *ROWS[1][2:4], "1,5", *ROWS[1][5:])], ";").encode()
    _, tally = read(whole, delimiter=";")
    reasons = [error.reason for error in tally.errors]
    assert reasons == ["ordered_at_invalid", "amount_other_decimal"]


NAMES = {"Bestellnummer": "order_id", "Betrag in EUR": "amount"}


def named(**changes: str) -> bytes:
    names = {ours: theirs for theirs, ours in NAMES.items()} | changes
    return text([tuple(names.get(name, name) for name in ROWS[0]), *ROWS[1:]]).encode()


def test_columns_have_the_names_that_are_declared_the_others_ours() -> None:
    assert read(named(), columns=NAMES)[0] == STANDARD
    assert read(text(ROWS).encode(), columns=NAMES)[0] == STANDARD


def test_a_missing_column_is_named_as_the_client_names_it() -> None:
    assert refusal(named(amount="Total"), columns=NAMES) == ("unknown_column", 1, "Total")
    without = text([row[:4] + row[5:] for row in ROWS]).encode()
    missing = ("missing_column", 1, "Betrag in EUR (amount)")
    assert refusal(without, columns=NAMES) == missing
    twice = text([(*row, row[4]) for row in ROWS]).encode()
    repeated = ("duplicate_column", 1, "Betrag in EUR (amount)")
    assert refusal(twice, columns=NAMES) == repeated
    nothing = refusal(b"a,b\n", columns=NAMES)[2]
    assert nothing.startswith("Bestellnummer (order_id), ordered_at, ")


def test_names_may_change_places() -> None:
    swapped = {"currency": "status", "status": "currency"}
    rows = [ROWS[0], *((*row[:5], row[6], row[5]) for row in ROWS[1:])]
    assert read(text(rows).encode(), columns=swapped)[0] == STANDARD


def test_consents_and_newcomers_have_layouts_of_their_own() -> None:
    files = {
        "consents": {"delimiter": ";", "columns": {"wann": "at"}, "encoding": "utf-16"},
        "cohorts": {"delimiter": "tab", "columns": {"Quelle": "source", "aktiv": "active"}},
    }
    rules = campaign(files=files)
    whole = f"email_digest;state;wann\n{DIGEST};given;2026-01-02T03:04:05Z\n".encode("utf-16")
    [(_, word)] = consents.consents([whole], Tally(), rules.layout_of("consents"))
    assert (word.email_digest, word.state.value) == (DIGEST, "given")
    table = b"Quelle\tjoined_on\taktiv\nsearch\t2026-01-02\tyes\n"
    today = date(2026, 2, 1)
    [(_, row)] = newcomers([table], Tally(), today, rules.layout_of("cohorts"))
    assert row.source == "search"
    # Those of orders are still as they were.
    assert rules.layout_of("orders") == Layout("files.orders")


# --- what the campaign file may say ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"orders": {"delimiter": ":"}}, "files.orders.delimiter"),
        ({"orders": {"decimal": ";"}}, "files.orders.decimal"),
        ({"orders": {"encoding": "latin-1"}}, "files.orders.encoding"),
        ({"orders": {"columns": {"x": "street"}}}, "files.orders.columns.x"),
        ({"orders": {"columns": {'a"b': "amount"}}}, "files.orders.columns"),
        ({"orders": {"columns": {"a@b": "amount"}}}, "files.orders.columns"),
        ({"orders": {"columns": {" a": "amount"}}}, "files.orders.columns"),
        (
            {"orders": {"columns": {"a": "amount", "b": "amount"}}},
            "files.orders.columns: amount has two columns",
        ),
        (
            {"consents": {"columns": {"at": "state"}}},
            "files.consents.columns: no column is left for at",
        ),
        ({"exports": {"columns": {}}}, "files.exports.columns"),
        ({"exports": {"columns": {"a": "street"}}}, "files.exports.columns.a"),
        ({"exports": {"columns": {"a": "==x"}}}, "files.exports.columns.a"),
        (
            {"exports": {"columns": {"a": "value"}}},
            "files.exports.columns: none of them has the code",
        ),
        ({"lists": {}}, "files.lists"),
    ],
)
def test_a_layout_that_cannot_be_meant_is_refused_with_its_field(
    files: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        campaign(files=files)
    assert problem in str(refused.value)
