"""How a stack stands that was deployed."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, get_args
from urllib.parse import urlencode

from chalicelib.api.operations import Role
from chalicelib.domain.addresses import OWN_KEY
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.lists.model import CurrentList
from chalicelib.services.ports import Agenda
from cli.campaign_check import key_ends
from cli.connection import Connection
from cli.doctor.findings import RENEWAL_DAYS, Account, Finding, good, look, wrong

LAUNCH_DAYS: Final = 3.0
TIMEOUT_S: Final = 10
ROLES: Final = get_args(Role)


def quota(account: Account, connection: Connection) -> Iterator[Finding]:
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


def consumers(connection: Connection) -> int:
    pages = connection.session.client("lambda").get_paginator("list_event_source_mappings")
    return sum(
        source.get("ScalingConfig", {}).get("MaximumConcurrency", 0)
        for page in pages.paginate()
        for source in page["EventSourceMappings"]
        if f":{connection.place.table}-" in source.get("FunctionArn", "")
    )


def state(stack: Mapping[str, Any]) -> Iterator[Finding]:
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


def distribution(account: Account, distribution: str) -> Iterator[Finding]:
    found = account.session.client("cloudfront").get_distribution(Id=distribution)["Distribution"]
    if not found["DistributionConfig"].get("Enabled", True):
        return wrong(f"{distribution} is disabled", "enable it, or deploy again")
    if found["Status"] != "Deployed":
        return look(f"{distribution} is {found['Status']}", "wait a few minutes")
    return good(f"{distribution} is deployed")


def pages(origin: str) -> Iterator[Finding]:
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


def sign_in(origin: str, client: str) -> Iterator[Finding]:
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


def accounts(account: Account, pool: str) -> Iterator[Finding]:
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


def alarms(account: Account, alarms: str) -> Iterator[Finding]:
    found = account.session.client("sns").list_subscriptions_by_topic(TopicArn=alarms)
    states = [one["SubscriptionArn"] for one in found["Subscriptions"]]
    if not states:
        return look("no alarm is mailed to anybody", "deploy with AlarmEmail=…")
    if "PendingConfirmation" in states:
        return look("a subscription waits", "confirm it from the mail that SNS has sent")
    return good(f"{len(states)} subscribed")


def keys(connection: Connection) -> Iterator[Finding]:
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
