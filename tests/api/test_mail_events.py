"""What SES writes about a mail, as the kind of event that use cases know."""

from __future__ import annotations

import json

import pytest

from chalicelib.events import mail_event_in
from tests.api.world import mail_event


def kind_of(event_type: str, **more: object) -> str | None:
    [record] = mail_event(event_type, "voucher-v", **more)["Records"]
    found = mail_event_in(record["body"])
    assert found is None or (found.mail_id, found.provider_id) == ("voucher-v", "ses-1")
    return found.kind if found else None


def bounce(kind: str, subtype: str = "General") -> dict[str, str]:
    return {"bounceType": kind, "bounceSubType": subtype}


@pytest.mark.parametrize("event_type", ["Send", "Delivery"])
def test_a_mail_that_ses_sent_or_delivered_was_sent(event_type: str) -> None:
    assert kind_of(event_type) == "sent"


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        (bounce("Permanent"), "bounced"),
        (bounce("Permanent", "NoEmail"), "bounced"),
        (bounce("Permanent", "Suppressed"), "bounced"),
        (bounce("Permanent", "OnAccountSuppressionList"), "suppressed"),
        (bounce("Transient", "MailboxFull"), "bounced_for_now"),
        (bounce("Undetermined", "Undetermined"), "bounced_for_now"),
    ],
)
def test_a_bounce_is_for_good_for_now_or_was_never_sent(
    reported: dict[str, str], kind: str
) -> None:
    assert kind_of("Bounce", bounce=reported) == kind


def test_a_mail_that_ses_stopped_is_rejected() -> None:
    assert kind_of("Reject", reject={"reason": "Bad content"}) == "rejected"


def test_nobody_complained_about_a_mail_that_was_not_sent_for_an_earlier_complaint() -> None:
    assert kind_of("Complaint", complaint={"complaintFeedbackType": "abuse"}) == "complained"
    listed = {"complaintSubType": "OnAccountSuppressionList"}
    assert kind_of("Complaint", complaint=listed) == "suppressed"


@pytest.mark.parametrize("event_type", ["Open", "DeliveryDelay", "Rendering Failure", ""])
def test_other_events_need_no_action(event_type: str) -> None:
    assert kind_of(event_type) is None


def test_an_event_of_a_mail_without_our_tag_needs_no_action() -> None:
    body = {"eventType": "Bounce", "mail": {"messageId": "x", "tags": {}}, "bounce": {}}
    assert mail_event_in(json.dumps(body)) is None


NOTICE = "Successfully validated SNS topic for Amazon SES event publishing."


@pytest.mark.parametrize("body", [NOTICE, json.dumps({"Type": "Notification", "Message": NOTICE})])
def test_what_ses_says_of_a_new_topic_needs_no_action(body: str) -> None:
    """It is no JSON, and comes with the first deployment."""
    assert mail_event_in(body) is None


def test_any_other_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        mail_event_in("Successful")
