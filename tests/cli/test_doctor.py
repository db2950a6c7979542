"""The checks of `tandem doctor`: AWS's own answers in, a verdict and what to do out.

Each client is a real one whose answers are checked against AWS's model of the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cli.doctor import before_deployment, shown
from cli.doctor.findings import Account, Finding, Verdict
from cli.doctor.stack import pages
from tests.cli.conftest import Serving

HEALTHY = {
    "SendingEnabled": True,
    "EnforcementStatus": "HEALTHY",
    "ProductionAccessEnabled": True,
}
VERIFIED = {
    "VerifiedForSendingStatus": True,
    "DkimAttributes": {"Status": "SUCCESS", "SigningEnabled": True},
    "MailFromAttributes": {
        "MailFromDomain": "mail.brand.fr",
        "MailFromDomainStatus": "SUCCESS",
        "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
    },
}
PARAMETERS = {"SenderIdentity": "brand.fr", "CertificateArn": ""}


def checked(
    parameters: Mapping[str, str] = PARAMETERS, **changed: Mapping[str, Any]
) -> dict[str, list[Finding]]:
    """The findings by check, in an account that is right but for what is changed."""
    answers: dict[str, Mapping[str, Any]] = {
        "sts": {"get_caller_identity": _identity(datetime.now(UTC))},
        "sesv2": {"get_account": HEALTHY, "get_email_identity": VERIFIED},
        "lambda": {"get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 1000}}},
        "budgets": {
            "describe_budgets": {
                "Budgets": [{"BudgetName": "all", "TimeUnit": "MONTHLY", "BudgetType": "COST"}]
            },
            "describe_notifications_for_budget": {
                "Notifications": [
                    {
                        "NotificationType": "ACTUAL",
                        "ComparisonOperator": "GREATER_THAN",
                        "Threshold": 80.0,
                    }
                ]
            },
        },
    }
    for service, operations in changed.items():
        answers[service] = {**answers[service], **operations}
    account = Account(Answering(answers), "eu-west-3", "123456789012")
    found: dict[str, list[Finding]] = {}
    for finding in before_deployment(account, parameters):
        found.setdefault(finding.check, []).append(finding)
    return found


class Answering(boto3.Session):
    """A session whose clients answer what is given, by service and operation."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__("id", "secret", region_name="eu-west-3")
        self._answers = answers

    def client(self, service_name: str, **options: Any) -> Any:  # type: ignore[override]
        client = super().client(service_name, **options)  # type: ignore[call-overload]
        for operation, answer in self._answers.get(service_name, {}).items():
            _answer(client, operation, answer)
        return client


def _answer(client: Any, operation: str, answer: Any) -> None:
    def answered(**_arguments: Any) -> Any:
        stubber = Stubber(client)
        if isinstance(answer, str):
            stubber.add_client_error(operation, service_error_code=answer)
        else:
            stubber.add_response(operation, answer)
        with stubber:
            return original(**_arguments)

    original = getattr(client, operation)
    setattr(client, operation, answered)


def _identity(at: datetime) -> dict[str, Any]:
    return {
        "UserId": "AIDA",
        "Account": "123456789012",
        "Arn": "arn:aws:iam::123456789012:user/ops",
        "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(at, usegmt=True)}},
    }


def test_an_account_that_is_right_is_good_throughout() -> None:
    for findings in checked().values():
        assert {finding.verdict for finding in findings} == {Verdict.GOOD}


@pytest.mark.parametrize(
    ("check", "service", "operation", "answer", "verdict", "text"),
    [
        ("SES account", "sesv2", "get_account", HEALTHY | {"SendingEnabled": False},
         Verdict.WRONG, "sending is paused"),
        ("SES account", "sesv2", "get_account", HEALTHY | {"EnforcementStatus": "SHUTDOWN"},
         Verdict.WRONG, "sending is paused"),
        ("SES account", "sesv2", "get_account", HEALTHY | {"EnforcementStatus": "PROBATION"},
         Verdict.LOOK, "under review: PROBATION"),
        ("SES account", "sesv2", "get_account", HEALTHY | {"ProductionAccessEnabled": False},
         Verdict.LOOK, "in the sandbox"),
        ("SES identity", "sesv2", "get_email_identity", "NotFoundException",
         Verdict.LOOK, "brand.fr is not an identity of SES in eu-west-3"),
        ("SES identity", "sesv2", "get_email_identity",
         VERIFIED | {"VerifiedForSendingStatus": False}, Verdict.LOOK, "is not verified"),
        ("SES identity", "sesv2", "get_email_identity",
         VERIFIED | {"DkimAttributes": {"Status": "PENDING"}}, Verdict.LOOK, "DKIM is PENDING"),
        ("SES identity", "sesv2", "get_email_identity",
         {"VerifiedForSendingStatus": True, "DkimAttributes": {"Status": "SUCCESS"}},
         Verdict.LOOK, "no MAIL FROM domain of its own"),
        ("Lambda", "lambda", "get_account_settings", {"AccountLimit": {"ConcurrentExecutions": 10}},
         Verdict.WRONG, "10 concurrent executions"),
        ("Lambda", "lambda", "get_account_settings", {"AccountLimit": {"ConcurrentExecutions": 60}},
         Verdict.LOOK, "60 concurrent executions"),
        ("budget", "budgets", "describe_budgets", {"Budgets": []},
         Verdict.LOOK, "no budget warns"),
        ("budget", "budgets", "describe_notifications_for_budget", {"Notifications": []},
         Verdict.LOOK, "no budget warns"),
        ("budget", "budgets", "describe_budgets", "AccessDeniedException",
         Verdict.UNKNOWN, "not checked: DescribeBudgets: AccessDeniedException"),
        ("clock", "sts", "get_caller_identity", _identity(datetime.now(UTC) - timedelta(hours=1)),
         Verdict.WRONG, "s off"),
    ],
)  # fmt: skip
def test_what_is_not_right_is_said_with_what_to_do(
    check: str, service: str, operation: str, answer: Any, verdict: Verdict, text: str
) -> None:
    findings = checked(**{service: {operation: answer}})[check]
    (finding,) = [one for one in findings if not one.is_good]
    assert finding.verdict is verdict
    assert text in finding.text
    assert finding.advice or verdict is Verdict.UNKNOWN


def test_a_certificate_of_another_region_is_wrong_before_anything_is_made() -> None:
    arn = "arn:aws:acm:eu-west-3:123456789012:certificate/1"
    (finding,) = checked(PARAMETERS | {"CertificateArn": arn})["certificate"]
    assert finding.is_wrong
    (finding,) = checked(PARAMETERS | {"CertificateArn": arn.replace("eu-west-3", "us-east-1")})[
        "certificate"
    ]
    assert finding.is_good


@pytest.mark.parametrize(
    ("status", "verdict"), [(200, Verdict.GOOD), (403, Verdict.WRONG), (503, Verdict.WRONG)]
)
def test_pages_that_are_not_there_are_wrong(
    serving: Serving, status: int, verdict: Verdict
) -> None:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with serving(Pages) as port:
        [finding] = pages(f"http://127.0.0.1:{port}")
    assert finding.verdict is verdict
    assert finding.text.endswith("answers" if status == 200 else f"answers {status}")


def test_pages_whose_name_leads_nowhere_are_said_with_what_to_do() -> None:
    [finding] = pages("https://pages.invalid")
    assert finding.verdict is Verdict.LOOK
    assert "https://pages.invalid does not answer here" in finding.text
    assert "a DNS alias to the distribution" in finding.advice


def test_a_finding_is_shown_with_its_advice_on_a_line_of_its_own() -> None:
    finding = Finding("budget", Verdict.LOOK, "no budget warns", "make one")
    assert shown(finding) == f"look     budget: no budget warns\n{'':17}make one"
