"""What Lambda hands over, as what use cases take: stream records, queue messages, S3 and SES
notices.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote_plus

from chalicelib.adapters.dynamodb.codec import fact_from_json, fact_of
from chalicelib.adapters.ses import MAIL_ID_TAG
from chalicelib.domain.facts import Fact

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


def facts_in_stream(event: Event) -> Iterator[tuple[str, Fact]]:
    """Each fact of a stream batch with its sequence number."""
    for record in event["Records"]:
        change = record["dynamodb"]
        yield change["SequenceNumber"], fact_of(change["NewImage"])


def messages(event: Event) -> Iterator[tuple[str, str]]:
    """Each message of a queue batch: its id and body."""
    for record in event["Records"]:
        yield record["messageId"], record["body"]


def fact_in(body: str) -> Fact:
    """The fact in a work queue's message."""
    return fact_from_json(body)


def drops_in(body: str, overruled: Callable[[Fact], Drop | None]) -> list[Drop]:
    """The files a notice of S3 tells of, or a fact about a list that ops have decided on.

    The first notice of S3 is a test, and tells of none.
    """
    from chalicelib.services.ingest import drop_at

    notice = json.loads(body)
    if "fact_id" in notice:
        drops = [overruled(fact_in(body))]
    else:
        drops = [
            drop_at(
                unquote_plus(record["s3"]["object"]["key"]),
                datetime.fromisoformat(record["eventTime"]),
                record["s3"]["object"].get("sequencer", ""),
                record["s3"]["object"].get("versionId"),
            )
            for record in notice.get("Records", ())
        ]
    return [drop for drop in drops if drop]


def mail_event_in(body: str) -> MailEvent | None:
    """The event of SES in a message, with or without SNS's envelope; None for what we do not act
    on.
    """
    from chalicelib.services.mails.ses_events import MailEvent

    notice = json.loads(body)
    if "Message" in notice:
        notice = json.loads(notice["Message"])
    kind = _KINDS.get(notice.get("eventType", ""))
    mail_ids = notice.get("mail", {}).get("tags", {}).get(MAIL_ID_TAG, [])
    if kind is None or not mail_ids or _is_passing(notice):
        return None
    return MailEvent(kind, mail_ids[0], notice["mail"]["messageId"])


def _is_passing(notice: Event) -> bool:
    """A transient bounce may still be delivered."""
    bounce = notice.get("bounce", {})
    return bool(notice["eventType"] == "Bounce" and bounce.get("bounceType") != "Permanent")
