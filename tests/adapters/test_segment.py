import struct
import zlib
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.lists.segment import (
    BUCKET_RECORDS,
    HEADER_SIZE,
    SegmentError,
    SegmentHeader,
    bucket_of,
    directory_bits,
    directory_extent,
    parse_directory,
)
from chalicelib.domain.files.reading import FileRefusedError
from tests.reference.segments import build

RANDOM = Random(5)
RECORDS = [RANDOM.randbytes(16) for _ in range(5000)]


def test_the_header_is_the_published_64_bytes() -> None:
    content = build(RECORDS, algorithm="hmac_sha256", key_id="k1", generation=9).content
    bits, count = 3, len(RECORDS)
    directory = content[64 + 16 * count :]
    assert struct.unpack("<8sBBBBIQQQ16sQ", content[:64]) == (
        b"TDMLIST1",
        16,
        bits,
        2,
        1,
        zlib.crc32(directory),
        count,
        64,
        64 + 16 * count,
        b"k1".ljust(16, b"\0"),
        9,
    )
    assert len(directory) == 4 * (2**bits + 1)


def test_the_body_is_sorted_and_distinct() -> None:
    segment = build(RECORDS + RECORDS[:50], algorithm="sha256", key_id="k1", generation=1)
    body = segment.content[64 : segment.header.directory_offset]
    assert [body[i : i + 16] for i in range(0, len(body), 16)] == sorted(RECORDS)


def test_the_order_of_the_records_does_not_change_a_byte() -> None:
    one = build(RECORDS, algorithm="sha256", key_id="k1", generation=1)
    other = build(reversed(RECORDS), algorithm="sha256", key_id="k1", generation=1)
    assert one == other


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=40), st.integers(0, 2**64 - 1))
def test_what_is_built_is_what_the_header_says(records: list[bytes], generation: int) -> None:
    segment = build(records, algorithm="sha256", key_id="clé", generation=generation)
    header = SegmentHeader.parse(segment.content[:64])
    assert header == segment.header
    assert (header.count, header.key_id, header.generation) == (
        len(set(records)),
        "clé",
        generation,
    )
    assert directory_extent(header.count) == (header.directory_offset, len(segment.content))


def test_the_directory_bounds_every_bucket() -> None:
    segment = build(RECORDS, algorithm="sha256", key_id="k1", generation=1)
    header = segment.header
    directory = segment.content[header.directory_offset :]
    entries = parse_directory(directory, header.count, header.directory_crc)
    body = sorted(RECORDS)
    for bucket in range(8):
        members = body[entries[bucket] : entries[bucket + 1]]
        assert members == [r for r in body if r[0] >> 5 == bucket]
        assert {bucket_of(r, header.directory_bits) for r in members} == {bucket}


@pytest.mark.parametrize(
    ("count", "bits"),
    [(0, 0), (1, 0), (1024, 0), (1025, 1), (2048, 1), (2049, 2), (10**7, 14), (10**8, 17)],
)
def test_buckets_are_8_to_16_kilobytes_on_average(count: int, bits: int) -> None:
    assert directory_bits(count) == bits
    if count > BUCKET_RECORDS:
        assert 8 <= count * 16 / 2**bits / 1024 <= 16


def test_a_list_that_would_give_a_bucket_of_over_32_kilobytes_is_refused() -> None:
    even = [bytes([first]) + RANDOM.randbytes(15) for first in (0, 128) for _ in range(2048)]
    assert build(even, algorithm="sha256", key_id="k1", generation=1).header.directory_bits == 2
    with pytest.raises(FileRefusedError, match="uneven_digests"):
        build([*even, bytes(16)], algorithm="sha256", key_id="k1", generation=1)


def test_an_empty_list_is_a_segment() -> None:
    segment = build([], algorithm="sha256", key_id="k1", generation=1)
    assert len(segment.content) == 64 + 8
    crc = segment.header.directory_crc
    assert list(parse_directory(segment.content[64:], 0, crc)) == [0, 0]


@pytest.mark.parametrize("key_id", ["", "k" * 17, "é" * 9, "a\0b"])
def test_a_key_id_that_the_header_cannot_hold_is_refused(key_id: str) -> None:
    with pytest.raises(ValueError, match="key id"):
        build([], algorithm="sha256", key_id=key_id, generation=1)


@pytest.mark.parametrize("record", [b"", bytes(15), bytes(17)])
def test_a_record_of_another_length_is_refused(record: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        build([bytes(16), record], algorithm="sha256", key_id="k1", generation=1)


# Every byte of the header is checked by its reader, except for the two fields any value may have:
# the CRC (checked against the directory, below) and the generation.
GOOD = build(RECORDS, algorithm="sha256", key_id="k1", generation=1)
CHECKED = [*range(8), 8, 9, 10, 11, *range(16, 40)]


@pytest.mark.parametrize("at", CHECKED)
def test_a_damaged_header_is_an_error(at: int) -> None:
    damaged = bytearray(GOOD.content[:64])
    damaged[at] ^= 0x40
    with pytest.raises(SegmentError):
        SegmentHeader.parse(bytes(damaged))


@pytest.mark.parametrize("bits", [0, 2, 4, 24])
def test_a_header_with_a_directory_of_another_size_than_its_count_asks_for_is_an_error(
    bits: int,
) -> None:
    with pytest.raises(SegmentError, match="size"):
        SegmentHeader.parse(replace(GOOD.header, directory_bits=bits).pack())


def test_a_key_id_that_is_no_text_is_an_error() -> None:
    damaged = bytearray(GOOD.content[:64])
    damaged[40] = 0xFF
    with pytest.raises(SegmentError, match="key id"):
        SegmentHeader.parse(bytes(damaged))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_header_of_another_size_is_an_error(size: int) -> None:
    with pytest.raises(SegmentError, match="short header"):
        SegmentHeader.parse((GOOD.content * 2)[:size])


def test_any_bit_flipped_in_the_directory_is_an_error() -> None:
    directory = GOOD.content[GOOD.header.directory_offset :]
    for at in range(len(directory)):
        damaged = bytearray(directory)
        damaged[at] ^= 1
        with pytest.raises(SegmentError, match="CRC"):
            parse_directory(bytes(damaged), len(RECORDS), GOOD.header.directory_crc)


def test_a_directory_of_another_size_or_count_is_an_error() -> None:
    directory = GOOD.content[GOOD.header.directory_offset :]
    with pytest.raises(SegmentError, match="short"):
        parse_directory(directory[:-4], len(RECORDS), GOOD.header.directory_crc)
    other = bytes(len(directory))
    with pytest.raises(SegmentError, match="count"):
        parse_directory(other, len(RECORDS), zlib.crc32(other))


def test_the_header_takes_64_bytes() -> None:
    assert HEADER_SIZE == 64


def test_a_directory_fits_in_memory_whatever_a_header_says_of_its_list() -> None:
    for count in (1 << 35, 1 << 63):
        start, end = directory_extent(count)
        assert end - start == 4 * ((1 << 24) + 1)
