"""What every store of lists does: as sets, as segments in memory, as segments on S3."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from threading import Event, Lock

import pytest

from chalicelib.adapters.dynamodb.codec import entity_item, entity_of
from chalicelib.adapters.lists import current
from chalicelib.adapters.lists.building import SegmentBuilder
from chalicelib.adapters.lists.current import ATTEMPTS, CurrentLists
from chalicelib.adapters.lists.reader import SegmentGoneError
from chalicelib.adapters.s3 import BucketSegments
from chalicelib.domain.addresses import Address, AddressDigests, Algorithm, DigestKey
from chalicelib.domain.files.digests import record
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.lists.model import CurrentList, FileRecord, ListDelta, ListVersion
from chalicelib.services.list_ports import (
    Layer,
    ListBuilder,
    Lists,
    ListUnavailableError,
    Membership,
    NewSegment,
    StoredSegment,
)
from chalicelib.services.ports import Insert, Replace, Repository
from tests.contract.aws import new_bucket
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import CAMPAIGN, digest, digests
from tests.fakes.lists import current_list
from tests.fakes.ports import MORNING, MemoryBuilder, MemoryLists, SettableClock
from tests.fakes.repository import MemoryRepository
from tests.reference.segments import build
from tests.reference.stores import MemoryStore

pytestmark = pytest.mark.slow

Put = Callable[..., CurrentList]


def test_fields_keep_the_names_and_spellings_that_they_were_stored_under() -> None:
    """What earlier versions stored is read, and they read what is stored now."""
    examples = {type(entity): entity for entity in ENTITIES}
    items = {kind: entity_item(examples[kind]) for kind in (CurrentList, ListDelta, FileRecord)}
    pointer = items[CurrentList]
    assert (pointer["last_order"], pointer["algorithm"]) == ({"S": "o"}, {"S": "hmac-sha256"})
    assert pointer["full"]["M"]["order"] == {"S": "o"}
    assert items[ListDelta]["sk"] == {"S": "DELTA#o"}
    assert items[ListDelta]["order"] == items[FileRecord]["order"] == {"S": "o"}
    for kind, item in items.items():
        assert entity_of(kind, item) == replace(examples[kind], revision=1)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def repository() -> MemoryRepository:
    return MemoryRepository()


@dataclass
class Shelf:
    """The lists, and what builds the segments they look up in."""

    lists: Lists
    builder: ListBuilder


@pytest.fixture(params=["memory", "segments", "aws"])
def shelf(
    request: pytest.FixtureRequest, repository: MemoryRepository, clock: SettableClock
) -> Shelf:
    if request.param == "memory":
        sets = MemoryLists(repository, clock)
        return Shelf(sets, MemoryBuilder(sets))
    if request.param == "segments":
        store = MemoryStore()
        return Shelf(CurrentLists(repository, store, clock), SegmentBuilder(store))
    clients = request.getfixturevalue("clients")
    segments = BucketSegments(clients, new_bucket(clients))
    return Shelf(CurrentLists(repository, segments, clock), SegmentBuilder(segments))


@pytest.fixture
def lists(shelf: Shelf) -> Lists:
    """The lists, none in force."""
    return shelf.lists


def put_current(
    repository: Repository,
    built: StoredSegment,
    version: int,
    key_id: str = "k1",
    algorithm: Algorithm = "hmac_sha256",
) -> CurrentList:
    """Move the pointer; each version is a minute younger than the one before."""
    stored = repository.get(CurrentList, campaign=CAMPAIGN, name="customers")
    pointer = current_list(
        built,
        campaign=CAMPAIGN,
        name="customers",
        accepted_at=MORNING + timedelta(minutes=version - 1),
        version=version,
        key_id=key_id,
        algorithm=algorithm,
        revision=stored.revision if stored else 0,
    )
    kept = ListVersion(**{**vars(pointer), "revision": 0})
    repository.commit(Replace(pointer) if stored else Insert(pointer), Insert(kept))
    return pointer


@pytest.fixture
def put(shelf: Shelf, repository: MemoryRepository) -> Put:
    """Put a list of addresses in force."""

    def _put(
        *addresses: str, version: int = 1, key_id: str = "k1", algorithm: Algorithm = "hmac_sha256"
    ) -> CurrentList:
        path = f"lists/{version}"
        plain = ["\n".join(digest(address) for address in addresses).encode()]
        with shelf.builder.gather(plain, Tally()) as gathered:
            new = NewSegment(path, algorithm, key_id, version)
            built = shelf.builder.build(new, [Layer("full", gathered)])
        return put_current(repository, built, version, key_id, algorithm)

    return _put


def find(lists: Lists, address: str | AddressDigests) -> Membership:
    found = digests(address) if isinstance(address, str) else address
    return lists.find("customers", CAMPAIGN, 30, found)


def test_an_address_is_found_by_its_exact_form_first(lists: Lists, put: Put) -> None:
    put("jeanne@gmail.com", "paul@example.fr")
    assert find(lists, "Jeanne@GMAIL.com") == Membership(1, "exact")
    assert find(lists, "paul@example.fr") == Membership(1, "exact")


def test_an_alias_is_found_by_the_form_it_reaches(lists: Lists, put: Put) -> None:
    put("jeanne@gmail.com")
    assert find(lists, "j.eanne+x@googlemail.com") == Membership(1, "alias")


def test_a_stranger_is_not_found_and_the_version_is_returned(lists: Lists, put: Put) -> None:
    pointer = put("jeanne@gmail.com", "jeanne@gmail.com", "a@b.fr", version=7)
    assert pointer.rows == 2
    assert find(lists, "paul@example.fr") == Membership(7, None)


def test_law_3_no_list_is_not_an_answer(lists: Lists) -> None:
    with pytest.raises(ListUnavailableError, match="no_list"):
        find(lists, "paul@example.fr")


def test_law_3_a_list_too_old_is_not_an_answer(
    lists: Lists, put: Put, clock: SettableClock
) -> None:
    put("jeanne@gmail.com")
    clock.advance(days=30)
    assert find(lists, "paul@example.fr").found is None
    clock.advance(seconds=1)
    with pytest.raises(ListUnavailableError, match="too_old"):
        find(lists, "paul@example.fr")


def test_law_3_a_list_made_with_another_key_is_not_an_answer(lists: Lists, put: Put) -> None:
    put("jeanne@gmail.com", key_id="k1")
    others = AddressDigests.of(
        Address.parse("jeanne@gmail.com"), [DigestKey("k2", secret=b"of k2")]
    )
    with pytest.raises(ListUnavailableError, match="key_not_in_force"):
        find(lists, others)


def test_law_3_a_list_made_the_other_way_under_the_same_key_is_not_an_answer(
    lists: Lists, put: Put
) -> None:
    put("jeanne@gmail.com", algorithm="sha256")
    with pytest.raises(ListUnavailableError, match="key_not_in_force"):
        find(lists, "jeanne@gmail.com")
    unkeyed = AddressDigests.of(Address.parse("jeanne@gmail.com"), [DigestKey("k1", "sha256")])
    assert find(lists, unkeyed).version == 1


@pytest.mark.usefixtures("clock")
def test_a_new_version_is_asked_within_a_minute(lists: Lists, put: Put) -> None:
    put("jeanne@gmail.com")
    assert find(lists, "paul@example.fr").found is None
    put("paul@example.fr", version=2)
    assert find(lists, "paul@example.fr") == Membership(2, "exact")


def test_law_3_a_segment_that_is_not_what_its_pointer_says_is_not_an_answer(
    lists: Lists, put: Put, repository: MemoryRepository
) -> None:
    put("jeanne@gmail.com")
    pointer = repository.get(CurrentList, campaign=CAMPAIGN, name="customers")
    assert pointer
    assert pointer.directory_crc is not None
    repository.commit(Replace(replace(pointer, directory_crc=pointer.directory_crc ^ 1)))
    with pytest.raises(ListUnavailableError, match="read_failed"):
        find(lists, "jeanne@gmail.com")


def test_law_3_a_segment_that_cannot_be_read_is_not_an_answer(
    repository: MemoryRepository, clock: SettableClock
) -> None:
    put_current(repository, StoredSegment("gone", "e", 1), 1)
    with pytest.raises(ListUnavailableError, match="read_failed"):
        find(CurrentLists(repository, MemoryStore(), clock), "paul@example.fr")


# --- swaps under way: no wrong answer, and none that failed ---

KEPT = [digests(f"kept{n}@example.fr") for n in range(20)]
STRANGERS = [digests(f"stranger{n}@example.fr") for n in range(20)]
PATIENCE_S = 30


class SwappedStore(MemoryStore):
    """Segments that are swapped during look-ups; each read and each swap is atomic.

    `gone` counts the reads that came too late.
    """

    def __init__(self, repository: Repository, *, in_place: bool) -> None:
        super().__init__()
        self._repository = repository
        self._in_place = in_place
        self._whole = Lock()
        self.gone = 0
        self.version = 0
        self.before_fetch: Callable[[], None] = lambda: None

    def swap(self) -> None:
        """Put the next version in force; the segment before is deleted or overwritten."""
        self.version += 1
        records = [record(of.under("k1").exact) for of in KEPT]
        records += [record(digest(f"{self.version}-{n}@example.fr")) for n in range(1500)]
        following = build(records, algorithm="hmac_sha256", key_id="k1", generation=self.version)
        path = "lists/same" if self._in_place else f"lists/{self.version}"
        with self._whole:
            self.objects.clear()
            etag = self.put(path, following.content)
            header = following.header
            stored = StoredSegment(path, etag, header.count, header.directory_crc)
            put_current(self._repository, stored, self.version)

    def fetch(self, key: str, start: int, end: int, etag: str) -> bytes:
        self.before_fetch()
        with self._whole:
            try:
                return super().fetch(key, start, end, etag)
            except SegmentGoneError:
                self.gone += 1
                raise


class LookingUp:
    """A stream of look-ups in a separate thread, until it is stopped."""

    def __init__(self, lists: Lists, stopped: Event) -> None:
        self._lists = lists
        self._stopped = stopped
        self.answered = Event()
        self.wrong = 0
        self.failed = 0

    def run(self) -> None:
        """Look up those who are on every version and those who are on none, by turns."""
        version = 0
        for number in count():
            if self._stopped.is_set():
                return
            who, expected = [(KEPT, "exact"), (STRANGERS, None)][number % 2]
            try:
                answer = find(self._lists, who[number % 20])
                self.wrong += answer.found != expected or answer.version < version
                version = answer.version
            except ListUnavailableError:
                self.failed += 1
            self.answered.set()


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("attempts", [ATTEMPTS, 1])
def test_law_3_swaps_under_running_look_ups_leave_no_answer_wrong_and_none_out(
    repository: MemoryRepository,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
    attempts: int,
    in_place: bool,
) -> None:
    monkeypatch.setattr(current, "ATTEMPTS", attempts)
    store = SwappedStore(repository, in_place=in_place)
    store.swap()
    stopped = Event()
    lists = CurrentLists(repository, store, clock)
    streams = [LookingUp(lists, stopped) for _ in range(3)]
    with ThreadPoolExecutor(len(streams)) as threads:
        running = [threads.submit(stream.run) for stream in streams]
        try:
            while store.gone < 20 and store.version < 5000:
                for stream in streams:
                    stream.answered.clear()
                store.swap()
                # Each answers before the next swap, so that a look-up meets one swap or none.
                assert all(stream.answered.wait(PATIENCE_S) for stream in streams)
        finally:
            stopped.set()
    for one in running:
        one.result()
    assert store.gone >= 20
    assert sum(stream.wrong for stream in streams) == 0
    # Without a second attempt, every read that comes too late is a look-up that fails.
    assert sum(stream.failed for stream in streams) == (0 if attempts > 1 else store.gone)


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("swaps", [1, ATTEMPTS - 1, ATTEMPTS])
def test_law_3_a_look_up_outlives_two_swaps_and_gives_up_at_the_third(
    repository: MemoryRepository, clock: SettableClock, in_place: bool, swaps: int
) -> None:
    store = SwappedStore(repository, in_place=in_place)
    store.swap()
    left = iter(range(swaps))

    def swap_once_more() -> None:
        if next(left, None) is not None:
            store.swap()

    store.before_fetch = swap_once_more
    lists = CurrentLists(repository, store, clock)
    if swaps < ATTEMPTS:
        assert find(lists, KEPT[0]) == Membership(swaps + 1, "exact")
        return
    with pytest.raises(ListUnavailableError, match="read_failed"):
        find(lists, KEPT[0])


def test_law_3_a_list_swapped_between_two_buckets_is_read_again(
    repository: MemoryRepository, clock: SettableClock
) -> None:
    store = SwappedStore(repository, in_place=False)
    store.swap()
    lists = CurrentLists(repository, store, clock)
    in_both_halves = next(
        of
        for of in (digests(f"s.{n}+x@gmail.com") for n in count())
        if of.under("k1").exact[0] < "8" <= of.under("k1").canonical[0]
    )
    assert find(lists, in_both_halves) == Membership(1, None)
    reads = count()

    def swap_before_the_second() -> None:
        if next(reads) == 1:
            store.swap()

    store.before_fetch = swap_before_the_second
    assert find(lists, in_both_halves) == Membership(2, None)
    assert store.gone == 1


# --- the list of an earlier moment ----------------------------------------------------------------


def test_before_the_first_list_that_one_says_who_was_a_customer(lists: Lists, put: Put) -> None:
    put("jeanne@gmail.com")
    put("jeanne@gmail.com", "paul@example.fr", version=2)
    before = MORNING - timedelta(days=1)
    asked = partial(lists.find_as_of, "customers", CAMPAIGN, before)
    assert asked(digests("jeanne@gmail.com")) == Membership(1, "exact")
    assert asked(digests("paul@example.fr")) == Membership(1, None)


def test_where_that_list_has_ended_the_next_one_says_only_who_was_not_on_it(
    lists: Lists, put: Put, repository: MemoryRepository
) -> None:
    for version in (1, 2, 3):
        put("jeanne@gmail.com", version=version)
    asked = partial(lists.find_as_of, "customers", CAMPAIGN, MORNING)
    assert asked(digests("jeanne@gmail.com")) == Membership(1, "exact")
    first = repository.get(ListVersion, campaign=CAMPAIGN, name="customers", version=1)
    assert first
    repository.commit(Replace(replace(first, ends_at=MORNING)))
    assert asked(digests("paul@example.fr")) == Membership(2, None)
    with pytest.raises(ListUnavailableError, match="no_longer_kept"):
        asked(digests("jeanne@gmail.com"))
    later = lists.find_as_of(
        "customers", CAMPAIGN, MORNING + timedelta(seconds=61), digests("jeanne@gmail.com")
    )
    assert later == Membership(2, "exact")
