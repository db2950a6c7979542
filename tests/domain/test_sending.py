"""The pace of mails: the sender's limit is used, never exceeded, and a share of it is left."""

from __future__ import annotations

import pytest

from chalicelib.domain.sending import (
    FREE_SHARE,
    LONGEST_WAIT_S,
    RATES,
    SEND_S,
    SLOWEST_SEND_S,
    executions,
    seconds_for_a_mail,
    tried_again_after,
)


@pytest.mark.parametrize("rate", RATES[1:])
def test_all_executions_together_reach_the_rate_less_the_share_that_is_left(rate: int) -> None:
    seconds = seconds_for_a_mail(rate, None)
    assert executions(rate) / seconds == pytest.approx(rate * (1 - FREE_SHARE))
    assert seconds >= SEND_S  # a mail takes no longer than its share of time


def test_without_a_rate_some_twenty_mails_a_second_are_sent() -> None:
    assert executions(0) / SEND_S == pytest.approx(20)


@pytest.mark.parametrize(("quota", "expected"), [(14.0, 14), (80.0, 50), (None, 50), (0.0, 50)])
def test_the_lower_of_setting_and_quota_holds(quota: float | None, expected: int) -> None:
    sent_a_second = executions(50) / seconds_for_a_mail(50, quota)
    assert sent_a_second == pytest.approx(expected * (1 - FREE_SHARE))


def test_a_small_quota_never_holds_a_function_beyond_its_time() -> None:
    assert seconds_for_a_mail(500, 1.0) == SLOWEST_SEND_S


def test_a_mail_that_found_no_room_is_tried_again_soon_then_less_and_less_often() -> None:
    waits = [tried_again_after(receives) for receives in range(1, 501)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_S
    # The queue gives a message up after 500 deliveries: a pause of four days is outlasted.
    assert sum(waits) > 4 * 86_400
