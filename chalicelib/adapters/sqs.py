"""The work queues as `ports.Queues`: facts as JSON, ten per call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.codec import fact_json
from chalicelib.domain.facts import Fact

MESSAGES_PER_CALL = 10


class QueueRefusedError(Exception):
    """SQS did not accept some of the messages; the whole batch must be sent again."""


class WorkQueues:
    """`ports.Queues` on SQS. `urls` by queue name."""

    def __init__(self, clients: Clients, urls: Mapping[str, str]) -> None:
        self._clients = clients
        self._urls = urls

    def put(self, queue: str, facts: Sequence[Fact]) -> None:
        for start in range(0, len(facts), MESSAGES_PER_CALL):
            answer = self._clients.sqs.send_message_batch(
                QueueUrl=self._urls[queue],
                Entries=[
                    {"Id": str(position), "MessageBody": fact_json(fact)}
                    for position, fact in enumerate(facts[start : start + MESSAGES_PER_CALL])
                ],
            )
            if failed := answer.get("Failed"):
                raise QueueRefusedError(f"{len(failed)} messages were not accepted")

    def postpone(self, queue: str, receipt: str, seconds: int) -> None:
        [url] = [each for each in self._urls.values() if each.rpartition("/")[2] == queue]
        self._clients.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )
