"""Tandem on a small AWS: the table of `dynamodb.py`, the bucket of `s3.py`, and what Lambda does.

A `Process` is one execution environment of a function: its own clients, caches and clock. `Cloud`
holds what all share. `functions` and the API find the ports of the process that runs, because
`bootstrap.ports` is replaced while a cloud is open.
"""

from __future__ import annotations

import io
import random
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from functools import cached_property
from random import Random
from unittest.mock import patch

from boto3.session import Session
from botocore.useragent import UserAgentString
from chalice.app import Chalice

from chalicelib import bootstrap
from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.api import routes
from chalicelib.domain.codes import ALPHABET, RANDOM_LENGTH, complete
from chalicelib.services.operations import balance, check_facts
from chalicelib.services.ports import Ports
from chalicelib.settings import Settings
from tests.api.gateway import Gateway
from tests.api.world import REGION, environment, make_stores
from tests.fakes.ports import KnownDomains
from tests.simulation.dynamodb import Table
from tests.simulation.s3 import Bucket
from tests.simulation.scheduler import Scheduler
from tests.simulation.threads import without_threads
from tests.simulation.wire import Network

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
CLOCKS = timedelta(minutes=5)  # the most that a process' clock is wrong by
PARTITIONS = 2  # of what is spread; as 128, but 64 times fewer reads that find nothing


@dataclass
class Process:
    """One execution environment."""

    ports: Ports

    @cached_property
    def gateway(self) -> Gateway:
        """The API that runs here. Chalice keeps the request it works on, so one for each."""
        app = Chalice(app_name="tandem", configure_logs=False)
        routes.register(
            app, lambda: self.ports, bootstrap.origin, bootstrap.origin_key, bootstrap.sender
        )
        return Gateway(app)


@dataclass(frozen=True)
class SeededCodes:
    """`ports.Codes` that a seed repeats."""

    chance: Random

    def identifier(self) -> str:
        return f"{self.chance.getrandbits(128):032x}"

    def token(self) -> str:
        return urlsafe_b64encode(self.chance.randbytes(32)).rstrip(b"=").decode()

    def voucher_code(self) -> str:
        return complete("".join(self.chance.choices(ALPHABET, k=RANDOM_LENGTH)))

    def link_code(self) -> str:
        return "".join(self.chance.choices(ALPHABET, k=12)).lower()


@dataclass
class Cloud:
    """See the module. Made by `cloud()`."""

    chance: Random
    lags: bool = False
    scheduler: Scheduler = field(default_factory=Scheduler)
    now: datetime = START

    def __post_init__(self) -> None:
        self.network = Network(
            Table(lags=self.lags), self.scheduler.on_call, Bucket(clock=lambda: self.now)
        )
        self.aside = self.process()  # for setting things up and looking at them

    @property
    def table(self) -> Table:
        """The table."""
        return self.network.table

    def save(self) -> Callable[[], None]:
        """What brings back all that is stored and has left, the clock and what codes are drawn."""
        kept, now, drawn = self.network.copy(), self.now, self.chance.getstate()

        def restore() -> None:
            self.network.become(kept)
            self.now = now
            self.chance.setstate(drawn)
            self.aside = self.process()

        return restore

    @cached_property
    def clients(self) -> Clients:
        """Those of all processes: making them takes longer than most simulations."""
        session = Session("test", "test", region_name=REGION)
        self.network.attach(session)
        return Clients(session)

    def process(self, skew: timedelta = timedelta()) -> Process:
        """A new execution environment: nothing cached, and a clock that is wrong by `skew`."""
        settings = Settings.from_environment()
        ports = bootstrap.wire(settings, self.clients, clock=lambda: self.now + skew)
        repository = ports.repository
        assert isinstance(repository, DynamoRepository)
        repository._pause = self.sleep
        return Process(replace(ports, codes=SeededCodes(self.chance)))

    def seed(self, seed: int | str) -> None:
        """Draw codes and pauses by another seed from now on; by one again, the same codes."""
        self.chance.seed(seed)
        random.seed(
            seed
        )  # which all of Python shares: pauses between attempts, ours and botocore's

    def sleep(self, seconds: float) -> None:
        """What a process does between attempts: time passes."""
        self.now += timedelta(seconds=seconds)

    def ports(self) -> Ports:
        """Those of the process that runs."""
        worker = self.scheduler.current()
        process = worker.context if worker else None
        return (process or self.aside).ports

    def tokens_mailed_to(self, address: str, first: int = 0) -> list[str]:
        """The tokens in the links of the mails to `address`, oldest first, from the mail with the
        number `first` on.
        """
        return self.links_mailed_to(address, "#token=", first)

    def links_mailed_to(self, address: str, before: str, first: int = 0) -> list[str]:
        """What follows `before` in links of the mails to `address`, oldest first, from the mail
        with the number `first` on.
        """
        tokens = []
        for recipient, raw in self.network.mails[first:]:
            if recipient == address:
                message = message_from_bytes(raw, policy=policy.default)
                body = message.get_body(("plain",))
                assert body is not None
                text = f"{message['List-Unsubscribe'] or ''} {body.get_content()}"
                tokens += re.findall(re.escape(before) + r"([\w-]{20,})", text)
        return tokens


@contextmanager
def cloud(seed: int = 0, *, lags: bool = False, as_deployed: bool = False) -> Iterator[Cloud]:
    """A new cloud, empty but for its stores. `lags`: indexes see a write when they are made to.
    `as_deployed`: with threads, and as many partitions of facts and agendas as on AWS.
    """
    with ExitStack() as stack:
        stack.enter_context(environment())
        stack.enter_context(redirect_stdout(io.StringIO()))
        for cached in (bootstrap.settings, bootstrap.sender):
            cached.cache_clear()
            stack.callback(cached.cache_clear)
        stack.enter_context(patch.object(bootstrap, "DnsMailDomains", lambda _: KnownDomains()))
        made = Cloud(Random(seed), lags)
        make_stores(made.clients)
        stack.enter_context(patch.object(bootstrap, "ports", made.ports))
        stack.enter_context(patch.object(time, "sleep", made.sleep))
        stack.callback(random.setstate, random.getstate())
        made.seed(seed)
        # Botocore builds it twice a call, which takes a tenth of a simulation.
        stack.enter_context(patch.object(UserAgentString, "to_string", lambda _: "tandem"))
        if not as_deployed:
            stack.enter_context(without_threads(made.chance))
            _spread_over(PARTITIONS, stack)
        yield made


def _spread_over(partitions: int, stack: ExitStack) -> None:
    for module in (schema, check_facts, balance):
        stack.enter_context(patch.object(module, "FACT_SHARDS", partitions))
    few = {name: min(partitions, number) for name, number in schema.SHARDS.items()}
    stack.enter_context(patch.object(schema, "SHARDS", few))
