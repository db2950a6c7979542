"""The API as the client's systems reach it: connection, clock, signature.

One signed call asks for a code that nobody has: it changes nothing and tells nothing of anybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from cli.client.findings import Finding, failed, ok

if TYPE_CHECKING:
    import boto3

Clock = Callable[[], datetime]

NOBODYS_CODE = "TANDEM-CLIENT-CHECK"
SERVICE = "execute-api"
TIMEOUT_S = 30
SKEW_S = 60  # AWS refuses signatures from five minutes on
_ROLE = "take on the role again"
_MISMATCH = (
    "the secret is not that of the access key, or a proxy changes the call: compare the canonical "
    "request of the answer with yours"
)
_UNKNOWN = f"the access key is unknown, or its session token missing or another key's: {_ROLE}"
_CLOCK = "set this machine's clock by NTP"
ADVICE = {
    "The request signature we calculated": _MISMATCH,
    "The security token included in the request is invalid": _UNKNOWN,
    "The security token included in the request is expired": _ROLE,
    "Signature expired": _CLOCK,
    "Signature not yet current": _CLOCK,
    "Credential should be scoped": "sign for the region of the API: say --region",
    "User: ": "the key is good and has no right to call: is it the role that you got from us?",
}


def check_api(url: str, session: boto3.Session, now: Clock) -> list[Finding]:
    """Whether a signed call is answered by Tandem, and why not."""
    from botocore.exceptions import BotoCoreError

    target = f"{url.rstrip('/')}/v1/client/vouchers/{NOBODYS_CODE}"
    try:
        answer = _signed_call(target, session)
    except BotoCoreError as error:
        return [
            failed(
                "connection",
                str(error),
                "is the address that of the API (ApiUrl), and may this machine call it?",
            )
        ]
    findings = [ok("connection", f"{url} answers")]
    if date := answer.headers.get("date"):
        findings.append(check_clock(date, now()))
    return [*findings, *_judge(int(answer.status_code), _problem(answer.content))]


def check_clock(date: str, now: datetime) -> Finding:
    """How far this machine's clock is from the one of an answer."""
    skew = (now - parsedate_to_datetime(date).astimezone(UTC)).total_seconds()
    if abs(skew) > SKEW_S:
        return failed(
            "clock",
            f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}",
            "set it by NTP: from five minutes on AWS refuses every signature",
        )
    return ok("clock", "within a minute of AWS's")


def _signed_call(url: str, session: boto3.Session) -> Any:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session
    from botocore.utils import get_environ_proxies

    request = AWSRequest("GET", url)
    credentials: Any = session.get_credentials()
    SigV4Auth(credentials.get_frozen_credentials(), SERVICE, session.region_name).add_auth(request)
    connection = URLLib3Session(proxies=get_environ_proxies(url), timeout=TIMEOUT_S)
    return connection.send(request.prepare())


def _problem(content: bytes) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _judge(status: int, problem: dict[str, Any]) -> list[Finding]:
    detail = str(problem.get("detail") or problem.get("title") or "").partition("\n")[0]
    kind = str(problem.get("type", ""))
    if status == 404 and kind == "urn:tandem:problem:not-found" and problem.get("detail"):
        return [
            ok("signature", "accepted"),
            ok("answer", "Tandem does not know a code that nobody has"),
        ]
    if status == 403:
        advice = next((do for start, do in ADVICE.items() if detail.startswith(start)), "")
        return [failed("signature", detail or "403", advice or "see the client guide: The API")]
    if status == 404:
        return [
            failed(
                "answer", detail or "404", "is the address that of the API, with /api at its end?"
            )
        ]
    if status in {429, 500, 502, 503, 504}:
        return [
            failed("answer", f"{status} {detail}".rstrip(), "try again in a minute; then ask us")
        ]
    return [
        failed("answer", f"{status} {detail}".rstrip(), "is it the API of Tandem that answers?")
    ]
