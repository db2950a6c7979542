"""The work queues as `ports.Queues`: facts, stretches of agendas, parts of files; ten per call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.codec import fact_json
from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import Fact
from chalicelib.services.ports import Agenda, PartOfFile, Stretch

MESSAGES_PER_CALL = 10


class QueueRefusedError(Exception):
    """SQS did not accept some of the messages; the whole batch must be sent again."""


def stretch_json(stretch: Stretch) -> str:
    """A stretch as the body of a queue's message."""
    return json.dumps(vars(stretch))


def stretch_from_json(body: str) -> Stretch:
    """The stretch in a queue's message."""
    values = json.loads(body)
    return Stretch(**values | {"agenda": Agenda(values["agenda"])})


def part_json(part: PartOfFile) -> str:
    """A part of a file as the body of a queue's message."""
    return json.dumps(vars(part))


def part_from_json(body: str) -> PartOfFile:
    """The part of a file in a queue's message."""
    return PartOfFile(**json.loads(body))


class WorkQueues:
    """`ports.Queues` on SQS. `urls` by queue name."""

    def __init__(self, clients: Clients, urls: Mapping[str, str]) -> None:
        self._clients = clients
        self._urls = urls

    def put(self, queue: str, facts: Sequence[Fact]) -> None:
        self._send(queue, [fact_json(fact) for fact in facts])

    def put_stretches(self, stretches: Sequence[Stretch]) -> None:
        self._send(Queue.DUE, [stretch_json(stretch) for stretch in stretches])

    def put_parts(self, parts: Sequence[PartOfFile]) -> None:
        self._send(Queue.PARTS, [part_json(part) for part in parts])

    def has_backlog(self, queue: str) -> bool:
        answer = self._clients.sqs.get_queue_attributes(
            QueueUrl=self._urls[queue], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"]) > 0

    def _send(self, queue: str, bodies: Sequence[str]) -> None:
        for start in range(0, len(bodies), MESSAGES_PER_CALL):
            answer = self._clients.sqs.send_message_batch(
                QueueUrl=self._urls[queue],
                Entries=[
                    {"Id": str(position), "MessageBody": body}
                    for position, body in enumerate(bodies[start : start + MESSAGES_PER_CALL])
                ],
            )
            if failed := answer.get("Failed"):
                raise QueueRefusedError(f"{len(failed)} messages were not accepted")

    def postpone(self, queue: str, receipt: str, seconds: int) -> None:
        [url] = [each for each in self._urls.values() if each.rpartition("/")[2] == queue]
        self._clients.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )
