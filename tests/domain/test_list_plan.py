"""The plan of a drop, as tables: what is stored of a list × what is dropped → what it does.

A row changes what it names of the stored state; minutes are those of `tests.fakes.drops`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.campaign.lists import ListLimits
from chalicelib.domain.lists.drops import ReadListFile
from chalicelib.domain.lists.model import APPROVED, REJECTED
from chalicelib.domain.lists.plan import (
    ROLLBACK,
    AlreadyApplied,
    BuildFull,
    Confirm,
    DeltaPlan,
    FullPlan,
    Layer,
    Plan,
    Refuse,
    plan_delta,
    plan_drop,
    plan_full,
)
from tests.fakes.drops import (
    CURRENT,
    DAY,
    MAX_AGE,
    after,
    at,
    build,
    delta,
    drop,
    held,
    manifest,
    merge,
    merge_in_place,
    record,
    sha256,
    state,
    wait,
)

# --- a full list ---------------------------------------------------------------------------------

ADD_150 = delta("add", "a", 150)
REMOVE_180 = delta("remove", "r", 180)
OF_THE_NEXT = delta("add", "n", 110, base_sha256=sha256("next"))
OF_ANOTHER = delta("add", "n", 150, base_sha256=sha256("another"))
OF_ANOTHER_KEY = delta("add", "n", 150, key_id="k2")
FIRST = drop("full", "first", 1)
NEXT = drop("full", "next", 120)
AGED = drop("full", "old", MAX_AGE + 100, manifest=manifest("old", 100))
TOO_OLD = drop("full", "old", MAX_AGE + 101, manifest=manifest("old", 100))
MONTHS_LATER = drop("full", "current", 101 + 90 * DAY)
FORMER = drop("full", "former", 200)
RESTORED = drop("full", "former", 200, manifest=manifest("former", 150))
REKEYED = drop("full", "current", 200, key_id="k2")
ROLLED_BACK = replace(CURRENT, mode=ROLLBACK)
SEEN = {"record": record("current", 100)}
SEEN_FORMER = {"record": record("former", 50, version=2)}

FULL: list[tuple[str, dict[str, Any], ReadListFile, int, FullPlan]] = [
    ("the first list is built", {"current": None}, FIRST, 2, build(FIRST, version=1)),
    (
        "a later list replaces the current one and all deltas before it",
        {"deltas": (delta("add", "a", 110), delta("remove", "r", 119))}, NEXT, 201, build(NEXT),
    ),
    (
        "one that comes late has the deltas dropped after it applied, oldest first",
        {"deltas": (REMOVE_180, ADD_150, delta("add", "before", 110))}, NEXT, 201,
        build(NEXT, ADD_150, REMOVE_180, as_of=180),
    ),
    (
        "a delta that names it as its base applies, though dropped before it",
        {"deltas": (OF_THE_NEXT,)}, NEXT, 201, build(NEXT, OF_THE_NEXT),
    ),
    (
        "a delta that names another base does not apply",
        {"deltas": (OF_ANOTHER,)}, NEXT, 201, build(NEXT),
    ),
    (
        "law 3: a delta made with another key does not apply",
        {"deltas": (OF_ANOTHER_KEY,)}, NEXT, 201, build(NEXT),
    ),
    (
        "one dropped before the current one is refused",
        {}, drop("full", "late", 99), 200, Refuse(reason="older_than_the_list_in_force"),
    ),
    (
        "one that its manifest dates too far back is refused",
        {}, TOO_OLD, MAX_AGE + 101, Refuse(reason="older_than_the_campaign_allows"),
    ),
    ("one as old as the campaign just allows is built", {}, AGED, MAX_AGE + 100, build(AGED)),
    (
        "the notice of the current one, delivered again, changes nothing",
        SEEN, drop("full", "current", 100), 200,
        AlreadyApplied(effect="already_in_force", version=3),
    ),
    (
        "nor does it however late: a repeated notice buys no time",
        SEEN, drop("full", "current", 100), 2 * MAX_AGE,
        AlreadyApplied(effect="already_in_force", version=3),
    ),
    (
        "the current one, dropped again, is as young as the drop",
        SEEN, drop("full", "current", 200), 201,
        Confirm(current=CURRENT, as_of=at(200), version=3),
    ),
    (
        "dropped again with its old manifest, it is as old as before",
        SEEN, drop("full", "current", 200, manifest=manifest("current", 90)), 201,
        AlreadyApplied(effect="already_in_force", version=3),
    ),
    (
        "and refused once that is too old",
        SEEN, drop("full", "current", MAX_AGE + 101, manifest=manifest("current", 90)),
        MAX_AGE + 101, Refuse(reason="older_than_the_campaign_allows"),
    ),
    (
        "dropped again for months, it is stored again",
        {**SEEN, "limits": ListLimits(max_age_days=120)}, MONTHS_LATER, 102 + 90 * DAY,
        build(MONTHS_LATER),
    ),
    (
        "not a minute before those months are over",
        {**SEEN, "limits": ListLimits(max_age_days=120)},
        drop("full", "current", 99 + 90 * DAY), 102 + 90 * DAY,
        Confirm(current=CURRENT, as_of=at(99 + 90 * DAY), version=3),
    ),
    (
        "the content that ops went back to counts as the current one",
        {"current": ROLLED_BACK, "record": record("current", 50)},
        drop("full", "current", 200), 201,
        Confirm(current=ROLLED_BACK, as_of=at(200), version=3),
    ),
    (
        "a list that another one replaced does not come back by being dropped again",
        SEEN_FORMER, FORMER, 201, Refuse(reason="replaced_by_a_later_list"),
    ),
    (
        "its notice, delivered again, changes nothing",
        SEEN_FORMER, drop("full", "former", 50), 201,
        AlreadyApplied(effect="already_taken_in", version=2),
    ),
    (
        "nor does it pass for the current list where the same content was added to that since",
        {**SEEN_FORMER, "current": replace(CURRENT, mode="add", source_sha256=FORMER.sha256)},
        FORMER, 201, Refuse(reason="replaced_by_a_later_list"),
    ),
    (
        "it comes back with a manifest that is newer than the current list",
        SEEN_FORMER, RESTORED, 201, build(RESTORED),
    ),
    (
        "but not with one that is no newer than what it said before",
        {"record": record("former", 50, version=2, as_of=150)}, RESTORED, 201,
        Refuse(reason="replaced_by_a_later_list"),
    ),
    ("the current content under another key is another list", {}, REKEYED, 201, build(REKEYED)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stored", "file", "now", "expected"), [row[1:] for row in FULL], ids=[row[0] for row in FULL]
)
def test_a_full_list(
    stored: dict[str, Any], file: ReadListFile, now: int, expected: FullPlan
) -> None:
    assert plan_full(file, state(**stored), at(now)) == expected


def test_the_receipt_counts_the_later_deltas_that_are_applied() -> None:
    plans = {row[0]: row[-1] for row in FULL}
    late = plans["one that comes late has the deltas dropped after it applied, oldest first"]
    first = plans["the first list is built"]
    assert isinstance(late, BuildFull)
    assert isinstance(first, BuildFull)
    assert (late.later_deltas, first.later_deltas) == (2, 0)


# --- digests to add or to remove -----------------------------------------------------------------

ADD = drop("add", "x", 200)
REMOVE = drop("remove", "x", 200)
EARLY = drop("add", "early", 120)
ON_TOP = after(ADD_150)["current"]


OF_NEXT = drop("add", "x", 200, manifest=manifest("x", 200, "next"))
OF_CURRENT = drop("add", "x", 90, manifest=manifest("x", 90, "current"))
UNDER_K2 = drop("add", "x", 200, key_id="k2", manifest=manifest("x", 200, key_id="k2"))
AFTER_AGES = drop("add", "x", 101 + MAX_AGE)
JUST_IN_TIME = drop("add", "x", 100 + MAX_AGE)
SAID_TWICE = drop("add", "a", 170, manifest=manifest("a", 165))
SAID_EARLY = drop("add", "a", 170, manifest=manifest("a", 140))
FIRST_OF_TWO = drop("add", "a", 120)
ITS_OWN_REPEAT = {**after(ADD_150), "record": record("a", 150)}
DATED = delta("add", "a", 150, dated=True)
MADE_EARLY = delta("add", "a", 150, as_of=at(110))
WAITING = delta("add", "a", 150, base_sha256=sha256("another"))
PASSED_OVER = delta("add", "w", 150)

DELTA: list[tuple[str, dict[str, Any], ReadListFile, int, DeltaPlan]] = [
    ("the last of all is added to the current list", {}, ADD, 201, merge(ADD, CURRENT)),
    ("or removed from it", {}, REMOVE, 201, merge(REMOVE, CURRENT)),
    ("on top of the deltas before it", after(ADD_150), ADD, 201, merge(ADD, ON_TOP)),
    (
        "one that comes late is applied in its place, on the full list again",
        after(ADD_150, REMOVE_180), EARLY, 201,
        merge_in_place(
            EARLY, after(ADD_150, REMOVE_180)["current"],
            Layer(mode="add"),
            Layer(mode="add", stored=ADD_150),
            Layer(mode="remove", stored=REMOVE_180),
            last=REMOVE_180.position, as_of=180,
        ),
    ),
    (
        "a late one makes the list no older",
        after(ADD_150), drop("add", "early", 160, manifest=manifest("early", 110)), 201,
        replace(
            merge(drop("add", "early", 160, manifest=manifest("early", 110)), ON_TOP),
            as_of=at(150),
        ),
    ),
    (
        "one that follows a delta which was never applied has both applied",
        {"deltas": (PASSED_OVER,)}, ADD, 201,
        merge_in_place(
            ADD, CURRENT, Layer(mode="add", stored=PASSED_OVER), Layer(mode="add"),
            last=ADD.position, as_of=200,
        ),
    ),
    (
        "one that precedes such a delta, though the last that was applied, has both applied",
        {"deltas": (later := delta("add", "w", 300),)}, ADD, 201,
        merge_in_place(
            ADD, CURRENT, Layer(mode="add"), Layer(mode="add", stored=later),
            last=later.position, as_of=200,
        ),
    ),
    (
        "before there is any list it waits for one",
        {"current": None}, ADD, 201, wait(ADD, 201, None),
    ),
    ("one that names another full list waits for it", {}, OF_NEXT, 201, wait(OF_NEXT, 201, 3)),
    ("law 3: one made with another key waits", {}, UNDER_K2, 201, wait(UNDER_K2, 201, 3)),
    (
        "law 3: it does not make a list young that had grown too old",
        {}, AFTER_AGES, 102 + MAX_AGE, wait(AFTER_AGES, 102 + MAX_AGE, 3),
    ),
    (
        "but one as old as the campaign just allows",
        {}, JUST_IN_TIME, 102 + MAX_AGE, merge(JUST_IN_TIME, CURRENT, now=102 + MAX_AGE),
    ),
    (
        "its age when it is handled does not matter",
        {}, ADD, 2 * MAX_AGE, merge(ADD, CURRENT, now=2 * MAX_AGE),
    ),
    (
        "one dropped before the current full list is refused",
        {}, drop("add", "x", 99), 201, Refuse(reason="older_than_the_list_in_force"),
    ),
    (
        "unless it names that list as its base",
        {}, OF_CURRENT, 201,
        merge_in_place(
            OF_CURRENT, CURRENT, Layer(mode="add"), last=CURRENT.full.position, as_of=100
        ),
    ),
    (
        "or another one that may still come",
        {}, (named_99 := drop("add", "x", 99, manifest=manifest("x", 99, "next"))), 201,
        wait(named_99, 201, 3),
    ),
    (
        "a notice delivered again changes nothing",
        ITS_OWN_REPEAT, drop("add", "a", 150), 201,
        AlreadyApplied(effect="already_taken_in", version=3),
    ),
    (
        "nor does it where others were applied after it",
        {**after(ADD_150, REMOVE_180), "record": record("a", 150)}, drop("add", "a", 150), 201,
        AlreadyApplied(effect="already_taken_in", version=3),
    ),
    (
        "nor one that comes again after the campaign's key has changed",
        after(ADD_150), drop("add", "a", 150, key_id="k2"), 201,
        AlreadyApplied(effect="already_taken_in", version=4),
    ),
    (
        "nor that of one that waits for the first list",
        {"current": None, "deltas": (ADD_150,), "record": record("a", 150, version=0)},
        drop("add", "a", 150), 201,
        AlreadyApplied(effect="already_taken_in", version=None),
    ),
    (
        "nor does the content of the last delta, dropped again",
        ITS_OWN_REPEAT, drop("add", "a", 170), 201,
        AlreadyApplied(effect="already_taken_in", version=3),
    ),
    (
        "content that other deltas followed is refused when dropped again",
        {**after(ADD_150, REMOVE_180), "record": record("a", 150)}, drop("add", "a", 190), 201,
        Refuse(reason="taken_in_before"),
    ),
    (
        "even when the last delta has that content in the other mode",
        {**after(ADD_150, delta("remove", "a", 180)), "record": record("a", 150)},
        drop("add", "a", 190), 201,
        Refuse(reason="taken_in_before"),
    ),
    (
        "it is applied again when its manifest is newer than the list",
        {**after(ADD_150), "record": record("a", 150)}, SAID_TWICE, 201,
        merge(SAID_TWICE, ON_TOP),
    ),
    (
        "but not when its manifest is older",
        {**after(ADD_150, REMOVE_180), "record": record("a", 150)}, SAID_EARLY, 201,
        Refuse(reason="taken_in_before"),
    ),
    (
        "nor by a newer manifest beside a notice that is only delivered again",
        {**after(MADE_EARLY), "record": record("a", 150, as_of=110)},
        drop("add", "a", 150, manifest=manifest("a", 160)), 201,
        AlreadyApplied(effect="already_taken_in", version=3),
    ),
    (
        "content counts from its first drop: what came of the later one is replaced",
        ITS_OWN_REPEAT, FIRST_OF_TWO, 201,
        merge_in_place(
            FIRST_OF_TWO, ON_TOP, Layer(mode="add"),
            last=FIRST_OF_TWO.position, as_of=150, replaced=(ADD_150,),
        ),
    ),
    (
        "but a later one that its manifest dates is intended, and stays",
        {**after(DATED), "record": record("a", 150)}, FIRST_OF_TWO, 201,
        merge_in_place(
            FIRST_OF_TWO, after(DATED)["current"],
            Layer(mode="add"), Layer(mode="add", stored=DATED),
            last=DATED.position, as_of=150,
        ),
    ),
    (
        "a first drop that waits replaces a later one that waits",
        {"deltas": (WAITING,), "record": record("a", 150)},
        (waits := drop("add", "a", 120, manifest=manifest("a", 120, "another"))), 201,
        wait(waits, 201, 3, WAITING),
    ),
    (
        "but none that the current list was made of",
        ITS_OWN_REPEAT, waits, 201, wait(waits, 201, 4),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stored", "file", "now", "expected"), [row[1:] for row in DELTA], ids=[row[0] for row in DELTA]
)
def test_a_delta(stored: dict[str, Any], file: ReadListFile, now: int, expected: DeltaPlan) -> None:
    assert plan_delta(file, state(**stored), at(now)) == expected


# --- any drop ------------------------------------------------------------------------------------

CONTRADICTED = drop("full", "next", 200, rows=4, manifest=manifest("next", 200))
DROP: list[tuple[str, dict[str, Any], ReadListFile, Plan]] = [
    (
        "one that its manifest contradicts is refused, and an approval of ops stays",
        {"held": held(APPROVED)}, CONTRADICTED,
        Refuse(reason="manifest_rows_mismatch", ends_approval=False),
    ),
    (
        "also where its content was applied before",
        {"record": record("next", 100)}, CONTRADICTED,
        Refuse(reason="manifest_rows_mismatch", ends_approval=False),
    ),
    (
        "one that ops rejected is refused",
        {"held": held(REJECTED)}, drop("full", "next", 200),
        Refuse(reason="refused_by_ops", ends_approval=False),
    ),
    (
        "one that they approved is planned like any other",
        {"held": held(APPROVED)}, drop("full", "next", 99),
        Refuse(reason="older_than_the_list_in_force", ends_approval=True),
    ),
    ("one that waits for ops too", {"held": held(None)}, ADD, merge(ADD, CURRENT)),
    ("what adds is a delta", {}, ADD, merge(ADD, CURRENT)),
    ("what removes is a delta", {}, REMOVE, merge(REMOVE, CURRENT)),
    (
        "and all else a full list",
        {}, NEXT, build(NEXT),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stored", "file", "expected"), [row[1:] for row in DROP], ids=[row[0] for row in DROP]
)
def test_a_drop(stored: dict[str, Any], file: ReadListFile, expected: Plan) -> None:
    assert plan_drop(file, state(**stored), at(201)) == expected
