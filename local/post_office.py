"""Takes in mails as SES would, keeps them whole, and tells the topic what became of them.

Owns the store of .eml files, what can be read out of a mail (addressee, subject, links), and the
events that SES publishes for a configuration set: send, then delivery, bounce or complaint, chosen
by the recipient's local part. Refuses to alter a byte of a message.

Neighbours: front.py serves the SESv2 call and the mailbox pages; deployment.py makes the topic.
"""

from __future__ import annotations

import itertools
import json
import queue
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

Publish = Callable[[str], None]

_URL: Final = re.compile(r"https?://[^\s<>\"']+")


class Answer(StrEnum):
    """How the next sends are answered."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"  # refused: nothing is kept, nothing is published
    LOST = "lost"  # accepted and published, but the caller gets an internal error


@dataclass(frozen=True)
class Letter:
    """One mail as it would have left."""

    id: str
    to: str
    subject: str
    sent_at: datetime
    links: tuple[str, ...]
    text: str
    html: str
    tags: Mapping[str, str]
    raw: bytes


class PostOffice:
    """The mails of one stack."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        self._letters: list[Letter] = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._answers: list[Answer] = []
        self._events: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._publisher: threading.Thread | None = None

    def publish_with(self, publish: Publish) -> None:
        """From now on hand each event to `publish`, in order; events from before wait for this."""
        self._publisher = threading.Thread(target=self._publish, args=(publish,), daemon=True)
        self._publisher.start()

    def close(self) -> None:
        """Publish nothing more: the events that still wait are of a stack that ends."""
        self._over.set()
        self._events.put(None)
        if self._publisher is not None:
            self._publisher.join()

    def answer_next(self, answer: Answer, times: int = 1) -> None:
        """Answer the next `times` sends that way."""
        with self._lock:
            self._answers += [answer] * times

    def take(
        self, raw: bytes, recipients: Sequence[str], tags: Mapping[str, str]
    ) -> tuple[Answer, str]:
        """Take a mail in. Returns how to answer, and the message id."""
        with self._lock:
            answer = self._answers.pop(0) if self._answers else Answer.ACCEPTED
            if answer is Answer.THROTTLED:
                return answer, ""
            identifier = f"{next(self._numbers):06}"
            letter = read_letter(identifier, raw, recipients, tags)
            (self.directory / f"{identifier}.eml").write_bytes(raw)
            self._letters.append(letter)
        for event in events_of(letter, recipients):
            self._events.put(json.dumps(event))
        return answer, identifier

    def letters(self) -> list[Letter]:
        """Every mail so far, newest first."""
        with self._lock:
            return self._letters[::-1]

    def letter(self, identifier: str) -> Letter | None:
        """The mail of that id."""
        with self._lock:
            return next((each for each in self._letters if each.id == identifier), None)

    def _publish(self, publish: Publish) -> None:
        while (event := self._events.get()) is not None and not self._over.is_set():
            publish(event)


def read_letter(
    identifier: str, raw: bytes, recipients: Sequence[str], tags: Mapping[str, str]
) -> Letter:
    """What a reader sees of a raw message."""
    message = message_from_bytes(raw, policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError("policy.default makes EmailMessage")
    text, html = _part(message, "plain"), _part(message, "html")
    links = dict.fromkeys([*_URL.findall(text), *_hrefs(html)])
    return Letter(
        identifier,
        ", ".join(recipients),
        str(message["Subject"] or ""),
        datetime.now(UTC),
        tuple(links),
        text,
        html,
        dict(tags),
        raw,
    )


def events_of(letter: Letter, recipients: Sequence[str]) -> list[dict[str, object]]:
    """The events SES publishes for a mail, oldest first."""
    now = letter.sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = message_from_bytes(letter.raw, policy=policy.default)
    mail = {
        "timestamp": now,
        "messageId": letter.id,
        "source": str(message["From"] or ""),
        "destination": list(recipients),
        "headersTruncated": False,
        "headers": [{"name": name, "value": str(value)} for name, value in message.items()],
        "commonHeaders": {
            "subject": letter.subject,
            "to": list(recipients),
            "messageId": letter.id,
        },
        "tags": {name: [value] for name, value in letter.tags.items()},
    }
    events: list[dict[str, object]] = [{"eventType": "Send", "mail": mail, "send": {}}]
    local_part = recipients[0].partition("@")[0].lower() if recipients else ""
    if local_part.startswith("bounce"):
        bounce = {
            "timestamp": now,
            "feedbackId": f"bounce-{letter.id}",
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": address,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 unknown mailbox",
                }
                for address in recipients
            ],
        }
        return [*events, {"eventType": "Bounce", "mail": mail, "bounce": bounce}]
    delivery = {
        "timestamp": now,
        "recipients": list(recipients),
        "processingTimeMillis": 1,
        "smtpResponse": "250 2.0.0 OK",
    }
    events.append({"eventType": "Delivery", "mail": mail, "delivery": delivery})
    if local_part.startswith("complaint"):
        complaint = {
            "timestamp": now,
            "feedbackId": f"complaint-{letter.id}",
            "complaintFeedbackType": "abuse",
            "complainedRecipients": [{"emailAddress": address} for address in recipients],
        }
        events.append({"eventType": "Complaint", "mail": mail, "complaint": complaint})
    return events


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()) if part is not None else ""


def _hrefs(html: str) -> list[str]:
    found: list[str] = []

    class Finder(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            href = dict(attrs).get("href")
            if tag == "a" and href and href.startswith(("http://", "https://")):
                found.append(href)

    Finder().feed(html)
    return found
