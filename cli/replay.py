"""`tandem replay`: bring the facts of some hours to the relay, to the projector, or to both again.

For after an outage that was longer than the stream remembers. All that follows is guarded: what was
done is not done twice. An hour is noted once nothing of it is left, so that a command that was
interrupted goes on where it was when it is run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from chalicelib.adapters.dynamodb.codec import fact_item
from chalicelib.domain.effects import queues_of
from chalicelib.domain.facts import Fact
from chalicelib.services.ports import FACT_SHARDS, Failure, hours
from cli.connection import LOCAL, Connection, Stage, connect
from cli.delivery import FACTS_A_CALL, Consumer, Delivery, send
from cli.errors import CommandError

SIDE_BY_SIDE = 8  # parts of an hour, and so calls at the same time
MOMENTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]

Since = Annotated[datetime, typer.Option("--since", formats=MOMENTS, help="From then on, UTC.")]
Until = Annotated[datetime, typer.Option("--until", formats=MOMENTS, help="Before then, UTC.")]
Relay = Annotated[bool, typer.Option("--relay", help="To the relay alone: work, not counts.")]
Project = Annotated[bool, typer.Option("--project", help="To the projector alone: counts.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count the facts, and send none.")]


@dataclass
class Replayed:
    """What was sent to each function, by the names of the facts."""

    sent: dict[Consumer, Counter[str]] = field(default_factory=dict)
    left: dict[Consumer, list[str]] = field(default_factory=dict)
    unreadable: list[Failure] = field(default_factory=list)

    def note(self, consumer: Consumer, facts: list[Fact], delivery: Delivery) -> None:
        """Count what one call brought."""
        left = {image["fact_id"]["S"] for image in delivery.left}
        self.sent.setdefault(consumer, Counter()).update(
            fact.name for fact in facts if fact.fact_id not in left
        )
        self.left.setdefault(consumer, []).extend(
            f"{fact.fact_id} {fact.name}" for fact in facts if fact.fact_id in left
        )

    def add(self, other: Replayed) -> None:
        """Count another one with this."""
        for consumer, sent in other.sent.items():
            self.sent.setdefault(consumer, Counter()).update(sent)
            self.left.setdefault(consumer, []).extend(other.left[consumer])
        self.unreadable += other.unreadable

    @property
    def has_left(self) -> bool:
        """Whether a function could not handle some facts, or some cannot be read."""
        return bool(self.unreadable) or any(self.left.values())


def replay(
    since: Since,
    until: Until,
    relay: Relay = False,
    project: Project = False,
    dry_run: DryRun = False,
    stage: Stage = LOCAL,
) -> None:
    """Bring the facts of some hours to the relay and to the projector again."""
    connection = connect(stage)
    first, last = since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)
    if first >= last:
        raise CommandError("--until must be later than --since")
    named = [each for each, is_named in zip(Consumer, (relay, project), strict=True) if is_named]
    consumers = named or list(Consumer)
    notes = _Notes(connection, first, last, consumers)
    connection.prepare_for_threads()
    replayed = Replayed()
    due = [hour for hour in hours(first, last) if hour < last]
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("hours", total=len(due))
        for hour in due:
            if dry_run or hour not in notes:
                of_hour = _replay_hour(connection, consumers, (hour, first, last), dry_run)
                replayed.add(of_hour)
                if not dry_run and not of_hour.has_left:
                    notes.add(hour)
            bar.advance(task)
    _show(replayed, dry_run)
    if replayed.has_left:
        raise CommandError(
            "some facts were left: the logs of the functions say why",
            "the same command again brings their hours alone",
        )
    if not dry_run:
        notes.remove()


def _replay_hour(
    connection: Connection,
    consumers: list[Consumer],
    when: tuple[datetime, datetime, datetime],
    dry_run: bool,
) -> Replayed:
    """Bring what is due of an hour: side by side, and each so many facts at a time."""
    hour, first, last = when

    def replay_shards(shards: range) -> Replayed:
        replayed = Replayed()
        unreadable = replayed.unreadable.append
        facts = (
            fact
            for shard in shards
            for fact in connection.repository.facts_in(hour, shard, unreadable)
        )
        within = (fact for fact in facts if first <= fact.at < last)
        while some := list(islice(within, FACTS_A_CALL)):
            for consumer in consumers:
                due = [fact for fact in some if _is_due(consumer, fact)]
                images = [fact_item(fact) for fact in due]
                delivery = Delivery() if dry_run else send(connection, consumer, images)
                replayed.note(consumer, due, delivery)
        return replayed

    replayed = Replayed()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        parts = [range(each, FACT_SHARDS, SIDE_BY_SIDE) for each in range(SIDE_BY_SIDE)]
        for of_part in pool.map(replay_shards, parts):
            replayed.add(of_part)
    return replayed


def _is_due(consumer: Consumer, fact: Fact) -> bool:
    """Whether the function has anything to do with the fact. One that nothing can be said of is
    sent: the function leaves it, and its log says why.
    """
    try:
        return bool(queues_of(fact)) if consumer is Consumer.RELAY else not fact.counted
    except Exception:
        return True


def _show(replayed: Replayed, dry_run: bool) -> None:
    verb = "would be sent" if dry_run else "sent"
    for consumer, sent in replayed.sent.items():
        typer.echo(f"{consumer}: {sent.total()} facts {verb}")
        for name, number in sorted(sent.items()):
            typer.echo(f"  {name} {number}")
        for left in replayed.left[consumer]:
            typer.echo(f"  left: {left}")
    for failure in replayed.unreadable:
        typer.echo(f"cannot be read: {failure.name}")


class _Notes:
    """The hours that are done, in a file: one for each range, stack and choice of functions."""

    def __init__(
        self, connection: Connection, first: datetime, last: datetime, consumers: list[Consumer]
    ) -> None:
        moments = "-".join(f"{moment:%Y%m%dT%H%M%S}" for moment in (first, last))
        name = f"replay-{connection.place.table}-{moments}-{'-'.join(consumers)}"
        self._path = Path(typer.get_app_dir("tandem")) / name
        self._done = set(self._read())

    def __contains__(self, hour: datetime) -> bool:
        return hour.isoformat() in self._done

    def _read(self) -> Iterator[str]:
        if self._path.exists():
            yield from self._path.read_text().splitlines()

    def add(self, hour: datetime) -> None:
        """Note an hour, at once: the command may end at any moment."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(f"{hour.isoformat()}\n")

    def remove(self) -> None:
        """Forget the hours: all are done."""
        self._path.unlink(missing_ok=True)
