"""The API of a world of tests as a server on this machine, for tools that call it by HTTP.

It answers as API Gateway does: what no route serves is answered before any code of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

from chalicelib.api.gateway import gateway_problem
from tests.api.gateway import NoSuchResourceError, Request
from tests.api.world import World


class Server(HTTPServer):
    """One call at a time, in the thread that serves. `wrong` says which answers were not as the
    document has them.
    """

    def __init__(self, world: World) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.world = world
        self.calls = 0
        self.wrong: list[str] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def served(world: World) -> Iterator[Server]:
    """The API of `world`; it answers while somebody calls `handle_request`."""
    server = Server(world)
    server.timeout = 0.1
    try:
        yield server
    finally:
        server.server_close()


def _unsigned(path: str) -> str | None:
    """What API Gateway answers a call that nobody has signed, None where none has to be."""
    kinds = {"client": "MISSING_AUTHENTICATION_TOKEN", "ops": "UNAUTHORIZED"}
    return kinds.get(path.split("/")[2]) if path.count("/") > 1 else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # a connection for each call: one thread serves them all
    server: Server

    def do_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        request = Request(self.command, urlsplit(self.path).path, body, dict(self.headers.items()))
        self.server.calls += 1
        if not self.headers.get("Authorization") and (kind := _unsigned(request.path)):
            self._problem(kind)
            return
        try:
            answer = self.server.world.ask(request)
        except NoSuchResourceError:
            self._problem("MISSING_AUTHENTICATION_TOKEN")
        except AssertionError as wrong:
            self.server.wrong.append(str(wrong))
            self._problem("DEFAULT_5XX", 500)
        else:
            self._send(answer.status, dict(answer.headers), answer.body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.do_any
        raise AttributeError(name)

    def _problem(self, kind: str, status: int | None = None) -> None:
        problem = gateway_problem(kind)
        headers = {"content-type": "application/problem+json"}
        self._send(status or problem["status"], headers, json.dumps(problem).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: a test says itself what it found."""
