"""A `tandem` command on a stack: moto's AWS, and a status page that describes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.facts import Fact
from cli.main import app
from tests.fakes.aws_table import make_table

TABLE = "tandem-test"
REGION = "eu-west-3"
BUCKET = "tandem-bucket"
SECRET = "not-to-be-shown"
STATUS = {
    "ready": True,
    "aws_endpoint": None,  # where boto3 finds moto
    "region": REGION,
    "access_key_id": "local",
    "secret_access_key": SECRET,
    "table": TABLE,
    "bucket": BUCKET,
    "roots_bucket": "tandem-roots",
    "keys_path": "/tandem/test/digest-keys/",
    "origin": "http://127.0.0.1:8400",
}

Tandem = Callable[..., Result]
Serving = Callable[[type[BaseHTTPRequestHandler]], AbstractContextManager[int]]


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server on 127.0.0.1; its port."""
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def serving() -> Serving:
    """Serve with a handler; the port."""
    return _serving


def facts_now(repository: DynamoRepository, subject: str) -> list[Fact]:
    """The facts of a subject that have just happened."""
    now = datetime.now(UTC)
    return list(repository.facts_of(subject, now - timedelta(hours=1), now))


@pytest.fixture
def tandem() -> Tandem:
    """Run `tandem` with arguments."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS with nothing in it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def repository(aws: None) -> DynamoRepository:  # noqa: ARG001  AWS before its table
    """The table, as infra/ has it."""
    make_table(boto3.client("dynamodb", region_name=REGION), TABLE)
    return DynamoRepository(Clients(), TABLE, lambda: datetime.now(UTC))


@pytest.fixture
def status_page(
    monkeypatch: pytest.MonkeyPatch, serving: Serving
) -> Iterator[Callable[[object], None]]:
    """A status page on a port of its own; called with what it answers, or bytes as they are."""
    answer = [b""]

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/_local/status.json" and answer[0]
            self.send_response(200 if known else 404)
            self.end_headers()
            self.wfile.write(answer[0])

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    def answers(status: object) -> None:
        answer[0] = status if isinstance(status, bytes) else json.dumps(status).encode()

    monkeypatch.delenv("TANDEM_STAGE", raising=False)
    with serving(Page) as port:
        monkeypatch.setenv("TANDEM_PORT", str(port))
        yield answers


@pytest.fixture
def bucket(aws: None) -> str:  # noqa: ARG001  AWS before its bucket
    """The bucket of the stack, where a campaign's pictures are; its name."""
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
    )
    return BUCKET


@pytest.fixture
def stack(
    repository: DynamoRepository, status_page: Callable[[object], None], bucket: str
) -> DynamoRepository:
    """A running local stack with the demo's key and its bucket; its repository."""
    del bucket  # a campaign is put with its pictures
    status_page(STATUS)
    boto3.client("ssm", region_name=REGION).put_parameter(
        Name="/tandem/test/digest-keys/demo", Value="00" * 32, Type="SecureString"
    )
    return repository
