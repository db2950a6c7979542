"""Giving a piece of work at least so much time. Which time is decided in `domain/sending.py`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.services.mail_ports import Mailer


@contextmanager
def at_least(seconds: float, when: Callable[[], bool]) -> Iterator[None]:
    """Let the block take at least so long, also if it fails, if `when` holds at its end."""
    ends = time.monotonic() + seconds
    try:
        yield
    finally:
        if when():
            time.sleep(max(0.0, ends - time.monotonic()))


class NotingMailer:
    """`ports.Mailer` that passes mails on to the sender, and notes that it was asked."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self.was_asked = False

    def send(self, message: bytes, *, recipient: str, mail_id: str) -> str:
        self.was_asked = True
        return self._mailer.send(message, recipient=recipient, mail_id=mail_id)

    def rate(self) -> float | None:
        return self._mailer.rate()
