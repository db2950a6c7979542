"""The post office over HTTP: the mail endpoint that functions send to, and the pages people read.

Speaks as SESv2 does to the functions and shows each mail as it would have left.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from local.answers import problem
from local.post_office import Answer, Letter, PostOffice

MAX_SEND_RATE: Final = 14.0  # as SES says for most new accounts; no send is refused for it

# The mailbox shows mails as they are, inline styles and all, and runs nothing.
MAILBOX_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}


def mailbox(post_office: PostOffice) -> list[Route]:
    """The routes of the mailbox and of the mail endpoint, below /_local."""

    async def message_list(_request: Request) -> Response:
        return JSONResponse([_summary(letter) for letter in post_office.letters()])

    async def page(_request: Request) -> Response:
        return HTMLResponse(_page(post_office.letters()))

    async def letter(request: Request) -> Response:
        found = post_office.letter(request.path_params["id"])
        if found is None:
            return problem(404, "not-found", "No such mail")
        if request.path_params["kind"] == "eml":
            return Response(found.raw, media_type="message/rfc822")
        return HTMLResponse(found.html or f"<pre>{html.escape(found.text)}</pre>")

    async def send(request: Request) -> Response:
        return await run_in_threadpool(_send, post_office, await request.json())

    async def account(_request: Request) -> Response:
        return JSONResponse({"SendingEnabled": True, "SendQuota": {"MaxSendRate": MAX_SEND_RATE}})

    return [
        Route("/_local/mailbox", page),
        Route("/_local/mailbox.json", message_list),
        Route("/_local/mailbox/{id:str}.{kind:str}", letter),
        Route("/_local/ses/v2/email/outbound-emails", send, methods=["POST"]),
        Route("/_local/ses/v2/email/account", account),
    ]


def _send(post_office: PostOffice, call: Mapping[str, Any]) -> Response:
    """SESv2 SendEmail with raw content."""
    raw = base64.b64decode(call["Content"]["Raw"]["Data"])
    destination = call.get("Destination", {})
    recipients = [
        address
        for kind in ("ToAddresses", "CcAddresses", "BccAddresses")
        for address in destination.get(kind, [])
    ]
    if not all(map(str.isascii, recipients)):
        return _aws_error(
            400, "BadRequestException", "Local address contains control or whitespace"
        )
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


def _summary(letter: Letter) -> dict[str, object]:
    return {
        "id": letter.id,
        "to": letter.to,
        "subject": letter.subject,
        "sent_at": letter.sent_at.isoformat(timespec="milliseconds"),
        "links": list(letter.links),
    }


def _page(letters: list[Letter]) -> str:
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
