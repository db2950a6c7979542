"""A backlog of 25,000 invitations does not delay a sign-in: simulated with the code's own rules."""

from __future__ import annotations

import pytest

from bench import mails


@pytest.mark.parametrize(("rate", "quota"), [(14, 14), (50, 14), (50, 50), (100, 80), (500, 500)])
def test_a_sign_in_takes_ten_seconds_at_most_behind_any_backlog(rate: int, quota: float) -> None:
    outcome = mails.simulate(rate=rate, quota=quota)
    assert outcome.slowest < 10
    assert outcome.mails_a_second > 0.75 * min(rate, quota)


def test_in_one_queue_a_sign_in_waits_for_the_backlog() -> None:
    assert mails.simulate(rate=0, quota=1_000, shared=True).slowest > 600


def test_without_the_share_that_is_left_free_sign_ins_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = mails.simulate(rate=50, quota=50)
    monkeypatch.setattr(mails, "seconds_for_a_mail", lambda *_: 0.0)
    assert mails.simulate(rate=50, quota=50).refused > 10 * (held.refused + 1)
