"""The stack that a command talks to: local, or on AWS. The only module here with boto3.

`local` is described by the status page of the local stack. Any other stage is the CloudFormation
stack `tandem-{stage}`: its outputs name the table, the bucket and the path of the keys, and the
credentials are those of the AWS command line.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from http.client import HTTPException
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.codes import SecureCodes
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.tokens import hashed
from cli.errors import CommandError
from cli.region import region

Stage = Annotated[
    str,
    typer.Option(
        "--stage",
        envvar="TANDEM_STAGE",
        help="The stack: local, or the name it was deployed with.",
    ),
]
LOCAL = "local"
DEFAULT_PORT = "8400"
TIMEOUT_S = 10
EMPTY_PAGES = 20
# A function takes a quarter of an hour at most. A call that is given up sooner still runs, and a
# second attempt would run it twice at once.
AS_LONG_AS_IT_TAKES = Config(
    read_timeout=960, retries={"total_max_attempts": 1}, tcp_keepalive=True
)

_NOT_RUNNING = (
    "the local stack is not running at {url}: start it with: make demo; "
    "for another port set TANDEM_PORT"
)


@dataclass(frozen=True)
class Place:
    """The resources of a stack. `endpoint` is None on AWS."""

    stage: str
    table: str
    bucket: str
    keys_path: str
    origin: str
    region: str
    endpoint: str | None = None
    roots_bucket: str = ""  # a stack of an earlier version has none

    @property
    def wallets_path(self) -> str:
        """Where what passes are signed with is, beside the keys."""
        return self.keys_path.removesuffix("digest-keys/") + "wallets/"

    @property
    def pgp_key(self) -> str:
        """The parameter with the stack's own PGP key."""
        return f"/tandem/{self.stage}/pgp-key"


class UnknownQueueError(CommandError):
    """The stack has no queue of that name; one of an earlier version lacks some."""


class Connection:
    """A connection to a stack: the `CommandPorts` of the use cases, and the clients."""

    def __init__(self, place: Place, session: boto3.Session) -> None:
        self.place = place
        self.clients = Clients(session)
        self.repository = DynamoRepository(self.clients, place.table, self.clock)
        self.codes = SecureCodes()
        self.session = session

    def principal(self) -> str:
        """Who runs the command: the id of an AWS principal, never a name.

        A role's session name may be an address: only its hash is used.
        """
        identity = self.session.client("sts").get_caller_identity()["UserId"]
        role, colon, session = identity.partition(":")
        return f"{role}:{hashed(session)[:12]}" if colon else role

    def stack(self) -> Mapping[str, Any]:
        """The stack as CloudFormation describes it: status, parameters, outputs."""
        formation = self.session.client("cloudformation")
        found = formation.describe_stacks(StackName=f"tandem-{self.place.stage}")["Stacks"][0]
        return dict(found)

    def clock(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def queue_url(self, queue: str) -> str:
        """The address of a queue of the stack. Raises CommandError for a name that none has."""
        name = f"{self.place.table}-{queue}"  # queues and functions are named like the table
        try:
            return self.clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except self.clients.sqs.exceptions.QueueDoesNotExist as error:
            raise UnknownQueueError(
                f"no queue {name}: list them with: tandem queue list"
            ) from error

    def messages_in(self, url: str) -> tuple[int, int]:
        """About how many messages wait in a queue, and how many are being worked on."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        waiting, in_work = (int(found["Attributes"].get(name, 0)) for name in names)
        return waiting, in_work

    def invoke(self, function: str, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The answer of a function of the stack; None when it failed."""
        answer = self._lambda.invoke(
            FunctionName=f"{self.place.table}-{function}", Payload=json.dumps(event).encode()
        )
        content = json.loads(answer["Payload"].read() or b"null")
        return None if answer.get("FunctionError") else content or {}

    def prepare_for_threads(self) -> None:
        """Create the clients that threads will share: creating one is for one thread alone."""
        self.clients.dynamodb  # noqa: B018
        self._lambda  # noqa: B018

    def stream_records(
        self, stream: str, shard: str, first: int, last: int
    ) -> list[Mapping[str, Any]] | None:
        """The records of a shard from one sequence number to another, in DynamoDB's own form; None
        when the stream has forgotten them.
        """
        streams = self.session.client("dynamodbstreams")
        found: list[Mapping[str, Any]] = []
        empty = 0
        try:
            iterator: str | None = streams.get_shard_iterator(
                StreamArn=stream,
                ShardId=shard,
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=str(first),
            )["ShardIterator"]
            # An open shard always has a next page, and pages in between may be empty.
            while iterator and empty < EMPTY_PAGES:
                page = streams.get_records(ShardIterator=iterator)
                empty = 0 if page["Records"] else empty + 1
                for record in page["Records"]:
                    number = int(record["dynamodb"]["SequenceNumber"])
                    found += [record] if number <= last else []
                    if number >= last:
                        return found
                iterator = page.get("NextShardIterator")
        except (
            streams.exceptions.TrimmedDataAccessException,
            streams.exceptions.ResourceNotFoundException,
        ):
            return None
        return None

    def functions(self) -> list[str]:
        """The names of the stack's functions, without its own."""
        prefix = f"{self.place.table}-"
        pages = self._lambda.get_paginator("list_functions").paginate()
        names = (found["FunctionName"] for page in pages for found in page["Functions"])
        ours = (name.removeprefix(prefix) for name in names if name.startswith(prefix))
        # Those of the stage `prod-2` are not functions of `prod`.
        return sorted(name for name in ours if "-" not in name)

    def halt(self, function: str) -> None:
        """Let a function not be called, by anybody: its sources keep what they have."""
        name = f"{self.place.table}-{function}"
        self._switch_sources(function, enabled=False)
        self._lambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    def resume(self, function: str) -> None:
        """Let a function be called again."""
        name = f"{self.place.table}-{function}"
        self._lambda.delete_function_concurrency(FunctionName=name)
        self._switch_sources(function, enabled=True)

    def is_halted(self, function: str) -> bool:
        """Whether nobody can call a function."""
        name = f"{self.place.table}-{function}"
        allowed = self._lambda.get_function_concurrency(FunctionName=name)
        return bool(allowed.get("ReservedConcurrentExecutions") == 0)

    def _switch_sources(self, function: str, *, enabled: bool) -> None:
        """Switch what calls a function; one that is changing already takes no change."""
        there = ("Enabled", "Enabling") if enabled else ("Disabled", "Disabling")
        pages = self._lambda.get_paginator("list_event_source_mappings").paginate(
            FunctionName=f"{self.place.table}-{function}"
        )
        for source in [source for page in pages for source in page["EventSourceMappings"]]:
            if source["State"] not in there:
                self._lambda.update_event_source_mapping(UUID=source["UUID"], Enabled=enabled)

    @cached_property
    def _lambda(self) -> Any:
        return self.session.client("lambda", config=AS_LONG_AS_IT_TAKES)


class _LocalSession(boto3.Session):
    """A session whose clients all talk to the emulator."""

    def __init__(self, endpoint: str | None, **credentials: str) -> None:
        super().__init__(**credentials)  # type: ignore[arg-type]
        self._endpoint = endpoint

    def client(self, service_name: str, **options: Any) -> Any:  # type: ignore[override]
        return super().client(service_name, endpoint_url=self._endpoint, **options)  # type: ignore[call-overload]


def connect(stage: str) -> Connection:
    """Connect to the stack of `stage`. Raises CommandError, saying what to do, if there is none."""
    return _local() if stage == LOCAL else _on_aws(stage)


def explained(error: BotoCoreError) -> str:
    """What to say of an error of the AWS client. Of the local stack, its status page knows more."""
    endpoint = str(error.kwargs.get("endpoint_url", ""))
    if not endpoint.startswith("http://127.0.0.1:"):
        return str(error)
    try:
        _local()
    except CommandError as reason:
        return str(reason)
    return f"the emulator of the local stack does not answer at {endpoint}"


def _local() -> Connection:
    url = f"http://127.0.0.1:{os.environ.get('TANDEM_PORT', DEFAULT_PORT)}"
    status = _status(url)
    if ended := status.get("ended"):
        raise CommandError(ended)
    if not status.get("ready"):
        raise CommandError(f"the local stack at {url} is still starting: try again in a moment")
    try:
        session = _LocalSession(
            status["aws_endpoint"],
            aws_access_key_id=status["access_key_id"],
            aws_secret_access_key=status["secret_access_key"],
            region_name=status["region"],
        )
        place = Place(
            stage=LOCAL,
            table=status["table"],
            bucket=status["bucket"],
            keys_path=status["keys_path"],
            origin=status["origin"],
            roots_bucket=status.get("roots_bucket", ""),
            region=status["region"],
            endpoint=status["aws_endpoint"],
        )
    except KeyError as error:
        raise CommandError(f"the status page at {url} lacks {error}: is it Tandem?") from error
    return Connection(place, session)


def _status(url: str) -> Mapping[str, str]:
    # Without a proxy: the local stack is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/_local/status.json", timeout=TIMEOUT_S) as answer:
            status = json.load(answer)
    except urllib.error.HTTPError as error:
        raise CommandError(
            f"what runs at {url} is not the local stack (HTTP {error.code}): "
            "choose another port with TANDEM_PORT"
        ) from error
    except TimeoutError as error:
        raise CommandError(f"the local stack at {url} does not answer") from error
    except OSError as error:
        raise CommandError(_NOT_RUNNING.format(url=url)) from error
    except (ValueError, HTTPException) as error:
        raise CommandError(f"what runs at {url} is not the local stack") from error
    if not isinstance(status, dict):
        raise CommandError(f"what runs at {url} is not the local stack")
    return status


def _on_aws(stage: str) -> Connection:
    chosen = region()
    session = boto3.Session(region_name=chosen)
    client = session.client("cloudformation")
    try:
        stack = client.describe_stacks(StackName=f"tandem-{stage}")["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise CommandError(f"there is no stack tandem-{stage} in {chosen}") from error
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for output in stack.get("Outputs", [])
        if "OutputKey" in output and "OutputValue" in output
    }
    try:
        place = Place(
            stage=stage,
            table=outputs["TableName"],
            bucket=outputs["BucketName"],
            keys_path=outputs["KeysPath"],
            origin=outputs["Origin"],
            roots_bucket=outputs.get("RootsBucketName", ""),
            region=chosen,
        )
    except KeyError as error:
        raise CommandError(f"stack tandem-{stage} has no output {error}") from error
    return Connection(place, session)
