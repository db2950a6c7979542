"""What is stored of a list, and drops of it, for the tests of their plan.

Drops stand at minutes of one morning. The stored list was dropped at minute 100 (`CURRENT`); what
is dropped at another minute comes late, or follows.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.campaign.lists import ListLimits, ListName
from chalicelib.domain.files.manifest import Manifest
from chalicelib.domain.lists.drops import ReadListFile
from chalicelib.domain.lists.model import (
    CurrentList,
    FileRecord,
    FullList,
    HeldList,
    ListDelta,
    ListMode,
)
from chalicelib.domain.lists.plan import DELTA_DAYS, BuildDelta, BuildFull, Layer, ListState, Wait

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = 24 * 60  # minutes
MAX_AGE = 30 * DAY
LIMITS = ListLimits(max_age_days=30)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def manifest(content: str, minute: int, base: str | None = None, key_id: str = "k1") -> Manifest:
    """What says that the content was made at that minute, against the full list `base`."""
    return Manifest(5, sha256(content), key_id, at(minute), (), base and sha256(base))


def drop(mode: ListMode, content: str, minute: int, **changes: Any) -> ReadListFile:
    return ReadListFile(
        **{
            "campaign": "c", "name": ListName.CUSTOMERS, "mode": mode,
            "path": f"customers/{mode}/{content}.csv", "dropped_at": at(minute), "sequencer": "1",
            "file_version": None, "rows": 5, "sha256": sha256(content), "manifest": None,
            "key_id": "k1", "algorithm": "hmac_sha256", **changes,
        }
    )  # fmt: skip


def position(content: str, minute: int) -> str:
    return drop("full", content, minute).position


def delta(mode: ListMode, content: str, minute: int, **changes: Any) -> ListDelta:
    """One that is stored."""
    return ListDelta(
        **{
            "revision": 1, "campaign": "c", "name": "customers", "mode": mode,
            "position": position(content, minute), "sha256": sha256(content), "key_id": "k1",
            "segment": f"{content}.seg", "etag": "etag", "rows": 5, "as_of": at(minute),
            "ends_at": at(minute) + timedelta(days=DELTA_DAYS), **changes,
        }
    )  # fmt: skip


def new_delta(file: ReadListFile, now: int) -> ListDelta:
    """The one that a drop makes, which has no segment yet."""
    return ListDelta(
        campaign="c", name="customers", mode=file.mode, position=file.position, sha256=file.sha256,
        key_id=file.key_id,
        segment=f"lists/c/customers/deltas/{file.mode}-{file.key_id}-{file.sha256[:24]}.seg",
        etag="", rows=0, as_of=file.as_of, dated=file.manifest is not None,
        base_sha256=file.base_sha256, ends_at=at(now) + timedelta(days=DELTA_DAYS),
    )  # fmt: skip


def record(content: str, minute: int, version: int = 3, as_of: int | None = None) -> FileRecord:
    return FileRecord(
        campaign="c", area="", sha256=sha256(content), file="f", version=version,
        processed_at=START,
        position=position(content, minute), as_of=at(minute if as_of is None else as_of),
    )  # fmt: skip


def held(decision: str | None) -> HeldList:
    return HeldList(
        campaign="c", name="customers", mode="full", sha256="", path="", dropped_at=START,
        sequencer="", reason="shrink_beyond_limit", detail="", rows=5, held_at=START,
        ends_at=START, decision=decision,
    )  # fmt: skip


CURRENT = CurrentList(
    revision=3, campaign="c", name="customers", version=3, rows=5, segment="3.seg", etag="etag",
    directory_crc=7, key_id="k1", algorithm="hmac_sha256", accepted_at=at(100),
    source_sha256=sha256("current"), mode="full", last_position=position("current", 100),
    full=FullList(
        position=position("current", 100), sha256=sha256("current"), key_id="k1", segment="3.seg",
        etag="etag", rows=5,
    ),
)  # fmt: skip


def after(*deltas: ListDelta) -> dict[str, Any]:
    """The stored state once these were applied to the current list."""
    last = max(one.position for one in deltas)
    newest = max(one.as_of for one in deltas)
    now = replace(
        CURRENT, mode="add", segment="4.seg", accepted_at=newest, last_position=last, version=4,
        source_sha256=deltas[-1].sha256,
    )  # fmt: skip
    return {"current": now, "deltas": deltas}


def state(**changes: Any) -> ListState:
    nothing_else = {"drops": None, "deltas": (), "record": None, "held": None, "limits": LIMITS}
    return ListState(**{"current": CURRENT, **nothing_else, **changes})


# --- plans ---------------------------------------------------------------------------------------


def build(
    file: ReadListFile, *later: ListDelta, version: int = 4, as_of: int | None = None
) -> BuildFull:
    """What a full list makes, with the deltas dropped after it applied."""
    return BuildFull(
        version=version,
        layers=(Layer(mode="full"), *(Layer(mode=one.mode, stored=one) for one in later)),
        full=FullList(
            position=file.position, sha256=file.sha256, key_id=file.key_id, segment="", etag="",
            rows=0,
        ),
        as_of=file.as_of if as_of is None else at(as_of),
        last_position=max([file.position, *(one.position for one in later)]),
    )  # fmt: skip


def wait(file: ReadListFile, now: int, version: int | None, *replaced: ListDelta) -> Wait:
    return Wait(delta=new_delta(file, now), replaced=replaced, current_version=version)


def merge(
    file: ReadListFile, base: CurrentList, *, now: int = 201, replaced: tuple[ListDelta, ...] = ()
) -> BuildDelta:
    """What a delta makes that is the last one."""
    return BuildDelta(
        version=base.version + 1, effect="merged", base=base, delta=new_delta(file, now),
        layers=(Layer(mode="full", stored=base), Layer(mode=file.mode)),
        replaced=replaced, as_of=max(file.as_of, base.accepted_at), last_position=file.position,
    )  # fmt: skip


def merge_in_place(
    file: ReadListFile, base: CurrentList, *layers: Layer, last: str, as_of: int,
    replaced: tuple[ListDelta, ...] = (),
) -> BuildDelta:  # fmt: skip
    return BuildDelta(
        version=base.version + 1, effect="merged_in_its_place", base=base,
        delta=new_delta(file, 201), layers=(Layer(mode="full", stored=base.full), *layers),
        replaced=replaced, as_of=at(as_of), last_position=last,
    )  # fmt: skip
