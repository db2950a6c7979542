"""AWS clients: one botocore session, each client created at first use.

Creating a client reads megabytes of service description; a function that never sends a mail must
not pay for SES. Botocore creates the same clients as boto3, without the file transfers and
resources that boto3 always loads. Time-outs are short, because a caller or a queue waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.session import Session as BotocoreSession
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 5
SEND_TIMEOUT_S = 10


class EventBus(Protocol):
    """What we use of EventBridge."""

    def put_events(self, *, Entries: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:  # noqa: N803
        """Send events."""


class Functions(Protocol):
    """What we use of Lambda."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Mapping[str, Any]:  # noqa: N803
        """Call a function, and wait for its answer."""


class Clients:
    """The clients of one process. The command line passes a `session` of its own."""

    def __init__(self, session: Session | None = None) -> None:
        self._given = session

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        client: DynamoDBClient = self._client("dynamodb", _config(READ_TIMEOUT_S, attempts=3))
        return client

    @cached_property
    def s3(self) -> S3Client:
        client: S3Client = self._client("s3", _config(SEND_TIMEOUT_S, attempts=3))
        return client

    @cached_property
    def sqs(self) -> SQSClient:
        client: SQSClient = self._client("sqs", _config(READ_TIMEOUT_S, attempts=3))
        return client

    @cached_property
    def ssm(self) -> SSMClient:
        client: SSMClient = self._client("ssm", _config(READ_TIMEOUT_S, attempts=3))
        return client

    @cached_property
    def events(self) -> EventBus:
        client: EventBus = self._client("events", _config(READ_TIMEOUT_S, attempts=3))
        return client

    @cached_property
    def functions(self) -> Functions:
        client: Functions = self._client("lambda", _config(SEND_TIMEOUT_S, attempts=2))
        return client

    @cached_property
    def ses(self) -> SESV2Client:
        # One attempt in all: a second one could be a second mail (law 2).
        client: SESV2Client = self._client("sesv2", _config(SEND_TIMEOUT_S, attempts=1))
        return client

    @cached_property
    def _session(self) -> BotocoreSession:
        import botocore.session

        return botocore.session.Session()

    def _client(self, service: Any, config: Config) -> Any:
        if self._given:
            return self._given.client(service, config=config)
        return self._session.create_client(service, config=config)


def _config(read_timeout_s: int, *, attempts: int) -> Config:
    import botocore.config

    return botocore.config.Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        s3={"addressing_style": "path"},
    )
