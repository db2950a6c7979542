"""The functions behind streams, queues and schedules, each in a module of its name: it takes an
event apart, calls one use case, and logs the outcome.

Lambda imports that module alone, so it imports at its head all that its first event will need:
while a function starts it is seen to have more of a processor than later. None of them imports
Chalice or the routes of the API. What failed is isolated and answered in `invocations.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module


def handler_of(name: str) -> Callable[..., object]:
    """What Lambda calls for the function `name`: with an event and its own context."""
    handler: Callable[..., object] = getattr(import_module(f"{__name__}.{name}"), name)
    return handler
