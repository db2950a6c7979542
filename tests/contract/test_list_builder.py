"""What every builder of lists does: as sets, as segments in memory, as segments on S3."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from chalicelib.adapters.lists.building import SegmentBuilder
from chalicelib.adapters.lists.segment import HEADER_SIZE, SegmentHeader
from chalicelib.adapters.s3 import BucketSegments
from chalicelib.domain.files.digests import record
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.lists.model import ListMode
from chalicelib.services.list_ports import (
    GatheredDigests,
    Layer,
    ListBuilder,
    NewSegment,
    StoredSegment,
    Sums,
)
from tests.contract.aws import new_bucket
from tests.fakes.ports import MemoryBuilder, MemoryLists, SettableClock
from tests.fakes.repository import MemoryRepository
from tests.reference.stores import MemoryStore

DIGESTS = [hashlib.sha256(bytes([n])).hexdigest() for n in range(200)]
RECORDS = [record(one) for one in DIGESTS]


@dataclass
class Yard:
    """A builder and a look at what it has built; None where there is nothing."""

    builder: ListBuilder
    held: Callable[[str], set[bytes] | None]

    def gathered(self, *digests: str, within: ExitStack) -> GatheredDigests:
        """A dropped list with a row for each digest."""
        plain = ["\n".join(digests).encode()]
        return within.enter_context(self.builder.gather(plain, Tally()))

    def stored(self, path: str, *digests: str) -> StoredSegment:
        """A segment built of a dropped list."""
        with ExitStack() as within:
            only = Layer("full", self.gathered(*digests, within=within))
            return self.builder.build(new(path), [only])


def new(path: str) -> NewSegment:
    return NewSegment(path, "hmac_sha256", "k1", 7)


@pytest.fixture(params=["memory", "segments", "aws"])
def yard(request: pytest.FixtureRequest) -> Yard:
    """A builder that has built nothing."""
    if request.param == "memory":
        lists = MemoryLists(MemoryRepository(), SettableClock())

        def kept(path: str) -> set[bytes] | None:
            return set(lists.segments[path]) if path in lists.segments else None

        return Yard(MemoryBuilder(lists), kept)
    if request.param == "segments":
        store = MemoryStore()
        return Yard(SegmentBuilder(store), lambda path: _records(store.objects.get(path)))
    clients = request.getfixturevalue("clients")
    bucket = new_bucket(clients)

    def on_s3(path: str) -> set[bytes] | None:
        found = clients.s3.list_objects_v2(Bucket=bucket, Prefix=path)
        if not found["KeyCount"]:
            return None
        return _records(clients.s3.get_object(Bucket=bucket, Key=path)["Body"].read())

    return Yard(SegmentBuilder(BucketSegments(clients, bucket)), on_s3)


def _records(content: bytes | None) -> set[bytes] | None:
    if content is None:
        return None
    end = SegmentHeader.parse(content[:HEADER_SIZE]).directory_offset
    return {content[at : at + 16] for at in range(HEADER_SIZE, end, 16)}


def test_a_full_list_is_its_distinct_digests(yard: Yard) -> None:
    tally = Tally()
    plain = [f"digest\r\n{one}\r\n{one.upper()}\r\n\r\n".encode() for one in DIGESTS[:1]]
    plain += [f"{one}\r\n".encode() for one in DIGESTS[:5]]
    with yard.builder.gather(plain, tally) as gathered:
        built = yard.builder.build(new("lists/one"), [Layer("full", gathered)])
    assert (built.path, built.rows) == ("lists/one", 5)
    assert yard.held("lists/one") == set(RECORDS[:5])
    assert tally == Tally(rows=7)


def test_both_digests_of_an_address_are_on_the_list(yard: Yard) -> None:
    plain = [f"canonical_digest,city,digest\n{DIGESTS[0]},Brest,{DIGESTS[1]}\n".encode()]
    with yard.builder.gather(plain, Tally()) as gathered:
        yard.builder.build(new("lists/one"), [Layer("full", gathered)])
    assert yard.held("lists/one") == set(RECORDS[:2])


@pytest.mark.parametrize(
    ("laid", "left"),
    [
        ([("full", range(3))], range(3)),
        ([("full", range(3)), ("add", range(2, 6))], range(6)),
        ([("full", range(6)), ("remove", range(4, 9))], range(4)),
        ([("full", range(4)), ("remove", range(4)), ("add", range(2, 5))], range(2, 5)),
        ([("full", range(4)), ("add", range(3, 8)), ("remove", range(7))], range(7, 8)),
        ([("full", range(150)), ("add", range(90, 200)), ("remove", range(9))], range(9, 200)),
        ([("full", range(4)), ("full", range(6, 7)), ("add", range(1))], (0, 6)),
    ],
)
def test_layers_are_applied_in_their_order(
    yard: Yard, laid: Sequence[tuple[ListMode, range]], left: Sequence[int]
) -> None:
    with ExitStack() as within:
        layers = [
            Layer(mode, yard.gathered(*(DIGESTS[n] for n in numbers), within=within))
            for mode, numbers in laid
        ]
        built = yard.builder.build(new("lists/one"), layers)
    assert yard.held("lists/one") == {RECORDS[n] for n in left}
    assert built.rows == len(left)


def test_stored_segments_are_applied_like_dropped_lists(yard: Yard) -> None:
    base = yard.stored("lists/base", *DIGESTS[:100])
    added = yard.stored("lists/added", *DIGESTS[90:110])
    removed = yard.stored("lists/removed", *DIGESTS[:7], *DIGESTS[105:150])
    layers = [Layer("full", base), Layer("add", added), Layer("remove", removed)]
    assert yard.builder.build(new("lists/one"), layers).rows == 98
    assert yard.held("lists/one") == set(RECORDS[7:105])
    assert yard.held("lists/base") == set(RECORDS[:100])


def test_a_dropped_list_is_built_from_as_often_as_wanted(yard: Yard) -> None:
    base = yard.stored("lists/base", *DIGESTS[:3])
    with ExitStack() as within:
        dropped = yard.gathered(*DIGESTS[2:5], within=within)
        own = yard.builder.build(new("lists/own"), [Layer("full", dropped)])
        yard.builder.build(new("lists/one"), [Layer("full", base), Layer("add", dropped)])
        yard.builder.build(new("lists/two"), [Layer("full", base), Layer("remove", dropped)])
    assert own.rows == 3
    assert yard.held("lists/one") == set(RECORDS[:5])
    assert yard.held("lists/two") == set(RECORDS[:2])


def test_a_list_may_end_up_empty(yard: Yard) -> None:
    base = yard.stored("lists/base", *DIGESTS[:3])
    with ExitStack() as within:
        all_of_it = Layer("remove", yard.gathered(*DIGESTS[:9], within=within))
        built = yard.builder.build(new("lists/one"), [Layer("full", base), all_of_it])
    assert built.rows == 0
    assert yard.held("lists/one") == set()
    layers = [Layer("full", built), Layer("add", base)]
    assert yard.builder.build(new("lists/two"), layers).rows == 3


def test_the_judge_gets_the_sums_before_anything_is_stored(yard: Yard) -> None:
    reported: list[Sums] = []

    def judge(sums: Sums) -> None:
        reported.append(sums)
        assert yard.held("lists/one") is None

    with ExitStack() as within:
        only = Layer("full", yard.gathered(*DIGESTS[:50], DIGESTS[0], within=within))
        canaries = [RECORDS[0], RECORDS[49], RECORDS[50], RECORDS[50], RECORDS[51]]
        yard.builder.build(new("lists/one"), [only], canaries=canaries, judge=judge)
    assert reported == [Sums(rows=50, canaries_missing=2)]
    assert yard.held("lists/one") == set(RECORDS[:50])


def test_what_the_judge_refuses_leaves_nothing_behind(yard: Yard) -> None:
    def judge(_: Sums) -> None:
        raise FileRefusedError("shrink_beyond_limit")

    with ExitStack() as within:
        only = Layer("full", yard.gathered(*DIGESTS, within=within))
        with pytest.raises(FileRefusedError, match="shrink_beyond_limit"):
            yard.builder.build(new("lists/one"), [only], judge=judge)
    assert yard.held("lists/one") is None


@pytest.mark.parametrize(
    ("plain", "reason"),
    [("", "empty_file"), ("a@b.fr", "plain_address"), (DIGESTS[0][:40], "wrong_length")],
)
def test_a_bad_list_is_refused_as_it_is_read(yard: Yard, plain: str, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason), ExitStack() as within:
        within.enter_context(yard.builder.gather([plain.encode()], Tally()))


def test_few_bad_lines_are_skipped_and_reported(yard: Yard) -> None:
    tally = Tally()
    plain = ["\n".join([*DIGESTS * 5, "x"]).encode()]
    with yard.builder.gather(plain, tally) as gathered:
        built = yard.builder.build(new("lists/one"), [Layer("full", gathered)])
    assert built.rows == 200
    assert (tally.rows, tally.rejected, tally.errors[0].line) == (1001, 1, 1001)
