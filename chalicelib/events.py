"""Lambda events as arguments of use cases: stream records, queue messages, S3 and SES events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote_plus

from chalicelib.adapters.dynamodb.codec import fact_from_json, fact_of
from chalicelib.adapters.ses import MAIL_ID_TAG
from chalicelib.adapters.sqs import stretch_from_json
from chalicelib.domain.facts import Fact
from chalicelib.services.ports import Stretch

if TYPE_CHECKING:
    from chalicelib.services.ingest import Drop
    from chalicelib.services.mails.ses_events import MailEvent

Event = Mapping[str, Any]

_KINDS: Mapping[str, Literal["sent", "bounced", "complained"]] = {
    "Send": "sent",
    "Delivery": "sent",
    "Bounce": "bounced",
    "Complaint": "complained",
}


def facts_in_stream(event: Event) -> Iterator[Fact]:
    """Each fact of a stream batch, in the stream's order."""
    for record in event["Records"]:
        yield fact_of(record["dynamodb"]["NewImage"])


def messages(event: Event) -> Iterator[tuple[str, str]]:
    """Each message of a queue batch: its id and body."""
    for record in event["Records"]:
        yield record["messageId"], record["body"]


def fact_in(body: str) -> Fact:
    """The fact in a work queue's message."""
    return fact_from_json(body)


def stretch_in(body: str) -> Stretch:
    """The stretch of an agenda in a message of the queue `due`."""
    return stretch_from_json(body)


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

    content = json.loads(body)
    if "Message" in content:
        content = json.loads(content["Message"])
    kind = _KINDS.get(content.get("eventType", ""))
    mail_ids = content.get("mail", {}).get("tags", {}).get(MAIL_ID_TAG, [])
    if kind is None or not mail_ids or _is_transient_bounce(content):
        return None
    return MailEvent(kind, mail_ids[0], content["mail"]["messageId"])


def _is_transient_bounce(content: Event) -> bool:
    """A transient bounce may still be delivered."""
    bounce = content.get("bounce", {})
    return bool(content["eventType"] == "Bounce" and bounce.get("bounceType") != "Permanent")
