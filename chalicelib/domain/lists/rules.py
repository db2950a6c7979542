"""Whether a list may be trusted, which drops make it, and how old it may become.

Pure half of laws 3 and 7. Owns the guards with their named reasons, and the order of drops: a list
is the last full drop with every delta dropped after it laid over it, oldest first, whatever order
they arrived in. The digests themselves are parsed in files/digests.py, kept and looked up in
adapters/lists, and put in force by services.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from chalicelib.domain.files.manifest import Manifest
from chalicelib.domain.lists.model import CurrentList, FullList, ListDelta

RefusalReason = Literal[
    "empty_list",
    "manifest_rows_mismatch",
    "manifest_sha256_mismatch",
    "manifest_key_id_mismatch",
    "canaries_missing",
    "shrink_beyond_limit",
    "growth_beyond_limit",
]


@dataclass(frozen=True, slots=True)
class ListCandidate:
    """A full list that was read to its end. `sha256` is of the file as dropped."""

    rows: int  # lines, duplicates included: what a manifest speaks of
    count: int  # distinct digests: what look-ups and limits speak of
    sha256: str
    key_id: str
    manifest: Manifest | None = None
    canaries_missing: int = 0


@dataclass(frozen=True, slots=True)
class ListLimits:
    """Shares of the list in force: 0.2 lets a list lose, or gain, a fifth. None: no limit."""

    max_shrink: float
    max_growth: float | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The candidate may come in force."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The candidate may not; the list in force stays."""

    reason: RefusalReason
    detail: str = ""


# What a person may know to be right all the same: the list is held until one has said so.
HELD_FOR = frozenset[RefusalReason]({"shrink_beyond_limit", "growth_beyond_limit"})

_SEQUENCER_DIGITS = 32


def drop_position(dropped_at: datetime, sequencer: str, sha256: str) -> str:
    """Where a drop stands among all drops of a list: compares as the drops followed one another.

    S3's time of the drop, then its sequencer (hex of varying length, compared from the left, told
    for drops of one key only), then the content: the same whatever order their notices come in.
    """
    moment = dropped_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{moment}.{sequencer.lower().ljust(_SEQUENCER_DIGITS, '0')}.{sha256[:16]}"


def laid_over(full: FullList, deltas: Iterable[ListDelta]) -> list[ListDelta]:
    """Those of `deltas` that change a full list, in the order in which they do.

    Those made with its key that name it as their base, whenever they were dropped, or that name
    none and were dropped after it.
    """
    changing = (
        delta
        for delta in deltas
        if delta.key_id == full.key_id
        and (
            delta.base_sha256 == full.sha256
            or (delta.base_sha256 is None and delta.order > full.order)
        )
    )
    return sorted(changing, key=lambda delta: delta.order)


def judge(
    candidate: ListCandidate, in_force: CurrentList | None, limits: ListLimits
) -> Accepted | Refused:
    """The first guard that the candidate fails, in this order; Accepted when it passes all.

    Without a list in force there is nothing to shrink or grow from.
    """
    if not candidate.count:
        return Refused("empty_list")
    if mismatch := manifest_mismatch(candidate):
        return Refused(mismatch)
    if candidate.canaries_missing:
        return Refused("canaries_missing", f"{candidate.canaries_missing} missing")
    if in_force and _shrinks_too_much(candidate, in_force, limits):
        return Refused("shrink_beyond_limit", f"from {in_force.rows} to {candidate.count}")
    if in_force and _grows_too_much(candidate, in_force, limits):
        return Refused("growth_beyond_limit", f"from {in_force.rows} to {candidate.count}")
    return Accepted()


def is_fresh(listed: CurrentList | None, now: datetime, max_age: timedelta) -> bool:
    """Whether decisions may be made with this list now. No list, or an old one: fail closed."""
    return listed is not None and now - listed.accepted_at <= max_age


def as_of(manifest: Manifest | None, received_at: datetime) -> datetime:
    """The instant a list speaks of: what its manifest says, but never later than its arrival.

    A list dropped again late is as old as it says; a date in the future buys no time.
    """
    return min(manifest.generated_at, received_at) if manifest else received_at


def manifest_mismatch(candidate: ListCandidate) -> RefusalReason | None:
    """What the manifest beside a list says that is not so, None when all of it is."""
    manifest = candidate.manifest
    if manifest is None:
        return None
    if manifest.key_id != candidate.key_id:
        return "manifest_key_id_mismatch"
    if manifest.sha256 != candidate.sha256:
        return "manifest_sha256_mismatch"
    return "manifest_rows_mismatch" if manifest.rows != candidate.rows else None


def _shrinks_too_much(candidate: ListCandidate, before: CurrentList, limits: ListLimits) -> bool:
    return before.rows - candidate.count > limits.max_shrink * before.rows


def _grows_too_much(candidate: ListCandidate, before: CurrentList, limits: ListLimits) -> bool:
    if limits.max_growth is None:
        return False
    return candidate.count - before.rows > limits.max_growth * before.rows
