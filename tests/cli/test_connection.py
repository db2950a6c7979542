"""A command says which stack it talks to, and what to do when there is none."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

import boto3
import pytest
from typer.testing import Result

from cli.connection import Connection, Place
from infra.postprocess.functions import FUNCTIONS
from tests.cli.conftest import STATUS

Tandem = Callable[..., Result]
Serving = Callable[[type[BaseHTTPRequestHandler]], AbstractContextManager[int]]
Answers = Callable[[object], None]

OUTPUTS = {
    "TableName": "tandem-prod-table",
    "BucketName": "tandem-prod-bucket",
    "KeysPath": "/tandem/prod/digest-keys/",
    "Origin": "https://tandem.example",
}
OUTPUT = "<member><OutputKey>{}</OutputKey><OutputValue>{}</OutputValue></member>"
STACK = """<DescribeStacksResponse><DescribeStacksResult><Stacks><member>
<StackName>tandem-prod</StackName><StackStatus>CREATE_COMPLETE</StackStatus>
<CreationTime>2026-03-01T00:00:00Z</CreationTime><Outputs>{}</Outputs>
</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"""
NO_STACK = """<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>
<Message>Stack with id tandem-{} does not exist</Message></Error></ErrorResponse>"""


@pytest.fixture
def nothing_running(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("TANDEM_PORT", str(port))
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, serving: Serving) -> Iterator[dict[str, str]]:
    """A CloudFormation that knows one stack, `prod`; its outputs."""
    outputs = dict(OUTPUTS)

    class CloudFormation(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
            stage = parse_qs(asked)["StackName"][0].removeprefix("tandem-")
            members = "".join(OUTPUT.format(*output) for output in outputs.items())
            known = stage == "prod"
            self.send_response(200 if known else 400)
            self.end_headers()
            self.wfile.write((STACK.format(members) if known else NO_STACK.format(stage)).encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with serving(CloudFormation) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", f"http://127.0.0.1:{port}")
        yield outputs


def test_a_server_without_http_is_reported_in_one_line(
    tandem: Tandem, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mumbling(BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"220 mail ready\r\n")

    with serving(Mumbling) as port:
        monkeypatch.setenv("TANDEM_PORT", str(port))
        result = tandem("status")
    assert result.exit_code == 1
    assert result.stderr == f"what runs at http://127.0.0.1:{port} is not the local stack\n"


def test_when_nothing_runs_one_line_says_what_to_do(nothing_running: str, tandem: Tandem) -> None:
    result = tandem("status")
    assert result.exit_code == 1
    assert result.stderr == (
        f"the local stack is not running at {nothing_running}: start it with: make demo; "
        "for another port set TANDEM_PORT\n"
    )


def test_a_stack_that_has_ended_says_so_itself(status_page: Answers, tandem: Tandem) -> None:
    status_page({"ready": False, "ended": "it has ended: start it again"})
    result = tandem("campaign", "list")
    assert (result.exit_code, result.stderr) == (1, "it has ended: start it again\n")


@pytest.mark.parametrize(
    ("later", "reported"),
    [
        ({"ready": False, "ended": "it has ended: start it again"}, "it has ended: start it again"),
        (None, "the emulator of the local stack does not answer at {endpoint}"),
    ],
    ids=["ended", "silent"],
)
def test_a_stack_that_ends_during_a_command_is_reported_in_one_line(
    later: object,
    reported: str,
    nothing_running: str,
    serving: Serving,
    tandem: Tandem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The status page knows the emulator when the command begins, and no more when it fails."""
    ready = {**STATUS, "aws_endpoint": nothing_running}
    said: list[object] = [ready]

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(said.pop() if said else later or ready).encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with serving(Page) as port:
        monkeypatch.setenv("TANDEM_PORT", str(port))
        result = tandem("campaign", "list")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(reported.format(endpoint=nothing_running))


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        ({"ready": False}, "is still starting: try again in a moment"),
        ({"ready": True}, "lacks 'aws_endpoint': is it Tandem?"),
        (b"<html>", "is not the local stack"),
        ([1], "is not the local stack"),
        (b"", "is not the local stack (HTTP 404): choose another port with TANDEM_PORT"),
    ],
)
def test_anything_but_a_ready_stack_is_reported_in_one_line(
    status: object, reported: str, status_page: Answers, tandem: Tandem
) -> None:
    status_page(status)
    result = tandem("campaign", "list")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.endswith(reported)


def test_a_function_is_called_once_and_waited_for_as_long_as_it_may_take() -> None:
    place = Place("x", "t", "b", "/k/", "http://127.0.0.1", "eu-west-3")
    config = Connection(place, boto3.Session(region_name="eu-west-3"))._lambda.meta.config
    longest = max(size.timeout_s for size in FUNCTIONS.values())
    assert config.read_timeout > longest
    assert config.retries["total_max_attempts"] == 1


def test_another_stage_is_found_by_the_outputs_of_its_stack(
    deployed: dict[str, str], tandem: Tandem
) -> None:
    shown = tandem("status", "--stage", "prod").stdout  # said before anything is asked of it
    for value in deployed.values():
        assert value in shown


@pytest.mark.usefixtures("deployed")
def test_the_stage_may_come_from_the_environment(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_STAGE", "prod")
    assert "tandem-prod-table" in tandem("status").stdout


@pytest.mark.usefixtures("deployed")
def test_a_stage_that_is_not_deployed_is_reported_in_one_line(tandem: Tandem) -> None:
    result = tandem("status", "--stage", "nowhere")
    assert result.exit_code == 1
    assert result.stderr == "there is no stack tandem-nowhere in eu-west-3\n"


def test_a_stack_without_its_outputs_is_reported_in_one_line(
    deployed: dict[str, str], tandem: Tandem
) -> None:
    del deployed["KeysPath"]
    result = tandem("status", "--stage", "prod")
    assert result.exit_code == 1
    assert result.stderr == "stack tandem-prod has no output 'KeysPath'\n"


def test_without_a_region_one_line_says_so(tandem: Tandem, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    result = tandem("status", "--stage", "prod")
    assert result.exit_code == 1
    assert result.stderr == "no AWS region: set AWS_REGION, or a profile with AWS_PROFILE\n"
