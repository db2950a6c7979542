"""Whether a list may be trusted: guards before it comes in force, and its age afterwards.

Pure half of law 3. Owns the decision with its named reason; the digests themselves are parsed in
files/digests.py, kept and looked up in adapters/lists, and put in force by services.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.files.manifest import Manifest

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
class ListInForce:
    """The list that decisions are made with. `as_of`: when the client made it; see `as_of`."""

    version: str | int
    count: int
    as_of: datetime


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


def judge(
    candidate: ListCandidate, in_force: ListInForce | None, limits: ListLimits
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
        return Refused("shrink_beyond_limit", f"from {in_force.count} to {candidate.count}")
    if in_force and _grows_too_much(candidate, in_force, limits):
        return Refused("growth_beyond_limit", f"from {in_force.count} to {candidate.count}")
    return Accepted()


def in_force(listed: ListInForce | None, now: datetime, max_age: timedelta) -> bool:
    """Whether decisions may be made with this list now. No list, or an old one: fail closed."""
    return listed is not None and now - listed.as_of <= max_age


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


def _shrinks_too_much(candidate: ListCandidate, before: ListInForce, limits: ListLimits) -> bool:
    return before.count - candidate.count > limits.max_shrink * before.count


def _grows_too_much(candidate: ListCandidate, before: ListInForce, limits: ListLimits) -> bool:
    if limits.max_growth is None:
        return False
    return candidate.count - before.count > limits.max_growth * before.count
