"""The way from the front to the API: a crowd is let in a few at a time and none is lost."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

import httpx
import pytest

from local.deployment import Credentials
from local.front import Desk, front
from local.post_office import PostOffice
from local.serving import listening, serving
from local.upstream import AT_ONCE, Upstream, connections

CROWD = 3 * AT_ONCE
ENDED = "it has ended: start it again"


class Turns(asyncio.Semaphore):
    """The turns of the front; `everybody` is set when the whole crowd has asked for one."""

    def __init__(self) -> None:
        super().__init__(AT_ONCE)
        self.asked = 0
        self.everybody = threading.Event()

    async def acquire(self) -> Literal[True]:
        self.asked += 1
        if self.asked == CROWD:
            self.everybody.set()
        return await super().acquire()


class Gateway(ThreadingHTTPServer):
    """An API that answers nobody before as many are in as may be, and all others at the front."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.turns = Turns()
        self.met = threading.Barrier(AT_ONCE)
        self.lock = threading.Lock()
        self.inside = self.most = 0


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway

    def do_POST(self) -> None:
        gateway = self.server
        with gateway.lock:
            gateway.inside += 1
            gateway.most = max(gateway.most, gateway.inside)
        gateway.met.wait(timeout=30)
        everybody = gateway.turns.everybody.wait(timeout=30)
        with gateway.lock:
            gateway.inside -= 1
        self.send_response(202 if everybody else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def desk_of(port: int, directory: Path, end: str | None = None) -> Desk:
    return Desk(
        web=directory,
        post_office=PostOffice(directory / "mail"),
        edge_headers=lambda _path, _headers: {},
        status=lambda: {"ready": True},
        client_token="client",
        upstream=Upstream(port, "api", Credentials("id", "key"), lambda: end),
    )


@contextmanager
def served(desk: Desk) -> Iterator[httpx.Client]:
    """The front at this desk, and connections to it."""
    with listening(None) as listener, serving(front(desk), listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            yield client


def test_a_crowd_is_answered_whole_and_let_in_a_few_at_a_time(
    gateway: Gateway, tmp_path: Path
) -> None:
    desk = desk_of(gateway.server_port, tmp_path)
    assert desk.upstream is not None
    desk.upstream.turns = gateway.turns
    with served(desk) as client, ThreadPoolExecutor(CROWD) as crowd:
        answers = list(crowd.map(lambda _: client.post("/v1/x").status_code, range(CROWD)))
    assert Counter(answers) == {202: CROWD}
    assert gateway.most == AT_ONCE


def test_a_race_of_eight_is_one_on_any_machine() -> None:
    assert AT_ONCE >= 8


@pytest.mark.parametrize("path", ["/v1/x/a%2Fb", "/v1/x/%23%25é%2B+", "/v1/x/%2525", "/v1/x/a%20b"])
def test_a_path_comes_out_of_the_emulator_as_it_was_sent(tmp_path: Path, path: str) -> None:
    """The emulator decodes a path once, which API Gateway does not."""
    sent: list[str] = []

    class Recording(Answering):
        def do_GET(self) -> None:
            sent.append(self.path)
            self.send_response(204)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Recording) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with served(desk_of(server.server_port, tmp_path)) as client:
            assert client.get(f"{path}?a=%2F").status_code == 204
        server.shutdown()
        thread.join()
    (target,) = sent
    received, _, query = target.partition("?")
    assert unquote(received) == "/api" + quote(path, safe="/%+")
    assert query == "a=%2F"


def test_an_answer_is_waited_for_however_long_it_takes() -> None:
    """A call that was given up has taken effect all the same: the answer would be false."""
    granted = connections().timeout
    assert (granted.read, granted.write, granted.pool) == (None, None, None)
    assert granted.connect is not None


@pytest.mark.parametrize(
    ("end", "status", "title"),
    [(None, 502, "The emulator does not answer"), (ENDED, 503, ENDED)],
    ids=["alive", "ended"],
)
def test_a_connection_that_is_refused_is_a_problem(
    tmp_path: Path, end: str | None, status: int, title: str
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as closed:
        port = closed.server_port
    with served(desk_of(port, tmp_path, end)) as client:
        answer = client.get("/v1/x")
    assert (answer.status_code, answer.json()["title"]) == (status, title)


def test_a_call_before_the_stack_is_ready_is_a_problem(tmp_path: Path) -> None:
    desk = desk_of(1, tmp_path)
    desk.upstream = None
    with served(desk) as client:
        assert client.get("/v1/x").status_code == 503


def test_httpx_would_have_given_up() -> None:
    """What the two tests above stand against: its own limit is five seconds."""
    assert httpx.AsyncClient().timeout.read == 5
