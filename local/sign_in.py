"""What the distribution passes on to the pages of the ops pool: a code for tokens, and their end.

The emulator has those pages, with the check of the code and its verifier. It has no endpoint that
revokes; it takes any client and any age of a token that is to be refreshed, and forgets the groups
of an account on the way. So revoking and refreshing go through its API, which knows all of that but
the age; the age is looked at here. As on AWS, an error is OAuth's, not a problem.

Neighbours: front.py has the routes; upstream.py is the way to everything else.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import httpx
from botocore.exceptions import ClientError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class SignIn:
    """Where the stack's people sign in: the emulator, and the client of the dashboard."""

    endpoint: str
    client_id: str
    cognito: CognitoIdentityProviderClient


async def exchange(sign_in: SignIn, request: Request, connections: httpx.AsyncClient) -> Response:
    """`POST /oauth2/token`: tokens for a code or for a refresh token."""
    form = await _form(request)
    if form is None or form.get("client_id") != sign_in.client_id:
        return _error("invalid_client")
    match form.get("grant_type"):
        case "authorization_code":
            answer = await connections.post(f"{sign_in.endpoint}/oauth2/token", data=form)
            return Response(answer.content, answer.status_code, media_type="application/json")
        case "refresh_token":
            return await run_in_threadpool(_refresh, sign_in, form.get("refresh_token", ""))
        case _:
            return _error("unsupported_grant_type")


async def revoke(sign_in: SignIn, request: Request) -> Response:
    """`POST /oauth2/revoke`: a refresh token gives no more tokens; again, if it was before."""
    form = await _form(request)
    if form is None or form.get("client_id") != sign_in.client_id:
        return _error("invalid_client")
    token = form.get("token", "")
    if claims_of(token).get("token_use") != "refresh":
        return _error("unsupported_token_type")
    await run_in_threadpool(
        lambda: sign_in.cognito.revoke_token(Token=token, ClientId=sign_in.client_id)
    )
    return Response(status_code=200)


def _refresh(sign_in: SignIn, token: str) -> Response:
    if claims_of(token).get("exp", 0) <= time.time():
        return _error("invalid_grant")
    try:
        tokens = sign_in.cognito.initiate_auth(
            ClientId=sign_in.client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": token},
        )["AuthenticationResult"]
    except ClientError:
        return _error("invalid_grant")
    return JSONResponse(
        {
            "id_token": tokens["IdToken"],
            "access_token": tokens["AccessToken"],
            "token_type": "Bearer",  # nosec B105
            "expires_in": tokens["ExpiresIn"],
        }
    )


async def _form(request: Request) -> dict[str, str] | None:
    if request.headers.get("content-type", "").partition(";")[0] != FORM:
        return None
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        return None


def claims_of(token: str) -> Mapping[str, Any]:
    """What a token of the emulator says; its signature is checked by the emulator itself."""
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _error(error: str) -> Response:
    return JSONResponse({"error": error}, 400)
