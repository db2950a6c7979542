"""Starts everything on this machine and ends it again: `with running_stack() as stack:`.

Order: the front (so that a port in use is known at once), the emulator, the deployment of the
packaged template, the topic that mails report to. `python -m local.stack` runs it until it is
stopped; with `--play` the demo's story is played on it first.

Several stacks may run side by side, each with its own ports and directory. Nothing is kept from
one start to the next but the package, so a start is always from an empty table.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import boto3
import uvicorn

from chalicelib.adapters.dynamodb import schema
from chalicelib.services.ports import Agenda
from infra.package import Package, PackageError, local_target, package
from local.deployment import STAGE, Deployer, Deployment, OpsAccount, root_session
from local.emulator import ACCESS_KEY_ID, REGION, ROOT, SECRET_ACCESS_KEY, Emulator, free_port
from local.errors import StackError
from local.front import Desk, Upstream, front, page_headers, remembered
from local.post_office import PostOffice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

DEFAULT_PORT: Final = 8400
DEMO_KEY_ID: Final = "demo"
DEMO_KEY_FILE: Final = ROOT / "local/demo/digest.key"
DIRECTORY: Final = ROOT / ".local"


@dataclass
class Stack:
    """A running local stack."""

    url: str  # of the front
    endpoint: str  # of the emulator
    deployment: Deployment
    post_office: PostOffice
    ops_token: str
    client_token: str
    emulator: Emulator
    session: boto3.Session = field(default_factory=root_session)

    @property
    def table(self) -> str:
        return self.deployment.outputs["TableName"]

    @property
    def bucket(self) -> str:
        return self.deployment.outputs["BucketName"]

    @property
    def s3(self) -> S3Client:
        return self.session.client("s3", endpoint_url=self.endpoint)

    @property
    def dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", endpoint_url=self.endpoint)

    @property
    def sqs(self) -> SQSClient:
        return self.session.client("sqs", endpoint_url=self.endpoint)

    @property
    def logs(self) -> CloudWatchLogsClient:
        return self.session.client("logs", endpoint_url=self.endpoint)

    def run(self, function: str) -> None:
        """Run a scheduled function now, and wait for its end. Raises StackError if it failed."""
        answer = self.session.client("lambda", endpoint_url=self.endpoint).invoke(
            FunctionName=f"tandem-{STAGE}-{function}", Payload=b'{"source":"schedule"}'
        )
        if "FunctionError" in answer:
            raise StackError(f"{function} failed: {answer['Payload'].read().decode()[:500]}")

    def campaigns(self) -> list[str]:
        """The names of the campaigns in force."""
        found = self.dynamodb.query(
            TableName=self.table,
            IndexName=schema.AGENDA_INDEX,
            KeyConditionExpression="agenda_pk = :pk",
            ExpressionAttributeValues={":pk": {"S": schema.agenda_key(Agenda.CAMPAIGNS, "")}},
        )
        return sorted(item["pk"]["S"].partition("#")[2] for item in found["Items"])

    def status(self) -> dict[str, Any]:
        """What /_local/status.json says."""
        outputs = dict(self.deployment.outputs)
        return {
            "ready": True,
            "origin": self.url,
            "aws_endpoint": self.endpoint,
            "region": REGION,
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
            "ops_token": self.ops_token,
            "client_token": self.client_token,
            "table": self.table,
            "bucket": self.bucket,
            "keys_path": outputs["KeysPath"],
            "digest_key_id": DEMO_KEY_ID,
            "campaigns": self.campaigns(),
            "outputs": outputs,
        }


@contextmanager
def running_stack(
    *,
    port: int | None = None,
    aws_port: int | None = None,
    directory: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    made: Package | None = None,
) -> Iterator[Stack]:
    """A whole stack for the length of a `with` block. Raises StackError when it cannot start.

    `port` is the front's and `aws_port` the emulator's; None takes any free one. Its files are in
    `directory`, which no other stack may use meanwhile; None is a new one, named by the port.
    `parameters` are set in the template over the local ones; `made` is a package to deploy instead
    of this tree's.
    """
    with ExitStack() as cleanup:
        listener = cleanup.enter_context(_listening(port))
        chosen_port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{chosen_port}"
        directory = directory or DIRECTORY / str(chosen_port)
        directory.mkdir(parents=True, exist_ok=True)
        cleanup.enter_context(_only_one_in(directory))
        try:
            made = made or package(local_target())
        except PackageError as error:
            raise StackError(f"packaging failed: {error}") from error
        post_office = PostOffice(directory / "mail")
        desk = Desk(
            web=ROOT / "web",
            post_office=post_office,
            page_headers=page_headers(json.loads(made.template.read_text(encoding="utf-8"))),
            status=lambda: {"ready": False},
            ops_token=secrets.token_urlsafe(32),
            client_token=secrets.token_urlsafe(32),
        )
        cleanup.enter_context(_serving(desk, listener))
        emulator = Emulator(directory, aws_port or free_port(), f"{url}/_local/ses")
        cleanup.enter_context(emulator)
        deployment = Deployer(emulator.endpoint).deploy(
            made,
            origin=url,
            keys={DEMO_KEY_ID: DEMO_KEY_FILE.read_text(encoding="ascii").strip()},
            extra=parameters or {},
        )
        stack = Stack(
            url,
            emulator.endpoint,
            deployment,
            post_office,
            desk.ops_token,
            desk.client_token,
            emulator,
        )
        _report_mails(stack)
        cleanup.callback(post_office.close)
        desk.upstream = Upstream(
            emulator.port,
            deployment.outputs["RestApiId"],
            deployment.client,
            remembered(lambda: _ops_sign_in(stack, deployment.ops)),
        )
        desk.status = stack.status
        yield stack


@contextmanager
def _only_one_in(directory: Path) -> Iterator[None]:
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StackError(
                f"a stack runs in {directory} already: stop it, or give this one another directory"
            ) from None
        yield


@contextmanager
def _listening(port: int | None) -> Iterator[socket.socket]:
    listener = socket.socket()
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port or 0))
            listener.listen(128)
        except OSError:
            raise StackError(
                f"port {port} is in use: stop what listens there, or choose another one with "
                "TANDEM_PORT"
            ) from None
        yield listener


@contextmanager
def _serving(desk: Desk, listener: socket.socket) -> Iterator[None]:
    """The front, in a thread of its own, until the block ends."""
    server = uvicorn.Server(
        uvicorn.Config(
            front(desk), log_level="warning", access_log=False, timeout_graceful_shutdown=2
        )
    )
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise StackError("the front did not start")
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _report_mails(stack: Stack) -> None:
    """Hand the post office's events to the topic of the stack, as SES does."""
    topic = stack.deployment.outputs["MailEventsTopicArn"]
    sns = stack.session.client("sns", endpoint_url=stack.endpoint)
    stack.post_office.publish_with(lambda event: void(sns.publish(TopicArn=topic, Message=event)))


def void(_answer: object) -> None:
    """Nothing, whatever it is given."""


def _ops_sign_in(stack: Stack, account: OpsAccount) -> tuple[str, float]:
    """A Cognito token for the ops account, and how many seconds it lives."""
    answer = stack.session.client("cognito-idp", endpoint_url=stack.endpoint).admin_initiate_auth(
        UserPoolId=account.pool,
        ClientId=account.client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": account.name, "PASSWORD": account.password},
    )["AuthenticationResult"]
    return answer["IdToken"], float(answer["ExpiresIn"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stack until it is stopped; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.stack")
    parser.add_argument("--play", action="store_true", help="play the demo's story first")
    parser.add_argument("--once", action="store_true", help="end after the story")
    parser.add_argument("--directory", type=Path, help="where its files are")
    options = parser.parse_args(arguments)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _stop)
    try:
        with running_stack(
            port=_port("TANDEM_PORT") or DEFAULT_PORT,
            aws_port=_port("TANDEM_AWS_PORT"),
            directory=options.directory,
        ) as stack:
            held = True
            if options.play:
                held = importlib.import_module("local.story").play(stack)
            if options.once:
                return 0 if held else 1
            _stay_up(stack)
    except (StackError, PackageError) as error:
        print(f"tandem: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
        return 0
    return 0


def _stay_up(stack: Stack) -> None:
    print(
        f"\n  pages      {stack.url}/\n  dashboard  {stack.url}/dashboard/\n"
        f"  mailbox    {stack.url}/_local/mailbox\n  status     {stack.url}/_local/status.json\n"
        f"  AWS        {stack.endpoint}   bucket {stack.bucket}\n\n  Ctrl-C ends it.",
        flush=True,
    )
    while stack.emulator.alive:
        time.sleep(0.5)
    raise StackError(f"the emulator has died: see {stack.emulator.log}")


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _port(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise StackError(f"{variable} is not a port: {text}")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
