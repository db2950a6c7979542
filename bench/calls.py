"""What each route and each consumer asks of AWS: calls, units, bytes, with warm caches.

The requests and the work are those of the tests (`tests.api`), which assert the calls one by one;
here they are added up.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import groupby

import app
from bench.recording import Call
from chalicelib.api.operations import OPERATIONS, Operation
from tests.api.consumers import WORK
from tests.api.gateway import Gateway
from tests.api.requests import GOOD
from tests.api.warm import recorded
from tests.api.world import world


@dataclass(frozen=True)
class Cost:
    """One route or one kind of work."""

    name: str
    calls: tuple[str, ...]
    read_units: float
    write_units: float
    sent_bytes: int
    received_bytes: int

    @property
    def summary(self) -> str:
        """The calls by name, as `3 GetItem, TransactWriteItems`."""
        names = (name.partition(":")[2] for name in self.calls)
        return ", ".join(
            f"{count} {name}" if (count := len(list(same))) > 1 else name
            for name, same in groupby(names)
        )


def costs() -> Iterator[Cost]:
    """Routes first, then the work that follows from them."""
    gateway = Gateway(app.app)
    for operation in OPERATIONS:
        yield cost_of(gateway, operation)
    for name, prepared in WORK.items():
        with redirect_stdout(io.StringIO()), world(gateway) as here:
            calls = recorded(here, prepared(here))
        yield _cost(name, calls)


def cost_of(gateway: Gateway, operation: Operation, bearer: str | None = None) -> Cost:
    """What a route costs, called by somebody who may call it, or with another `bearer`."""
    with redirect_stdout(io.StringIO()), world(gateway) as here:
        request = GOOD[operation.name](here)
        if bearer:
            request = request.with_body(request.body, Authorization=f"Bearer {bearer}")
        calls = recorded(here, lambda: here.ask(request))
    return _cost(f"{operation.method} {operation.name}", calls)


def _cost(name: str, calls: Iterable[Call]) -> Cost:
    made = list(calls)
    return Cost(
        name=name,
        calls=tuple(call.name for call in made),
        read_units=sum(call.read_units for call in made),
        write_units=sum(call.write_units for call in made),
        sent_bytes=sum(call.request_bytes for call in made),
        received_bytes=sum(call.response_bytes for call in made),
    )
