"""A line that is recognised at once is the row that the checks make of it; any other goes there."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.files import orders as module
from chalicelib.domain.files.layouts import Layout
from chalicelib.domain.files.lines import plain_text
from chalicelib.domain.files.orders import COLUMNS, OrderRow, orders
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.files.usual_orders import usual_lines

DIGEST = "ab" * 32
LAYOUTS = [
    Layout(),
    Layout(delimiter=";", decimal=","),
    Layout(decimal=","),
    Layout(delimiter="|"),
    Layout(delimiter="\t", encoding="windows-1252"),
]
USUAL: dict[str, list[str]] = {
    "order_id": ["A-1", "FR/2026_17", "1E05", "9" * 64],
    "ordered_at": [
        "2026-05-04T18:21:07+02:00", "2026-01-31T00:00:00Z", "2024-02-28T23:59:59-14:00",
        "2026-04-30T10:00:00+00:00",
    ],
    "email_digest": [DIGEST],
    "voucher_code": ["", "WE-22222-22222-2222"],
    "amount": ["0.00", "42.50", "0000000007.05"],
    "currency": ["EUR"],
    "status": ["placed", "kept", "returned", "cancelled"],
}  # fmt: skip
# Good or bad, but not what nearly every row has.
OTHER: dict[str, list[str]] = {
    "order_id": ["", ".", "a b", "A@b.fr", "#1001", "9" * 65, "4.6E+11", "1E+05", "é", '"A,1"'],
    "ordered_at": [
        "2024-02-29T10:00:00Z", "2026-02-29T10:00:00Z", "2026-02-30T10:00:00Z",
        "2026-04-31T10:00:00Z", "2026-13-01T10:00Z",
        "2026-05-04", "2026-05-04T18:21:07", "2026-05-04T24:00:00Z", "0001-01-01T00:00:00+02:00",
        "2026-05-04T18:21:07.5+02:00", "2026-05-04T18:21:07+15:00", "2026-05-04 18:21:07+02:00",
    ],
    "email_digest": ["", "AB" * 32, "ab" * 31, "jeanne@example.fr"],
    "voucher_code": ["a b", "x" * 65, "a@b.fr", "é"],
    "amount": ["", "42", "42.5", "-1.00", "1.005", "1,50", "x", "12345678901.00", "1.2.3"],
    "currency": ["", "eur", "EURO"],
    "status": ["", "sent", "Placed"],
}  # fmt: skip


def read(content: bytes, layout: Layout, size: int) -> tuple[Any, ...]:
    tally = Tally()
    chunks = (content[start : start + size] for start in range(0, len(content), size))
    try:
        rows = list(orders(chunks, tally, layout))
    except FileRefusedError as error:
        return error.reason, error.line, error.detail
    return rows, tally


def checked(*arguments: Any) -> tuple[Any, ...]:
    """Read without recognising anything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "usual_lines", lambda *_: None)
        return read(*arguments)


def content_of(rows: list[list[str]], names: list[str], layout: Layout, end: str) -> bytes:
    lines = [layout.delimiter.join(names)]
    for row in rows:
        cells = dict(zip(COLUMNS, row, strict=True))
        cells["amount"] = layout.amount(cells["amount"])
        lines.append(layout.delimiter.join(cells[name] for name in names))
    return (end.join(lines) + end).encode("windows-1252" if "1252" in layout.encoding else "utf-8")


@pytest.mark.parametrize("seed", range(60))
def test_a_file_is_read_as_if_each_line_were_checked(seed: int) -> None:
    chance = Random(seed)
    layout = LAYOUTS[seed % len(LAYOUTS)]
    oddity = chance.choice([0.0, 0.02, 0.3])
    rows = []
    for _ in range(chance.randrange(80)):
        cells = [
            chance.choice(OTHER[name] if chance.random() < oddity else USUAL[name])
            for name in COLUMNS
        ]
        rows.append(cells)
    names = [*COLUMNS]
    if chance.random() < 0.5:
        chance.shuffle(names)
    end = chance.choice(["\n", "\r\n"])
    content = content_of(rows, names, layout, end)
    if chance.random() < 0.3:
        where = chance.randrange(len(content))
        odd = chance.choice([b"\n", b"\r", b'"', b"\0", b"\xff", b" ", b"x" * 5000])
        content = content[:where] + odd + content[where:]
    size = chance.choice([1, 50, 700, 100_000])
    assert read(content, layout, size) == checked(content, layout, size)


@pytest.mark.parametrize("blank", [b"\n", b" \r\n\n"])
def test_rows_keep_their_order_and_their_lines_after_blank_ones(blank: bytes) -> None:
    rows = [[USUAL[name][turn % len(USUAL[name])] for name in COLUMNS] for turn in range(20)]
    content = blank + content_of(rows, [*COLUMNS], Layout(), "\n")
    found, tally = read(content, Layout(), 300)
    first = blank.count(b"\n") + 2
    assert [line for line, _ in found] == [*range(first, first + 20)]
    assert (found, tally) == checked(content, Layout(), 300)


@given(st.data())
def test_whatever_is_recognised_is_good(data: st.DataObject) -> None:
    cells = {name: data.draw(st.sampled_from([*USUAL[name], *OTHER[name]])) for name in COLUMNS}
    text = ",".join(cells.values())
    usual = usual_lines(COLUMNS, Layout(), OrderRow._make)
    assert usual
    [found] = usual(text)
    if isinstance(found, OrderRow):
        assert found == module.parse_order(cells)
    else:
        assert found == text


def test_nearly_every_line_is_recognised() -> None:
    """Else the file is read right, and slowly."""
    for layout in LAYOUTS:
        if layout.decimal == layout.delimiter:
            continue
        usual = usual_lines(COLUMNS, layout, OrderRow._make)
        assert usual
        rows = [[USUAL[name][turn % len(USUAL[name])] for name in COLUMNS] for turn in range(12)]
        content = content_of(rows, [*COLUMNS], layout, "\r\n")
        text = plain_text(content.partition(b"\r\n")[2].removesuffix(b"\n"))
        assert text
        assert all(isinstance(one, OrderRow) for one in usual(text))


@pytest.mark.parametrize("block", [b'a\n"b"', b"a\n\0", "a\né".encode()])
def test_a_block_that_is_not_plain_is_no_text(block: bytes) -> None:
    assert plain_text(block) is None
