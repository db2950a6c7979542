"""The fast builder of segments: the same bytes as the plain one, in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.adapters.lists.building import SegmentBuilder
from chalicelib.adapters.lists.reader import SegmentReader, SegmentRef
from chalicelib.adapters.lists.segment import HEADER_SIZE, SegmentHeader
from chalicelib.domain.addresses import Algorithm
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.lists.model import ListMode
from chalicelib.services.list_ports import Layer, ListUnavailableError, NewSegment, StoredSegment
from tests.reference.segments import build
from tests.reference.stores import MemoryStore, MemoryUpload

pytestmark = pytest.mark.slow

RANDOM = Random(3)
NEW = NewSegment("lists/new", "hmac_sha256", "k1", 7)

Laid = Sequence[tuple[ListMode, Sequence[bytes]]]


def plain(records: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a list of these records."""
    for one in records:
        yield one.hex().encode() + b"0" * 32 + b"\n"


def small(store: MemoryStore) -> SegmentBuilder:
    """A builder that does with few records what it does with many."""
    return SegmentBuilder(store, block=500, buffered=7, window=48, at_once=5)


def built(builder: SegmentBuilder, laid: Laid, *, stored: bool = False) -> StoredSegment:
    """The layers applied in order, as dropped lists or as stored segments."""
    with ExitStack() as within:
        layers = []
        for number, (mode, records) in enumerate(laid):
            gathered = within.enter_context(builder.gather(plain(records), Tally()))
            layer = Layer(mode, gathered)
            if stored:
                alone = NewSegment(f"lists/{number}", "hmac_sha256", "k1", number)
                layer = Layer(mode, builder.build(alone, [Layer("full", gathered)]))
            layers.append(layer)
        return builder.build(NEW, layers)


def reference(laid: Laid) -> bytes:
    held: set[bytes] = set()
    for mode, records in laid:
        laid_now = set(records)
        held = {"full": laid_now, "add": held | laid_now, "remove": held - laid_now}[mode]
    return build(held, algorithm="hmac_sha256", key_id="k1", generation=7).content


# --- the same bytes ---

# Few values of each part of a record, so that many agree in their first byte, in the eight that are
# sorted first, in all but the last one, or altogether; and NULs at the end, which numpy drops.
tying = st.builds(
    lambda first, middle, last: bytes([first]) + middle * 7 + last,
    st.sampled_from([0, 1, 127, 128, 255]),
    st.sampled_from([b"\0", b"\xff", b"\x80"]),
    st.one_of(st.sampled_from([bytes(8), b"\xff" * 8]), st.binary(min_size=8, max_size=8)),
)
some = st.lists(st.one_of(tying, st.binary(min_size=16, max_size=16)), min_size=1, max_size=40)
later = st.tuples(st.sampled_from(["add", "remove"]), some)


@settings(max_examples=150, deadline=None)
@given(some, st.lists(later, max_size=3), st.booleans())
def test_any_layers_give_the_bytes_of_the_plain_builder(
    first: list[bytes], rest: list[tuple[ListMode, list[bytes]]], stored: bool
) -> None:
    # What is added and removed should have something to do with what is there.
    rest = [(mode, [*records, *first[::3]]) for mode, records in rest]
    store = MemoryStore()
    done = built(small(store), [("full", first), *rest], stored=stored)
    expected = reference([("full", first), *rest])
    assert store.objects["lists/new"] == expected
    assert done.rows == SegmentHeader.parse(expected[:HEADER_SIZE]).count


@pytest.mark.parametrize("count", [1, 1024, 1025, 140_000, 300_000])
def test_a_list_of_any_size_gives_the_bytes_of_the_plain_builder(count: int) -> None:
    records = [RANDOM.randbytes(16) for _ in range(count)]
    twice = records + records[: count // 3]
    store = MemoryStore()
    built(SegmentBuilder(store, buffered=1 << 14), [("full", twice)])
    assert store.objects["lists/new"] == reference([("full", twice)])


@pytest.mark.parametrize("stored", [False, True])
def test_a_delta_on_a_large_list_gives_the_bytes_of_the_plain_builder(stored: bool) -> None:
    records = [RANDOM.randbytes(16) for _ in range(200_000)]
    laid: Laid = [
        ("full", records[:150_000]),
        ("add", records[149_000:]),
        ("remove", [*records[::50], *(RANDOM.randbytes(16) for _ in range(100))]),
    ]
    store = MemoryStore()
    built(SegmentBuilder(store, window=1 << 16), laid, stored=stored)
    assert store.objects["lists/new"] == reference(laid)
    assert store.largest <= 1 << 16


def test_ties_in_all_that_is_sorted_first_are_put_in_order() -> None:
    halves = [RANDOM.randbytes(8) for _ in range(20)]
    tied = [one + other for one in halves for other in halves] * 2
    RANDOM.shuffle(tied)
    store = MemoryStore()
    built(SegmentBuilder(store), [("full", tied)])
    assert store.objects["lists/new"] == reference([("full", tied)])


def test_20_000_hits_and_20_000_misses_are_exact() -> None:
    records = [RANDOM.randbytes(16) for _ in range(60_000)]
    store = MemoryStore()
    done = built(SegmentBuilder(store), [("full", records)])
    reader = SegmentReader(store.fetch)
    ref = SegmentRef(done.path, done.etag, done.rows, done.directory_crc, "k1")
    reader.find(ref, records[:1])
    store.largest = 0
    assert all(reader.find(ref, [record]) == record for record in records[:20_000])
    assert not any(reader.find(ref, [RANDOM.randbytes(16)]) for _ in range(20_000))
    assert 0 < store.largest <= 32 * 1024


# --- spread as hashes are ---


def even(in_first_bucket: int) -> list[bytes]:
    return [bytes([0]) + RANDOM.randbytes(15) for _ in range(in_first_bucket)] + [
        bytes([128]) + RANDOM.randbytes(15) for _ in range(2048)
    ]


def test_a_list_with_too_many_digests_in_a_bucket_is_refused() -> None:
    store = MemoryStore()
    assert built(SegmentBuilder(store), [("full", even(2048))]).rows == 4096
    store.objects.clear()
    with pytest.raises(FileRefusedError, match="uneven_digests"):
        built(SegmentBuilder(store), [("full", even(2049))])
    assert store.objects == {}


def test_a_list_that_would_not_stay_flat_is_refused_as_its_part_is_read() -> None:
    records = [b"\0" + RANDOM.randbytes(15) for _ in range(6000)]

    def judge(_: object) -> None:
        raise AssertionError("it was read to its end")

    builder = SegmentBuilder(MemoryStore(), buffered=500, at_once=1000)
    with (
        builder.gather(plain(records), Tally()) as gathered,
        pytest.raises(FileRefusedError, match="uneven_digests"),
    ):
        builder.build(NEW, [Layer("full", gathered), Layer("remove", gathered)], judge=judge)


def test_one_digest_a_hundred_thousand_times_is_one_digest() -> None:
    rows = [*[b"\0" * 16] * 100_000, *(RANDOM.randbytes(16) for _ in range(2000))]
    store = MemoryStore()
    done = built(SegmentBuilder(store, buffered=5000, at_once=5000), [("full", rows)])
    assert done.rows == 2001
    assert store.objects["lists/new"] == reference([("full", rows)])


# --- flat ---


class Sink(MemoryStore):
    """Keeps nothing of what is uploaded, or that would be what is measured."""

    @contextmanager
    def upload(self, key: str) -> Iterator[MemoryUpload]:
        upload = MemoryUpload(self, key)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(upload, "write", lambda _content: None)
            yield upload


def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        source = Random(rows)
        lists = (
            b"".join(b"%064x\n" % source.getrandbits(256) for _ in range(5000))
            for _ in range(rows // 5000)
        )
        builder = SegmentBuilder(Sink(), tmp_path, block=1 << 16, buffered=1 << 13)
        tracemalloc.reset_peak()
        with builder.gather(lists, Tally()) as gathered:
            builder.build(NEW, [Layer("full", gathered)])
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        peak(5000)
        assert peak(300_000) < 1.2 * peak(50_000)
    finally:
        tracemalloc.stop()


def test_nothing_is_left_in_the_scratch_folder(tmp_path: Path) -> None:
    builder = SegmentBuilder(MemoryStore(), tmp_path)
    with builder.gather(plain([bytes(16)]), Tally()):
        assert list(tmp_path.iterdir()) == []  # the spill has no name
    with pytest.raises(FileRefusedError), builder.gather([b"a@b.fr"], Tally()):
        pass
    assert list(tmp_path.iterdir()) == []


# --- few requests ---


def test_one_large_list_among_many_small_ones_is_read_in_large_windows() -> None:
    store = MemoryStore()
    source = Random(5)
    base = [source.randbytes(16) for _ in range(20_000)]
    deltas = [[source.randbytes(16) for _ in range(10)] for _ in range(60)]
    layers = [Layer("full", _alone(store, "lists/base", base))]
    layers += [Layer("add", _alone(store, f"lists/{n}", one)) for n, one in enumerate(deltas)]
    SegmentBuilder(store, window=8192).build(NEW, layers)
    assert store.objects["lists/new"] == reference([("full", [*base, *chain(*deltas)])])
    # A header each; the large one in as many windows as if it were alone, a small one in one.
    assert store.fetches == 1 + 20_000 * 16 // 8192 + 1 + 60 * 2


def test_large_lists_share_what_may_be_held() -> None:
    store = MemoryStore()
    source = Random(6)
    lists = [[source.randbytes(16) for _ in range(2000)] for _ in range(8)]
    layers = [Layer("full", _alone(store, "lists/base", lists[0]))]
    layers += [Layer("add", _alone(store, f"lists/{n}", one)) for n, one in enumerate(lists[1:])]
    SegmentBuilder(store, window=8192).build(NEW, layers)
    assert store.objects["lists/new"] == reference([("full", [*chain(*lists)])])
    assert store.largest == 8192 * 4 // 8


def _alone(store: MemoryStore, path: str, records: list[bytes]) -> StoredSegment:
    segment = build(records, algorithm="hmac_sha256", key_id="k1", generation=1)
    return StoredSegment(path, store.put(path, segment.content), segment.header.count)


# --- law 3: nothing is made of a segment that cannot be trusted ---

GOOD = build(
    [RANDOM.randbytes(16) for _ in range(3000)], algorithm="hmac_sha256", key_id="k1", generation=1
)


def _swapped(content: bytes, at: int) -> bytes:
    """Two neighbouring records changed for one another."""
    start = HEADER_SIZE + 16 * at
    one, other = content[start : start + 16], content[start + 16 : start + 32]
    return content[:start] + other + one + content[start + 32 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:5000],
        lambda content: content[: HEADER_SIZE + 16 * 2990],  # whole records, but not all of them
        lambda _content: b"",
        lambda content: b"X" + content[1:],
        lambda content: _swapped(content, 0),
        lambda content: _swapped(content, 62),
        lambda content: _swapped(content, 63),  # the last of a window and the first of the next
        lambda content: _swapped(content, 2998),
        lambda content: content[:80] + content[64:80] + content[96:],  # one twice
    ],
)
def test_law_3_a_damaged_base_is_not_built_upon(damage: Callable[[bytes], bytes]) -> None:
    store = MemoryStore()
    etag = store.put("lists/base", damage(GOOD.content))
    base = Layer("full", StoredSegment("lists/base", etag, 3000))
    with pytest.raises(ListUnavailableError, match="read_failed"):
        SegmentBuilder(store, window=1024).build(NEW, [base])
    assert list(store.objects) == ["lists/base"]


@pytest.mark.parametrize(
    "reported",
    [
        StoredSegment("lists/none", "", 3000),
        StoredSegment("lists/base", "another", 3000),
        StoredSegment("lists/base", "", 2999),
    ],
)
def test_law_3_a_base_that_does_not_match_its_pointer_is_not_built_upon(
    reported: StoredSegment,
) -> None:
    store = MemoryStore()
    etag = store.put("lists/base", GOOD.content)
    reported = StoredSegment(reported.path, reported.etag or etag, reported.rows)
    with pytest.raises(ListUnavailableError, match="read_failed"):
        SegmentBuilder(store).build(NEW, [Layer("full", reported)])


@pytest.mark.parametrize(("algorithm", "key_id"), [("sha256", "k1"), ("hmac_sha256", "k2")])
def test_law_3_a_base_made_with_another_key_is_not_built_upon(
    algorithm: Algorithm, key_id: str
) -> None:
    store = MemoryStore()
    base = StoredSegment("lists/base", store.put("lists/base", GOOD.content), 3000)
    with pytest.raises(ListUnavailableError, match="read_failed"):
        SegmentBuilder(store).build(NewSegment("x", algorithm, key_id, 1), [Layer("full", base)])


def test_law_3_whatever_the_transport_raises_the_base_is_not_available() -> None:
    class Broken(MemoryStore):
        def fetch(self, key: str, start: int, end: int, etag: str) -> bytes:
            if start > HEADER_SIZE:
                raise TimeoutError
            return super().fetch(key, start, end, etag)

    store = Broken()
    base = StoredSegment("lists/base", store.put("lists/base", GOOD.content), 3000)
    with pytest.raises(ListUnavailableError, match="read_failed"):
        SegmentBuilder(store, window=1024).build(NEW, [Layer("full", base)])
    assert list(store.objects) == ["lists/base"]


@pytest.mark.parametrize("modes", [[], ["add"], ["remove", "full"]])
def test_the_first_layer_is_a_full_one(modes: list[ListMode]) -> None:
    base = StoredSegment("lists/base", "", 0)
    with pytest.raises(ValueError, match="full"):
        SegmentBuilder(MemoryStore()).build(NEW, [Layer(mode, base) for mode in modes])
