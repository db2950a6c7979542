"""`tandem doctor`: what a stage needs of its account, each check with what to do.

The checks of the account run before a deployment too. A check that cannot be made (a right is
missing, an emulator does not know the service) says so and stops nothing.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import urlencode

import typer
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.api.operations import Role
from chalicelib.domain.addresses import OWN_KEY
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.lists.model import CurrentList
from chalicelib.services.ports import Agenda
from cli.campaign_check import key_ends
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError

if TYPE_CHECKING:
    import boto3

# Of an account that nobody has asked for more: far too few for a function that waits for another.
FEW_EXECUTIONS: Final = 50
# Beside what the queues' consumers may take together.
EXECUTIONS_OF_OTHERS: Final = 100
SKEW_S: Final = 60  # AWS refuses signatures from five minutes on
LAUNCH_DAYS: Final = 3.0
TIMEOUT_S: Final = 10
# Apple's certificate of a pass type is good for a year, and another one takes a person to make.
RENEWAL_DAYS: Final = 30
ROLES: Final = get_args(Role)


class Verdict(StrEnum):
    """What a check found."""

    GOOD = "good"
    LOOK = "look"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, and what to do about it."""

    check: str
    verdict: Verdict
    text: str
    advice: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done."""
        return self.verdict is Verdict.GOOD

    @property
    def is_wrong(self) -> bool:
        """Whether it cannot work like that."""
        return self.verdict is Verdict.WRONG


@dataclass(frozen=True)
class Account:
    """The account and region that are looked at."""

    session: boto3.Session
    region: str
    id: str


def good(text: str) -> Iterator[Finding]:
    yield Finding("", Verdict.GOOD, text)


def look(text: str, advice: str) -> Iterator[Finding]:
    yield Finding("", Verdict.LOOK, text, advice)


def wrong(text: str, advice: str) -> Iterator[Finding]:
    yield Finding("", Verdict.WRONG, text, advice)


Check = Callable[[], Iterator[Finding]]


def run_doctor(stage: Stage = LOCAL) -> None:
    """Check what the stage needs: account, mail, concurrency, pages, sign-in, alarms, keys."""
    connection = connect(stage)
    findings = list(of_stack(connection))
    for finding in findings:
        typer.echo(shown(finding))
    if any(finding.is_wrong for finding in findings):
        raise CommandError("something is wrong: the lines above say what to do")


def shown(finding: Finding) -> str:
    """A line for a person, with what to do on a second one."""
    advice = f"\n{'':17}{finding.advice}" if finding.advice else ""
    return f"{finding.verdict:8} {finding.check}: {finding.text}{advice}"


def before_deployment(account: Account, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """The checks that need no stack. `parameters` are those of the stack to be."""
    yield from _run(
        {
            "clock": lambda: _clock(account),
            "certificate": lambda: _certificate(parameters.get("CertificateArn", "")),
            "SES account": lambda: _ses_account(account),
            "SES identity": lambda: _identity(account, parameters["SenderIdentity"]),
            "Lambda": lambda: _concurrency(account, 0),
            "budget": lambda: _budget(account),
        }
    )


def of_stack(connection: Connection) -> Iterator[Finding]:
    """All checks of a stage that was deployed."""
    session, stack = connection.session, connection.stack()
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    identity = session.client("sts").get_caller_identity()
    account = Account(session, connection.place.region, identity["Account"])
    yield Finding(
        "account",
        Verdict.GOOD,
        f"{account.id}, region {account.region}, as {identity['Arn'].rpartition(':')[2]}",
    )
    yield from _run(
        {
            "clock": lambda: _clock(account),
            "stack": lambda: _state(stack),
            "SES account": lambda: _ses_account(account),
            "SES identity": lambda: _identity(account, parameters["SenderIdentity"]),
            "sending quota": lambda: _quota(account, connection),
            "Lambda": lambda: _concurrency(account, _consumers(connection)),
            "CloudFront": lambda: _distribution(account, outputs["DistributionId"]),
            "pages": lambda: _pages(outputs["Origin"]),
            "sign-in": lambda: _sign_in(outputs["Origin"], outputs["DashboardClientId"]),
            "accounts": lambda: _accounts(account, outputs["OpsPoolId"]),
            "alarms": lambda: _alarms(account, outputs["AlarmsTopicArn"]),
            "budget": lambda: _budget(account),
            "keys": lambda: _keys(connection),
            "wallets": lambda: _wallets(connection, parameters),
        }
    )


def _run(checks: Mapping[str, Check]) -> Iterator[Finding]:
    for name, check in checks.items():
        try:
            for found in check():
                yield Finding(name, found.verdict, found.text, found.advice)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            yield Finding(name, Verdict.UNKNOWN, f"not checked: {error.operation_name}: {code}")
        except (BotoCoreError, OSError) as error:
            yield Finding(name, Verdict.UNKNOWN, f"not checked: {error}")


# --- the checks -----------------------------------------------------------------------------------


def _clock(account: Account) -> Iterator[Finding]:
    """The clock of this machine against that of AWS, by the date of an answer."""
    answer = account.session.client("sts").get_caller_identity()
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = abs((datetime.now(UTC) - theirs).total_seconds())
    if skew > SKEW_S:
        return wrong(
            f"this machine's clock is {skew:.0f} s off", "set it by NTP: AWS refuses its signatures"
        )
    return good("this machine's clock is right")


def _certificate(arn: str) -> Iterator[Finding]:
    if arn and arn.split(":")[3:4] != ["us-east-1"]:
        return wrong(
            "CertificateArn is not in us-east-1", "CloudFront takes certificates from there alone"
        )
    return good("its region is right" if arn else "none: the pages have CloudFront's own name")


def _ses_account(account: Account) -> Iterator[Finding]:
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


def _identity(account: Account, identity: str) -> Iterator[Finding]:
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


def _quota(account: Account, connection: Connection) -> Iterator[Finding]:
    """Each VIP is mailed a link to sign in at least: that is the least a launch sends."""
    quota = account.session.client("sesv2").get_account().get("SendQuota", {})
    a_day = quota.get("Max24HourSend", 0.0)
    if a_day < 0:  # AWS's word for no limit
        yield from good("SES allows any number of mails a day")
        return
    repository = connection.repository
    for campaign in repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS):
        vips = repository.get(CurrentList, campaign=campaign.campaign, name=ListName.VIPS.value)
        rows = vips.rows if vips else 0
        days = rows / a_day if a_day else float("inf") if rows else 0.0
        text = f"{campaign.campaign}: {rows} VIPs; SES allows {a_day:.0f} mails a day"
        if days > LAUNCH_DAYS:
            yield from look(
                f"{text}: one link each takes {days:.0f} days",
                "ask for a higher sending quota: Service Quotas, Amazon SES",
            )
        else:
            yield from good(text)


def _concurrency(account: Account, consumers: int) -> Iterator[Finding]:
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


def _consumers(connection: Connection) -> int:
    pages = connection.session.client("lambda").get_paginator("list_event_source_mappings")
    return sum(
        source.get("ScalingConfig", {}).get("MaximumConcurrency", 0)
        for page in pages.paginate()
        for source in page["EventSourceMappings"]
        if f":{connection.place.table}-" in source.get("FunctionArn", "")
    )


def _state(stack: Mapping[str, Any]) -> Iterator[Finding]:
    status = stack["StackStatus"]
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return look(f"it is {status}", "infra/README.md, “It failed half-way”")
    if not stack.get("EnableTerminationProtection", False):
        return look(
            f"{status}, and anybody may delete it",
            "aws cloudformation update-termination-protection --enable-termination-protection "
            f"--stack-name {stack['StackName']}",
        )
    return good(status)


def _distribution(account: Account, distribution: str) -> Iterator[Finding]:
    found = account.session.client("cloudfront").get_distribution(Id=distribution)["Distribution"]
    if not found["DistributionConfig"].get("Enabled", True):
        return wrong(f"{distribution} is disabled", "enable it, or deploy again")
    if found["Status"] != "Deployed":
        return look(f"{distribution} is {found['Status']}", "wait a few minutes")
    return good(f"{distribution} is deployed")


def _pages(origin: str) -> Iterator[Finding]:
    try:
        with urllib.request.build_opener().open(f"{origin}/", timeout=TIMEOUT_S):
            return good(f"{origin} answers")
    except urllib.error.HTTPError as error:
        with error:
            return wrong(f"{origin} answers {error.code}", "deploy again: it sends the pages")
    except OSError as error:
        return look(
            f"{origin} does not answer here: {getattr(error, 'reason', error)}",
            "with a domain of its own: a DNS alias to the distribution, and its certificate",
        )


def _sign_in(origin: str, client: str) -> Iterator[Finding]:
    """A token that nobody has is refused by the pool, where the pages' address leads to it."""
    form = {"grant_type": "refresh_token", "client_id": client, "refresh_token": "none"}  # nosec B105
    request = urllib.request.Request(f"{origin}/oauth2/token", urlencode(form).encode())
    try:
        status = urllib.request.build_opener().open(request, timeout=TIMEOUT_S).status
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.BAD_REQUEST and b'"error"' in error.read(1000):
            return good(f"{origin}/oauth2/token leads to the pool")
        status = error.code
    return wrong(
        f"{origin}/oauth2/token answers {status}: nobody can sign in to the dashboard",
        "deploy again; its behaviour /oauth2/* and the pool's domain must be there",
    )


def _accounts(account: Account, pool: str) -> Iterator[Finding]:
    """Who of the pool may do something: an account in no group is refused everywhere."""
    client = account.session.client("cognito-idp")
    everybody = _names(client, "list_users", UserPoolId=pool)
    roles = {role: _names(client, "list_users_in_group", UserPoolId=pool, GroupName=role)
             for role in ROLES}  # fmt: skip
    if without := everybody.difference(*roles.values()):
        yield from look(
            f"{len(without)} in no group: nothing is allowed to them",
            "aws cognito-idp admin-add-user-to-group --group-name ops|marketing --username … "
            f"--user-pool-id {pool}",
        )
    counts = ", ".join(f"{len(names)} {role}" for role, names in roles.items())
    yield from good(counts)


def _names(client: Any, operation: str, **asked: str) -> set[str]:
    pages = client.get_paginator(operation).paginate(**asked)
    return {one["Username"] for page in pages for one in page["Users"]}


def _alarms(account: Account, alarms: str) -> Iterator[Finding]:
    found = account.session.client("sns").list_subscriptions_by_topic(TopicArn=alarms)
    states = [one["SubscriptionArn"] for one in found["Subscriptions"]]
    if not states:
        return look("no alarm is mailed to anybody", "deploy with AlarmEmail=…")
    if "PendingConfirmation" in states:
        return look("a subscription waits", "confirm it from the mail that SNS has sent")
    return good(f"{len(states)} subscribed")


def _budget(account: Account) -> Iterator[Finding]:
    client = account.session.client("budgets", region_name="us-east-1")
    for budget in client.describe_budgets(AccountId=account.id).get("Budgets", []):
        notifications = client.describe_notifications_for_budget(
            AccountId=account.id, BudgetName=budget["BudgetName"]
        )
        if notifications.get("Notifications"):
            return good(f"{budget['BudgetName']} warns")
    return look("no budget warns of a rising bill", "AWS Budgets: one with a notification")


def _keys(connection: Connection) -> Iterator[Finding]:
    path, stage = connection.place.keys_path, connection.place.stage
    pages = connection.clients.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
    stored = {
        one["Name"].removeprefix(path): one["Type"] for page in pages for one in page["Parameters"]
    }
    campaigns = list(connection.repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS))
    if not campaigns:
        yield from look("no campaign is in force", f"tandem campaign put FILE.yaml --stage {stage}")
    if OWN_KEY not in stored:
        yield from look(
            "no digest key yet", f"tandem key put KEY_ID --file key.hex --stage {stage}"
        )
    for campaign in campaigns:
        digests = campaign.document.digests
        missing = [one for one in digests.key_ids if one not in stored]
        if missing and digests.algorithm != "sha256":
            yield from wrong(
                f"{campaign.campaign} names the key {missing[0]}, which is not stored",
                f"tandem key put {missing[0]} --file key.hex --stage {stage}",
            )
        else:
            yield from good(f"{campaign.campaign} has its keys")
        if problem := key_ends(campaign.document, connection.clock(), timedelta(RENEWAL_DAYS)):
            yield from look(f"{campaign.campaign}: {problem}", "docs/runbook.md, client's PGP key")
    for name, kind in stored.items():
        if kind != "SecureString":
            yield from wrong(
                f"the key {name} is stored in plain text",
                # A parameter keeps its type, and another value would find nobody again.
                "note its value, delete the parameter, put the same value again as a SecureString",
            )


def _wallets(connection: Connection, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """What passes are signed with, where pages offer them: that it is good, and for how long."""
    issuer = parameters.get("GoogleIssuer", "")
    offers_apple = parameters.get("AppleWallet", "no") == "yes"
    if not offers_apple and not issuer:
        yield from good("no passes are offered")
    if offers_apple:
        yield from _apple_wallet(connection)
    if issuer:
        yield from _google_wallet(connection, issuer)


def _apple_wallet(connection: Connection) -> Iterator[Finding]:
    from chalicelib.wallets.signing import CredentialsError  # loads cryptography
    from cli.wallets import stored_apple

    renew = f"tandem wallet apple --stage {connection.place.stage} ..., see infra/README.md"
    try:
        found = stored_apple(connection)
    except CredentialsError as error:
        return wrong(f"passes for Apple Wallet are offered and not signed: {error}", renew)
    until = f"{found.pass_type} of team {found.team} until {found.ends_at.date().isoformat()}"
    left = found.ends_at - connection.clock()
    if left <= timedelta(0):
        return wrong(f"the certificate has ended: {until}", renew)
    if left < timedelta(days=RENEWAL_DAYS):
        return look(f"the certificate ends in {left.days} days: {until}", renew)
    return good(f"Apple Wallet: {until}")


def _google_wallet(connection: Connection, issuer: str) -> Iterator[Finding]:
    from chalicelib.wallets.signing import CredentialsError
    from cli.wallets import stored_google

    try:
        found = stored_google(connection, issuer)
    except CredentialsError as error:
        return wrong(
            f"passes for Google Wallet are offered and not signed: {error}",
            f"tandem wallet google --stage {connection.place.stage} ..., see infra/README.md",
        )
    return good(f"Google Wallet: issuer {found.issuer}, by {found.account}")
