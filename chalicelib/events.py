"""Lambda events as arguments of use cases: stream records, queue messages, S3 and SES events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from chalicelib.adapters.dynamodb.codec import fact_from_json, fact_of
from chalicelib.adapters.dynamodb.schema import FACT_KIND
from chalicelib.adapters.ses import MAIL_ID_TAG
from chalicelib.adapters.sqs import part_from_json, stretch_from_json
from chalicelib.domain.facts import Fact
from chalicelib.services.ports import PartOfFile, Stretch

if TYPE_CHECKING:
    from chalicelib.services.ingest import Drop
    from chalicelib.services.mails.ses_events import EventKind, MailEvent

Event = Mapping[str, Any]

_KINDS: Mapping[str, EventKind] = {
    "Send": "sent",
    "Delivery": "sent",
    "Bounce": "bounced",
    "Reject": "rejected",
    "Complaint": "complained",
}
# What SES writes to the topic once, as plain text, when it becomes the destination of events.
_NOTICE = "Successfully validated SNS topic"
# The account's own list of addresses: SES accepted the mail, and did not send it.
_SUPPRESSED = "OnAccountSuppressionList"


class UnreadableRecordError(ValueError):
    """A stream record that is no new fact: the filter of the event source lets no other through."""


def fact_in_stream(record: Event) -> Fact:
    """The fact in one record of a stream, also one of a later version.

    `UnreadableRecordError`, or an error of the parser.
    """
    image = record["dynamodb"]["NewImage"]
    if record["eventName"] != "INSERT" or image["kind"] != {"S": FACT_KIND}:
        raise UnreadableRecordError(record["eventName"])
    return fact_of(image)


def sequence_number_of(record: Event) -> str:
    """What Lambda knows a stream's record by."""
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


@dataclass(frozen=True)
class Message:
    """One message of a queue batch: `receipt` is of this delivery, `receives` counts them all,
    `sent_at` is when it came into the queue.
    """

    message_id: str
    body: str
    queue: str
    receipt: str
    receives: int
    sent_at: datetime


def messages(event: Event) -> Iterator[Message]:
    """Each message of a queue batch."""
    for record in event["Records"]:
        yield Message(
            message_id=record["messageId"],
            body=record["body"],
            queue=record["eventSourceARN"].rpartition(":")[2],
            receipt=record["receiptHandle"],
            receives=int(record["attributes"]["ApproximateReceiveCount"]),
            sent_at=datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1000, UTC),
        )


def fact_in(body: str) -> Fact:
    """The fact in a work queue's message."""
    return fact_from_json(body)


def stretch_in(body: str) -> Stretch:
    """The stretch of an agenda in a message of the queue `due`."""
    return stretch_from_json(body)


def part_in(body: str) -> PartOfFile | None:
    """The part of a large file in a message; None for a file, or a fact about a list."""
    return part_from_json(body) if "file_id" in json.loads(body) else None


def drops_in(body: str, reviewed_drop: Callable[[Fact], Drop | None]) -> list[Drop]:
    """The files named in an S3 event, or in a fact about a list that ops have decided on.

    S3's first event is a test and names none.
    """
    from chalicelib.services.ingest import drop_at

    content = json.loads(body)
    if "fact_id" in content:
        drops = [reviewed_drop(fact_in(body))]
    else:
        drops = [
            drop_at(
                unquote_plus(record["s3"]["object"]["key"]),
                datetime.fromisoformat(record["eventTime"]),
                record["s3"]["object"].get("sequencer", ""),
                record["s3"]["object"].get("versionId"),
            )
            for record in content.get("Records", ())
        ]
    return [drop for drop in drops if drop]


def mail_event_in(body: str) -> MailEvent | None:
    """The event of SES in a message, with or without SNS's envelope; None for one that needs
    no action.
    """
    from chalicelib.services.mails.ses_events import MailEvent

    if body.startswith(_NOTICE):
        return None
    content = json.loads(body)
    if "Message" in content:
        return mail_event_in(content["Message"])
    kind = _kind_of(content)
    mail_ids = content.get("mail", {}).get("tags", {}).get(MAIL_ID_TAG, [])
    if kind is None or not mail_ids:
        return None
    return MailEvent(kind, mail_ids[0], content["mail"]["messageId"])


def _kind_of(content: Event) -> EventKind | None:
    bounce, complaint = content.get("bounce", {}), content.get("complaint", {})
    if _SUPPRESSED in {bounce.get("bounceSubType"), complaint.get("complaintSubType")}:
        return "suppressed"
    if bounce and bounce.get("bounceType") != "Permanent":
        return "bounced_for_now"
    return _KINDS.get(content.get("eventType", ""))
