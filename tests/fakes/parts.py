"""The queue of the parts of large files, and who works on it."""

from __future__ import annotations

from chalicelib.domain.files.receipt import Receipt
from chalicelib.services.file_parts import work_off
from chalicelib.services.ports import Ports
from tests.fakes.due import must_not_fail
from tests.fakes.ports import MemoryQueues

MOST_MESSAGES = 500


def work_off_parts(ports: Ports) -> Receipt | None:
    """Handle every part in the queue; the receipt that was written last. It is an error when parts
    are queued again without end.
    """
    queues = ports.queues
    assert isinstance(queues, MemoryQueues)
    written = None
    handled = 0
    while queues.parts:
        handled += 1
        assert handled < MOST_MESSAGES, "parts are queued again and again"
        written = work_off(ports, queues.parts.pop(0), must_not_fail) or written
    return written
