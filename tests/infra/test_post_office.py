"""The post office alone: events in their order, and none once the stack ends."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from local.post_office import PostOffice
from local.stack import reported_events

MAIL = b"From: a@tandem.example\r\nTo: b@demo.test\r\nSubject: Hello\r\n\r\nHello\r\n"


def test_events_are_published_in_their_order(tmp_path: Path) -> None:
    office = PostOffice(tmp_path / "mail")
    published: list[str] = []
    delivered = threading.Event()

    def publish(event: str) -> None:
        published.append(json.loads(event)["eventType"])
        if len(published) == 5:
            delivered.set()

    office.take(MAIL, ["b@demo.test"], {})  # before anybody listens: it waits
    office.publish_with(publish)
    office.take(MAIL, ["complaint@demo.test"], {})
    assert delivered.wait(10)
    office.close()
    assert published == ["Send", "Delivery", "Send", "Delivery", "Complaint"]


def test_what_waits_when_the_stack_ends_is_not_waited_for(tmp_path: Path) -> None:
    office = PostOffice(tmp_path / "mail")
    began, go_on = threading.Event(), threading.Event()
    published: list[str] = []

    def publish(event: str) -> None:
        published.append(event)
        began.set()
        go_on.wait(10)

    office.publish_with(publish)
    for _ in range(100):
        office.take(MAIL, ["b@demo.test"], {})
    assert began.wait(10)
    closing = threading.Thread(target=office.close)
    closing.start()
    assert office._over.wait(10)
    go_on.set()
    closing.join(10)
    assert not closing.is_alive()
    assert len(published) == 1


def test_the_stack_is_told_of_what_ses_reports_and_of_no_delivery(
    template: dict[str, Any],
) -> None:
    assert reported_events(template) == {"Send", "Bounce", "Complaint", "Reject"}
