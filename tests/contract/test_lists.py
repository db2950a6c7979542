"""What every store of lists does: as sets, as segments in memory, as segments on S3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.adapters.lists.in_force import ListsInForce
from chalicelib.adapters.s3 import BucketSegments
from chalicelib.domain.addresses import AddressDigests, DigestKey
from chalicelib.domain.files.digests import record
from chalicelib.domain.model import ListInForce
from chalicelib.services.ports import Insert, Lists, ListUnavailableError, Membership, Replace
from tests.contract.aws import new_bucket
from tests.fakes.campaign import CAMPAIGN, digest, digests
from tests.fakes.ports import MORNING, MemoryLists, MemorySegments, SettableClock
from tests.fakes.repository import MemoryRepository

Put = Callable[..., ListInForce]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def repository() -> MemoryRepository:
    return MemoryRepository()


@pytest.fixture(params=["memory", "segments", "aws"])
def lists(
    request: pytest.FixtureRequest, repository: MemoryRepository, clock: SettableClock
) -> Lists:
    """The lists, none in force."""
    if request.param == "memory":
        return MemoryLists(repository, clock)
    if request.param == "segments":
        return ListsInForce(repository, MemorySegments(), clock)
    clients = request.getfixturevalue("clients")
    return ListsInForce(repository, BucketSegments(clients, new_bucket(clients)), clock)


@pytest.fixture
def put(lists: Lists, repository: MemoryRepository) -> Put:
    """Put a list of addresses in force."""

    def _put(*addresses: str, version: int = 1, key_id: str = "k1") -> ListInForce:
        pointer = ListInForce(
            campaign=CAMPAIGN, name="customers", version=version, rows=0, segment="", etag="",
            key_id=key_id, algorithm="hmac-sha256", accepted_at=MORNING, source_sha256="0" * 64,
        )  # fmt: skip
        stored = repository.get(ListInForce, campaign=CAMPAIGN, name="customers")
        pointer = lists.store(pointer, [record(digest(address)) for address in addresses])
        moved = replace(pointer, revision=stored.revision if stored else 0)
        repository.commit(Replace(moved) if stored else Insert(moved))
        return pointer

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


def test_a_stranger_is_not_found_and_the_version_is_told(lists: Lists, put: Put) -> None:
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
    others = AddressDigests.of("jeanne@gmail.com", [DigestKey("k2", secret=b"of k2")])
    with pytest.raises(ListUnavailableError, match="key_not_in_force"):
        find(lists, others)


def test_a_new_version_is_asked_within_a_minute(
    lists: Lists, put: Put, clock: SettableClock
) -> None:
    put("jeanne@gmail.com")
    assert find(lists, "paul@example.fr").found is None
    put("paul@example.fr", version=2)
    assert find(lists, "paul@example.fr") == Membership(2, "exact")


def test_law_3_a_segment_that_cannot_be_read_is_not_an_answer(
    repository: MemoryRepository, clock: SettableClock
) -> None:
    pointer = ListInForce(
        campaign=CAMPAIGN, name="customers", version=1, rows=1, segment="gone", etag="e",
        key_id="k1", algorithm="hmac-sha256", accepted_at=MORNING, source_sha256="0" * 64,
    )  # fmt: skip
    repository.commit(Insert(pointer))
    with pytest.raises(ListUnavailableError, match="read_failed"):
        find(ListsInForce(repository, MemorySegments(), clock), "paul@example.fr")
