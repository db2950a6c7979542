"""The guards on a list, the limits of a campaign, and the instants that drops are compared by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.campaign.lists import ListLimits, ListName, Lists
from chalicelib.domain.files.manifest import Manifest
from chalicelib.domain.lists.drops import ReadListFile, as_of
from chalicelib.domain.lists.model import CurrentList
from chalicelib.domain.lists.rules import (
    Accepted,
    Refused,
    is_fresh,
    judge,
    manifest_mismatch,
)
from chalicelib.services.list_ports import StoredSegment
from tests.fakes.lists import current_list

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BEFORE = current_list(
    StoredSegment("lists/1.seg", "etag", 1000), campaign="c", name="customers", accepted_at=NOON
)
LIMITS = ListLimits(max_shrink_percent=20, max_growth_percent=50)
FILE = ReadListFile(
    campaign="c",
    name=ListName.CUSTOMERS,
    mode="full",
    path="customers/full/list.csv",
    dropped_at=NOON,
    sequencer="1",
    file_version=None,
    rows=1001,
    sha256="ab" * 32,
    manifest=Manifest(1001, "ab" * 32, "k1", NOON),
    key_id="k1",
    algorithm="hmac_sha256",
)


def reason(
    count: int, missing: int, before: CurrentList | None, limits: ListLimits = LIMITS
) -> str | None:
    verdict = judge(count, missing, before, limits)
    return verdict.reason if isinstance(verdict, Refused) else None


def test_a_list_that_passes_every_guard_is_accepted() -> None:
    assert judge(1000, 0, BEFORE, LIMITS) == Accepted()


@pytest.mark.parametrize(
    ("count", "missing", "expected"), [(0, 0, "empty_list"), (1000, 1, "canaries_missing")]
)
@pytest.mark.parametrize("before", [BEFORE, None])
def test_each_guard_refuses_with_its_reason(
    count: int, missing: int, expected: str, before: CurrentList | None
) -> None:
    assert reason(count, missing, before) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"manifest": None}, None),
        ({"rows": 1000}, "manifest_rows_mismatch"),
        ({"sha256": "cd" * 32}, "manifest_sha256_mismatch"),
        ({"key_id": "k2"}, "manifest_key_id_mismatch"),
    ],
)
def test_a_list_is_what_its_manifest_says(changes: dict[str, object], expected: str | None) -> None:
    assert manifest_mismatch(replace(FILE, **changes)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (800, None),
        (799, "shrink_beyond_limit"),
        (1500, None),
        (1501, "growth_beyond_limit"),
    ],
)
def test_a_list_may_change_up_to_its_limits(count: int, expected: str | None) -> None:
    assert reason(count, 0, BEFORE) == expected


@pytest.mark.parametrize("percent", range(101))
def test_a_limit_is_met_to_the_digest_whatever_the_percentage(percent: int) -> None:
    limits = ListLimits(max_shrink_percent=percent, max_growth_percent=max(1, percent))
    assert not limits.shrinks_too_much(100, 100 - percent)
    assert limits.shrinks_too_much(100, 100 - percent - 1)
    assert not limits.grows_too_much(100, 100 + max(1, percent))
    assert limits.grows_too_much(100, 100 + max(1, percent) + 1)


def test_without_a_current_list_there_is_nothing_to_shrink_from() -> None:
    assert reason(1, 0, None) is None


def test_without_a_limit_a_list_may_grow_as_it_likes() -> None:
    assert reason(10**6, 0, BEFORE, ListLimits(max_shrink_percent=20)) is None


def test_law_3_no_list_or_an_old_one_is_not_fresh() -> None:
    assert is_fresh(BEFORE, NOON + DAY, DAY)
    assert not is_fresh(BEFORE, NOON + DAY + timedelta(seconds=1), DAY)
    assert not is_fresh(None, NOON, DAY)


def test_a_list_is_as_old_as_its_manifest_says_but_never_from_the_future() -> None:
    assert as_of(None, NOON) == NOON
    assert as_of(Manifest(1, "", "k1", NOON - DAY), NOON) == NOON - DAY
    assert as_of(Manifest(1, "", "k1", NOON + DAY), NOON) == NOON


def test_every_name_has_its_limits_and_every_limit_a_name() -> None:
    vips = ListLimits(max_age_days=90)
    assert set(Lists.model_fields) == set(ListName)
    assert dict(Lists(vips=vips).items()) == {
        ListName.CUSTOMERS: ListLimits(),
        ListName.VIPS: vips,
    }
    assert Lists(vips=vips)[ListName.VIPS] == vips
