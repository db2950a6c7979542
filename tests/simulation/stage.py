"""A world in a cloud: the stories of `tests/api` on the simulation's AWS, and work that waits.

`Stage` is a `World`, so every good request of the API can be made on it. `run` delivers everything
but what goes to the functions that are held: their work waits, until a scenario has it delivered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from random import Random
from typing import Any

from chalicelib.services.campaigns.put import put_campaign
from tests.api.gateway import Gateway
from tests.api.world import (
    BUCKET,
    CAMPAIGN,
    CUSTOMER,
    OTHER_VIP,
    VIP,
    CaughtMail,
    Item,
    StoppedClock,
    World,
    campaign_like_demo,
    customer_list,
    put_list,
)
from tests.simulation.cloud import Cloud, cloud
from tests.simulation.machine import Machine
from tests.simulation.run import drain


@dataclass
class _CloudClock(StoppedClock):
    """The cloud's clock, as a world moves it."""

    def __init__(self, here: Cloud) -> None:
        self._cloud = here

    def __call__(self) -> datetime:
        return self._cloud.now

    def pass_by(self, **duration: float) -> None:
        self._cloud.now += timedelta(**duration)


class Stage(World):
    """See the module. Made by `stage()`."""

    def __init__(self, here: Cloud, machine: Machine) -> None:
        self.cloud = here
        self.machine = machine
        self.clock = _CloudClock(here)
        self.clients = here.clients

    @property
    def _gateway(self) -> Gateway:  # type: ignore[override]
        return self.cloud.aside.gateway

    def run(self) -> None:
        drain(self.cloud, self.machine)

    def hold(self, *names: str) -> None:
        """Let work for these functions and queues wait from now on."""
        self.machine.held |= set(names)

    def fire(self, *names: str) -> None:
        """Have schedules run to their end, and everything that follows."""
        for name in names:
            self.machine.deliver(name)
            self.run()

    def last_to(self, address: str) -> CaughtMail:
        """The newest mail to `address`."""
        return self._mail_to(address, -1)

    def mailed_token(self, address: str) -> str:
        """The token in the first mail to `address`."""
        return self._mail_to(address, 0).token()

    def _mail_to(self, address: str, number: int) -> CaughtMail:
        raw = [raw for recipient, raw in self.cloud.network.mails if recipient == address][number]
        body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
        assert body is not None
        return CaughtMail(address, str(body.get_content()))

    def report_file(self, path: str, content: bytes) -> None:
        """The client drops a file: S3's event waits in the queue."""
        key = f"in/{CAMPAIGN}/{path}"
        self.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        self.machine.drop(key)

    def report_orders(self, *orders: dict[str, str]) -> None:
        """The client calls with orders."""
        assert self.post("/v1/client/orders", {"orders": list(orders)}).status == 207

    def new_customers(self, *addresses: str) -> None:
        """The client drops a full customer list."""
        self.report_file("customers/full/new.csv", customer_list(CUSTOMER, *addresses))

    def table(self) -> list[Item]:
        items: dict[Any, Any] = dict(self.cloud.table.items)
        return [items[place] for place in sorted(items)]


@contextmanager
def stage(seed: int = 0, vips: Sequence[str] = (VIP, OTHER_VIP)) -> Iterator[Stage]:
    """A new stage, with the campaign in force and both lists, and nothing left to deliver."""
    with cloud(seed) as here:
        machine = Machine(here, Random(seed), faults=False)
        made = Stage(here, machine)
        put_campaign(made.ports, campaign_like_demo())
        put_list(made.ports, "customers", [CUSTOMER])
        put_list(made.ports, "vips", vips)
        made.run()
        yield made
