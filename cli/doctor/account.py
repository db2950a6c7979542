"""What AWS and the account allow: the checks that need no stack."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from cli.doctor.findings import Account, Finding, good, look, wrong

# Of an account that nobody has asked for more: far too few for a function that waits for another.
FEW_EXECUTIONS: Final = 50
# Beside what the queues' consumers may take together.
EXECUTIONS_OF_OTHERS: Final = 100
SKEW_S: Final = 60  # AWS refuses signatures from five minutes on


def clock(account: Account) -> Iterator[Finding]:
    """The clock of this machine against that of AWS, by the date of an answer."""
    answer = account.session.client("sts").get_caller_identity()
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = abs((datetime.now(UTC) - theirs).total_seconds())
    if skew > SKEW_S:
        return wrong(
            f"this machine's clock is {skew:.0f} s off", "set it by NTP: AWS refuses its signatures"
        )
    return good("this machine's clock is right")


def certificate(arn: str) -> Iterator[Finding]:
    if arn and arn.split(":")[3:4] != ["us-east-1"]:
        return wrong(
            "CertificateArn is not in us-east-1", "CloudFront takes certificates from there alone"
        )
    return good("its region is right" if arn else "none: the pages have CloudFront's own name")


def ses_account(account: Account) -> Iterator[Finding]:
    found = account.session.client("sesv2").get_account()
    if not found.get("SendingEnabled", False) or found.get("EnforcementStatus") == "SHUTDOWN":
        yield from wrong(
            "sending is paused", "see the account dashboard of SES, and answer AWS's support case"
        )
    elif found.get("EnforcementStatus", "HEALTHY") != "HEALTHY":
        yield from look(
            f"sending is under review: {found['EnforcementStatus']}",
            "bounces or complaints are too many: docs/runbook.md, ses-bounce-rate",
        )
    elif not found.get("ProductionAccessEnabled", False):
        yield from look(
            "it is in the sandbox, which writes to verified addresses alone",
            "ask for production access: aws sesv2 put-account-details",
        )
    else:
        yield from good("out of the sandbox, healthy")


def identity(account: Account, identity: str) -> Iterator[Finding]:
    client = account.session.client("sesv2")
    try:
        found = client.get_email_identity(EmailIdentity=identity)
    except client.exceptions.NotFoundException:
        yield from look(
            f"{identity} is not an identity of SES in {account.region}",
            f"aws sesv2 create-email-identity --email-identity {identity}, then its DNS records",
        )
        return
    if not found.get("VerifiedForSendingStatus", False):
        yield from look(f"{identity} is not verified", "put the DNS records of its DKIM tokens")
    else:
        yield from good(f"{identity} is verified")
    if (status := found.get("DkimAttributes", {}).get("Status")) != "SUCCESS":
        yield from look(
            f"DKIM is {status or 'off'}: large providers refuse unsigned mails",
            "aws sesv2 get-email-identity names the CNAME records",
        )
    else:
        yield from good("DKIM signs")
    mail_from = found.get("MailFromAttributes", {})
    if mail_from.get("MailFromDomainStatus") != "SUCCESS":
        yield from look(
            "no MAIL FROM domain of its own: SPF is not aligned with the sender",
            f"aws sesv2 put-email-identity-mail-from-attributes --email-identity {identity} "
            f"--mail-from-domain mail.{identity.rpartition('@')[2]}, then its MX and TXT records",
        )
    else:
        yield from good(f"MAIL FROM is {mail_from.get('MailFromDomain')}")


def concurrency(account: Account, consumers: int) -> Iterator[Finding]:
    limits = account.session.client("lambda").get_account_settings()["AccountLimit"]
    allowed = limits["ConcurrentExecutions"]
    needed = consumers + EXECUTIONS_OF_OTHERS
    ask = "ask for more: Service Quotas, AWS Lambda, concurrent executions"
    if allowed < FEW_EXECUTIONS:
        return wrong(f"the account has {allowed} concurrent executions", ask)
    if allowed < needed:
        return look(
            f"the account has {allowed} concurrent executions; the queues alone may take "
            f"{consumers}, and then the API waits",
            f"{ask}: {needed} and more",
        )
    return good(f"{allowed} concurrent executions")


def budget(account: Account) -> Iterator[Finding]:
    client = account.session.client("budgets", region_name="us-east-1")
    for budget in client.describe_budgets(AccountId=account.id).get("Budgets", []):
        notifications = client.describe_notifications_for_budget(
            AccountId=account.id, BudgetName=budget["BudgetName"]
        )
        if notifications.get("Notifications"):
            return good(f"{budget['BudgetName']} warns")
    return look("no budget warns of a rising bill", "AWS Budgets: one with a notification")
