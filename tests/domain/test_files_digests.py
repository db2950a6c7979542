import gzip
import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.files import digests as parsing
from chalicelib.domain.files.digests import digests, record
from chalicelib.domain.files.reading import MAX_CONTENT, FileRefusedError, Tally, content

DIGESTS = [hashlib.sha256(bytes([n])).hexdigest() for n in range(20)]
RECORDS = [bytes.fromhex(digest)[:16] for digest in DIGESTS]


def refused(text: str) -> tuple[FileRefusedError, Tally]:
    tally = Tally()
    with pytest.raises(FileRefusedError) as caught:
        list(digests([text.encode()], tally))
    return caught.value, tally


@pytest.mark.parametrize(
    "header",
    ["", "digest\n", '"digest"\r\n', "\ufeffdigest\n", "\n\ndigest\n", "Digest\n", "DIGEST \n"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_list_is_read_with_or_without_header_in_either_case(header: str, end: str) -> None:
    tally = Tally()
    mixed = [d.upper() if i % 2 else f'"{d}"' for i, d in enumerate(DIGESTS)]
    text = header + end.join(mixed)
    assert list(digests([text.encode()], tally)) == RECORDS
    assert (tally.rows, tally.accepted, tally.errors) == (20, 20, [])


def test_duplicates_are_left_to_the_builder() -> None:
    assert len(list(digests([f"{DIGESTS[0]}\n{DIGESTS[0]}\n".encode()], Tally()))) == 2


def test_a_record_is_the_first_16_bytes_of_either_case() -> None:
    assert record(DIGESTS[0].upper()) == record(DIGESTS[0]) == RECORDS[0]


@pytest.mark.parametrize("line", ["jeanne@example.fr", "jeanne@example.fr,2024", '"jeanne@'])
def test_one_plain_address_refuses_the_file_at_once_and_is_not_repeated(line: str) -> None:
    error, tally = refused(f"digest\n{DIGESTS[0]}\n{line}\n{DIGESTS[1]}\n")
    assert (error.reason, error.line) == ("plain_address", 3)
    assert "jeanne" not in repr((error, error.args, error.detail, tally))


@pytest.mark.parametrize(
    "at",
    [
        "\uff20", "\ufe6b", "%40", "&#64;", "&#0064;", "&#64", "&#x40;", "&#X40;", "&#x00040;",
        "&commat;", "&COMMAT;", "&commat",
    ],
)  # fmt: skip
@pytest.mark.parametrize("line", ["jeanne<at>example.fr", "{0},Jeanne <at>", '"{0}","<at>'])
def test_an_address_in_disguise_is_one(at: str, line: str) -> None:
    row = line.format(DIGESTS[1]).replace("<at>", at)
    for before in (["digest"], ["digest,city", f"{DIGESTS[0]},Lyon"]):
        error, tally = refused("\n".join([*before, row, DIGESTS[1]]))
        assert (error.reason, error.line) == ("plain_address", len(before) + 1)
        assert "jeanne" not in repr((error, error.args, error.detail, tally)).lower()


@pytest.mark.parametrize("city", ["%41", "100 %", "L&M", "&#640;", "&#x400;", "&#6", "\uff21", "é"])
def test_what_only_looks_like_an_address_in_disguise_is_none(city: str) -> None:
    text = f"digest,city\n{DIGESTS[0]},{city}\n"
    assert list(digests([text.encode()], Tally())) == RECORDS[:1]


# --- where the digests are ---

D = DIGESTS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("digest,canonical_digest\n{0},{1}\n{2},{3}", [0, 1, 2, 3]),
        ("canonical_digest,digest\n{0},{1}\n{2},{3}", [1, 0, 3, 2]),
        ('id,digest,city\n7,{0},Brest\n8,{1},"Lyon, 2e"', [0, 1]),
        ("digest,canonical_digest\n{0},\n{1},{2}", [0, 1, 2]),
        ("{0},{1}\n{2},{3}\n{4},", [0, 1, 2, 3, 4]),
        ("7,{0},x\n{5},{1},{6}\n", [0, 1]),  # by the first row: the second of three
        ("7,{0},{1}\n8,{2},\n", [0, 1, 2]),
        ("{0},\n{1},{2}\n", [0, 1, 2]),  # by the first row, which has no alias
        ("canonical_digest,digest\n,{0}\n", [0]),
        ("digest," + "x" * 64 + "\n{0},Lyon\n{1},Brest\n", [0, 1]),  # still a header
    ],
)
def test_the_first_line_gives_the_columns_with_digests(text: str, found: list[int]) -> None:
    tally = Tally()
    assert list(digests([text.format(*D).encode()], tally)) == [RECORDS[n] for n in found]
    assert tally.errors == []


@pytest.mark.parametrize(
    ("text", "reason", "line", "detail"),
    [
        ("\nJeanne\n{0}", "unknown_column", 2, "number 1"),
        ("canonical_digest\n{0}", "unknown_column", 1, "number 1"),
        ("name,Jeanne\n{0},{1}", "missing_column", 1, "digest"),
        ("digest,digest\n{0},{1}", "duplicate_column", 1, "digest"),
        (
            "digest,canonical_digest,canonical_digest\n",
            "duplicate_column",
            1,
            "canonical_digest",
        ),
        ("digest,Canonical_Digest\n{0},{1}", "unknown_column", 1, "number 2"),
        ("digest,city, canonical_digest\n{0},x,{1}", "unknown_column", 1, "number 3"),
        ("DIGEST,Canonical_Digest\n{0},{1}", "unknown_column", 1, "number 1, number 2"),
        ("Digest,city\n{0},x", "unknown_column", 1, "number 1"),
        ("digest,DIGEST\n{0},{1}", "unknown_column", 1, "number 2"),
        # A header of two, where each row has but one: not one row is good.
        ("digest,city\n{0}\n{1}", "too_many_bad_lines", 2, "2 of 2"),
        # No header, and the first row's quotes are wrong: the second gives the columns.
        ('"x\n{0},{1}\n{2}\n', "too_many_bad_lines", 1, "2 of 3"),
        # The first row has its digests elsewhere than the others.
        ("x y,{0}\n{1},z\n", "too_many_bad_lines", 2, "1 of 2"),
        # Where a row must have one, it may not be missing.
        ("{0},{1}\n,{2}\n", "too_many_bad_lines", 2, "1 of 2"),
        ("digest,canonical_digest\n,{2}\n", "too_many_bad_lines", 2, "1 of 1"),
    ],
)
def test_a_list_whose_digests_are_not_where_they_should_be_is_refused(
    text: str, reason: str, line: int, detail: str
) -> None:
    error, tally = refused(text.format(*D))
    assert (error.reason, error.line, error.detail) == (reason, line, detail)
    assert "Jeanne" not in repr((error, error.args, tally))


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        ("g" + "a" * 63, "not_hex"),
        ("x" * 60, "not_hex"),
        ("x" * 68, "not_hex"),
        (D[1] + " ", "not_hex"),
        ("0x" + D[1], "not_hex"),
    ],
)
@pytest.mark.parametrize("row", ["{good},{damaged}", "{damaged},{good}", "{damaged},{damaged}"])
def test_a_damaged_digest_in_the_first_row_costs_that_row_and_no_other(
    damaged: str, reason: str, row: str
) -> None:
    tally = Tally()
    rows = [row.format(good=D[0], damaged=damaged), *[f"{D[2]},{D[3]}"] * 1000]
    found = list(digests(["\n".join(rows).encode()], tally))
    assert found == RECORDS[2:4] * 1000
    assert (tally.rows, tally.rejected) == (1001, 1)
    assert [(one.line, one.reason) for one in tally.errors] == [(1, reason)]


@pytest.mark.parametrize("length", [60, 63, 65, 68])
def test_a_digest_of_another_length_beside_one_in_the_first_row_is_one_too_many(
    length: int,
) -> None:
    error, _ = refused("\n".join([f"{D[0]},{'a' * length}", *[f"{D[2]},{D[3]}"] * 2000]))
    assert (error.reason, error.line) == ("mixed_lengths", 1)


def test_a_field_with_a_line_break_costs_no_row_but_its_own() -> None:
    rows = [f'"Jean\nne",{D[0]}', *[f"Lyon,{D[1]}"] * 2000]
    tally = Tally()
    assert list(digests(["\n".join(["city,digest", *rows]).encode()], tally)) == RECORDS[1:2] * 2000
    assert [(one.line, one.reason) for one in tally.errors] == [
        (2, "bad_quotes"),
        (3, "bad_quotes"),
    ]


@pytest.mark.parametrize("city", ["x" * 59, "x" * 69])
def test_other_columns_are_ignored(city: str) -> None:
    rows = [f"{D[0]},{city}", f"{D[1]},{D[2]}"]
    assert list(digests(["\n".join(rows).encode()], Tally())) == RECORDS[:2]


# --- bad rows, and how many ---


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("", "empty_file", 0),
        ("\n \n", "empty_file", 0),
        ("digest\n", "empty_file", 0),
        ("a" * 40 + "\n" + "b" * 40, "wrong_length", 1),
        ("a" * 16, "wrong_length", 1),
        ("7,a\n8," + "a" * 40, "too_many_bad_lines", 1),  # the column is not known
        ("digest,x\n" + "a" * 40 + ",7", "wrong_length", 2),
        (D[0] + "\n" + "a" * 40, "mixed_lengths", 2),
        ("a" * 40 + "\n" + "b" * 32, "mixed_lengths", 1),
        (f"digest,canonical_digest\n{D[0]},{'a' * 40}", "mixed_lengths", 2),
        ("x\n" * 2 + D[0] + "\n" + "a" * 40, "unknown_column", 1),
        ("-\n" * 2 + D[0] + "\n" + "a" * 40, "mixed_lengths", 4),
        (D[0] + "\n" + "a" * 15, "too_many_bad_lines", 2),
    ],
)
def test_a_list_of_other_digests_or_none_is_refused_whole(
    text: str, reason: str, line: int
) -> None:
    error, _ = refused(text)
    assert (error.reason, error.line) == (reason, line)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("g" * 64, "not_hex"),
        (D[1][:-1] + " ", "not_hex"),
        ("0x" + D[1], "not_hex"),
        ("1.23457E+63", "digest_damaged"),
        ('"1,23457E+63"', "digest_damaged"),
        (f'{D[1]}"', "bad_quotes"),
        (D[0] + "\r" + D[1], "not_hex"),
        ("a" * 15, "not_hex"),
        ('""', "not_hex"),
        (f"{D[0]},{D[1]}", "wrong_number_of_fields"),
        (f'"{D[1]}', "bad_quotes"),
        (f'"{D[1]}" ', "bad_quotes"),
    ],
)
@pytest.mark.parametrize("good", [998, 999])
def test_one_bad_row_in_a_thousand_is_skipped_and_reported(
    row: str, reason: str, good: int
) -> None:
    tally = Tally()
    chunks = ["\n".join([*(D * 50)[:good], row]).encode()]
    if good == 999:
        assert len(list(digests(chunks, tally))) == 999
    else:
        with pytest.raises(FileRefusedError) as caught:
            list(digests(chunks, tally))
        assert (caught.value.reason, caught.value.line) == ("too_many_bad_lines", 999)
        assert caught.value.detail == "1 of 999"
    assert (tally.rows, tally.rejected) == (good + 1, 1)
    assert [(one.line, one.reason) for one in tally.errors] == [(good + 1, reason)]


@pytest.mark.parametrize("length", [16, 40, 63, 65, 128])
def test_one_digest_of_another_length_is_one_too_many(length: int) -> None:
    tally = Tally()
    chunks = ["\n".join([*D * 200, "a" * length, *D]).encode()]
    with pytest.raises(FileRefusedError) as caught:
        list(digests(chunks, tally))
    assert (caught.value.reason, caught.value.line) == ("mixed_lengths", 4001)
    assert (tally.rows, tally.rejected) == (4021, 1)


def test_a_row_with_one_bad_digest_gives_none() -> None:
    tally = Tally()
    rows = [f"{one},{one}" for one in D * 50] + [f"{D[0]},x", f"x y,{'g' * 64}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "TOLERATED", 100)
        assert len(list(digests(["\n".join(rows).encode()], tally))) == 2000
    assert [one.reason for one in tally.errors] == ["not_hex", "not_hex"]
    assert tally.rejected == 2


def test_every_bad_line_of_a_refused_list_is_reported() -> None:
    error, tally = refused("\n".join([*DIGESTS, "x" * 64, "", "y" * 64]))
    assert (error.reason, error.line, error.detail) == ("too_many_bad_lines", 21, "2 of 22")
    assert [(one.line, one.reason) for one in tally.errors] == [(21, "not_hex"), (23, "not_hex")]
    assert (tally.rows, tally.rejected) == (22, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "reason"), [("x" * 64, "too_many_bad_lines"), ("a" * 40, "wrong_length")]
)
def test_a_list_that_can_no_longer_pass_is_not_read_to_its_end(row: str, reason: str) -> None:
    taken = 0

    def rows() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(40):
            taken += 1
            yield f"{row}\n".encode() * 10_000

    tally = Tally()
    with pytest.raises(FileRefusedError, match=reason):
        list(digests(rows(), tally))
    assert tally.rejected == parsing.MAX_BAD_LINES + 1
    assert taken == parsing.MAX_BAD_LINES // 10_000 + 1
    # One fewer might have been tolerated in the largest accepted file.
    assert (
        parsing.MAX_BAD_LINES * 1000 * 65 <= MAX_CONTENT < (parsing.MAX_BAD_LINES + 1) * 1000 * 65
    )


def test_a_list_cut_at_any_byte_is_refused_or_ends_at_a_whole_line() -> None:
    whole = ("digest\r\n" + "\r\n".join(DIGESTS) + "\r\n").encode()
    accepted = 0
    for end in range(len(whole)):
        try:
            found = list(digests([whole[:end]], Tally()))
        except FileRefusedError:
            continue
        accepted += 1
        assert found == RECORDS[: len(found)]
        assert (end - 8) % 66 in (0, 64, 65)
    assert accepted == 20 * 3 - 1


# --- packed: all of it, or nothing ---


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("members", [1, 3])
def test_a_packed_list_cut_at_any_byte_is_refused(end: str, members: int) -> None:
    text = [f"{one}{end}".encode() for one in DIGESTS]
    parts = [b"".join(text[n::members]) for n in range(members)]
    packed = [gzip.compress(part, mtime=0) for part in parts]
    whole = b"".join(packed)
    ends = {len(b"".join(packed[:n])) for n in range(members + 1)}
    for at in range(len(whole) + 1):
        try:
            found = list(digests(content("a.csv.gz", [whole[:at]]), Tally()))
        except FileRefusedError:
            assert at not in ends or at == 0
        else:
            assert at in ends
            assert found == [
                record(line.decode().strip())
                for part in parts[: sorted(ends).index(at)]
                for line in part.splitlines()
            ]


def test_a_packed_list_with_any_bit_flipped_is_refused_or_the_same() -> None:
    packed = gzip.compress("\n".join(["digest", *DIGESTS]).encode(), mtime=0)
    unharmed = 0
    for bit in range(8 * len(packed)):
        damaged = bytearray(packed)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            found = list(digests(content("a.csv.gz", [bytes(damaged)]), Tally()))
        except FileRefusedError:
            continue
        assert found == RECORDS
        unharmed += 1
    # The time in the header, the system, how hard it was packed, the padding of the last byte.
    assert 0 < unharmed < 80


@given(st.lists(st.sampled_from([*DIGESTS[:3], "", "zz", "a@b", "digest", '"', ","]), max_size=6))
def test_any_lines_give_records_or_a_refusal(some: list[str]) -> None:
    tally = Tally()
    try:
        found = list(digests(["\n".join(some).encode()], tally))
    except FileRefusedError:
        return
    assert len(found) == tally.rows == tally.accepted > 0
