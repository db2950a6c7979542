"""`tandem doctor`: what a stage needs of its account, each check with what to do.

The checks of the account run before a deployment too. A check that cannot be made (a right is
missing, an emulator does not know the service) says so and stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.connection import LOCAL, Connection, Stage, connect
from cli.doctor import account as of_account
from cli.doctor import stack as of_stack
from cli.doctor.findings import Account, Finding, Verdict
from cli.doctor.wallets import wallets
from cli.errors import CommandError
from cli.printing import Json, print_json

Check = Callable[[], Iterator[Finding]]


def run_doctor(as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Check what the stage needs: account, mail, concurrency, pages, sign-in, alarms, keys."""
    connection = connect(stage)
    findings = list(check_stack(connection))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
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
            "clock": lambda: of_account.clock(account),
            "certificate": lambda: of_account.certificate(parameters.get("CertificateArn", "")),
            "SES account": lambda: of_account.ses_account(account),
            "SES identity": lambda: of_account.identity(account, parameters["SenderIdentity"]),
            "Lambda": lambda: of_account.concurrency(account, 0),
            "budget": lambda: of_account.budget(account),
        }
    )


def check_stack(connection: Connection) -> Iterator[Finding]:
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
            "clock": lambda: of_account.clock(account),
            "stack": lambda: of_stack.state(stack),
            "SES account": lambda: of_account.ses_account(account),
            "SES identity": lambda: of_account.identity(account, parameters["SenderIdentity"]),
            "sending quota": lambda: of_stack.quota(account, connection),
            "Lambda": lambda: of_account.concurrency(account, of_stack.consumers(connection)),
            "CloudFront": lambda: of_stack.distribution(account, outputs["DistributionId"]),
            "pages": lambda: of_stack.pages(outputs["Origin"]),
            "sign-in": lambda: of_stack.sign_in(outputs["Origin"], outputs["DashboardClientId"]),
            "accounts": lambda: of_stack.accounts(account, outputs["OpsPoolId"]),
            "alarms": lambda: of_stack.alarms(account, outputs["AlarmsTopicArn"]),
            "budget": lambda: of_account.budget(account),
            "keys": lambda: of_stack.keys(connection),
            "wallets": lambda: wallets(connection, parameters),
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
