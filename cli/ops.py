"""`tandem ops token`: a token of the ops pool for a script. It is printed, and kept nowhere.

An account signs in with its password and its second factor, which are asked for, or come on the
standard input, a line each: nothing secret is an argument, which other processes and the shell's
history would see. The AWS credentials of the caller are needed as well: the client that is used
here takes no password from anybody else.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError

app = typer.Typer(help="Access for scripts of ops.", no_args_is_help=True)

Account = Annotated[
    str, typer.Option("--account", metavar="ADDRESS", help="The account that signs in.")
]


@app.callback()
def _ops() -> None:
    """Access for scripts of ops."""


@app.command()
def token(account: Account, stage: Stage = LOCAL) -> None:
    """Sign in and print a token for `Authorization: Bearer …`, good for an hour."""
    connection = connect(stage)
    typer.echo(_signed_in(connection, account)["IdToken"])


def _signed_in(connection: Connection, account: str) -> Any:
    cognito = connection.session.client("cognito-idp")
    outputs = {one["OutputKey"]: one["OutputValue"] for one in connection.stack()["Outputs"]}
    of_pool = {"UserPoolId": outputs["OpsPoolId"], "ClientId": outputs["OpsClientId"]}
    try:
        answer = cognito.admin_initiate_auth(
            **of_pool,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": account, "PASSWORD": _secret("Password")},
        )
        if answer.get("ChallengeName") == "SOFTWARE_TOKEN_MFA":
            answer = cognito.admin_respond_to_auth_challenge(
                **of_pool,
                ChallengeName="SOFTWARE_TOKEN_MFA",
                Session=answer["Session"],
                ChallengeResponses={
                    "USERNAME": answer["ChallengeParameters"].get("USER_ID_FOR_SRP", account),
                    "SOFTWARE_TOKEN_MFA_CODE": _secret("Code of the second factor"),
                },
            )
    except (
        cognito.exceptions.NotAuthorizedException,
        cognito.exceptions.UserNotFoundException,
        cognito.exceptions.CodeMismatchException,
        cognito.exceptions.ExpiredCodeException,
    ) as error:
        raise CommandError(
            "not signed in: the account, its password or its code is wrong; after some wrong ones "
            "it is locked for a while"
        ) from error
    if "AuthenticationResult" not in answer:
        raise CommandError(
            f"sign in once at {connection.place.origin}/dashboard/ first: there this account "
            "chooses its password and its second factor"
        )
    return answer["AuthenticationResult"]


def _secret(what: str) -> str:
    if sys.stdin.isatty():
        given: str = typer.prompt(what, hide_input=True, err=True)
    else:
        given = sys.stdin.readline().strip("\r\n")
    if not given:
        raise CommandError(f"nothing was given: {what.lower()}")
    return given
