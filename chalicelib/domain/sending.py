"""How fast mails are sent, so that the sender's limit is used and not exceeded.

The sender takes so many mails a second and refuses more. The setting `MailRate` names a rate; so
many executions of the mail function work on the mails that nobody waits for, and each gives every
one of them the same time. So no two of them have to agree, and no item counts mails. A share of the
rate is left to the mails that a person waits for, which are sent at once.
"""

from __future__ import annotations

from math import ceil

RATES = (0, 1, 14, 25, 50, 100, 200, 500)
"""The values of the setting; 0 sends as fast as it goes."""

FREE_SHARE = 0.2  # of the rate, for mails that a person waits for
SEND_S = 0.25  # what one mail takes; five executions sent 24 a second: 0.21
SLOWEST_SEND_S = 12  # the sender's time-outs
LONGEST_WAIT_S = 900
_UNPACED = 5  # executions, with a rate of 0
_LEAST = 2  # Lambda's own limit


def executions(rate: int) -> int:
    """How many executions of the mail function reach `rate`."""
    return max(_LEAST, ceil(rate * SEND_S)) if rate else _UNPACED


def seconds_for_a_mail(rate: int, quota: float | None) -> float:
    """How long an execution stays with each mail that nobody waits for.

    `quota` is the sender's own limit, None when unknown: the lower of the two holds. `rate` is
    not 0.
    """
    held = min(rate, quota) if quota else rate
    return min(executions(rate) / (held * (1 - FREE_SHARE)), SLOWEST_SEND_S)


def tried_again_after(receives: int) -> int:
    """The seconds until a mail that the sender had no room for is tried again.

    `receives` counts its deliveries so far: a second, then twice as long each time, up to a
    quarter of an hour.
    """
    return min(1 << min(receives - 1, 10), LONGEST_WAIT_S)
