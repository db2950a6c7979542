import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, SupportsIndex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.files import reading
from chalicelib.domain.files.lines import lines
from chalicelib.domain.files.reading import (
    FileRefusedError,
    Tally,
    check_header,
    content,
    decompress,
    fields,
    records,
)


def cut(whole: bytes, size: int) -> list[bytes]:
    return [whole[i : i + size] for i in range(0, len(whole), size)]


def refusal(chunks: Iterable[object]) -> tuple[str, int]:
    with pytest.raises(FileRefusedError) as caught:
        list(chunks)
    return caught.value.reason, caught.value.line


# --- gzip ---

NOISE = Random(7).randbytes(300_000)


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
def test_members_padding_and_any_chunking_decompress_to_the_same_bytes(size: int) -> None:
    packed = gzip.compress(b"first\n") + gzip.compress(b"") + gzip.compress(b"second\n") + b"\0" * 9
    assert b"".join(decompress(cut(packed, size))) == b"first\nsecond\n"


def test_a_file_that_swells_is_decompressed_in_pieces() -> None:
    packed = gzip.compress(bytes(12_000_000) + NOISE)
    pieces = list(decompress([packed]))
    assert b"".join(pieces) == bytes(12_000_000) + NOISE
    assert max(map(len, pieces)) <= 1 << 20


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_a_file_that_swells_beyond_all_measure_is_refused_soon(size: int) -> None:
    seen: list[int] = []
    packed = cut(gzip.compress(bytes(50_000_000)), size)
    with pytest.raises(FileRefusedError, match="unpacks_too_far"):
        seen.extend(map(len, decompress(packed)))
    assert reading.RATIO_FROM - (1 << 20) < sum(seen) <= reading.RATIO_FROM


def test_members_swell_together() -> None:
    bomb = gzip.compress(bytes(8 << 20))
    assert len(b"".join(decompress([bomb] * 2))) == 16 << 20
    assert refusal(decompress([bomb] * 2 + [gzip.compress(b"x")])) == ("unpacks_too_far", 0)
    # What swells less makes up for what swells more.
    assert len(b"".join(decompress([gzip.compress(NOISE), bomb, bomb, bomb]))) > 24 << 20


def test_a_large_chunk_is_not_copied_repeatedly() -> None:
    class Counted(bytes):
        """Counts what is sliced out of it."""

        taken = 0

        def __getitem__(self, key: SupportsIndex | slice, /) -> Any:
            part = super().__getitem__(key)
            Counted.taken += len(part) if isinstance(part, bytes) else 1
            return part

    packed = Counted(gzip.compress(NOISE * 10))
    assert b"".join(decompress([packed])) == NOISE * 10
    assert Counted.taken == len(packed)


def test_a_bomb_is_refused_before_it_is_decompressed() -> None:
    seen: list[int] = []
    with pytest.raises(FileRefusedError, match="too_large"):
        seen.extend(map(len, decompress([gzip.compress(bytes(50_000_000))], limit=3_000_000)))
    assert 0 < sum(seen) <= 3_000_000


@pytest.mark.slow
def test_members_that_hold_nothing_are_no_pieces() -> None:
    empty = gzip.compress(b"", mtime=0)
    packed = gzip.compress(b"x") + empty * (2_000_000 // len(empty)) + gzip.compress(b"y")
    assert list(decompress([packed])) == [b"x", b"y"]


def test_what_unpacks_to_nothing_is_too_large_all_the_same() -> None:
    empty = gzip.compress(b"", mtime=0)
    taken: list[bytes] = []

    def members() -> Iterator[bytes]:
        for _ in range(1000):
            taken.append(empty)
            yield empty

    assert refusal(decompress(members(), limit=100 * len(empty))) == ("too_large", 0)
    assert len(taken) == 101


def test_a_gzip_file_cut_anywhere_is_refused() -> None:
    packed = gzip.compress(b"digest\n" + bytes(range(200)))
    for end in range(2, len(packed)):
        assert refusal(content("a.csv.gz", [packed[:end]])) == ("truncated_gzip", 0)
        # The members before it do not make it whole.
        assert refusal(content("a.csv.gz", [packed + packed[:end]])) == ("truncated_gzip", 0)


def test_a_gzip_file_with_a_flipped_bit_is_refused() -> None:
    packed = bytearray(gzip.compress(NOISE))
    packed[len(packed) // 2] ^= 1
    assert refusal(content("a.csv.gz", [bytes(packed)])) == ("corrupt_gzip", 0)


def test_bytes_after_the_last_member_are_refused() -> None:
    assert refusal(decompress([gzip.compress(b"x") + b"junk"])) == ("corrupt_gzip", 0)


@pytest.mark.parametrize(
    ("name", "head", "reason"),
    [
        ("a.csv.gz", b"digest\n", "not_gzip"),
        ("a.csv.gz", b"\x1f", "not_gzip"),
        ("a.csv", gzip.compress(b"x", mtime=0), "gzip_not_named_gz"),
    ],
)
def test_name_and_first_bytes_must_agree(name: str, head: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason):
        content(name, cut(head, 1))


def test_plain_content_passes_and_is_limited_too() -> None:
    assert b"".join(content("a.csv", [b"", b"dig", b"est\n"])) == b"digest\n"
    assert list(content("a.csv", [])) == list(content("a.csv.gz", [])) == []
    assert refusal(content("a.csv", [b"abcd"], limit=3)) == ("too_large", 0)


@given(st.binary(max_size=300))
def test_any_bytes_named_gz_decompress_or_are_refused(noise: bytes) -> None:
    packed = b"\x1f\x8b\x08" + noise
    try:
        expected = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error):
        assert refusal(content("a.csv.gz", [packed]))[0] in ("corrupt_gzip", "truncated_gzip")
    else:
        assert b"".join(content("a.csv.gz", [packed])) == expected


def test_a_raw_deflate_stream_is_not_gzip() -> None:
    with pytest.raises(FileRefusedError, match="not_gzip"):
        content("a.csv.gz", [zlib.compress(b"x")])


# --- lines ---


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_lines_are_numbered_and_blank_ones_only_counted(size: int) -> None:
    text = "\ufeffun\r\n\r\n  \ndeux é\ntrois".encode()
    assert list(lines(cut(text, size))) == [(1, "un"), (4, "deux é"), (5, "trois")]


@pytest.mark.parametrize(
    ("raw", "refused"),
    [
        ("digest\n".encode("utf-16"), ("utf16", 1)),
        ("digest\n".encode("utf-16-le"), ("utf16", 1)),
        ("digest\n".encode("utf-16-be"), ("utf16", 1)),
        (b"a\nb\0c\n", ("nul_character", 2)),
        (b"a\n\n\xe9t\xe9\n", ("not_utf8", 3)),
        (b"a\n" + b"b" * 4097 + b"\n", ("line_too_long", 2)),
        (b"a\n" + b"b" * 9000, ("line_too_long", 2)),
    ],
)
@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_unreadable_bytes_refuse_the_file_with_the_line(
    raw: bytes, refused: tuple[str, int], size: int
) -> None:
    assert refusal(lines(cut(raw, size))) == refused


def test_a_line_of_the_greatest_length_is_read() -> None:
    assert list(lines([b"b" * reading.MAX_LINE + b"\n"])) == [(1, "b" * reading.MAX_LINE)]


def test_a_line_too_long_is_refused_before_it_is_read_to_its_end() -> None:
    taken = 0

    def one_line() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x" * 1000

    assert refusal(lines(one_line())) == ("line_too_long", 1)
    assert taken < 10


@given(
    st.lists(st.sampled_from(["\ufeff", "a", "é", "\r", "\n", "abcdefg"]), max_size=9),
    st.integers(1, 9),
)
def test_where_the_chunks_are_cut_changes_neither_the_lines_nor_the_refusal(
    parts: list[str], size: int
) -> None:
    def outcome(chunks: list[bytes]) -> object:
        try:
            return list(lines(chunks))
        except FileRefusedError as error:
            return error.args, error.line

    whole = "".join(parts).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "MAX_LINE", 8)
        assert outcome(cut(whole, size)) == outcome([whole + b"\n"])


# --- fields ---

FIELD = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(FIELD, min_size=1, max_size=5))
def test_what_the_csv_module_writes_is_read_back(row: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(row)
    assert fields(written.getvalue()) == row


@given(st.text(st.sampled_from('a",;\r '), min_size=1, max_size=12))
def test_fields_are_those_of_the_csv_module_where_quotes_stand_around_whole_fields(
    line: str,
) -> None:
    try:
        (expected,) = csv.reader([line], strict=True)
    except csv.Error:
        expected = None
    found = fields(line)
    if '"' not in line:
        assert found == line.split(",")
    elif found is None and expected is not None:
        # The csv module takes a quote within an unquoted field as a character of it, and drops a
        # CR at the end of the text.
        assert any('"' in value for value in expected) or line.endswith("\r")
    else:
        assert found == expected


@pytest.mark.parametrize("line", ['"open', 'a,"open', '"a"b', 'a"', '10"10,x', 'a,b"c"', ' "a"'])
def test_wrong_quotes_are_no_fields(line: str) -> None:
    assert fields(line) is None


# --- records ---


def of_width(width: int, *given_lines: str) -> list[tuple[int, list[str] | None]]:
    return list(records(enumerate(given_lines, 1), width))


@pytest.mark.parametrize(
    "broken",
    [
        ['"F6', '19",x'],
        ['x,"F6', '19"'],
        ['"F6', "", "7", '19",x'],
        ['"F6', 'x"', '"y",z'],  # closed by its second line: the third is another record
        ['"F6,1', '2""3",x'],
        ['x,"', '"'],
    ],
)
def test_a_record_of_several_lines_is_one_bad_record(broken: list[str]) -> None:
    found = of_width(2, "a,b", *broken, "c,d")
    assert found[0] == (1, ["a", "b"])
    assert found[1] == (2, None)
    rest = ['"y",z'] if broken[-1] == '"y",z' else []
    assert [values for _, values in found[2:]] == [*map(fields, rest), ["c", "d"]]


def test_a_quote_left_open_costs_its_own_line_alone() -> None:
    assert of_width(2, '"open,b', "c,d", 'e,"f"', "g,h") == [
        (1, None),
        (2, ["c", "d"]),
        (3, ["e", "f"]),
        (4, ["g", "h"]),
    ]


def test_two_quotes_left_open_do_not_swallow_the_records_between_them() -> None:
    assert of_width(2, '"open,b', "c,d", 'e"', "g,h") == [
        (1, None),
        (2, ["c", "d"]),
        (3, None),
        (4, ["g", "h"]),
    ]


@pytest.mark.parametrize("between", [reading.MAX_RECORD_LINES - 2, reading.MAX_RECORD_LINES - 1])
def test_a_record_has_so_many_lines_at_most(between: int) -> None:
    found = of_width(1, '"open', *["x"] * between, 'y"', "z")
    is_whole = between < reading.MAX_RECORD_LINES - 1
    assert [number for number, _ in found] == ([1, between + 3] if is_whole else [*range(1, 13)])
    assert found[-1] == (between + 3, ["z"])


@pytest.mark.parametrize("length", [reading.MAX_LINE - 6, reading.MAX_LINE])
def test_a_record_has_so_many_characters_at_most(length: int) -> None:
    found = of_width(1, '"open', "x" * length, 'y"', "z")
    assert [number for number, _ in found] == (
        [1, 4] if length < reading.MAX_LINE else [1, 2, 3, 4]
    )


@given(st.lists(st.text('a",', max_size=5), min_size=1, max_size=25), st.integers(1, 3))
def test_every_line_is_in_one_record(given_lines: list[str], width: int) -> None:
    found = of_width(width, *given_lines)
    starts = [number for number, _ in found]
    assert starts == sorted(set(starts))
    ends = [*starts[1:], len(given_lines) + 1]
    for (start, values), end in zip(found, ends, strict=True):
        lines_of_record = given_lines[start - 1 : end - 1]
        if len(lines_of_record) == 1:
            assert values == fields(lines_of_record[0])
        else:
            assert values is None
            (whole,) = csv.reader(["\n".join(lines_of_record)], strict=True)
            assert any("\n" in value for value in whole)


# --- headers and counts ---


def test_the_problems_of_the_first_thousand_voucher_codes_are_kept() -> None:
    tally = Tally(rows=1200)
    for line in range(1200):
        tally.note_voucher(line, "unknown")
    assert tally.vouchers == [(line, "unknown") for line in range(1000)]


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["code", "reason", "remarks"], "unknown_column: remarks"),
        (["code", "Reason"], "unknown_column: Reason"),
        (["code", "jeanne@example.fr"], "unknown_column: number 2"),
        (["code", "code", "reason"], "duplicate_column: code"),
        (["code"], "missing_column: reason"),
        (["jeanne"], "unknown_column: number 1"),
        (["jeanne", "martin"], "missing_column: code, reason"),
        ([], "missing_column: code, reason"),
    ],
)
def test_a_wrong_header_names_the_columns_and_never_content(names: list[str], problem: str) -> None:
    with pytest.raises(FileRefusedError) as caught:
        check_header(names, ["code", "reason"], 1)
    assert str(caught.value) == problem


def test_a_header_may_be_in_any_order() -> None:
    check_header(["reason", "code"], ["code", "reason"], 1)


def test_the_first_thousand_problems_are_kept_and_all_are_counted() -> None:
    tally = Tally(rows=2000)
    for line in range(1500):
        tally.reject(line, "first", "second")
    assert len(tally.errors) == 1000
    assert (tally.rejected, tally.accepted) == (1500, 500)
