"""Sharing the time of a run: who needs much of it keeps nobody waiting, and gets what is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

from chalicelib.services.turns import in_turn
from tests.fakes.ports import SettableClock

MOST_TURNS = 20  # of one run: more than anybody here needs


def played(needs: dict[str, int], seconds: int) -> list[tuple[str, int]]:
    """What each turn took, when everybody needs so many seconds in all."""
    clock = SettableClock(datetime(1970, 1, 1, tzinfo=UTC))
    left = dict(needs)
    turns: list[tuple[str, int]] = []
    until = clock() + timedelta(seconds=seconds)
    for name, ends in islice(in_turn(clock, list(needs), until), MOST_TURNS):
        took = min(left[name], round((ends - clock()).total_seconds()))
        left[name] -= took
        clock.advance(seconds=took)
        turns.append((name, took))
    return turns


def test_without_anything_to_do_each_has_one_turn() -> None:
    assert played({"a": 0, "b": 0}, 60) == [("a", 0), ("b", 0)]


def test_who_needs_much_is_stopped_and_gets_what_the_others_leave() -> None:
    assert played({"a": 100, "b": 1, "c": 1}, 90) == [("a", 30), ("b", 1), ("c", 1), ("a", 58)]


def test_those_who_need_much_share_what_the_others_leave() -> None:
    turns = played({"a": 100, "b": 0, "c": 100}, 90)
    assert turns == [("a", 30), ("b", 0), ("c", 60)]


def test_what_one_leaves_over_goes_to_those_after_it() -> None:
    assert played({"a": 10, "b": 100}, 90) == [("a", 10), ("b", 80)]


def test_nobody_begins_when_the_time_is_over() -> None:
    assert played({"a": 1}, 0) == []


def test_another_one_is_the_first_in_each_minute() -> None:
    # When turns take longer than their share, the last ones have none.
    clock = SettableClock(datetime(1970, 1, 1, tzinfo=UTC))
    firsts = []
    for _minute in range(4):
        turns = in_turn(clock, ["a", "b", "c"], clock() + timedelta(seconds=30))
        firsts.append(next(turns)[0])
        clock.advance(seconds=60)
    assert firsts == ["a", "b", "c", "a"]
