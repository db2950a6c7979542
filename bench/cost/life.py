"""A hundred invitations from the sign-in of their sponsors to the end of their vouchers, played by
the real functions on the small AWS of `bench.capacity`, and all that is asked of AWS for them.

Streams and queues hand over what they would at the rate of the population: a queue's message comes
alone, `relay` gets the facts of one commit, `project` those of so many commits as fall into its
window. What the template filters out of a stream is not handed over.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from functools import partial
from random import Random
from typing import Any

from botocore.awsrequest import AWSResponse

from bench.capacity import deployed
from bench.capacity.recording import Recorded, Recorder
from bench.capacity.scene import Scene, strangers
from bench.cost import population as people
from bench.recording import size_of
from chalicelib.functions import handler_of
from chalicelib.services.campaigns.put import put_campaign
from tests.api.gateway import Request as HttpRequest
from tests.api.world import (
    campaign_like_demo,
    mail_event,
    put_list,
    stream_event,
)
from tests.simulation.cloud import Cloud
from tests.simulation.machine import SES_DETAILS
from tests.simulation.wire import Call

# Lambda looks at a shard four times a second ("Using AWS Lambda with Amazon DynamoDB").
POLLED_S = 0.25
# Lambda, "Using Lambda with Amazon SQS": five readers of each queue, each waits for 20 seconds.
READERS, WAIT_S = 5, 20
MONTH_DAYS = 30.4375
# DynamoDB, "Estimating index storage space": bytes for each item, and for each entry of an index.
ITEM_OVERHEAD = 100
KEPT_DAYS = 1_096  # after the campaign's last day, docs/operations.md
NOT_OF_INVITATIONS = frozenset({"CAMPAIGN", "CAMPAIGN_VERSION", "LIST", "LIST_VERSION"})
SCHEDULES = ("export", "expire", "seal", "root", "reconcile", "report")
FUNCTIONS: Mapping[str, str] = {
    "decide": "decide", "requested-decision": "decide", "due": "due", "mail": "mail",
    "requested-mail": "mail", "reward": "reward", "parts": "ingest", "ingest": "ingest",
    "persons": "persons", "mail_events": "mail_events",
}  # fmt: skip


@dataclass
class Execution:
    """One call of a function: what it asked for, and what it wrote into its log."""

    name: str
    function: str
    recorded: Recorded
    lines: Sequence[str]

    @property
    def is_of_a_queue(self) -> bool:
        """Whether a message of a queue made it run."""
        return self.name.partition(" ")[0] in FUNCTIONS

    @property
    def messages(self) -> int:
        """How many of them came together."""
        return self.recorded.amount if self.is_of_ses else 1

    @property
    def is_of_ses(self) -> bool:
        """Whether that message is an event of SES, by way of SNS."""
        return self.function == "mail_events"

    @property
    def metrics(self) -> set[tuple[str, ...]]:
        """The custom metrics it wrote, by name and dimensions."""
        found = set()
        for line in self.lines:
            content = json.loads(line)
            for directive in content.get("_aws", {}).get("CloudWatchMetrics", ()):
                for names in directive["Dimensions"]:
                    by = tuple(f"{name}={content[name]}" for name in sorted(names))
                    found |= {(metric["Name"], *by) for metric in directive["Metrics"]}
        return found


@dataclass
class Stored:
    """Gigabyte-months of one kind of what was stored, of the played invitations."""

    table: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    indexes: float = 0.0
    files: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


class Life(Scene):
    """See the module. Made by `played()`."""

    def __init__(self, here: Cloud, window_s: float, filters: Mapping[str, Any]) -> None:
        self.cloud = here
        self.recorded = defaultdict(list)
        self.of_the_file = {}
        self.executions: list[Execution] = []
        # Schedules that ran; days that passed, beside no name.
        self.clockwork: list[tuple[str, float]] = []
        self.kept = Stored()
        self.sessions = []
        self.api_calls = 0
        self.bouncing = ""
        self._window_s, self._filters = max(window_s, POLLED_S), filters
        self._chance = Random(1)
        self.commits: list[range] = []  # of facts in the stream
        self._reported = 0  # mails
        self.out = io.StringIO()
        self._recorder = Recorder(here)
        self._note_commits()
        put_campaign(self.ports, campaign_like_demo(ends_on=people.LAST_DAY.isoformat()))
        put_list(self.ports, "customers", strangers(people.CUSTOMERS))
        put_list(self.ports, "vips", [self.sponsor(n) for n in range(people.SPONSORS)])
        self._relayed = self._projected = len(self.commits)

    def sponsor(self, number: int) -> str:
        """The address of a sponsor."""
        return f"sponsor{number}@vip.test"

    def record(self, name: str, work: Callable[[], object], amount: int = 1) -> Any:
        self.take_lines()
        function = FUNCTIONS.get(name.partition(" ")[0], name.partition(" ")[0])
        outcome = super().record(name, work, amount)
        one = Execution(name, function, self.recorded[name][-1], self.take_lines())
        self.executions.append(one)
        return outcome

    def call(self, name: str, request: HttpRequest) -> Any:
        """A call of the API, by a browser."""
        self.api_calls += 1
        return self.ask(f"api {name}", request).body

    def take_lines(self) -> list[str]:
        """What was logged since the last time."""
        text = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        return text.splitlines()

    def _note_commits(self) -> None:
        passed_on, table = self.cloud.network.on_call, self.cloud.table

        def on_call(call: Call, carryout: Callable[[], AWSResponse]) -> AWSResponse:
            before = len(table.stream)
            answer = passed_on(call, carryout)
            fresh = table.stream[before:]
            facts = [one for one in fresh if one.get("kind") == {"S": "FACT"}]
            if facts:
                self.commits.append(range(before, len(table.stream)))
            return answer

        self.cloud.network.on_call = on_call

    # --- what AWS does ---------------------------------------------------------------------------

    def _passed_on(self, source: str, commits: Sequence[range]) -> list[Any]:
        stream = self.cloud.table.stream
        items = [stream[place] for places in commits for place in places]
        return [dict(one) for one in items if lets_through(self._filters[source], one)]

    def _relay(self) -> bool:
        waiting = self.commits[self._relayed :]
        self._relayed += len(waiting)
        for commit in waiting:
            facts = self._passed_on("RelaySource", [commit])
            if facts:
                event = stream_event(facts)
                self.record("relay", partial(handler_of("relay"), event), len(facts))
        return bool(waiting)

    def settle(self) -> None:
        """Work everything off, SES's events too, and have it counted."""
        while self._relay() or self._work() or self._ses_events():
            pass
        self._project()

    def _ses_events(self) -> bool:
        mails = self.cloud.network.mails[self._reported :]
        self._reported += len(mails)
        events: defaultdict[str, list[Any]] = defaultdict(list)
        for recipient, raw in mails:
            mail_id = str(message_from_bytes(raw)["Message-ID"]).strip("<>").partition("@")[0]
            for kind in self._kinds(recipient):
                events[kind] += mail_event(kind, mail_id, **SES_DETAILS.get(kind, {}))["Records"]
        for kind, records in events.items():
            size = batched("MailEventsSource", people.MAILS)
            for first in range(0, len(records), size):
                batch = {"Records": records[first : first + size]}
                name, count = f"mail_events {kind}", len(batch["Records"])
                self.record(name, partial(handler_of("mail_events"), batch), count)
        return bool(mails)

    def _kinds(self, recipient: str) -> list[str]:
        chosen = deployed.template()["Resources"]["MailEventsDestination"]["Properties"]
        kinds = ["Send", "Bounce" if recipient == self.bouncing else "Delivery"]
        return [kind for kind in kinds
                if kind.lower() in chosen["EventDestination"]["MatchingEventTypes"]]  # fmt: skip

    def _project(self) -> None:
        """In batches of the commits that fall into the window of one shard."""
        waiting = self.commits[self._projected :]
        self._projected += len(waiting)
        self._chance.shuffle(waiting)
        rate = commits_a_second()
        batch: list[range] = []
        left = 0.0
        for commit in waiting:
            passed = self._chance.expovariate(rate)
            if batch and passed > left:
                self._count(batch)
                batch = []
            if not batch:
                left = self._window_s
            else:
                left -= passed
            batch.append(commit)
        if batch:
            self._count(batch)

    def _count(self, commits: Sequence[range]) -> None:
        facts = self._passed_on("ProjectSource", commits)
        if facts:
            event = stream_event(facts)
            answer = self.record("project", lambda: handler_of("project")(event), len(facts))
            assert answer == {"batchItemFailures": []}

    def run(self, name: str) -> None:
        """A schedule fires."""
        self.clockwork.append((name, 0))
        self.record(name, handler_of(name))

    def pass_days(self, days: float) -> None:
        """Let days pass; what is stored meanwhile is paid for."""
        self.clockwork.append(("", days))
        self._store(days)
        self.pass_by(days=days)
        self._drop_ended()

    def _store(self, days: float) -> None:
        now = self.cloud.now.timestamp()
        for item in self.cloud.table.items.values():
            if item.get("kind", {}).get("S") in NOT_OF_INVITATIONS:
                continue
            ends = float(item["ttl"]["N"]) if "ttl" in item else float("inf")
            kept = min(days, max(0.0, (ends - now) / 86_400))
            months = kept / MONTH_DAYS / 1e9
            kind = item.get("kind", {}).get("S", "counts")
            self.kept.table[kind] += (size_of(item) + ITEM_OVERHEAD) * months
            if "holder_pk" in item:
                self.kept.indexes += (size_of(item) + ITEM_OVERHEAD) * months
            if "due_pk" in item:
                self.kept.indexes += (150 + ITEM_OVERHEAD) * months

    def _drop_ended(self) -> None:
        now = self.cloud.now.timestamp()
        items = self.cloud.table.items
        for place in [p for p, i in items.items() if "ttl" in i and float(i["ttl"]["N"]) <= now]:
            key = {"pk": {"S": place[0]}, "sk": {"S": place[1]}}
            self.cloud.table.call("DeleteItem", {"TableName": "t", "Key": key})

    def end(self) -> None:
        """What is left stays until the records of the campaign end."""
        last = datetime.combine(people.LAST_DAY, datetime.min.time(), UTC)
        days = (last - self.cloud.now).days + KEPT_DAYS
        self._store(days)
        for path, versions in self.cloud.network.bucket.files.items():
            kept = _kept_days(path)
            size = sum(len(version.content or b"") for version in versions)
            self.kept.files[path.split("/")[0]] += size * kept / MONTH_DAYS / 1e9


def _kept_days(path: str) -> float:
    if path.startswith("lists/"):
        return 0  # of the campaign, not of the invitations
    if path.startswith("out/"):
        folder = path.split("/")[2]
        return {"vouchers": 40, "referrals": 35, "consents": 35, "receipts": 400,
                "reports": 1_096}.get(folder, 3_653)  # fmt: skip
    return 30


def batched(source: str, messages: int) -> int:
    """How many messages of a queue come together, if so many of the played invitations go into it:
    those that one of Lambda's readers finds in the window.
    """
    properties = deployed.template()["Resources"][source]["Properties"]
    window = properties.get("MaximumBatchingWindowInSeconds", 0)
    a_second = messages / people.PLAYED * people.BILLED / people.MONTH_S
    most: int = properties["BatchSize"]
    return min(most, int(1 + a_second / READERS * window))


def lets_through(criteria: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Whether a filter of an event source lets a new item through."""
    record = {"eventName": "INSERT", "dynamodb": {"NewImage": item}}
    return any(_matches(json.loads(one["Pattern"]), record) for one in criteria["Filters"])


def _matches(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, list):
        return value in pattern
    return all(name in value and _matches(one, value[name]) for name, one in pattern.items())


def commits_a_second() -> float:
    """How many commits with a fact come to one shard of the stream."""
    return COMMITS / people.PLAYED * people.BILLED / people.MONTH_S / people.SHARDS


# Commits with a fact of all that is played; a test compares it.
COMMITS = 531
