"""A small front: the built pages under the policy of production, and a scripted API under /v1/.

It owns what the browser may assume of its origin (headers, index pages, 404.html) and records every
call the pages make. The pages to sign in on are under /pool/: they send the reader back at once,
with the code `c0de`, unless a test says what they send. It knows no rule of the product: each test
scripts the answers it needs. The real API is tested elsewhere, against the same shapes.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from chalicelib.api.page_policy import PAGE_POLICY
from infra.deployment.pages import cache_control
from infra.preloads import link_header, preloads_of

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}

HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


# As infra/resources.yaml has them: what is no page may do nothing.
OTHER_HEADERS = HEADERS | {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
OTHERS = ("/assets/", "/pictures/", "/v1/", "/oauth2/")
COMPRESSED_FROM = 1_000  # bytes of an answer of the API
PKPASS = "application/vnd.apple.pkpass"
SETTINGS = "/dashboard/sign-in.json"


def about_demo(path: str) -> str:
    """The same page, about the campaign `demo-vip` where its address names none."""
    parts = urlsplit(path)
    if "campaign=" in path or parts.path.startswith("/p/"):
        return path
    query = "&".join(filter(None, (parts.query, "campaign=demo-vip")))
    return parts._replace(query=query).geturl()


@dataclass(frozen=True)
class Pass:
    """A file of Apple's, as the body of an answer."""

    content: bytes


@dataclass(frozen=True)
class Answer:
    """What the API answers to one call."""

    status: int
    body: object = None


@dataclass(frozen=True)
class Call:
    """One call a page made."""

    method: str
    path: str
    headers: dict[str, str]
    body: object


@dataclass
class ScriptedApi:
    """Answers calls from a script and keeps them; the last answer to a call is repeated. `sent` is
    what the sign-in pages send back with, over what they would.
    """

    script: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    link_pages: dict[str, tuple[int, str]] = field(default_factory=dict)
    """the pages of shared links, which the API makes: status and HTML, by path"""

    def answers(self, call: str, status: int, body: object = None) -> None:
        """Scripts the next answer to `call`, e.g. `"GET /v1/sponsor"`."""
        method, path = call.split(" ")
        self.script.setdefault((method, path), []).append(Answer(status, body))

    def refuses(self, call: str, status: int, kind: str = "about", **more: object) -> None:
        """Scripts a problem+json answer of that kind."""
        problem = {"type": f"urn:tandem:problem:{kind}", "title": kind, "status": status, **more}
        self.answers(call, status, problem)

    def answer(self, call: Call) -> Answer:
        """Records the call and takes its answer from the script."""
        self.calls.append(call)
        scripted = self.script.get((call.method, call.path))
        if not scripted:
            return Answer(404, {"type": "urn:tandem:problem:not-found", "status": 404})
        return scripted.pop(0) if len(scripted) > 1 else scripted[0]

    @property
    def own(self) -> list[Call]:
        """The calls of the page itself: its frame asks for the campaign."""
        return [call for call in self.calls if not call.path.startswith("/v1/campaigns/")]

    def made(self, call: str) -> list[Call]:
        """The calls of that method and path, in order."""
        return [made for made in self.calls if f"{made.method} {made.path}" == call]


@dataclass(frozen=True)
class Front:
    """The running front: its origin and its API."""

    origin: str
    api: ScriptedApi


@contextmanager
def running_front(pages: Path) -> Iterator[Front]:
    """Serves the built `pages` on a free port of the loopback interface until the block ends."""
    api = ScriptedApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/v1/") or path == SETTINGS:
                self._call()
            elif path.startswith("/p/"):
                status, page = api.link_pages.get(path, (404, "no such link"))
                self._send(status, MEDIA_TYPES[".html"], page.encode())
            elif path.startswith("/pool/"):
                self._send_back()
            else:
                self._page(path)

        def do_POST(self) -> None:
            self._call()

        def do_DELETE(self) -> None:
            self._call()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing: pytest shows what a failing test needs."""

        def _send_back(self) -> None:
            """What the sign-in pages do once somebody is signed in, or out."""
            asked = dict(parse_qsl(urlsplit(self.path).query))
            api.calls.append(Call("GET", urlsplit(self.path).path, {}, asked))
            to = asked.get("redirect_uri") or asked["logout_uri"]
            sent = {"code": "c0de", "state": asked["state"]} | api.sent if "state" in asked else {}
            self.send_response(302)
            self.send_header("Location", f"{to}?{urlencode(sent)}" if sent else to)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _page(self, path: str) -> None:
            file = (pages / path.lstrip("/")).resolve()
            if file.is_dir():
                file /= "index.html"
            found = file.is_file() and file.is_relative_to(pages)
            file = file if found else pages / "404.html"
            body = gzip.compress(file.read_bytes(), mtime=0)  # as CloudFront does
            kept = cache_control(path.lstrip("/"))
            more = {"Content-Encoding": "gzip", "Cache-Control": kept}
            if found and file.suffix == ".html":
                asked = {name.lower(): value for name, value in self.headers.items()}
                preloads = preloads_of(file.read_text("utf-8"))
                link = link_header(preloads, urlsplit(self.path).query, asked)
                more |= {"Link": link} if link else {}
            self._send(200 if found else 404, MEDIA_TYPES[file.suffix], body, more)

        def _call(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = api.answer(
                Call(
                    self.command,
                    urlsplit(self.path).path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self._read(content),
                )
            )
            media = "application/problem+json" if answer.status >= 400 else "application/json"
            if isinstance(answer.body, Pass):
                media, body = PKPASS, answer.body.content
            else:
                body = b"" if answer.body is None else json.dumps(answer.body).encode()
            self._send(answer.status, media, body)

        def _read(self, content: bytes) -> object:
            if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
                return dict(parse_qsl(content.decode()))
            return json.loads(content) if content else None

        def _send(
            self, status: int, media: str, body: bytes, more: Mapping[str, str] | None = None
        ) -> None:
            more = dict(more or {})
            if len(body) >= COMPRESSED_FROM and "Content-Encoding" not in more:
                body = gzip.compress(body, mtime=0)  # as API Gateway does
                more["Content-Encoding"] = "gzip"
            self.send_response(status)
            headers = OTHER_HEADERS if self.path.startswith(OTHERS) else HEADERS
            for name, value in (headers | more).items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            origin = f"http://127.0.0.1:{server.server_port}"
            api.answers(
                f"GET {SETTINGS}",
                200,
                {
                    "sign_in": f"{origin}/pool",
                    "client": "cl1ent",
                    "callback": f"{origin}/dashboard/",
                },
            )
            yield Front(origin, api)
        finally:
            server.shutdown()
            thread.join()
