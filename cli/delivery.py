"""Handing facts to the relay or the projector again, as the stream does: by calling the function.

The deployed function works with its own rights and writes its own log and metrics. Both accept any
fact any number of times. Facts that fail together are handed over in halves, so that one bad fact
stops no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.services.isolation import failing
from cli.connection import Connection

FACTS_A_CALL = 100

Image = Mapping[str, Any]


class Consumer(StrEnum):
    """The functions behind the stream."""

    RELAY = "relay"
    PROJECT = "project"


@dataclass
class Delivery:
    """How many facts were handed over, and those that the function could not handle."""

    sent: int = 0
    left: list[Image] = field(default_factory=list)

    def add(self, other: Delivery) -> None:
        """Count another one with this."""
        self.sent += other.sent
        self.left += other.left


class NotHandledError(Exception):
    """The function failed, or named a fact that it could not handle."""


def send(connection: Connection, consumer: Consumer, images: Sequence[Image]) -> Delivery:
    """Hand over the items of facts."""

    def call(part: Sequence[Image]) -> None:
        answer = connection.invoke(consumer.value, stream_event(part))
        if answer is None or answer.get("batchItemFailures"):
            raise NotHandledError

    delivery = Delivery()
    for start in range(0, len(images), FACTS_A_CALL):
        part = images[start : start + FACTS_A_CALL]
        left = [part[place] for place, _ in failing(part, call)]
        delivery.add(Delivery(len(part) - len(left), left))
    return delivery


def stream_event(images: Sequence[Image]) -> dict[str, Any]:
    """The event in which the stream would bring the facts."""
    return {
        "Records": [
            {
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {"SequenceNumber": str(number), "NewImage": dict(image)},
            }
            for number, image in enumerate(images, start=1)
        ]
    }
