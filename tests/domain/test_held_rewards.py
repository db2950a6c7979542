"""A held reward: its name, and that nothing is decided about one that is not held."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.entity import IllegalMoveError
from chalicelib.domain.held_rewards import (
    RewardKey,
    fallen_away,
    held,
    refused_in_review,
    released,
)
from chalicelib.domain.review import Score
from chalicelib.domain.rewards import Reward, RewardRefusal, counts_in_limits, is_held, waits

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REWARD = Reward(referral_id="r", rule="welcome", rung=0, campaign="c")
HELD = held(REWARD, Score(total=70), 1000, now=NOW, ends_at=NOW + timedelta(days=14))


def test_a_name_is_read_back() -> None:
    key = RewardKey.of(replace(REWARD, rung=12))
    assert str(key) == "r.welcome.12"
    assert RewardKey.parse(str(key)) == key


NO_NAMES = (
    "", "r", "r.welcome", "r.welcome.1.2", ".welcome.1", "r..1", "r.welcome.", "r.welcome.x",
    "r.welcome.-1", "r.welcome.٣", "r.welcome.1_0",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|not the name"):
        RewardKey.parse(text)


@pytest.mark.parametrize(
    "reward",
    [
        REWARD,
        released(HELD, NOW, "AROA"),
        refused_in_review(HELD, RewardRefusal.REFUSED_IN_REVIEW),
        replace(HELD, code_key="C"),
        fallen_away(HELD),
    ],
)
def test_nothing_is_decided_about_what_is_not_held(reward: Reward) -> None:
    assert not is_held(reward)
    with pytest.raises(IllegalMoveError):
        released(reward, NOW, "AROA")
    with pytest.raises(IllegalMoveError):
        refused_in_review(reward, RewardRefusal.REFUSED_IN_REVIEW)


def test_what_waits_counts_in_the_limits_until_it_is_refused_or_falls_away() -> None:
    assert waits(HELD)
    assert counts_in_limits(HELD)
    assert counts_in_limits(released(HELD, NOW, None))
    assert not counts_in_limits(refused_in_review(HELD, RewardRefusal.NOT_DECIDED))
    assert not counts_in_limits(fallen_away(HELD))
    assert fallen_away(HELD) == REWARD
