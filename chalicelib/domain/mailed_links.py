"""Links that are mailed on request, and when the next one may be mailed.

Anybody may type somebody's address, so mails that she did not ask for are bounded, and she is never
locked out: while no other mail leaves, the link of the last one works. The pause grows with each
mail that nobody used and begins again with a sign-in. Mails stop for `STOP_LASTS` when
the person who gets them says that she did not ask, or complains. Two kinds: `sign_ins.py`,
`privacy.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from chalicelib.domain.entity import Entity

FIRST_PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(days=1)
LEFT_AT_LEAST = timedelta(minutes=20)
FORGOTTEN_AFTER = timedelta(days=7)
STOP_LASTS = timedelta(days=30)
_GROWTH = 4
_LONGEST_AFTER = 6  # mails, whatever is allowed a day


class StopReason(StrEnum):
    """Why mails with links to a person are stopped. The values are stored."""

    NOT_ME = "not_me"
    COMPLAINED = "complained"


@dataclass(frozen=True, kw_only=True)
class MailedLink(Entity):
    """The link that was last mailed to a person and not used yet; or, without a `contact_id`, that
    none is mailed for some time.

    `contact_id` is the request that it answers, `mailed` how many mails in a row nobody used.
    """

    campaign: str
    contact_id: str | None = None
    mailed: int
    waits_until: datetime
    ends_at: datetime

    @property
    def is_stop(self) -> bool:
        """Whether it stands for no link, but for mails being stopped."""
        return self.contact_id is None


L = TypeVar("L", bound=MailedLink)


def pause_after(mailed: int, a_day: int) -> timedelta:
    """How long no other link is mailed after `mailed` that nobody used; `a_day` are allowed."""
    if mailed >= min(a_day, _LONGEST_AFTER):
        return LONGEST_PAUSE
    grown: int = _GROWTH ** (mailed - 1)
    return min(FIRST_PAUSE * grown, LONGEST_PAUSE)


def is_waiting(last: MailedLink | None, now: datetime) -> bool:
    """Whether no other link is mailed now."""
    return last is not None and now < last.waits_until


def mailed_after(last: L, contact_id: str, a_day: int, now: datetime) -> L:
    """The link that is mailed now, in place of the last one."""
    mailed = last.mailed + 1
    waits_until = now + pause_after(mailed, a_day)
    return replace(
        last,
        contact_id=contact_id,
        mailed=mailed,
        waits_until=waits_until,
        ends_at=waits_until + FORGOTTEN_AFTER,
    )


def stop_after(last: L, now: datetime) -> L:
    """That no link is mailed from now on; the last one ends."""
    return replace(last, contact_id=None, waits_until=now + STOP_LASTS, ends_at=now + STOP_LASTS)
