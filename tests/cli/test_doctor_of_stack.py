"""The checks of `tandem doctor` that need a stack: what is stored in it, and who may use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.lists.model import CurrentList
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ports import Insert
from cli.connection import connect
from cli.doctor.findings import Account, Finding, Verdict
from cli.doctor.stack import accounts, alarms, keys, quota, state
from cli.keys import require_own_key
from cli.reconcile import ports_of
from tests.cli.conftest import REGION, STATUS
from tests.cli.test_doctor import Answering
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.pgp import client_public

pytestmark = pytest.mark.slow

GOOD, LOOK, WRONG = Verdict.GOOD, Verdict.LOOK, Verdict.WRONG
[LIST] = [one for one in ENTITIES if type(one) is CurrentList]
[KEY_ID, *_] = campaign().digests.key_ids


def said(findings: Any) -> list[tuple[Verdict, str]]:
    return [(one.verdict, one.text) for one in findings]


def put_key(name: str, kind: Any = "SecureString") -> None:
    boto3.client("ssm", region_name=REGION).put_parameter(
        Name=f"{STATUS['keys_path']}{name}", Value="00" * 32, Type=kind
    )


@pytest.mark.usefixtures("stack")
def test_a_stage_without_campaign_and_key_is_told_the_commands_for_itself() -> None:
    findings: list[Finding] = list(keys(connect("local")))
    assert [one.advice for one in findings] == [
        "tandem campaign put FILE.yaml --stage local",
        "tandem key put KEY_ID --file key.hex --stage local",
    ]


@pytest.mark.usefixtures("stack")
def test_a_key_that_a_campaign_names_is_stored_and_secret() -> None:
    connection = connect("local")
    require_own_key(connection)
    put_campaign(ports_of(connection), campaign())
    [missing] = keys(connection)
    assert (missing.verdict, missing.advice) == (
        WRONG, f"tandem key put {KEY_ID} --file key.hex --stage local"
    )  # fmt: skip
    put_key(KEY_ID)
    assert said(keys(connection)) == [(GOOD, f"{CAMPAIGN} has its keys")]
    put_key("plain", "String")
    assert (WRONG, "the key plain is stored in plain text") in said(keys(connection))


@pytest.mark.parametrize(
    ("key", "days", "text"),
    [
        ("client", 0, None),
        ("expired", 1, f"{CAMPAIGN}: the client's PGP key has expired on"),
        ("expired", -29, f"{CAMPAIGN}: in 30 days the client's PGP key has expired on"),
        ("expired", -31, None),
    ],
)
@pytest.mark.usefixtures("stack")
def test_a_key_of_the_client_that_has_ended_or_soon_will_is_named(
    monkeypatch: pytest.MonkeyPatch, key: str, days: int, text: str | None
) -> None:
    connection = connect("local")
    put_campaign(ports_of(connection), campaign(files={"encrypt_to": client_public(key)}))
    now = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr(connection, "clock", lambda: now)
    found = said(keys(connection))
    named = [one for one in found if "PGP" in one[1]]
    assert [verdict for verdict, _ in named] == [LOOK] * (text is not None)
    assert all(one.startswith(text or "-") for _, one in named)


@pytest.mark.parametrize(
    ("a_day", "verdict"), [(-1.0, GOOD), (200.0, LOOK), (1_000_000.0, GOOD), (0.0, LOOK)]
)
def test_the_quota_is_compared_with_the_vips(
    stack: DynamoRepository, a_day: float, verdict: Verdict
) -> None:
    connection = connect("local")
    put_campaign(ports_of(connection), campaign())
    stack.commit(Insert(replace(LIST, campaign=CAMPAIGN, name="vips", rows=10_000)))
    answer = {"SendQuota": {"Max24HourSend": a_day}}
    session = Answering({"sesv2": {"get_account": answer}})
    [finding] = quota(Account(session, REGION, "123456789012"), connection)
    assert finding.verdict is verdict
    assert ("takes 50 days" in finding.text) == (a_day == 200)
    assert ("any number" in finding.text) == (a_day < 0)


def test_an_account_without_a_role_is_counted() -> None:
    answers = {
        "list_users": {"Users": [{"Username": "marie"}, {"Username": "paul"}]},
        "list_users_in_group": {"Users": [{"Username": "marie"}]},
    }
    account = Account(Answering({"cognito-idp": answers}), REGION, "123456789012")
    [without, counts] = accounts(account, "eu-west-3_pool")
    assert (without.verdict, without.text) == (
        LOOK, "1 in no group: nothing is allowed to them"
    )  # fmt: skip
    assert "--user-pool-id eu-west-3_pool" in without.advice
    assert set(counts.text.split(", ")) == {"1 marketing", "1 ops"}


@pytest.mark.parametrize(
    ("subscriptions", "verdict"),
    [([], LOOK), (["PendingConfirmation"], LOOK), (["arn:aws:sns:eu-west-3:1:alarms:2"], GOOD)],
)
def test_alarms_are_mailed_to_somebody_who_said_so(
    subscriptions: list[str], verdict: Verdict
) -> None:
    answer = {"Subscriptions": [{"SubscriptionArn": one} for one in subscriptions]}
    session = Answering({"sns": {"list_subscriptions_by_topic": answer}})
    [finding] = alarms(Account(session, REGION, "123456789012"), "arn:aws:sns:eu-west-3:1:alarms")
    assert finding.verdict is verdict


@pytest.mark.parametrize(
    ("stack_is", "verdict", "advice"),
    [
        ({"StackStatus": "UPDATE_COMPLETE", "EnableTerminationProtection": True}, GOOD, ""),
        ({"StackStatus": "UPDATE_COMPLETE"}, LOOK, "--stack-name tandem-prod"),
        ({"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}, LOOK, "It failed half-way"),
    ],
)
def test_the_stack_is_whole_and_protected(
    stack_is: Mapping[str, Any], verdict: Verdict, advice: str
) -> None:
    [finding] = state({"StackName": "tandem-prod", **stack_is})
    assert finding.verdict is verdict
    assert advice in finding.advice
