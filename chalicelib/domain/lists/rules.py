"""Whether a list may be trusted, which deltas apply to it, and how old it may become.

The pure half of laws 3 and 7: the guards on a list with their named reasons, and the rule that a
list is the last full drop with every later delta applied, oldest first, in whatever order they
arrived. What a drop does, given these, is planned in plan.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.campaign.lists import ListLimits
from chalicelib.domain.lists.drops import ReadListFile
from chalicelib.domain.lists.model import CurrentList, FullList, ListDelta, ListVersion

ManifestMismatch = Literal[
    "manifest_rows_mismatch",
    "manifest_sha256_mismatch",
    "manifest_key_id_mismatch",
]
RefusalReason = Literal[
    "empty_list",
    "canaries_missing",
    "shrink_beyond_limit",
    "growth_beyond_limit",
]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The list may become the current one."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not; the current list stays."""

    reason: RefusalReason
    detail: str = ""


# Reasons that a person may overrule: the list is held until ops decide.
HELD_FOR = frozenset[RefusalReason]({"shrink_beyond_limit", "growth_beyond_limit"})


def judge(
    count: int, canaries_missing: int, current: CurrentList | None, limits: ListLimits
) -> Accepted | Refused:
    """Check a built list of `count` distinct digests that lacks `canaries_missing` canaries:
    the first guard it fails, in this order; Accepted when it passes all.

    Without a current list there is nothing to shrink or grow from.
    """
    if not count:
        return Refused("empty_list")
    if canaries_missing:
        return Refused("canaries_missing", f"{canaries_missing} missing")
    if current and limits.shrinks_too_much(current.rows, count):
        return Refused("shrink_beyond_limit", f"from {current.rows} to {count}")
    if current and limits.grows_too_much(current.rows, count):
        return Refused("growth_beyond_limit", f"from {current.rows} to {count}")
    return Accepted()


def manifest_mismatch(file: ReadListFile) -> ManifestMismatch | None:
    """What the manifest of a list says that is not true; None when all of it is."""
    manifest = file.manifest
    if manifest is None:
        return None
    if manifest.key_id != file.key_id:
        return "manifest_key_id_mismatch"
    if manifest.sha256 != file.sha256:
        return "manifest_sha256_mismatch"
    return "manifest_rows_mismatch" if manifest.rows != file.rows else None


def applicable_deltas(full: FullList, deltas: Iterable[ListDelta]) -> list[ListDelta]:
    """Those of `deltas` that apply to a full list, in order.

    They are made with its key, and either name it as their base or name none and were dropped
    after it.
    """
    applying = (
        delta
        for delta in deltas
        if delta.key_id == full.key_id
        and (
            delta.base_sha256 == full.sha256
            or (delta.base_sha256 is None and delta.position > full.position)
        )
    )
    return sorted(applying, key=lambda delta: delta.position)


def is_fresh(version: ListVersion | None, now: datetime, max_age: timedelta) -> bool:
    """Whether decisions may be based on this list now: not without a list, nor on an old one."""
    return version is not None and now - version.accepted_at <= max_age
