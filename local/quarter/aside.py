"""Where the quarter is played: a table and a bucket of their own in the emulator, with the ports of
the product on them, and a clock that is set.

No function watches them, so nothing happens at the present time. What relay, queues and functions
would do is done here in turn: each fact goes to the use cases that `domain/effects.py` names.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.adapters.s3 import BucketFiles
from chalicelib.adapters.sqs import WorkQueues
from chalicelib.bootstrap import wire
from chalicelib.domain.effects import Queue, effect_of
from chalicelib.domain.fact_bodies import InvitationReceived, SignInRequested, body_of
from chalicelib.domain.facts import Fact
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.mails.draft import Sender
from chalicelib.services.mails.send import send_mail
from chalicelib.services.operations.due import work_off
from chalicelib.services.operations.relay import relay
from chalicelib.services.ports import Change, Failure, Ports, Stretch
from chalicelib.services.requeue import requeue_undecided
from chalicelib.services.sponsors.sign_in import decide_sign_in
from chalicelib.services.vouchers.reward import reward
from chalicelib.settings import Settings
from local.deployment import STAGE, root_session
from local.emulator import REGION
from local.errors import StackError
from local.running import Stack

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")
TABLE: Final = "tandem-quarter"
BUCKET: Final = "tandem-quarter"
_MOMENT: Final = timedelta(seconds=1)  # what each piece of work takes
_TOKEN: Final = re.compile(r"#token=([\w-]+)")


class EmulatorClients(Clients):
    """The clients of one emulator."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._endpoint = endpoint

    def _client(self, service: Any, config: Config) -> Any:
        return root_session().client(service, endpoint_url=self._endpoint, config=config)


def settings_of(stack: Stack) -> Settings:
    """The settings that the stack's functions have."""
    functions = root_session().client("lambda", endpoint_url=stack.endpoint)
    found = functions.get_function_configuration(FunctionName=f"tandem-{STAGE}-decide")
    return Settings.from_environment(found["Environment"]["Variables"])


class _Repository(DynamoRepository):
    """The table, with the facts that were written to it and are not passed on yet."""

    new: list[Fact]

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        self.new += facts


class _Queues(WorkQueues):
    """What waits to be done."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        super().__init__(clients, settings.queues)
        self.facts: deque[tuple[str, Fact]] = deque()
        self.stretches: deque[Stretch] = deque()

    def put(self, queue: str, facts: Sequence[Fact]) -> None:
        self.facts += ((queue, fact) for fact in facts)

    def put_stretches(self, stretches: Sequence[Stretch]) -> None:
        self.stretches += stretches


@dataclass(frozen=True)
class Letter:
    """A mail that somebody got."""

    mail_id: str
    provider_id: str
    content: bytes

    @property
    def token(self) -> str:
        """The token in its link."""
        found = _TOKEN.search(self._message().get_body(("plain",)).get_content())  # type: ignore[union-attr]
        if found is None:
            raise StackError(f"no link in {self.mail_id}")
        return found[1]

    @property
    def objection(self) -> str:
        """The token by which one objects to more."""
        header: str = self._message()["List-Unsubscribe"]
        return header.strip("<>").rpartition("/")[2]

    def _message(self) -> EmailMessage:
        message = message_from_bytes(self.content, policy=policy.default)
        if not isinstance(message, EmailMessage):
            raise TypeError("policy.default makes EmailMessage")
        return message


class Inbox:
    """`ports.Mailer` that keeps the last mail of each kind to everybody."""

    def __init__(self) -> None:
        self._letters: dict[tuple[str, str], Letter] = {}
        self.sent = 0

    def send(self, message: bytes, *, recipient: str, mail_id: str) -> str:
        self.sent += 1
        letter = Letter(mail_id, f"quarter-{self.sent}", message)
        self._letters[recipient, mail_id.partition("-")[0]] = letter
        return letter.provider_id

    def rate(self) -> float | None:
        return None

    def last(self, recipient: str, kind: str) -> Letter | None:
        """The last mail of a kind to somebody: `sign_in`, `invitation`, `voucher`."""
        return self._letters.get((recipient, kind))


class Aside:
    """The product on a table and a bucket of its own. `facts` are all that were written."""

    def __init__(self, stack: Stack, begins_at: datetime) -> None:
        deployed = settings_of(stack)
        clients = EmulatorClients(stack.endpoint)
        clients.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        _make_table(clients.dynamodb, deployed.table)
        settings = replace(deployed, table=TABLE, bucket=BUCKET, is_bucket_locked=False)
        self.now = begins_at
        self.inbox = Inbox()
        self.facts: list[Fact] = []
        self.clients = clients
        self.files = BucketFiles(clients, BUCKET)
        self._queues = _Queues(clients, settings)
        self._repository = _Repository(clients, TABLE, self._clock)
        self._repository.new = []
        self._sender = Sender(address=settings.sender, origin=settings.origin)
        self.ports = replace(
            wire(settings, clients, self._clock),
            repository=self._repository,
            mailer=self.inbox,
            queues=self._queues,
        )

    def _clock(self) -> datetime:
        return self.now

    def __enter__(self) -> Aside:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the table and the bucket, unless there is no emulator any more."""
        with suppress(BotoCoreError, ClientError):
            self.clients.dynamodb.delete_table(TableName=TABLE)
            for some in slices(self.files.paths(""), 1000):
                keys: Any = {"Objects": [{"Key": path} for path in some]}
                self.clients.s3.delete_objects(Bucket=BUCKET, Delete=keys)
            self.clients.s3.delete_bucket(Bucket=BUCKET)

    def set_clock(self, now: datetime) -> None:
        """Time passes; it never goes back."""
        self.now = max(self.now, now.astimezone(UTC))

    def work(self) -> None:
        """Do what follows from the facts so far, until nothing is left."""
        while self._repository.new or self._queues.facts or self._queues.stretches:
            fresh, self._repository.new = self._repository.new, []
            self.facts += fresh
            relay(self.ports, fresh)
            while self._queues.stretches:
                work_off(self.ports, self._queues.stretches.popleft(), must_not_fail)
            if self._queues.facts:
                queue, fact = self._queues.facts.popleft()
                self.now += _MOMENT
                self._do(Queue(queue), fact)

    def _do(self, queue: Queue, fact: Fact) -> None:
        if queue in {Queue.MAIL, Queue.REQUESTED_MAIL}:
            send_mail(self.ports, self._sender, fact)
        elif queue is Queue.REWARD:
            reward(self.ports, fact)
        elif effect_of(fact).requeues_undecided:
            requeue_undecided(self.ports, fact.campaign)
        else:
            _decide(self.ports, fact)


def _decide(ports: Ports, fact: Fact) -> None:
    match body_of(fact):
        case SignInRequested():
            decide_sign_in(ports, fact)
        case InvitationReceived():
            decide_invitation(ports, fact)
        case _:
            raise StackError(f"nothing in the quarter is done on {fact.name}")


def slices(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The values in order, at most `size` at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def must_not_fail(failure: Failure) -> None:
    """Every failure is an error."""
    raise StackError(f"{failure.kind} {failure.name}") from failure.error


def _make_table(client: DynamoDBClient, like: str) -> None:
    """A table with the keys and indexes of another."""
    known = client.describe_table(TableName=like)["Table"]
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=known["AttributeDefinitions"],
        KeySchema=known["KeySchema"],
        GlobalSecondaryIndexes=[
            {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}  # type: ignore[misc]
            for index in known["GlobalSecondaryIndexes"]
        ],
    )
