import zlib
from array import array
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest

from chalicelib.adapters.lists.reader import SegmentGoneError, SegmentReader, SegmentRef
from chalicelib.adapters.lists.segment import HEADER_SIZE, SegmentError, bucket_of
from tests.reference.segments import Segment, build

RANDOM = Random(11)
RECORDS = [RANDOM.randbytes(16) for _ in range(20_000)]
ABSENT = [RANDOM.randbytes(16) for _ in range(20_000)]
SEGMENT = build(RECORDS, algorithm="hmac_sha256", key_id="k1", generation=1)
REF = SegmentRef("lists/1", "etag-1", SEGMENT.header.count, SEGMENT.header.directory_crc, "k1")


@dataclass
class Bucket:
    """Ranged, conditional GETs on objects in memory, each one written down."""

    objects: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    gets: list[int] = field(default_factory=list)

    def fetch(self, key: str, start: int, end: int, etag: str) -> bytes:
        self.gets.append(end - start)
        held, content = self.objects.get(key, ("", b""))
        if held != etag:
            raise SegmentGoneError(key)
        return content[start:end]


def holding(segment: Segment, content: bytes | None = None) -> tuple[SegmentReader, Bucket]:
    bucket = Bucket({REF.key: (REF.etag, segment.content if content is None else content)})
    return SegmentReader(bucket.fetch), bucket


def to(segment: Segment) -> SegmentRef:
    """What the pointer to it says, where `REF` lies."""
    header = segment.header
    return replace(REF, rows=header.count, directory_crc=header.directory_crc)


def test_every_record_is_found_and_no_other() -> None:
    reader, _ = holding(SEGMENT)
    assert all(reader.find(REF, [record]) == record for record in RECORDS)
    assert not any(reader.find(REF, [record]) for record in ABSENT)


def test_the_edges_of_the_list_are_found() -> None:
    edges = [bytes(16), b"\xff" * 16]
    segment = build(edges + RECORDS, algorithm="sha256", key_id="k1", generation=1)
    reader, _ = holding(segment)
    assert [reader.find(to(segment), [edge]) for edge in edges] == edges


def test_a_cold_look_up_takes_two_gets_and_a_warm_one_takes_one_of_at_most_32_kilobytes() -> None:
    reader, bucket = holding(SEGMENT)
    reader.find(REF, RECORDS[:1])
    assert len(bucket.gets) == 2
    for record in RECORDS[1:300] + ABSENT[:300]:
        bucket.gets.clear()
        reader.find(REF, [record])
        assert len(bucket.gets) == 1
        assert bucket.gets[0] <= 32 * 1024


def test_both_digests_of_an_address_take_as_few_gets_as_possible() -> None:
    reader, bucket = holding(SEGMENT)
    one = RECORDS[0]
    bits = SEGMENT.header.directory_bits
    absent = next(r for r in ABSENT if bucket_of(r, bits) == bucket_of(one, bits))
    other = next(r for r in RECORDS if bucket_of(r, bits) != bucket_of(one, bits))
    for pair, found, gets in [
        ((one, one), one, 1),
        ((one, absent), one, 1),
        ((absent, one), one, 1),  # they share a bucket
        ((one, other), one, 1),  # found by the first one
        ((absent, other), other, 2),
        ((other, one), other, 1),
    ]:
        cold, cold_bucket = holding(SEGMENT)
        assert cold.find(REF, pair) == found
        assert len(cold_bucket.gets) == gets + 1
        reader.find(REF, RECORDS[:1])
        bucket.gets.clear()
        assert reader.find(REF, pair) == found
        assert len(bucket.gets) == gets


def test_a_cold_look_up_of_an_address_on_no_list_takes_three_gets_and_a_warm_one_two() -> None:
    bits = SEGMENT.header.directory_bits
    exact = ABSENT[0]
    alias = next(r for r in ABSENT if bucket_of(r, bits) != bucket_of(exact, bits))
    reader, bucket = holding(SEGMENT)
    assert reader.find(REF, [exact, alias]) is None
    assert len(bucket.gets) == 3
    assert reader.find(REF, [exact, alias]) is None
    assert len(bucket.gets) == 5
    assert max(bucket.gets) <= 32 * 1024


def test_nothing_is_on_an_empty_list() -> None:
    empty = build([], algorithm="sha256", key_id="k1", generation=1)
    reader, bucket = holding(empty)
    assert reader.find(to(empty), ABSENT[:2]) is None
    assert len(bucket.gets) == 1


def test_directories_are_kept_for_the_lists_used_last() -> None:
    bucket = Bucket({f"lists/{n}": ("e", SEGMENT.content) for n in range(5)})
    reader = SegmentReader(bucket.fetch, kept=2)
    for n, gets in [(0, 2), (1, 2), (0, 1), (2, 2), (0, 1), (1, 2)]:
        bucket.gets.clear()
        reader.find(replace(REF, key=f"lists/{n}", etag="e"), RECORDS[:1])
        assert len(bucket.gets) == gets


# --- law 3: a failed look-up is unknown, never "absent" ---


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": SEGMENT.header.count - 1},
        {"rows": SEGMENT.header.count + 1},
        {"rows": 0},
        {"rows": 2 * SEGMENT.header.count},
        {"directory_crc": SEGMENT.header.directory_crc ^ 1},
        {"directory_crc": 0},
    ],
)
def test_law_3_a_list_that_is_not_what_its_pointer_says_is_an_error(wrong: dict[str, int]) -> None:
    reader, _ = holding(SEGMENT)
    for _ in range(2):  # the directory of the right one is no help
        with pytest.raises(SegmentError):
            reader.find(replace(REF, **wrong), ABSENT[:1])  # type: ignore[arg-type]
        reader.find(REF, RECORDS[:1])


def test_a_pointer_without_a_crc_takes_it_from_the_header_once() -> None:
    """As 0.1.0 stored pointers."""
    reader, bucket = holding(SEGMENT)
    without = replace(REF, directory_crc=None)
    assert reader.find(without, RECORDS[:1]) == RECORDS[0]
    assert bucket.gets[0] == HEADER_SIZE
    assert len(bucket.gets) == 3
    assert not any(reader.find(without, [record]) for record in ABSENT[:50])
    assert len(bucket.gets) == 53


@pytest.mark.parametrize(
    "wrong",
    [
        {"directory_bits": SEGMENT.header.directory_bits + 1},
        {"directory_crc": SEGMENT.header.directory_crc ^ 1},
        {"count": SEGMENT.header.count - 1},
        {"key_id": "k2"},
    ],
    ids=str,
)
def test_law_3_a_header_that_is_not_what_the_pointer_says_is_an_error(wrong: Any) -> None:
    header = replace(SEGMENT.header, **wrong)
    reader, _ = holding(SEGMENT, header.pack() + SEGMENT.content[HEADER_SIZE:])
    with pytest.raises(SegmentError):
        reader.find(replace(REF, directory_crc=None), ABSENT[:1])


@pytest.mark.parametrize("end", [0, 1, HEADER_SIZE - 1, HEADER_SIZE])
def test_law_3_a_header_cut_short_is_an_error(end: int) -> None:
    reader, _ = holding(SEGMENT, SEGMENT.content[:end])
    with pytest.raises(SegmentError):
        reader.find(replace(REF, directory_crc=None), ABSENT[:1])


def test_law_3_a_directory_that_does_not_begin_or_end_as_it_must_is_an_error() -> None:
    start = SEGMENT.header.directory_offset
    for at, entry in [(0, 1), (-1, SEGMENT.header.count - 1), (-1, SEGMENT.header.count + 1)]:
        entries = array("I", SEGMENT.content[start:])
        entries[at] = entry
        reader, _ = holding(SEGMENT, SEGMENT.content[:start] + entries.tobytes())
        ref = replace(REF, directory_crc=zlib.crc32(entries))
        with pytest.raises(SegmentError, match="disagrees with the count"):
            reader.find(ref, ABSENT[:1])


def test_law_3_a_replaced_or_missing_list_is_distinguished_from_damage() -> None:
    reader, bucket = holding(SEGMENT)
    reader.find(REF, RECORDS[:1])
    bucket.objects[REF.key] = ("etag-2", SEGMENT.content)
    with pytest.raises(SegmentGoneError):
        reader.find(REF, RECORDS[:1])
    del bucket.objects[REF.key]
    with pytest.raises(SegmentGoneError):
        reader.find(REF, RECORDS[:1])


def test_law_3_a_list_cut_at_any_place_is_an_error() -> None:
    small = build(RECORDS[:30], algorithm="sha256", key_id="k1", generation=1)
    for end in range(len(small.content)):
        reader, _ = holding(small, small.content[:end])
        with pytest.raises(SegmentError):
            reader.find(to(small), ABSENT[:1])


def test_law_3_a_short_bucket_is_an_error_though_the_directory_is_known() -> None:
    reader, bucket = holding(SEGMENT)
    reader.find(REF, RECORDS[:1])
    bucket.objects[REF.key] = (REF.etag, SEGMENT.content[:100])
    with pytest.raises(SegmentError, match="short"):
        reader.find(REF, [max(RECORDS)])


def test_law_3_records_of_another_bucket_are_an_error() -> None:
    """One behind the bucket's own, or one before them."""
    start, end = HEADER_SIZE, SEGMENT.header.directory_offset
    records = SEGMENT.content[start:end]
    bits = SEGMENT.header.directory_bits
    of_second_bucket = next(one for one in RECORDS if bucket_of(one, bits) == 1)
    for shifted in (records[16:] + b"\xff" * 16, bytes(16) + records[:-16]):
        reader, _ = holding(SEGMENT, SEGMENT.content[:start] + shifted + SEGMENT.content[end:])
        with pytest.raises(SegmentError, match="another bucket"):
            reader.find(REF, [of_second_bucket])


def test_law_3_a_directory_that_goes_backwards_is_an_error() -> None:
    header = SEGMENT.header
    entries = bytearray(SEGMENT.content[header.directory_offset :])
    entries[4:8] = b"\xff" * 4
    reader, _ = holding(SEGMENT, SEGMENT.content[: header.directory_offset] + bytes(entries))
    second_bucket = next(r for r in RECORDS if bucket_of(r, header.directory_bits) == 1)
    with pytest.raises(SegmentError, match="not ascending"):
        reader.find(replace(REF, directory_crc=zlib.crc32(entries)), [second_bucket])


def test_law_3_a_bucket_wider_than_32_kilobytes_is_not_read() -> None:
    header = SEGMENT.header
    entries = array("I", SEGMENT.content[header.directory_offset :])
    for wide, expected in [(2048, 2048 * 16), (2049, None)]:
        entries[0], entries[1] = 0, wide
        crafted = SEGMENT.content[: header.directory_offset] + entries.tobytes()
        reader, bucket = holding(SEGMENT, crafted)
        with pytest.raises(
            SegmentError, match="another bucket" if expected else "larger than allowed"
        ):
            reader.find(replace(REF, directory_crc=zlib.crc32(entries)), [bytes(16)])
        assert bucket.gets[1:] == ([expected] if expected else [])


def test_law_3_whatever_the_transport_raises_is_an_error_of_the_segment() -> None:
    def broken(key: str, *_: object) -> bytes:
        raise TimeoutError(key)

    with pytest.raises(SegmentError) as caught:
        SegmentReader(broken).find(REF, RECORDS[:1])
    assert isinstance(caught.value.__cause__, TimeoutError)


def test_an_error_is_not_kept() -> None:
    reader, bucket = holding(SEGMENT, b"")
    with pytest.raises(SegmentError):
        reader.find(REF, RECORDS[:1])
    bucket.objects[REF.key] = (REF.etag, SEGMENT.content)
    assert reader.find(REF, RECORDS[:1]) == RECORDS[0]


def test_a_record_of_another_length_is_refused() -> None:
    reader, _ = holding(SEGMENT)
    with pytest.raises(ValueError, match="16 bytes"):
        reader.find(REF, [bytes(32)])
