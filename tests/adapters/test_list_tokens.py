"""The fast reading of lists gives what the plain one gives, and what the csv module reads."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.lists.building.blocks import BLOCK, whole_lines
from chalicelib.adapters.lists.building.lines import Sieve
from chalicelib.adapters.lists.building.tokens import Tokeniser
from chalicelib.domain.files import digests as plain_reading
from chalicelib.domain.files.digests import Layout, ListReading, digests, record
from chalicelib.domain.files.reading import FileRefusedError, Tally

pytestmark = pytest.mark.slow

DIGESTS = [hashlib.sha256(bytes([n])).hexdigest() for n in range(40)]

Chunks = Iterable[bytes]


@dataclass
class Outcome:
    """The result of reading a list: its records sorted, its tally, and its refusal, if any."""

    records: list[bytes] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    refused: tuple[str, int, str] | None = None


def outcome(read: Callable[[Chunks, Tally], Iterator[bytes]], chunks: Chunks) -> Outcome:
    found = Outcome()
    try:
        for one in read(chunks, found.tally):
            found.records.append(one)
    except FileRefusedError as error:
        found.refused = (error.reason, error.line, error.detail)
        found.records.clear()
    found.records.sort()
    return found


def fast(block: int) -> Callable[[Chunks, Tally], Iterator[bytes]]:
    def read(chunks: Chunks, tally: Tally) -> Iterator[bytes]:
        for records in Tokeniser(ListReading(tally)).records(whole_lines(chunks, block)):
            content = records.tobytes()
            yield from (content[at : at + 16] for at in range(0, len(content), 16))

    return read


def cut(whole: bytes, size: int) -> list[bytes]:
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def same_either_way(chunks: list[bytes], block: int) -> Outcome:
    expected = outcome(digests, chunks)
    assert outcome(fast(block), chunks) == expected
    return expected


# --- dirty files ---

digest = st.sampled_from([*DIGESTS, *(one.upper() for one in DIGESTS[:5])])
quoted = digest.map('"{}"'.format)
dirt = st.sampled_from(
    [
        "", " ", "\t\x1c", "%40", "a&#64;b", "a&#X0040;", "&CommAt;", "a\uff20b", "\ufe6b", "a&b%",
        "\uff21", '""', '"', '"a,b"', '"a""b"', "x", "é", '"é"', "\u2028", "\x85", "\ufeff", "a\rb",
        "digest", "canonical_digest", DIGESTS[0][:-1] + " ", DIGESTS[0][:-1] + "g", DIGESTS[0][:40],
        DIGESTS[0][:12], DIGESTS[0] * 2, f' "{DIGESTS[0]}"', f'"{DIGESTS[0]}" ', f'"{DIGESTS[0]}',
        f"{DIGESTS[1][:-1]}é", f'"{DIGESTS[0]}""{DIGESTS[0]}"',
    ]
)  # fmt: skip
value = st.one_of(digest, digest, digest, quoted, quoted, dirt)
line_end = st.sampled_from(
    ["\n", "\n", "\n", "\r\n", "\r\n", "\r\r\n", "\n\n", "\n \n", "\r\n\r\n\r\r\n", "\n" * 9]
)
grave = st.sampled_from(
    [
        b"a@b.fr", b"\0", b"\xff", b"x" * 4097, b"x" * 4095, b'"\xff', b"\xc3", b"\xef\xbc\xa0",
        b" " * 4097, b" " * 4096, b"\n" + b"\r" * 4097, b"\n" + b" " * 4096 + b"\n", b"\n\0\n",
    ]
)  # fmt: skip
block_size = st.one_of(st.integers(1, 400), st.just(BLOCK))


@st.composite
def dirty_files(draw: st.DrawFn) -> bytes:
    """Mostly rows of one width, as many kinds of dirt as there are."""
    width = draw(st.integers(1, 3))
    good = st.lists(draw(st.sampled_from([digest, quoted])), min_size=width, max_size=width)
    beside = st.one_of(st.just("Lyon"), st.text('Lyé,"\r@', max_size=4))
    good = st.one_of(good, st.tuples(digest, beside)) if width == 2 else good
    any_row = st.lists(value, min_size=1, max_size=3)
    named = ["digest", "canonical_digest", "city"][:width]
    rows = draw(st.lists(st.one_of(good, good, good, any_row), max_size=30))
    if draw(st.booleans()):
        rows.insert(0, draw(st.permutations(named)))
    end = draw(line_end)
    ends = [end if draw(st.integers(0, 9)) else draw(line_end) for _ in rows]
    text = "".join(",".join(row) + at for row, at in zip(rows, ends, strict=True))
    whole = (draw(st.sampled_from(["", "", "\ufeff", "\n"])) + text).encode()
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(whole)))
        whole = whole[:at] + draw(grave) + whole[at:]
    return whole[: len(whole) - draw(st.sampled_from([0, 0, 1, 2, 30]))]


@settings(max_examples=250, deadline=None)
@given(dirty_files(), block_size, st.sampled_from([50, 1000]), st.sampled_from([1, 4, 1000]))
def test_a_dirty_list_gives_the_same_either_way(
    whole: bytes, block: int, chunk: int, tolerated: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_reading, "TOLERATED", tolerated)
        same_either_way(cut(whole, chunk), block)


@settings(deadline=None)
@given(dirty_files(), block_size)
def test_a_list_of_mostly_bad_lines_is_given_up_at_the_same_line_either_way(
    whole: bytes, block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_reading, "MAX_BAD_LINES", 2)
        same_either_way([whole], block)


@settings(deadline=None)
@given(dirty_files(), block_size, st.integers(1, 400))
def test_what_comes_before_damage_is_judged_first_either_way(
    whole: bytes, block: int, chunk: int
) -> None:
    class Damaged:
        def __iter__(self) -> Iterator[bytes]:
            yield from cut(whole, chunk)
            raise FileRefusedError("truncated_gzip")

    expected = outcome(digests, Damaged())
    assert outcome(fast(block), Damaged()) == expected
    assert expected.refused


@settings(deadline=None)
@given(
    st.lists(st.tuples(digest, st.one_of(digest, st.just("")), st.text("aé, \"';", max_size=5))),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    st.permutations([0, 1, 2]),
    block_size,
)
@example([(DIGESTS[0], "", "")] * 3, csv.QUOTE_ALL, "\r\n", [2, 1, 0], BLOCK)
def test_a_list_that_the_csv_module_wrote_is_read_as_it_reads_it(
    rows: list[tuple[str, str, str]], quoting: int, end: str, order: list[int], block: int
) -> None:
    names = ("digest", "canonical_digest", "city")
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerows([each[at] for at in order] for each in [names, *rows])
    found = same_either_way([written.getvalue().encode()], block)
    read_back = list(csv.DictReader(io.StringIO(written.getvalue(), newline="")))
    values = [row[name] for row in read_back for name in names[:2]]
    assert found.records == sorted(record(value) for value in values if value)
    assert found.tally == Tally(rows=len(rows))
    assert (found.refused is None) == bool(rows)


IN_PASSING = [
    b"Ly@n", b"Ly\0n", b"Ly\rn", b"Ly\xffn", b'Ly"n', b'"Lyo"', b'""""', b'"Ly"n', b'Ly"n"',
    b"Ly,n", b'"L,n"', b'"Lyn', b'Lyn"', b"\xc3\xa9\xc3", b"Ly\xc3\xa9", b"", b"x" * 4030,
    b"x" * 4031, b"x" * 4032, b'"Ly\r"', b'"Ly@"', b'"L\rn', b'"L""n"', b"\xe2\x80\xa8",
    b"\xef\xbb\xbf", b"a%40b", b"a&#64;b", b"a&#x40;b", b"a&commat;b", b"a\xef\xbc\xa0b",
    b"a\xef\xb9\xabb", b"a\xef\xbc\xa1b", b"L&M", b"100 %",
]  # fmt: skip


@pytest.mark.parametrize("city", IN_PASSING)
@pytest.mark.parametrize("every_row", [False, True])
@pytest.mark.parametrize("at_the_end", [False, True])
def test_other_fields_beside_a_digest_are_checked_either_way(
    city: bytes, every_row: bool, at_the_end: bool
) -> None:
    # In an otherwise good row among good rows: nothing else stops the fast path.
    cities = [city] * 20 if every_row else [b"Lyon"] * 9 + [city] + [b"Lyon"] * 10
    rows = list(zip([one.encode() for one in DIGESTS], cities, strict=False))
    names = [b"digest,city"] if at_the_end else [b"city,digest"]
    lines = [b",".join(row if at_the_end else row[::-1]) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_reading, "TOLERATED", 10)
        for end in (b"\n", b"\r\n"):
            same_either_way([end.join([*names, *lines, b""])], BLOCK)
            same_either_way([end.join([*names, *lines])], 300)


# --- regular lines must take the fast path, or the figures mean nothing ---


@pytest.mark.parametrize(
    ("layout", "line"),
    [
        (Layout(1, (0,)), DIGESTS[0]),
        (Layout(1, (0,)), DIGESTS[0].upper() + "\r"),
        (Layout(1, (0,)), f'"{DIGESTS[0]}"'),
        (Layout(2, (1, 0)), f'"{DIGESTS[0]}",{DIGESTS[1]}'),
        (Layout(3, (0, 1)), f'{DIGESTS[0]},,"Orléans"\r'),
        (Layout(3, (2,)), f'7,"",{DIGESTS[1]}'),
        (Layout(3, (1,)), f'"Orléans, Loiret","{DIGESTS[1]}","a,,b"\r'),
    ],
)
def test_a_plain_row_is_not_odd(layout: Layout, line: str) -> None:
    sieve = Sieve(f"{line}\n{line}\n".encode(), layout)
    assert list(sieve.odd()) == []
    assert (sieve.regular, sieve.lines) == (2, 2)
    assert len(sieve.records) == 2 * len([one for one in DIGESTS[:2] if one in line.lower()])


class CountingReading(ListReading):
    """Counts the lines that are read one by one."""

    taken = 0

    def read_line(self, number: int, raw: bytes) -> list[bytes]:
        self.taken += 1
        return super().read_line(number, raw)


def test_only_the_lines_that_are_odd_are_read_one_by_one() -> None:
    lines = [*DIGESTS * 50, "", *DIGESTS * 50, "\r", " \t", "\x1c", *DIGESTS * 100, "x"]
    reading = CountingReading(Tally())
    whole = "\n".join(["digest", *lines]).encode()
    found = sum(len(each) for each in Tokeniser(reading).records(whole_lines([whole], 10_000)))
    assert (found, reading.taken) == (8000, 2)


@pytest.mark.parametrize("blank", ["\n", "\r\n", " \n", "\t \r\n", "\x1d\n"])
@pytest.mark.parametrize("before", [0, 1, 20])
def test_blank_lines_are_counted_and_not_read_one_by_one(blank: str, before: int) -> None:
    reading = CountingReading(Tally())
    good = [f"{one}\n" for one in DIGESTS[: before + 1]]
    blanks = blank * 5000
    whole = "".join([*good[:before], blanks, "-\n", blanks, good[before], blanks]).encode()
    with pytest.raises(FileRefusedError, match="too_many_bad_lines"):
        list(Tokeniser(reading).records(whole_lines([whole], 3000)))
    assert reading.taken == 1 + (before > 0)  # the first line that is not blank, and the bad one
    assert [one.line for one in reading.tally.errors] == [before + 5001]
    assert reading.tally.rows == before + 2


@pytest.mark.parametrize("white", [" ", "\r", "\x1c"])
@pytest.mark.parametrize("first", ["", f"{DIGESTS[0]}\n"])
@pytest.mark.parametrize("length", [4095, 4096, 4097, 4098])
def test_a_blank_line_is_not_too_long_for_being_blank(white: str, first: str, length: int) -> None:
    whole = (first + "\n" * 30 + white * length + "\n\n" + f"{DIGESTS[1]}\n").encode()
    for block in (100, 5000, BLOCK):
        found = same_either_way([whole], block)
        too_long = ("line_too_long", 31 + bool(first), "")
        assert found.refused == (too_long if length > 4096 else None)


# --- cut, and damaged ---

DIALECTS = {
    "bare": ("", "{0}", "\n"),
    "with a header, quoted": ("digest\r\n", '"{0}"', "\r\n"),
    "both digests": ("digest,canonical_digest\n", "{0},{1}", "\n"),
    "other columns too": ("city,digest,canonical_digest\n", '"Orléans, Loiret",{0},', "\n"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("block", [1, 100, BLOCK])
def test_a_list_cut_at_any_byte_gives_the_same_either_way_and_no_digest_of_its_own(
    dialect: str, block: int
) -> None:
    header, row, end = DIALECTS[dialect]
    pairs = list(zip(DIGESTS[:20], DIGESTS[20:], strict=True))
    whole = (header + "".join(row.format(*pair) + end for pair in pairs)).encode()
    known = {record(one) for one in DIGESTS}
    accepted = []
    for at in range(len(whole) + 1):
        found = same_either_way([whole[:at]], block)
        if found.refused is None:
            accepted.append(whole[:at])
            assert set(found.records) <= known
            assert len(found.records) >= found.tally.rows == found.tally.accepted
    # The end of a row may be missing, but no part of a digest that has begun.
    assert len({len(each.split()) for each in accepted}) == 20
    assert all(re.search('[0-9a-f]{64}"?,?\r?\n?$', each.decode()) for each in accepted)
