"""Has the functions of a scene (`bench.capacity.scene`) run in processes of their own.

So the stories that `bench.capacity` records, and those of `loads.py`, are measured: whatever calls
a function in them hands its event to the process of that function.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import app
from bench.capacity import scene
from bench.memory.aws import served
from bench.memory.execution import Code, Execution, Measurements
from infra.postprocess.functions import API, FUNCTIONS
from local import resolver
from tests import functions
from tests.api.gateway import Gateway
from tests.api.world import CONSUMERS
from tests.simulation import cloud, machine

# Strangers of the stories have addresses here; the functions ask a real name server.
KNOWN_DOMAIN: Mapping[str, Mapping[str, str]] = {
    "mail.test.": {"MX": "10 mx.mail.test."},
    "mx.mail.test.": {"A": resolver.ADDRESS},
}


class _App:
    """The API's process, in place of its app."""

    routes = app.app.routes

    def __init__(self, execution: Callable[..., Any]) -> None:
        self._execution = execution

    def __call__(self, event: dict[str, Any], _: object) -> Any:
        return self._execution(event)


@contextmanager
def measuring(code: Code, kept: Measurements) -> Iterator[None]:
    """Inside the block, the functions of every new scene run in processes and are measured."""
    ordinary = cloud.cloud

    @contextmanager
    def measured(seed: int = 0, **options: bool) -> Iterator[cloud.Cloud]:
        with ordinary(seed, **options) as here, _processes(here, code, kept):
            yield here

    with patch.object(scene, "cloud", measured):
        yield


@contextmanager
def _processes(here: cloud.Cloud, code: Code, kept: Measurements) -> Iterator[None]:
    started: dict[str, Execution] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-memory-")))
        aws = stack.enter_context(served(here.network, folder))
        stack.enter_context(patch.dict(resolver.RECORDS, KNOWN_DOMAIN))
        aws.resolver = stack.enter_context(resolver.resolving())

        def call(logical_id: str, *arguments: Any) -> Any:
            if logical_id not in started:
                started[logical_id] = Execution(logical_id, code, aws, kept, lambda: here.now)
                stack.callback(started[logical_id].end)
            return started[logical_id](*arguments)

        by_name = {size.name: partial(call, id_) for id_, size in FUNCTIONS.items()}
        for name in functions.__all__:
            stack.enter_context(patch.object(functions, name, by_name[name]))
        for table in (CONSUMERS, machine.HANDLERS):
            own: dict[Any, Any] = {key: by_name[one.__name__] for key, one in table.items()}
            stack.enter_context(patch.dict(table, own))
        gateway = Gateway(_App(partial(call, API)))  # type: ignore[arg-type]
        stack.enter_context(patch.object(cloud.Process, "gateway", gateway))
        yield
