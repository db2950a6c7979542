"""Calls at the same time give the answers of some order of them (laws 1, 2 and 6).

More of them: `python -m tests.simulation.races --seeds 1000`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from chalicelib.adapters.dynamodb import repository
from tests.simulation.races import (
    AT_ONCE,
    Race,
    Start,
    answered,
    invitation,
    invited_by_many,
    mixed,
    redeemed_by_many,
    refused_by_many,
    rolled_back_by_many,
    sponsors,
    voucher,
)

SEEDS = range(8)
pytestmark = pytest.mark.slow


def test_law_6_of_two_hundred_redemptions_at_once_one_wins() -> None:
    race = redeemed_by_many(1)
    assert race.broken == []
    assert race.answers() == Counter({"201": 1, "409": AT_ONCE - 1})


def test_law_6_of_two_hundred_rollbacks_at_once_one_has_an_effect() -> None:
    race = rolled_back_by_many(1)
    assert race.broken == []
    assert race.answers() == Counter({"204": AT_ONCE})


def test_law_10_of_two_hundred_refusals_at_once_on_one_order_one_counts() -> None:
    race = refused_by_many(1)
    assert race.broken == []
    assert race.answers() == Counter({"409": AT_ONCE})


@pytest.mark.parametrize("seed", SEEDS)
def test_law_10_it_counts_once_whatever_fails(seed: int) -> None:
    race = refused_by_many(seed, callers=8, faults=0.1)
    assert race.broken == []
    assert race.answers().keys() <= {"409", "unknown"}


def test_law_10_breaks_without_the_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    always = "attribute_exists(pk) OR attribute_not_exists(pk)"
    condition = f"{repository.KEY_IS_FREE_OR_ENDED} OR {always}"
    monkeypatch.setattr(repository, "KEY_IS_FREE_OR_ENDED", condition)
    broken = refused_by_many(1, callers=40).broken
    assert any(text.startswith("counted ") for text in broken)


def test_law_6_uses_and_rollbacks_of_a_voucher_have_an_order_whatever_fails() -> None:
    with voucher() as start:
        races = [mixed(start, seed) for seed in range(16)]  # some with a call without an answer
    assert [text for race in races for text in race.broken] == []
    assert any(event.answered is None for race in races for event in race.history)


def test_law_6_breaks_without_the_two_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    always = "attribute_exists(pk) OR attribute_not_exists(pk)"
    for name in ("KEY_IS_FREE_OR_ENDED", "UNCHANGED"):
        monkeypatch.setattr(repository, name, f"{getattr(repository, name)} OR {always}")
    assert any("no order of the calls" in text for text in redeemed_by_many(1, callers=8).broken)


def test_an_invitation_is_confirmed_or_declined_and_its_answers_have_an_order() -> None:
    with invitation() as start:
        races = [answered(start, seed) for seed in SEEDS]
    assert [text for race in races for text in race.broken] == []


def test_laws_1_and_2_many_sponsors_who_invite_one_person_make_one_mail_and_one_referral() -> None:
    with sponsors() as start:
        races = [invited_by_many(start, seed) for seed in SEEDS]
    assert [text for race in races for text in race.broken] == []
    assert all(race.answers()["accepted"] == 1 for race in races)


@pytest.mark.parametrize(
    ("begin", "race", "guards"),
    [
        (sponsors, invited_by_many, ("KEY_IS_FREE_OR_ENDED",)),
        (invitation, answered, ("UNCHANGED",)),
    ],
    ids=["invited without claims", "answered at any revision"],
)
def test_without_a_guard_some_seed_breaks_a_law_and_replays(
    begin: Callable[[], AbstractContextManager[Start]],
    race: Callable[[Start, int], Race],
    guards: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    always = "attribute_exists(pk) OR attribute_not_exists(pk)"
    with begin() as start:
        with monkeypatch.context() as without:
            for name in guards:
                without.setattr(repository, name, f"{getattr(repository, name)} OR {always}")
            played = ((seed, race(start, seed)) for seed in range(20))
            seed, broken = next((seed, one) for seed, one in played if one.broken)
            assert race(start, seed) == broken
        assert race(start, seed).broken == []
