from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.files.manifest import Manifest
from chalicelib.domain.lists.model import CurrentList
from chalicelib.domain.lists.rules import (
    Accepted,
    ListCandidate,
    ListLimits,
    Refused,
    as_of,
    is_fresh,
    judge,
)
from chalicelib.services.ports import StoredSegment
from tests.fakes.listed import list_in_force

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CANDIDATE = ListCandidate(
    rows=1001,
    count=1000,
    sha256="ab" * 32,
    key_id="k1",
    manifest=Manifest(1001, "ab" * 32, "k1", NOON),
)
BEFORE = list_in_force(
    StoredSegment("lists/1.seg", "etag", 1000), campaign="c", name="customers", accepted_at=NOON
)
LIMITS = ListLimits(max_shrink=0.2, max_growth=0.5)


def test_a_list_that_passes_every_guard_is_accepted() -> None:
    assert judge(CANDIDATE, BEFORE, LIMITS) == Accepted()
    assert judge(replace(CANDIDATE, manifest=None), None, LIMITS) == Accepted()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"count": 0, "rows": 0}, "empty_list"),
        ({"rows": 1000}, "manifest_rows_mismatch"),
        ({"sha256": "cd" * 32}, "manifest_sha256_mismatch"),
        ({"key_id": "k2"}, "manifest_key_id_mismatch"),
        ({"canaries_missing": 1}, "canaries_missing"),
    ],
)
@pytest.mark.parametrize("before", [BEFORE, None])
def test_each_guard_refuses_with_its_reason(
    change: dict[str, int | str], reason: str, before: CurrentList | None
) -> None:
    verdict = judge(replace(CANDIDATE, **change), before, LIMITS)  # type: ignore[arg-type]
    assert isinstance(verdict, Refused)
    assert verdict.reason == reason


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (800, None),
        (799, "shrink_beyond_limit"),
        (1500, None),
        (1501, "growth_beyond_limit"),
    ],
)
def test_a_list_may_change_up_to_its_limits(count: int, reason: str | None) -> None:
    verdict = judge(replace(CANDIDATE, count=count), BEFORE, LIMITS)
    assert (verdict.reason if isinstance(verdict, Refused) else None) == reason


def test_without_a_list_in_force_there_is_nothing_to_shrink_from() -> None:
    assert judge(replace(CANDIDATE, count=1), None, LIMITS) == Accepted()


def test_without_a_limit_a_list_may_grow_as_it_likes() -> None:
    assert judge(replace(CANDIDATE, count=10**6), BEFORE, ListLimits(0.2)) == Accepted()


def test_law_3_no_list_or_an_old_one_is_not_in_force() -> None:
    assert is_fresh(BEFORE, NOON + DAY, DAY)
    assert not is_fresh(BEFORE, NOON + DAY + timedelta(seconds=1), DAY)
    assert not is_fresh(None, NOON, DAY)


def test_a_list_is_as_old_as_its_manifest_says_but_never_from_the_future() -> None:
    assert as_of(None, NOON) == NOON
    assert as_of(Manifest(1, "", "k1", NOON - DAY), NOON) == NOON - DAY
    assert as_of(Manifest(1, "", "k1", NOON + DAY), NOON) == NOON
