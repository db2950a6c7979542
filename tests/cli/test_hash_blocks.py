"""A file is cut after rows only, whatever is quoted: its blocks read alone are the file."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli.errors import CommandError
from cli.hashing import blocks
from cli.hashing.blocks import Layout, table

ANYTHING = st.text(st.sampled_from('ab@"",;\t\r\n é'), max_size=120)
FIELDS = st.text(st.sampled_from('a@",\r\n'), max_size=6)


def rows(texts: list[str], delimiter: str) -> tuple[list[list[str]], str | None]:
    """The rows of texts read one after the other, and the error that ended them."""
    read: list[list[str]] = []
    for text in texts:
        try:
            lines = io.StringIO(text, newline="")
            for row in csv.reader(lines, delimiter=delimiter, strict=True):
                read += [row] if row else []
        except csv.Error as error:
            return read, str(error)
    return read, None


def cut(content: str, size: int, delimiter: str) -> list[str]:
    cut_there = blocks._blocks(b"", io.BytesIO(content.encode()), delimiter, size)
    return [block.decode() for block in cut_there]


@settings(max_examples=600)
@given(ANYTHING, st.integers(1, 40), st.sampled_from(blocks.DELIMITERS))
@example('a"b,1\n"x\ny",2\n"z\n",3\n', 8, ",")
@example('"a,""\n,"",b\nc', 3, ",")
@example('"a""', 1, ",")
@example("a\r\nb\rc\r\n", 2, ",")
def test_blocks_read_one_by_one_are_the_file_read_whole(
    content: str, size: int, delimiter: str
) -> None:
    assert rows(cut(content, size, delimiter), delimiter) == rows([content], delimiter)


@given(st.lists(st.lists(FIELDS, min_size=2, max_size=3), min_size=9, max_size=20))
def test_good_rows_come_in_blocks_of_about_the_size_asked_for(table_of: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table_of)
    cut_there = cut(text.getvalue(), 64, ",")
    assert "".join(cut_there) == text.getvalue()
    assert all(len(block) <= 64 + 3 * 18 + 2 for block in cut_there)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_each_line_end_ends_a_row(line_end: str) -> None:
    rows_of = [f"{number},a{number}@example.fr" for number in range(100)]
    cut_there = cut(line_end.join(rows_of), 200, ",")
    assert len(cut_there) > 8
    assert all(block.startswith(tuple("123456789")) for block in cut_there[1:])


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_the_first_line_gives_the_layout(line_end: bytes) -> None:
    first = b"\xef\xbb\xbf" + '"né;e";email;town'.encode()
    layout, rest = table(io.BytesIO(first + line_end + b"1;a@example.fr;Lyon"), "email")
    assert (layout, list(rest)) == (Layout(";", 1), [b"1;a@example.fr;Lyon"])


def test_the_first_line_is_not_shown_when_it_has_no_such_column() -> None:
    with pytest.raises(CommandError, match=r"^no column named email in the first line$"):
        table(io.BytesIO(b"jeanne@example.fr\npaul@example.fr\n"), "email")


def test_a_row_that_does_not_end_is_refused_before_memory_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks, "LONGEST_ROW", 16 * 1024)
    source = io.BytesIO(b'1,a@example.fr\n2,"' + b"x\n" * 40_000)
    cut_there = blocks._blocks(b"", source, ",", 1024)
    assert next(cut_there) == b"1,a@example.fr\n"
    with pytest.raises(CommandError, match=r"^line 3: this row does not end"):
        next(cut_there)
    assert source.tell() < 20 * 1024
