"""The checker on histories that are known to be linearizable, or known not to be."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest

from tests.simulation.linearizability import Event, Specification, is_linearizable

Call = tuple[str, int]


def _register(state: int, call: Call) -> tuple[object, int]:
    kind, value = call
    return (None, value) if kind == "write" else (state, state)


REGISTER = Specification(0, _register)


def write(value: int, invoked: int, answered: int | None = None) -> Event[Call]:
    call = ("write", value)
    return Event.lost(call, invoked) if answered is None else Event(call, invoked, answered, None)


def read(value: int, invoked: int, answered: int) -> Event[Call]:
    return Event(("read", 0), invoked, answered, value)


LINEARIZABLE = {
    "nothing": [],
    "one after the other": [write(1, 1, 2), read(1, 3, 4)],
    "a read during a write sees the value before": [write(1, 1, 4), read(0, 2, 3)],
    "a read during a write sees the value after": [write(1, 1, 4), read(1, 2, 3)],
    "reads on both sides of a write": [write(1, 1, 10), read(0, 2, 3), read(1, 4, 5)],
    "writes at the same time in either order": [
        write(1, 1, 10), write(2, 1, 10), read(1, 11, 12), read(1, 13, 14),
    ],
    "a lost write that happened": [write(1, 1), read(1, 2, 3)],
    "a lost write that never happened": [write(1, 1), read(0, 2, 3), read(0, 4, 5)],
    "a lost write that happened late": [write(1, 1), read(0, 2, 3), read(1, 100, 101)],
}  # fmt: skip
NOT_LINEARIZABLE = {
    "a read of what nobody wrote": [read(1, 1, 2)],
    "a stale read": [write(1, 1, 2), read(0, 3, 4)],
    "a value that comes and goes": [write(1, 1, 10), read(1, 2, 3), read(0, 4, 5)],
    "two reads that disagree on the order of writes": [
        write(1, 1, 10), write(2, 1, 10), read(1, 11, 12), read(2, 13, 14), read(1, 15, 16),
    ],
    "a read before the lost write": [read(1, 1, 2), write(1, 3)],
    "a lost write that is taken back": [write(1, 1), read(1, 2, 3), read(0, 4, 5)],
}  # fmt: skip


@pytest.mark.parametrize("name", LINEARIZABLE)
def test_a_history_with_an_order_is_linearizable(name: str) -> None:
    assert is_linearizable(LINEARIZABLE[name], REGISTER)


@pytest.mark.parametrize("name", NOT_LINEARIZABLE)
def test_a_history_without_an_order_is_not(name: str) -> None:
    assert not is_linearizable(NOT_LINEARIZABLE[name], REGISTER)


def by_trying_every_order(history: list[Event[Call]]) -> bool:
    """The definition itself, for histories in which every call was answered."""
    return any(_is_allowed(order) for order in permutations(history))


def _is_allowed(order: tuple[Event[Call], ...]) -> bool:
    state, latest = 0, 0
    for event in order:
        answer, state = _register(state, event.call)
        if answer != event.answer or latest > (event.answered or 0):
            return False
        latest = max(latest, event.invoked)
    return True


def test_the_search_agrees_with_trying_every_order() -> None:
    chance = Random(5)
    found = {True: 0, False: 0}
    for _ in range(400):
        history = []
        for _ in range(5):
            invoked = chance.randrange(10)
            answered = invoked + chance.randrange(1, 6)
            value = chance.randrange(3)
            one = write if chance.random() < 0.5 else read
            history.append(one(value, invoked, answered))
        expected = by_trying_every_order(history)
        assert is_linearizable(history, REGISTER) is expected
        found[expected] += 1
    assert min(found.values()) > 20


def _claim(owner: int, call: int) -> tuple[object, int]:
    return ("won", call) if not owner else ("lost", owner)


CLAIM = Specification(0, _claim, refusals=frozenset({"lost"}))


@pytest.mark.parametrize("winners", [0, 1, 2])
def test_of_two_hundred_claims_at_once_exactly_one_wins(winners: int) -> None:
    history = [
        Event(number, number, 1000 + number, "won" if number > 200 - winners else "lost")
        for number in range(1, 201)
    ]
    assert is_linearizable(history, CLAIM) is (winners == 1)


def test_a_lost_claim_may_have_won() -> None:
    history = [Event(number, 1, 10, "lost") for number in range(1, 100)]
    assert not is_linearizable(history, CLAIM)
    assert is_linearizable([*history, Event.lost(100, 1)], CLAIM)
    assert not is_linearizable([*history, Event.lost(100, 11)], CLAIM)
