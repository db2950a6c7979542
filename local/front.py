"""The one local address: pages, API, mailbox. What CloudFront and SES are on AWS.

Pages come from web/ with the headers that the packaged template gives CloudFront. /v1/ goes to the
deployed API as it comes, except that the routes of the client's systems and of ops, which AWS
guards with a signature and with a Cognito token, ask for the two bearer tokens of
/_local/status.json here; a call that has the right one is then signed, or given a Cognito token,
and the deployed API checks that as it does on AWS. /_local/ is the mailbox, the status, and the
mail endpoint of the functions.

Refuses bodies over 10 MB, as API Gateway does. Neighbours: stack.py starts it, post_office.py
keeps the mails.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from local.deployment import Credentials, Template
from local.emulator import REGION
from local.post_office import Answer, Letter, PostOffice

LARGEST_BODY: Final = 10 * 1024 * 1024
PATIENCE_S: Final = 35  # API Gateway waits 29 seconds
METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
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
# The mailbox shows mails as they are, inline styles and all, and runs nothing.
MAILBOX_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'"
)


@dataclass
class Upstream:
    """The deployed API: where it is, and with what the front may call its guarded routes."""

    port: int
    api: str
    client: Credentials
    ops_token: Callable[[], str]

    @property
    def host(self) -> str:
        return f"{self.api}.execute-api.127.0.0.1:{self.port}"


@dataclass
class Desk:
    """What the front works with. `upstream` is None until the stack stands."""

    web: Path
    post_office: PostOffice
    page_headers: Mapping[str, str]
    status: Callable[[], dict[str, Any]]
    ops_token: str
    client_token: str
    upstream: Upstream | None = None


def front(desk: Desk) -> Starlette:
    """The application of one stack."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as http:
            app.state.http = http
            yield

    async def api(request: Request) -> Response:
        return await _pass_on(desk, request)

    async def status(_request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(desk.status))

    async def mailbox_json(_request: Request) -> Response:
        return JSONResponse([_summary(letter) for letter in desk.post_office.letters()])

    async def mailbox(_request: Request) -> Response:
        return HTMLResponse(_mailbox_page(desk.post_office.letters()))

    async def letter_file(request: Request) -> Response:
        letter = desk.post_office.letter(request.path_params["id"])
        if letter is None:
            return problem(404, "not-found", "No such mail")
        if request.path_params["kind"] == "eml":
            return Response(letter.raw, media_type="message/rfc822")
        return HTMLResponse(letter.html or f"<pre>{html.escape(letter.text)}</pre>")

    async def logs(request: Request) -> Response:
        return await _read_logs(desk, request)

    async def send(request: Request) -> Response:
        return await run_in_threadpool(_send, desk.post_office, await request.json())

    async def headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers.update(desk.page_headers)
        if request.url.path.startswith("/_local/mailbox"):
            response.headers["Content-Security-Policy"] = MAILBOX_POLICY
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/v1/{path:path}", api, methods=METHODS),
            Route("/_local/status.json", status),
            Route("/_local/mailbox", mailbox),
            Route("/_local/mailbox.json", mailbox_json),
            Route("/_local/mailbox/{id:str}.{kind:str}", letter_file),
            Route("/_local/ses/v2/email/outbound-emails", send, methods=["POST"]),
            Route("/_local/logs/", logs, methods=["POST"]),
            Mount("/", StaticFiles(directory=desk.web, html=True)),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=headers)],
    )


async def _pass_on(desk: Desk, request: Request) -> Response:
    """Hand a call to the deployed API and its answer back, both as they are."""
    upstream = desk.upstream
    if upstream is None:
        return problem(503, "unavailable", "The stack is still starting")
    body = await request.body()
    if len(body) > LARGEST_BODY:
        return problem(413, "too-large", "The body is too large")
    raw_path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    url = httpx.URL(f"http://127.0.0.1:{upstream.port}").copy_with(
        raw_path=b"/api" + raw_path + (b"?" + query if query else b"")
    )
    headers = [(k, v) for k, v in request.headers.items() if k not in HOP_BY_HOP]
    guard = _guard_of(request.url.path)
    if guard is not None:
        token = desk.client_token if guard == "client" else desk.ops_token
        if not hmac.compare_digest(
            request.headers.get("authorization", "").encode(), f"Bearer {token}".encode()
        ):
            return problem(401, "unauthorised", "A valid token is needed")
        headers = [(k, v) for k, v in headers if k != "authorization"]
        if guard == "client":
            headers += _signature(upstream, request.method, url, body)
        else:
            ops = await run_in_threadpool(upstream.ops_token)
            headers.append(("authorization", f"Bearer {ops}"))
    try:
        answer = await request.app.state.http.request(
            request.method, url, headers=_raw([*headers, ("host", upstream.host)]), content=body
        )
    except httpx.TransportError:
        return problem(502, "unavailable", "The emulator does not answer")
    response = Response(answer.content, answer.status_code)
    for name, value in answer.headers.multi_items():
        # The body was decoded on the way, so it has another length and no encoding any more.
        if name not in HOP_BY_HOP and name not in {"content-encoding", "date", "server"}:
            response.headers.append(name, value)
    return response


async def _read_logs(desk: Desk, request: Request) -> Response:
    """A call to CloudWatch Logs, handed to the emulator; its answer with an id on every event.

    The emulator leaves the ids out, and `aws logs tail` knows by them what it has shown.
    """
    if desk.upstream is None:
        return problem(503, "unavailable", "The stack is still starting")
    headers = [(k, v) for k, v in request.headers.items() if k not in HOP_BY_HOP]
    answer = await request.app.state.http.post(
        f"http://127.0.0.1:{desk.upstream.port}/", headers=headers, content=await request.body()
    )
    body = answer.json()
    seen: Counter[str] = Counter()
    for event in body.get("events", []):
        words = f"{event.get('logStreamName')} {event['timestamp']} {event['message']}"
        seen[words] += 1
        event.setdefault("eventId", hashlib.sha256(f"{words} {seen[words]}".encode()).hexdigest())
    return JSONResponse(body, answer.status_code, media_type="application/x-amz-json-1.1")


def _raw(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as they came: HTTP's own encoding, which holds any byte."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _guard_of(path: str) -> str | None:
    for guard in ("client", "ops"):
        if path.startswith(f"/v1/{guard}/"):
            return guard
    return None


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
    SigV4Auth(key, "execute-api", REGION).add_auth(signed)
    return [(name, value) for name, value in signed.headers.items() if name.lower() != "host"]


def _send(post_office: PostOffice, call: Mapping[str, Any]) -> Response:
    """SESv2 SendEmail with raw content."""
    raw = base64.b64decode(call["Content"]["Raw"]["Data"])
    destination = call.get("Destination", {})
    recipients = [
        address
        for kind in ("ToAddresses", "CcAddresses", "BccAddresses")
        for address in destination.get(kind, [])
    ]
    tags = {tag["Name"]: tag["Value"] for tag in call.get("EmailTags", [])}
    tags["ses:configuration-set"] = call.get("ConfigurationSetName", "")
    answer, identifier = post_office.take(raw, recipients, tags)
    if answer is Answer.THROTTLED:
        return _aws_error(429, "TooManyRequestsException", "Maximum sending rate exceeded.")
    if answer is Answer.LOST:
        return _aws_error(500, "InternalServiceErrorException", "The answer was lost.")
    return JSONResponse({"MessageId": identifier})


def _aws_error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"message": message}, status, headers={"x-amzn-ErrorType": kind})


def problem(status: int, name: str, title: str) -> Response:
    """An RFC 9457 answer of the front itself, in the API's own words."""
    body = {"type": f"urn:tandem:problem:{name}", "title": title, "status": status}
    return Response(json.dumps(body), status, media_type="application/problem+json")


def page_headers(template: Template) -> dict[str, str]:
    """The headers that the packaged template's CloudFront policy adds to every answer."""
    policy = template["Resources"]["WebHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = policy["SecurityHeadersConfig"]
    transport = security["StrictTransportSecurity"]
    subdomains = "; includeSubDomains" if transport["IncludeSubdomains"] else ""
    return {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "Strict-Transport-Security": f"max-age={transport['AccessControlMaxAgeSec']}{subdomains}",
        **{item["Header"]: item["Value"] for item in policy["CustomHeadersConfig"]["Items"]},
    }


def remembered(fetch: Callable[[], tuple[str, float]]) -> Callable[[], str]:
    """A token source that asks again a minute before the token it has runs out."""
    kept = ("", 0.0)

    def token() -> str:
        nonlocal kept
        if time.monotonic() > kept[1] - 60:
            value, lifetime_s = fetch()
            kept = (value, time.monotonic() + lifetime_s)
        return kept[0]

    return token


def _summary(letter: Letter) -> dict[str, object]:
    return {
        "id": letter.id,
        "to": letter.to,
        "subject": letter.subject,
        "sent_at": letter.sent_at.isoformat(timespec="milliseconds"),
        "links": list(letter.links),
    }


def _mailbox_page(letters: list[Letter]) -> str:
    rows = "".join(
        f"<article><h2>{html.escape(letter.subject)}</h2>"
        f"<p>{html.escape(letter.to)} · {letter.sent_at:%H:%M:%S} UTC · "
        f'<a href="/_local/mailbox/{letter.id}.html">as HTML</a> · '
        f'<a href="/_local/mailbox/{letter.id}.eml">as sent</a></p>'
        + "".join(
            f'<p><a href="{html.escape(link)}">{html.escape(link)}</a></p>' for link in letter.links
        )
        + f"<details><summary>Text</summary><pre>{html.escape(letter.text)}</pre></details>"
        + "</article>"
        for letter in letters
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Mailbox</title><style>'
        "body{font:1rem/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "article{border-top:1px solid #ccc;padding:1rem 0}h2{font-size:1.1rem;margin:0}"
        "p{margin:.2rem 0;overflow-wrap:anywhere}pre{white-space:pre-wrap}</style>"
        f"<h1>Mailbox</h1>{rows or '<p>No mail yet.</p>'}</html>"
    )
