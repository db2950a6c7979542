"""`tandem queue`: how long each queue is; what a dead queue holds, and bringing it back.

A work queue's messages move back to their queue. The stream's dead queue holds places in the
stream: the records are read there, or, when the stream has forgotten them (after a day), the facts
of that time from the table, and handed to the function that gave them up. A message is deleted once
all it stands for is done.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from chalicelib.adapters.dynamodb.codec import fact_from_json, fact_item
from chalicelib.adapters.dynamodb.schema import FACT_KIND
from chalicelib.domain.effects import Queue
from chalicelib.services.ports import FACT_SHARDS, Failure, OnFailure, hours
from cli.asking import Yes, ask
from cli.connection import LOCAL, Connection, Stage, UnknownQueueError, connect
from cli.delivery import Consumer, Image, send
from cli.errors import CommandError
from cli.printing import Json, print_json, print_records

STREAM, SCHEDULE = "stream", "schedule"
QUEUES = sorted({*map(str, Queue), "mail-events", STREAM, SCHEDULE})
HIDDEN_S = 300  # while a message is worked on
# Facts carry the clock of the function that wrote them, arrivals that of the stream.
AROUND = timedelta(minutes=10)
# What SES reports, an object of the bucket, a stretch of an agenda; or nothing that we ever wrote.
NO_FACT = "not a fact"

app = typer.Typer(help="Dead queues.", no_args_is_help=True)

Message = Mapping[str, Any]
Lengths = Mapping[str, int | None]
MISSING: Lengths = {"waiting": None, "in_work": None, "dead": None}
Name = Annotated[
    str, typer.Argument(metavar="QUEUE", help="The queue's name without -dead, such as mail.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what is there; move nothing.")]


@dataclass
class Redriven:
    """What was brought back, by name, and what was left."""

    done: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


@app.command("list")
def list_queues(as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show how many messages wait in each queue, are worked on, and are in its dead queue."""
    print_records(queue_lengths(connect(stage)), as_json=as_json)


@app.command()
def show(queue: Name, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show what a dead queue holds, by the names of facts; nothing is moved or removed."""
    connection = connect(stage)
    dead = connection.queue_url(f"{queue}-dead")
    counts = _named(connection, dead, list(receive(connection, dead)), queue)
    if as_json:
        print_json(
            {"queue": queue, "dead": counts.total(), "by_name": dict(sorted(counts.items()))}
        )
    else:
        _print_named(counts)


def queue_lengths(connection: Connection) -> list[dict[str, Any]]:
    """How long the stack's queues are, by AWS's approximate counts. Two have only a dead one; a
    stack of an earlier version lacks some.
    """
    records = []
    for queue in QUEUES:
        try:
            lengths = _lengths(connection, queue)
        except UnknownQueueError:
            lengths = MISSING
        records.append({"queue": queue, **lengths})
    return records


def _lengths(connection: Connection, queue: str) -> Lengths:
    waiting, in_work = (
        (None, None)
        if queue in {STREAM, SCHEDULE}
        else connection.messages_in(connection.queue_url(queue))
    )
    dead = sum(connection.messages_in(connection.queue_url(f"{queue}-dead")))
    return {"waiting": waiting, "in_work": in_work, "dead": dead}


@app.command()
def redrive(queue: Name, dry_run: DryRun = False, yes: Yes = False, stage: Stage = LOCAL) -> None:
    """Bring back what a dead queue holds; safe to repeat."""
    connection = connect(stage)
    if queue == SCHEDULE:
        raise CommandError("nothing to bring back: the next run of a schedule does all that is due")
    dead = connection.queue_url(f"{queue}-dead")
    if not dry_run:
        question = f"bring back what {queue}-dead holds? fix the cause first"
        ask(question, yes=yes, otherwise="nothing was brought back")
    messages = receive(connection, dead)
    if dry_run:
        _print_named(_named(connection, dead, list(messages), queue))
        return
    redriven = Redriven()
    target = None if queue == STREAM else connection.queue_url(queue)
    for batch in messages:
        for message in batch:
            if target:
                _move(connection, dead, target, message, redriven)
            else:
                _replay_place(connection, dead, message, redriven)
    for verb, names in (("brought back", redriven.done), ("left", redriven.left)):
        typer.echo(f"{names.total()} {verb}")
        for name, number in sorted(names.items()):
            typer.echo(f"  {name} {number}")
    if redriven.left:
        raise CommandError("some were left: the logs of the function say why")


def receive(connection: Connection, url: str) -> Iterator[list[Message]]:
    """The messages of a queue, each once, hidden from others meanwhile. One that is left comes back
    when it is no longer hidden: when nothing else comes, all are done.
    """
    seen: set[str] = set()
    while True:
        answer = connection.clients.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=HIDDEN_S, WaitTimeSeconds=1
        )
        new: list[Message] = [
            each for each in answer.get("Messages", []) if each["MessageId"] not in seen
        ]
        if not new:
            return
        seen.update(each["MessageId"] for each in new)
        yield new


def _named(
    connection: Connection, url: str, batches: list[list[Message]], queue: str
) -> Counter[str]:
    """The names of received messages, which are given back."""
    messages = [message for batch in batches for message in batch]
    for message in messages:
        connection.clients.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return Counter(map(_place_name if queue == STREAM else _message_name, messages))


def _print_named(counts: Counter[str]) -> None:
    total = counts.total()
    typer.echo("1 message" if total == 1 else f"{total} messages")
    for name, number in sorted(counts.items()):
        typer.echo(f"  {name} {number}")


def _message_name(message: Message) -> str:
    """The name of the message's fact: other messages may hold addresses and are not shown."""
    try:
        return fact_from_json(message["Body"]).name
    except ValueError:
        return NO_FACT


def _move(
    connection: Connection, dead: str, target: str, message: Message, redriven: Redriven
) -> None:
    # Sent before it is deleted: interrupted in between it is there twice, which is harmless.
    connection.clients.sqs.send_message(QueueUrl=target, MessageBody=message["Body"])
    connection.clients.sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
    redriven.done[_message_name(message)] += 1


# --- places in the stream -----------------------------------------------------------------------


def _place_name(message: Message) -> str:
    body = json.loads(message["Body"])
    return f"{_consumer_of(body)}: {body['requestContext']['condition']}"


def _consumer_of(body: Mapping[str, Any]) -> Consumer:
    """The function that gave the records up: `…:function:tandem-prod-relay`, with a version."""
    name = body["requestContext"]["functionArn"].split(":function:")[1].partition(":")[0]
    return Consumer(name.rpartition("-")[2])


def _replay_place(connection: Connection, dead: str, message: Message, redriven: Redriven) -> None:
    body = json.loads(message["Body"])
    place = body["DDBStreamBatchInfo"]
    records = connection.stream_records(
        place["streamArn"],
        place["shardId"],
        int(place["startSequenceNumber"]),
        int(place["endSequenceNumber"]),
    )
    unreadable: list[Failure] = []
    images = (
        _facts_of_that_time(connection, place, unreadable.append)
        if records is None
        else _facts_in(records)
    )
    delivery = send(connection, _consumer_of(body), images)
    for image in images:
        outcome = redriven.left if image in delivery.left else redriven.done
        outcome[image.get("name", {}).get("S", "?")] += 1
    redriven.left.update(f"cannot be read: {failure.name}" for failure in unreadable)
    if not delivery.left and not unreadable:
        connection.clients.sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])


def _facts_in(records: list[Mapping[str, Any]]) -> list[Image]:
    """The facts among the records: the event source's filter had left the others out."""
    images = [
        record["dynamodb"].get("NewImage", {})
        for record in records
        if record["eventName"] == "INSERT"
    ]
    return [image for image in images if image.get("kind") == {"S": FACT_KIND}]


def _facts_of_that_time(
    connection: Connection, place: Mapping[str, Any], on_failure: OnFailure
) -> list[Image]:
    first, last = (
        datetime.fromisoformat(place[f"approximateArrivalOf{which}Record"])
        for which in ("First", "Last")
    )
    since, until = first - AROUND, last + AROUND
    facts = [
        fact
        for hour in hours(since, until)
        for shard in range(FACT_SHARDS)
        for fact in connection.repository.facts_in(hour, shard, on_failure)
        if since <= fact.at <= until
    ]
    return [fact_item(fact) for fact in facts]
