"""The way from the front to the deployed API in the emulator, and to its logs.

A call goes on as it comes, except that the routes of the client's systems, which AWS guards with a
signature, also take a bearer token of the front's in its place. signatures.py checks the signature,
and what it refuses is answered as the gateway of the packaged template would. A call that is let in
is then signed, and the deployed API checks that as it does on AWS; as it checks the Cognito token
of a call of ops, which is the caller's own: of those the front keeps out what AWS would not take
for one. To all others the front adds the origin key, as CloudFront does, in place of what a caller
sends for it.

Few calls are in the emulator at one time, and the others wait here for their turn. On AWS a burst
meets as many execution environments as it needs; here each is a process of this machine that takes
seconds of its processors to start. Two dozen at once kept one another from starting for longer than
anyone waited, and calls were answered "502" that then took effect. For the same reason a call is
waited for as long as the emulator lives: it ends each of them itself, after the function's timeout.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey
from botocore.exceptions import BotoCoreError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chalicelib.api.gateway import gateway_problem
from local.answers import answered, problem
from local.deployment import Credentials, SessionCredentials
from local.emulator import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from local.sign_in import claims_of
from local.signatures import SERVICE, Call, Key, SignatureError, check_signature

# Calls in the emulator: eight, so that a race of callers is still one; more where there are more
# processors.
AT_ONCE: Final = max(8, 4 * (os.cpu_count() or 1))
CONNECT_S: Final = 5
ORIGIN_KEY: Final = "x-origin-key"
LARGEST_BODY: Final = 10 * 1024 * 1024
HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


End = Callable[[], str | None]
"""One line once the emulator has ended, None while it runs."""


@dataclass
class Upstream:
    """The deployed API: where it is, and with what the front may call its guarded routes."""

    port: int
    api: str
    client: Credentials
    end: End
    session: SessionCredentials | None = None  # temporary ones of the client's
    origin_key: str = ""
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def host(self) -> str:
        return f"{self.api}.execute-api.127.0.0.1:{self.port}"

    @property
    def keys(self) -> dict[str, Key]:
        """Who may sign: the client's principal, its session, and the emulator's root caller."""
        known = {
            self.client.access_key_id: Key(self.client.secret_access_key),
            ACCESS_KEY_ID: Key(SECRET_ACCESS_KEY),
        }
        if self.session:
            key = Key(self.session.secret_access_key, self.session.session_token)
            known[self.session.access_key_id] = key
        return known


def connections() -> httpx.AsyncClient:
    """The connections to the emulator; without a limit of time, see the head of this module."""
    return httpx.AsyncClient(timeout=httpx.Timeout(None, connect=CONNECT_S), trust_env=False)


async def pass_on(upstream: Upstream | None, client_token: str, request: Request) -> Response:
    """Hand a call to the deployed API and its answer back, both as they are. `client_token`: what
    may stand in place of a signature.
    """
    if upstream is None:
        return problem(503, "unavailable", "The stack is still starting")
    body = await request.body()
    if len(body) > LARGEST_BODY:
        return problem(413, "too-large", "The body is too large")
    is_clients = request.url.path.startswith("/v1/client/")
    if is_clients and (refused := _refusal(upstream, client_token, request, body)):
        return refused
    if request.url.path.startswith("/v1/ops/") and not _has_id_token(request):
        return problem(401, "unauthorised", "A valid token is needed")
    url = _url_of(upstream, request)
    try:
        async with upstream.turns:
            headers = _headers(upstream, is_clients, request, url, body)
            answer = await _connections_of(request).request(
                request.method, url, headers=_raw(headers), content=body
            )
    except (httpx.TransportError, BotoCoreError):
        return await unanswered(upstream)
    response = Response(answer.content, answer.status_code)
    for name, value in answer.headers.multi_items():
        # The body was decoded on the way, so it has another length and no encoding any more.
        if name not in HOP_BY_HOP and name not in {"content-encoding", "date", "server"}:
            response.headers.append(name, value)
    return response


async def read_logs(upstream: Upstream | None, request: Request) -> Response:
    """A call to CloudWatch Logs, handed to the emulator; its answer with an id on every event.

    The emulator leaves the ids out, and `aws logs tail` knows by them what it has shown.
    """
    if upstream is None:
        return problem(503, "unavailable", "The stack is still starting")
    headers = [(k, v) for k, v in request.headers.items() if k not in HOP_BY_HOP]
    try:
        answer = await _connections_of(request).post(
            f"http://127.0.0.1:{upstream.port}/", headers=headers, content=await request.body()
        )
    except httpx.TransportError:
        return await unanswered(upstream)
    body = answer.json()
    seen: Counter[str] = Counter()
    for event in body.get("events", []):
        words = f"{event.get('logStreamName')} {event['timestamp']} {event['message']}"
        seen[words] += 1
        event.setdefault("eventId", hashlib.sha256(f"{words} {seen[words]}".encode()).hexdigest())
    return JSONResponse(body, answer.status_code, media_type="application/x-amz-json-1.1")


async def unanswered(upstream: Upstream) -> Response:
    """What to say when the emulator closed a connection or took none."""
    end = await run_in_threadpool(upstream.end)
    if end is not None:
        return problem(503, "unavailable", end)
    return problem(502, "unavailable", "The emulator does not answer")


def _connections_of(request: Request) -> httpx.AsyncClient:
    connected: httpx.AsyncClient = request.app.state.connections
    return connected


def _url_of(upstream: Upstream, request: Request) -> httpx.URL:
    """The call's address in the emulator, with its path encoded once more.

    API Gateway hands a path over as it was sent, and the emulator decodes it on the way.
    """
    raw_path: bytes = request.scope["raw_path"].replace(b"%", b"%25")
    query: bytes = request.scope["query_string"]
    return httpx.URL(f"http://127.0.0.1:{upstream.port}").copy_with(
        raw_path=b"/api" + raw_path + (b"?" + query if query else b"")
    )


def _headers(
    upstream: Upstream, is_clients: bool, request: Request, url: httpx.URL, body: bytes
) -> list[tuple[str, str]]:
    """The headers of the call; those of the client's systems are signed once more."""
    headers = [
        (k, v) for k, v in request.headers.items() if k not in HOP_BY_HOP and k != ORIGIN_KEY
    ]
    if is_clients:  # which call the API at its own address on AWS
        # The caller's signature is of another host: a second one beside it would make both wrong.
        signature = ("authorization", "x-amz-")
        headers = [(k, v) for k, v in headers if not k.startswith(signature)]
        headers += _signature(upstream, request.method, url, body)
    else:
        headers.append((ORIGIN_KEY, upstream.origin_key))
    return [*headers, ("host", upstream.host)]


def _raw(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as they came: HTTP's own encoding, which holds any byte."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _refusal(
    upstream: Upstream, client_token: str, request: Request, body: bytes
) -> Response | None:
    """The answer to a call for the client's systems that is neither signed nor has the token."""
    given = request.headers.get("authorization", "")
    if not given:
        return _as_gateway(
            "MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException", None
        )
    if hmac.compare_digest(given.encode(), f"Bearer {client_token}".encode()):
        return None
    try:
        check_signature(_call(request, body), upstream.keys, datetime.now(UTC))
    except SignatureError as refused:
        return _as_gateway(refused.response, refused.error, refused.message)
    return None


def _as_gateway(kind: str, error: str, message: str | None) -> Response:
    """What the gateway of the packaged template answers."""
    body = gateway_problem(kind)
    if message is not None:
        body["detail"] = message
    answer = answered(int(body.get("status", 403)), body)
    answer.headers["x-amzn-ErrorType"] = error
    return answer


def _has_id_token(request: Request) -> bool:
    """Where no scopes are asked for AWS takes an ID token and nothing else, the emulator an access
    token too; whether it is good, the emulator knows.
    """
    token = request.headers.get("authorization", "").rpartition(" ")[2]
    return claims_of(token).get("token_use") == "id"


def _call(request: Request, body: bytes) -> Call:
    """The call as its caller signed it: a header that is there twice counts as one of both."""
    target = request.scope["raw_path"] + b"?" + request.scope["query_string"]
    url = f"http://{request.headers['host']}{target.decode('ascii').removesuffix('?')}"
    names = dict.fromkeys(request.headers.keys())
    headers = {name: ",".join(request.headers.getlist(name)) for name in names}
    return Call(request.method, url, headers, body)


def _signature(
    upstream: Upstream, method: str, url: httpx.URL, body: bytes
) -> list[tuple[str, str]]:
    """The headers with which the client's own systems would sign this call."""
    signed = AWSRequest(
        method,
        f"http://{upstream.host}{url.raw_path.decode('ascii')}",
        data=body,
        headers={"Host": upstream.host},
    )
    key = SigningKey(upstream.client.access_key_id, upstream.client.secret_access_key)
    SigV4Auth(key, SERVICE, REGION).add_auth(signed)
    return [(name, value) for name, value in signed.headers.items() if name.lower() != "host"]
