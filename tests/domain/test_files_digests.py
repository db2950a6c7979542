import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.files.digests import digests, record
from chalicelib.domain.files.reading import FileRefusedError, Tally

DIGESTS = [hashlib.sha256(bytes([n])).hexdigest() for n in range(20)]
RECORDS = [bytes.fromhex(digest)[:16] for digest in DIGESTS]


def refused(text: str) -> tuple[FileRefusedError, Tally]:
    tally = Tally()
    with pytest.raises(FileRefusedError) as caught:
        list(digests([text.encode()], tally))
    return caught.value, tally


@pytest.mark.parametrize(
    "header", ["", "digest\n", '"digest"\r\n', "\ufeffdigest\n", "\n\ndigest\n"]
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
    ("text", "reason", "line"),
    [
        ("", "empty_file", 0),
        ("\n \n", "empty_file", 0),
        ("digest\n", "empty_file", 0),
        ("Digest\n" + DIGESTS[0], "unknown_column", 1),
        ("a" * 40 + "\n" + "b" * 40, "wrong_length", 1),
        (DIGESTS[0] + "\n" + "a" * 40, "mixed_lengths", 2),
        ("a" * 40 + "\n" + "b" * 32, "mixed_lengths", 1),
        (DIGESTS[0] + "\n" + "g" * 64, "not_hex", 2),
        ("g" * 64, "not_hex", 1),
        (DIGESTS[0] + "\n" + DIGESTS[1][:-1] + " ", "not_hex", 2),
        (DIGESTS[0] + "\n0x" + DIGESTS[1], "not_hex", 2),
        (f"{DIGESTS[0]},{DIGESTS[1]}", "wrong_number_of_fields", 1),
        (f'{DIGESTS[0]}\n"{DIGESTS[1]}', "bad_quotes", 2),
        (DIGESTS[0] + "\r" + DIGESTS[1], "not_hex", 1),
    ],
)
def test_a_list_with_anything_but_digests_is_refused_whole(
    text: str, reason: str, line: int
) -> None:
    error, _ = refused(text)
    assert (error.reason, error.line) == (reason, line)


def test_every_bad_line_of_a_refused_list_is_told() -> None:
    error, tally = refused("\n".join([*DIGESTS, "x" * 64, "", "y" * 64]))
    assert error.reason == "not_hex"
    assert [(one.line, one.reason) for one in tally.errors] == [(21, "not_hex"), (23, "not_hex")]
    assert (tally.rows, tally.rejected) == (22, 2)


def test_a_list_cut_at_any_byte_is_refused_or_ends_at_a_whole_line() -> None:
    whole = ("digest\r\n" + "\r\n".join(DIGESTS) + "\r\n").encode()
    for end in range(len(whole)):
        try:
            found = list(digests([whole[:end]], Tally()))
        except FileRefusedError:
            continue
        assert found == RECORDS[: len(found)]
        assert (end - 8) % 66 in (0, 64, 65)


@given(st.lists(st.sampled_from([*DIGESTS[:3], "", "zz", "a@b", "digest", '"', ","]), max_size=6))
def test_any_lines_give_records_or_a_refusal(some: list[str]) -> None:
    tally = Tally()
    try:
        found = list(digests(["\n".join(some).encode()], tally))
    except FileRefusedError:
        return
    assert len(found) == tally.rows == tally.accepted > 0
