"""`tandem queue redrive` and `tandem replay`: what was lost is brought back, nothing is doubled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from threading import Lock
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from chalicelib.adapters.dynamodb.codec import fact_from_json, fact_item, fact_json
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.effects import Queue
from chalicelib.domain.fact_bodies import body_of
from chalicelib.domain.facts import Fact, FactName
from chalicelib.invocations import WorkFailedError
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ports import Clock, Repository
from cli import queues, replay
from cli.connection import Connection, connect
from tests import functions
from tests.cli.conftest import REGION, TABLE, Tandem
from tests.fakes.campaign import campaign
from tests.fakes.event_source import EventSource, Stream
from tests.fakes.event_source import Mapping as Settings
from tests.fakes.repository import _fact_key
from tests.fakes.world import CUSTOMERS, World, new_world
from tests.services.fact_cases import NEWCOMER
from tests.services.test_check_facts import account
from tests.simulation.test_streams import functions_of

DAY = ("--since", "2026-03-02T09:00", "--until", "2026-03-03T12:00")


@dataclass
class Place:
    table: str = TABLE


class WorldConnection:
    """A connection to a world in memory: its functions are those of this process."""

    def __init__(self, world: World, stream: Stream | None = None) -> None:
        self.repository: Repository = world.repository
        self.place = Place()
        self.calls: list[str] = []
        self.world, self._stream = world, stream
        self.dies_at = 0
        self.dies_after_the_call = False
        self.is_down = False
        self._turn = Lock()  # the functions are replaced for the time of a call

    def prepare_for_threads(self) -> None:
        """There is no client."""

    def invoke(self, function: str, event: dict[str, Any]) -> Mapping[str, Any] | None:
        with self._turn:
            self.calls.append(function)
            dies = self.dies_at and len(self.calls) >= self.dies_at
            if dies and not self.dies_after_the_call:
                raise KeyboardInterrupt
            answer = None if self.is_down else self._answer(function, event)
            if dies:
                raise KeyboardInterrupt
            return answer

    def _answer(self, function: str, event: dict[str, Any]) -> Mapping[str, Any] | None:
        with functions_of(self.world):
            try:
                return getattr(functions, function)(event)  # type: ignore[no-any-return]
            except WorkFailedError:
                return None


@pytest.fixture(autouse=True)
def _notes_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("typer.get_app_dir", lambda _: str(tmp_path / "tandem"))


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Callable[[World], WorldConnection]:
    """Let the commands talk to a world."""

    def to(world: World) -> WorldConnection:
        connection = WorldConnection(world)
        monkeypatch.setattr(replay, "connect", lambda _: connection)
        return connection

    return to


def eventful(loses: Callable[[str, Fact], bool]) -> World:
    """A day on which facts about a referral may be lost."""
    world = new_world()
    session = world.sponsor()
    world.invite(session, NEWCOMER, CUSTOMERS[0])
    world.run()
    world.loses = loses
    world.confirm(NEWCOMER)
    world.run()
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    world.clock.advance(hours=25)
    return world


def nothing(_consumer: str, _fact: Fact) -> bool:
    return False


def everything(_consumer: str, _fact: Fact) -> bool:
    return True


def test_everything_replayed_twice_changes_nothing(
    tandem: Tandem, connected: Callable[[World], WorldConnection]
) -> None:
    world = eventful(nothing)
    before = account(world)
    connected(world)
    for _ in range(2):
        assert tandem("replay", *DAY).exit_code == 0
        world.run()
    assert account(world) == before


def test_after_an_outage_of_relay_and_projector_a_replay_brings_all_back_once(
    tandem: Tandem, connected: Callable[[World], WorldConnection]
) -> None:
    undisturbed, world = eventful(nothing), eventful(everything)
    assert account(world) != account(undisturbed)
    connected(world)
    world.loses = nothing
    assert tandem("replay", *DAY).exit_code == 0
    world.run()
    assert account(world) == account(undisturbed)


def test_one_of_the_two_functions_may_be_chosen(
    tandem: Tandem, connected: Callable[[World], WorldConnection]
) -> None:
    world = eventful(everything)
    connection = connected(world)
    result = tandem("replay", *DAY, "--project")
    assert set(connection.calls) == {"project"}
    assert "project: 2 facts sent" in result.output
    assert "relay" not in result.output
    assert tandem("replay", *DAY, "--project").output.splitlines()[-1] == "project: 0 facts sent"


def test_a_dry_run_counts_and_sends_nothing(
    tandem: Tandem, connected: Callable[[World], WorldConnection]
) -> None:
    world = eventful(everything)
    connection = connected(world)
    result = tandem("replay", *DAY, "--dry-run")
    assert connection.calls == []
    assert "project: 2 facts would be sent" in result.output
    assert "  referral_confirmed 1" in result.output


def lost_in_two_hours() -> World:
    """A day of which both functions lost facts of two hours."""
    world = eventful(everything)
    put_campaign(world.ports, campaign(ends_on="2026-12-30"))  # in another hour
    world.run()
    world.loses = nothing
    return world


def test_an_interrupted_replay_goes_on_where_it_was(
    tandem: Tandem, connected: Callable[[World], WorldConnection]
) -> None:
    world = lost_in_two_hours()
    connection = connected(world)
    assert tandem("replay", *DAY).exit_code == 0
    of_first_hour = len(connection.calls) - 1  # the other hour has one fact, and no work
    connection = connected(lost_in_two_hours())
    connection.dies_at = of_first_hour + 1
    assert tandem("replay", *DAY).exit_code != 0
    connection.dies_at = 0
    assert tandem("replay", *DAY, "--dry-run").exit_code == 0
    assert tandem("replay", *DAY).exit_code == 0
    assert connection.calls[of_first_hour + 1 :] == ["project"]


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_a_replay_that_is_killed_at_any_call_is_made_good_by_the_next(
    tandem: Tandem, connected: Callable[[World], WorldConnection], is_done: bool
) -> None:
    undisturbed = lost_in_two_hours()
    connection = connected(undisturbed)
    assert tandem("replay", *DAY).exit_code == 0
    undisturbed.run()
    for dies_at in range(1, len(connection.calls) + 1):
        world = lost_in_two_hours()
        killed = connected(world)
        killed.dies_at, killed.dies_after_the_call = dies_at, is_done
        assert tandem("replay", *DAY).exit_code != 0
        killed.dies_at = 0
        assert tandem("replay", *DAY).exit_code == 0
        world.run()
        assert account(world) == account(undisturbed)


def test_an_hour_of_which_facts_are_left_is_brought_again_by_the_next_replay(
    tandem: Tandem, connected: Callable[[World], WorldConnection]
) -> None:
    undisturbed, world = lost_in_two_hours(), lost_in_two_hours()
    connected(undisturbed)
    assert tandem("replay", *DAY).exit_code == 0
    undisturbed.run()
    connection = connected(world)
    connection.is_down = True
    result = tandem("replay", *DAY)
    assert (result.exit_code, "relay: 0 facts sent" in result.output) == (1, True)
    connection.is_down = False
    assert tandem("replay", *DAY).exit_code == 0
    world.run()
    assert account(world) == account(undisturbed)


def test_a_fact_that_cannot_be_handled_is_named_and_stops_no_other(
    tandem: Tandem, connected: Callable[[World], WorldConnection]
) -> None:
    world = eventful(everything)
    [confirmed] = world.facts(FactName.REFERRAL_CONFIRMED)
    orphan = Fact.of(
        body_of(confirmed), fact_id="orphan", campaign="gone", subject="s",
        at=confirmed.at, correlation="c",
    )  # fmt: skip
    world.repository.commit(facts=[orphan])
    connected(world)
    result = tandem("replay", *DAY, "--project")
    assert result.exit_code == 1
    assert "  left: orphan referral_confirmed" in result.output
    assert "project: 2 facts sent" in result.output


def test_a_fact_that_says_too_little_and_one_that_cannot_be_read_are_named_and_stop_no_other(
    tandem: Tandem, connected: Callable[[World], WorldConnection]
) -> None:
    undisturbed, world = eventful(nothing), eventful(everything)
    [received, *_] = world.facts(FactName.INVITATION_RECEIVED)
    little = replace(
        received, fact_id="little", name=FactName.VOUCHER_ISSUED.value, ids={}, details={}
    )
    unread = replace(received, fact_id="unread")
    for fact in (little, unread):
        world.memory._facts[_fact_key(fact)] = fact
    world.memory.unreadable.add(_fact_key(unread))
    connected(world)
    world.loses = nothing
    result = tandem("replay", *DAY)
    assert result.exit_code == 1
    assert {"  left: little voucher_issued", "cannot be read: unread"} <= {
        *result.output.splitlines()
    }
    for fact in (little, unread):
        del world.memory._facts[_fact_key(fact)]
    world.run()
    assert account(world) == account(undisturbed)


def test_a_range_that_ends_before_it_begins_is_refused(
    tandem: Tandem, connected: Callable[[World], WorldConnection]
) -> None:
    connected(new_world())
    result = tandem("replay", "--since", "2026-03-03", "--until", "2026-03-02")
    assert (result.exit_code, "later" in result.output) == (1, True)


# --- dead queues of work ------------------------------------------------------------------------


@pytest.fixture
def sqs(stack: DynamoRepository) -> Any:  # noqa: ARG001  the stack the command talks to
    client = boto3.client("sqs", region_name=REGION)
    for name in ("mail", "mail-dead", "stream-dead"):
        client.create_queue(QueueName=f"{TABLE}-{name}")
    return client


def url(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/123456789012/{TABLE}-{name}"


def bodies(sqs: Any, name: str) -> list[str]:
    received = sqs.receive_message(QueueUrl=url(name), MaxNumberOfMessages=10, VisibilityTimeout=0)
    return sorted(message["Body"] for message in received.get("Messages", []))


def put(sqs: Any, name: str, *messages: str) -> None:
    for message in messages:
        sqs.send_message(QueueUrl=url(name), MessageBody=message)


@pytest.fixture(scope="module")
def story() -> World:
    return eventful(nothing)


def test_messages_move_back_and_are_counted_by_fact(tandem: Tandem, sqs: Any, story: World) -> None:
    sent = [fact_json(fact) for fact in story.facts(FactName.REFERRAL_CONFIRMED)] * 2
    put(sqs, "mail-dead", *sent, '{"eventType": "Bounce", "to": "jeanne@example.fr"}')
    result = tandem("queue", "redrive", "mail", "--dry-run")
    assert result.output.splitlines() == ["3 messages", "  not a fact 1", "  referral_confirmed 2"]
    assert len(bodies(sqs, "mail-dead")) == 3
    result = tandem("queue", "redrive", "mail")
    assert result.output.splitlines() == [
        "3 brought back", "  not a fact 1", "  referral_confirmed 2", "0 left",
    ]  # fmt: skip
    assert (len(bodies(sqs, "mail")), bodies(sqs, "mail-dead")) == (3, [])


def test_an_unknown_queue_and_one_with_nothing_to_bring_back_are_refused(
    tandem: Tandem, sqs: Any
) -> None:
    assert sqs
    unknown = tandem("queue", "redrive", "mails")
    assert (unknown.exit_code, "no queue tandem-test-mails-dead" in unknown.output) == (1, True)
    assert tandem("queue", "redrive", "schedule").exit_code == 1


# --- the stream's dead queue --------------------------------------------------------------------


def given_up(stream: Stream) -> list[dict[str, Any]]:
    """What the stream's dead queue holds after a relay that was down."""

    def down(_: dict[str, Any]) -> dict[str, Any]:
        raise ConnectionError

    clock = stream._clock
    source = EventSource(stream, down, clock, Random(1), Settings(retries=1))
    source.run()
    return source.dead


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_what_the_stream_gave_up_is_read_there_or_in_the_table(
    tandem: Tandem, sqs: Any, monkeypatch: pytest.MonkeyPatch, is_forgotten: bool
) -> None:
    undisturbed = eventful(nothing)
    world = eventful(lambda consumer, _: consumer == "relay")
    stream = Stream(world.clock)
    world.clock.advance(hours=-25)
    for fact in world.facts(FactName.REFERRAL_CONFIRMED, FactName.ORDER_KEPT):
        stream.put(fact_item(fact))
    put(sqs, "stream-dead", *map(json.dumps, given_up(stream)))
    world.clock.advance(hours=25)

    def read(_: Connection, __: str, shard: str, first: int, last: int) -> Any:
        return None if is_forgotten else stream.read(shard, first, last)

    connection = WorldConnection(world)
    monkeypatch.setattr(Connection, "stream_records", read)
    monkeypatch.setattr(Connection, "invoke", lambda _, *call: connection.invoke(*call))
    monkeypatch.setattr(DynamoRepository, "facts_in", lambda _, *at: world.memory.facts_in(*at))
    shown = tandem("queue", "redrive", "stream", "--dry-run")
    assert "relay: RetryAttemptsExhausted" in shown.output
    result = tandem("queue", "redrive", "stream")
    assert result.exit_code == 0, result.output
    assert "0 left" in result.output
    assert bodies(sqs, "stream-dead") == []
    world.loses = nothing
    world.run()
    assert account(world) == account(undisturbed)


@dataclass
class DeadQueue:
    """A dead queue as SQS keeps it: what is received is hidden for a time and then comes back, and
    whoever reads it may be killed at any call, before or after its effect.
    """

    held: dict[str, str]
    clock: Clock
    sent: list[str] = field(default_factory=list)
    dies_at: int = 0
    dies_after_the_call: bool = False
    calls: int = 0
    received: int = 0
    _hidden_until: dict[str, datetime] = field(default_factory=dict)

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        now = self.clock()
        seen = [each for each in self.held if self._hidden_until.get(each, now) <= now]
        found = seen[: asked["MaxNumberOfMessages"]]
        with self._call():
            for each in found:
                self.received += 1
                self._hidden_until[each] = now + timedelta(seconds=asked["VisibilityTimeout"])
        assert self.received < 1_000, "the command does not end"
        messages = [
            {"MessageId": each, "ReceiptHandle": each, "Body": self.held[each]} for each in found
        ]
        return {"Messages": messages} if messages else {}

    def send_message(self, *, MessageBody: str, **_: object) -> None:  # noqa: N803
        with self._call():
            self.sent.append(MessageBody)

    def delete_message(self, *, ReceiptHandle: str, **_: object) -> None:  # noqa: N803
        with self._call():
            del self.held[ReceiptHandle]

    @contextmanager
    def _call(self) -> Iterator[None]:
        self.calls += 1
        dies = self.calls == self.dies_at
        if dies and not self.dies_after_the_call:
            raise KeyboardInterrupt
        yield
        if dies:
            raise KeyboardInterrupt


class QueuesOfWorld(WorldConnection):
    """A connection to a world in memory, to one dead queue, and to a stream."""

    def __init__(self, world: World, dead: DeadQueue, stream: Stream) -> None:
        super().__init__(world, stream)
        self.clients = SimpleNamespace(sqs=dead)

    def queue_url(self, name: str) -> str:
        return name

    def deliver(self, messages: Sequence[str]) -> None:
        """Let the world work on what was put into the queue, and on what follows."""
        self.world.queues.waiting[Queue.REWARD] += map(fact_from_json, messages)
        self.world.run()

    def stream_records(self, _: str, shard: str, first: int, last: int) -> Any:
        assert self._stream
        return self._stream.read(shard, first, last)


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch) -> Callable[..., QueuesOfWorld]:
    """Let the commands talk to a world whose dead queue holds some messages."""

    def to(world: World, stream: Stream, *messages: str) -> QueuesOfWorld:
        held = {str(number): message for number, message in enumerate(messages)}
        connection = QueuesOfWorld(world, DeadQueue(held, world.clock), stream)
        monkeypatch.setattr(queues, "connect", lambda _: connection)
        return connection

    return to


Holding = Callable[..., QueuesOfWorld]


def given_up_by_relay(holding: Holding) -> QueuesOfWorld:
    """A world whose relay was down while a referral was confirmed and an order kept."""
    world = eventful(lambda consumer, _: consumer == "relay")
    stream = Stream(world.clock)
    world.clock.advance(hours=-25)
    for fact in world.facts(FactName.REFERRAL_CONFIRMED, FactName.ORDER_KEPT):
        stream.put(fact_item(fact))
    dead = given_up(stream)
    world.clock.advance(hours=25)
    world.loses = nothing
    return holding(world, stream, *map(json.dumps, dead))


def of_work(holding: Holding) -> QueuesOfWorld:
    """A world whose rewards were not worked on: their dead queue holds the messages."""
    world = eventful(lambda consumer, _: consumer == "relay")
    due = world.facts(FactName.REFERRAL_CONFIRMED, FactName.ORDER_KEPT)
    world.loses = nothing
    return holding(world, Stream(world.clock), *map(fact_json, due))


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("queue", "given"), [("stream", given_up_by_relay), ("reward", of_work)], ids=["stream", "work"]
)
def test_a_redrive_that_is_killed_at_any_call_is_made_good_by_the_next(
    tandem: Tandem,
    holding: Holding,
    queue: str,
    given: Callable[[Holding], QueuesOfWorld],
    is_done: bool,
) -> None:
    def finished(connection: QueuesOfWorld) -> dict[str, Any]:
        dead = connection.clients.sqs
        dead.dies_at = connection.dies_at = 0
        connection.world.clock.advance(seconds=queues.HIDDEN_S)
        assert tandem("queue", "redrive", queue).exit_code == 0
        assert dead.held == {}
        connection.deliver(dead.sent)
        return account(connection.world)

    expected = account(eventful(nothing))
    whole = given(holding)
    assert finished(whole) == expected
    calls = {"queue": whole.clients.sqs.calls, "function": len(whole.calls)}
    for kind, number in calls.items():
        for dies_at in range(1, number + 1):
            killed = given(holding)
            dying = killed.clients.sqs if kind == "queue" else killed
            dying.dies_at, dying.dies_after_the_call = dies_at, is_done
            assert tandem("queue", "redrive", queue).exit_code != 0
            assert finished(killed) == expected


def test_a_redrive_ends_though_what_it_leaves_comes_back_meanwhile(
    tandem: Tandem, holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = eventful(nothing)
    stream = Stream(world.clock)
    for fact in world.facts()[:3]:
        stream.put(fact_item(fact) | {"at": {"S": "yesterday"}})
    connection = holding(world, stream, *map(json.dumps, given_up(stream)))
    assert len(connection.clients.sqs.held) > 1

    def slow(*_: object) -> None:
        world.clock.advance(seconds=queues.HIDDEN_S)

    monkeypatch.setattr(connection, "invoke", slow)
    result = tandem("queue", "redrive", "stream")
    assert (result.exit_code, "3 left" in result.output) == (1, True)


def test_a_place_of_which_a_fact_is_left_stays_in_the_dead_queue(
    tandem: Tandem, sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = eventful(nothing)
    stream = Stream(world.clock)
    [good, *_] = world.facts(FactName.REFERRAL_CONFIRMED)
    stream.put(fact_item(good) | {"at": {"S": "yesterday"}})
    put(sqs, "stream-dead", *map(json.dumps, given_up(stream)))
    connection = WorldConnection(world)
    monkeypatch.setattr(
        Connection, "stream_records", lambda _, __, shard, *at: stream.read(shard, *at)
    )
    monkeypatch.setattr(Connection, "invoke", lambda _, *call: connection.invoke(*call))
    result = tandem("queue", "redrive", "stream")
    assert (result.exit_code, "1 left" in result.output) == (1, True)
    monkeypatch.setattr(queues, "HIDDEN_S", 0)
    [message] = sqs.get_queue_attributes(
        QueueUrl=url("stream-dead"), AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"].values()
    assert message == "1"


def test_a_fact_that_cannot_be_read_where_the_stream_has_forgotten_stops_no_other(
    tandem: Tandem, holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = given_up_by_relay(holding)
    world, dead = connection.world, connection.clients.sqs
    [confirmed] = world.facts(FactName.REFERRAL_CONFIRMED)
    world.memory.unreadable.add(_fact_key(confirmed))
    monkeypatch.setattr(connection, "stream_records", lambda *_: None)
    result = tandem("queue", "redrive", "stream")
    assert result.exit_code == 1
    assert f"cannot be read: {confirmed.fact_id}" in result.output
    assert "order_kept" in result.output
    assert dead.held

    world.memory.unreadable.clear()
    world.clock.advance(seconds=queues.HIDDEN_S)
    assert tandem("queue", "redrive", "stream").exit_code == 0
    assert dead.held == {}
    world.run()
    assert account(world) == account(eventful(nothing))


class TrimmedError(Exception):
    """The stream has forgotten the record."""


class GoneError(Exception):
    """No such shard."""


class StreamClient:
    """DynamoDB's client for streams: pages of two records, with empty ones in between, and an open
    shard that always has a next page.
    """

    def __init__(self, stream: Stream, *, forgot: int = 0) -> None:
        self._stream, self._forgot = stream, forgot
        self.exceptions = SimpleNamespace(
            TrimmedDataAccessException=TrimmedError, ResourceNotFoundException=GoneError
        )

    def get_shard_iterator(self, **asked: str) -> dict[str, str]:
        assert asked["ShardIteratorType"] == "AT_SEQUENCE_NUMBER"
        if asked["ShardId"] != "shardId-0":
            raise GoneError
        if int(asked["SequenceNumber"]) <= self._forgot:
            raise TrimmedError
        return {"ShardIterator": f"{asked['SequenceNumber']}:0"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        first, _, page = ShardIterator.partition(":")
        following = {"NextShardIterator": f"{first}:{int(page) + 1}"}
        if int(page) % 2 == 0:
            return {"Records": [], **following}
        records = self._stream.read("shardId-0", int(first), 1 << 100)
        start = int(page) - 1
        return {"Records": records[start : start + 2], **following}


@pytest.mark.usefixtures("stack")
def test_records_are_read_from_the_stream_by_their_numbers(
    monkeypatch: pytest.MonkeyPatch, story: World
) -> None:
    stream = Stream(story.clock)
    numbers = [stream.put(fact_item(fact)).sequence for fact in story.facts()[:7]]
    connection = connect("local")

    def read(first: int, last: int, shard: str = "shardId-0", forgot: int = 0) -> list[str] | None:
        client = StreamClient(stream, forgot=forgot)
        monkeypatch.setattr(connection.session, "client", lambda _: client)
        found = connection.stream_records("arn", shard, first, last)
        return None if found is None else [str(one["dynamodb"]["SequenceNumber"]) for one in found]

    assert read(numbers[1], numbers[5]) == [str(number) for number in numbers[1:6]]
    assert read(numbers[3], numbers[3]) == [str(numbers[3])]
    assert read(numbers[5], numbers[6] + 1) is None, "its end is not in the stream"
    assert read(numbers[1], numbers[5], forgot=numbers[1]) is None
    assert read(numbers[1], numbers[5], shard="shardId-9") is None
