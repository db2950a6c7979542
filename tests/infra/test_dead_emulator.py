"""When the emulator has died, each place that notices says so in one line, with what to do."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.package import ROOT
from local.emulator import free_port
from local.errors import StackError
from local.running import Stack
from local.stack import running_stack
from local.story import play
from tests.infra.processes import command_of, descendants, run, until

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("local-stack")]

COMMANDS = [("status",), ("campaign", "list"), ("list", "status", "demo-vip")]


def is_its_end(line: str) -> bool:
    """Whether the line says what has ended, where to read why, and how to start it again."""
    return (
        "the emulator of the local stack has ended" in line
        and "emulator.log" in line
        and line.endswith("start it again with: make demo")
    )


def kill_emulator(of: int) -> None:
    """End the emulator below this process, and nothing else: not the guard, not its functions."""
    (emulator,) = (
        pid
        for pid in descendants(of)
        if (command := command_of(pid)).endswith("/local/leading_keys.py")
        and "guard.py" not in command
    )
    os.kill(emulator, signal.SIGKILL)


@pytest.fixture(scope="module")
def bereft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose emulator was killed."""
    with running_stack(directory=tmp_path_factory.mktemp("bereft")) as stack:
        assert stack.end() is None
        guard = stack.emulator._process
        assert guard
        kill_emulator(guard.pid)
        assert stack.end(within_s=10) is not None
        yield stack


@pytest.fixture
def front(bereft: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=bereft.url, timeout=15, trust_env=False) as client:
        yield client


def test_the_status_page_says_so(front: httpx.Client) -> None:
    answer = front.get("/_local/status.json")
    assert answer.status_code == 200
    status = answer.json()
    assert status.keys() == {"ready", "ended"}
    assert status["ready"] is False
    assert is_its_end(status["ended"])


@pytest.mark.parametrize("path", ["/v1/openapi.json", "/v1/client/vouchers/A", "/v1/ops/x"])
def test_a_call_of_the_api_is_a_problem_that_says_so(
    front: httpx.Client, bereft: Stack, path: str
) -> None:
    payload = base64.b64encode(b'{"token_use": "id"}').decode()
    token = bereft.client_token if "client" in path else f"head.{payload}.signature"
    answer = front.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert is_its_end(answer.json()["title"])


def test_the_logs_are_a_problem_that_says_so(front: httpx.Client) -> None:
    answer = front.post("/_local/logs/", content=b"{}")
    assert answer.status_code == 503
    assert is_its_end(answer.json()["title"])


def test_pages_and_mails_are_still_there(front: httpx.Client) -> None:
    for path in ("/", "/_local/mailbox", "/_local/mailbox.json"):
        assert front.get(path).status_code == 200


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_says_so(bereft: Stack, command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("tandem"), *command],
        env={**os.environ, "TANDEM_PORT": bereft.url.rpartition(":")[2]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert is_its_end(line)


def test_reading_the_logs_says_so(bereft: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.logs"],
        cwd=ROOT,
        env={**os.environ, "TANDEM_PORT": bereft.url.rpartition(":")[2]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert is_its_end(line)


def test_the_story_says_so_and_goes_no_further(bereft: Stack) -> None:
    with pytest.raises(StackError) as ended:
        play(bereft)
    assert is_its_end(str(ended.value))


@pytest.mark.parametrize("arguments", [(), ("--play",)], ids=["up", "in the story"])
def test_the_console_says_so_and_comes_to_its_end(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    port = free_port()
    process = run(port, "--directory", str(tmp_path), *arguments)
    url = f"http://127.0.0.1:{port}/_local/status.json"

    def under_way() -> bool:
        try:
            status = httpx.get(url, trust_env=False, timeout=15).json()
        except httpx.TransportError:
            return False
        return bool(status["ready"] and (not arguments or status["campaigns"]))

    try:
        assert until(under_way, 120)
        kill_emulator(process.pid)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 1
    (line,) = said.splitlines()
    assert is_its_end(line)
