"""The one local address: pages, API, mailbox. What CloudFront and SES are on AWS.

Pages come from web/ with the headers that the packaged template gives CloudFront. /v1/ is the
deployed API, /oauth2/ what people sign in with; /_local/ is the status, the mailbox, the logs and
the mail endpoint of the functions.

Neighbours: upstream.py is the way to the API, sign_in.py that to tokens, mailbox.py that to the
mails; stack.py starts this.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from infra.deployment.pages import cache_control
from infra.preloads import link_header, preloads_of
from local.answers import problem
from local.edge_headers import EdgeHeaders
from local.mailbox import MAILBOX_HEADERS, mailbox
from local.post_office import PostOffice
from local.sign_in import SignIn, exchange, revoke
from local.upstream import Upstream, connections, pass_on, read_logs
from local.web_acl import WebAcl

NOT_PAGES: Final = ("/v1/", "/p/", "/_local/", "/oauth2/", "/pictures/", "/dashboard/sign-in.json")
METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass
class Desk:
    """What the front works with. `upstream` is None until the stack is up."""

    web: Path
    post_office: PostOffice
    edge_headers: EdgeHeaders
    status: Callable[[], dict[str, Any]]
    client_token: str
    upstream: Upstream | None = None
    sign_in: SignIn | None = None  # None until the stack is up
    web_acl: WebAcl | None = None  # None limits nobody
    picture: Callable[[str], tuple[bytes, str] | None] = lambda _: None
    """the bytes and the type of a campaign's picture, by its path in the bucket"""


def front(desk: Desk) -> Starlette:
    """The application of one stack."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with connections() as connected:
            app.state.connections = connected
            yield

    async def api(request: Request) -> Response:
        if refused := _too_many(desk.web_acl, request):
            return refused
        return await pass_on(desk.upstream, desk.client_token, request)

    async def oauth2(request: Request) -> Response:
        if desk.sign_in is None:
            return problem(503, "unavailable", "The stack is still starting")
        if request.path_params["what"] == "revoke":
            return await revoke(desk.sign_in, request)
        return await exchange(desk.sign_in, request, request.app.state.connections)

    async def picture(request: Request) -> Response:
        found = await run_in_threadpool(desk.picture, request.url.path.lstrip("/"))
        if found is None:
            return Response(status_code=403)  # as S3 says it to who may not list
        return Response(found[0], media_type=found[1])

    async def status(_request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(desk.status))

    async def logs(request: Request) -> Response:
        return await read_logs(desk.upstream, request)

    async def headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers.update(desk.edge_headers(request.url.path, response.headers))
        if not request.url.path.startswith(NOT_PAGES):
            response.headers["Cache-Control"] = cache_control(request.url.path.lstrip("/"))
            if response.status_code < 400 and (link := _preloads(desk.web, request)):
                response.headers["Link"] = link
        if request.url.path.startswith("/_local/mailbox"):
            response.headers.update(MAILBOX_HEADERS)
        if "Content-Encoding" in response.headers and "ETag" in response.headers:
            response.headers["ETag"] = _weak(response.headers["ETag"])
        return response

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/v1/{path:path}", api, methods=METHODS),
            Route("/p/{path:path}", api, methods=["GET"]),
            Route("/oauth2/{what:str}", oauth2, methods=["POST"]),
            Route("/pictures/{path:path}", picture),
            Route("/_local/status.json", status),
            Route("/_local/logs/", logs, methods=["POST"]),
            *mailbox(desk.post_office),
            Mount("/", StaticFiles(directory=desk.web, html=True)),
        ],
        middleware=[
            # The other hands on every answer as a stream, whose size nobody knows.
            Middleware(BaseHTTPMiddleware, dispatch=headers),
            Middleware(GZipMiddleware, minimum_size=1000),  # from there on CloudFront compresses
        ],
    )


def _weak(etag: str) -> str:
    """What CloudFront makes of the ETag of a file that it compresses."""
    return etag if etag.startswith("W/") else f"W/{etag}"


def _preloads(web: Path, request: Request) -> str | None:
    """What the function `WebPreloads` adds to the answer of a page."""
    page = web / request.url.path.lstrip("/")
    file = page / "index.html" if page.is_dir() else page
    if file.suffix != ".html" or not file.is_file():
        return None
    return link_header(preloads_of(file.read_text("utf-8")), request.url.query, request.headers)


def _too_many(acl: WebAcl | None, request: Request) -> Response | None:
    """The refusal of one call too many. The client's systems call the API where no edge is."""
    path = request.scope["raw_path"].decode("ascii")
    if acl is None or path.startswith("/v1/client/"):
        return None
    address = request.client.host if request.client else ""
    if acl.refusing(address, request.method, path) is None:
        return None
    refused = problem(429, "unavailable", "Too many requests: try again later")
    refused.headers["Retry-After"] = "60"
    return refused
