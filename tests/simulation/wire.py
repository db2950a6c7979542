"""Where botocore's requests leave the process: all of AWS that the functions use answers here.

`Network` hooks a boto3 session at `before-send`, after botocore has validated and serialised the
request, so the adapters and botocore's own retries are the real ones. `on_call` is called
first: it may let another worker go on, or raise, or answer in AWS's place.
"""

from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import md5
from itertools import count
from typing import Any, cast
from urllib.parse import urlsplit

import botocore
from boto3.session import Session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict

from tests.simulation.dynamodb import Table
from tests.simulation.failure import AwsError
from tests.simulation.s3 import Bucket


@dataclass(frozen=True)
class Call:
    """A request on its way: `dynamodb:PutItem`, its place, and its body if that is JSON.
    `if_none`: it is refused if there is a file already.
    """

    service: str
    operation: str
    target: str
    body: Mapping[str, Any]
    if_none: bool = False

    @property
    def path(self) -> str:
        """The path of its address."""
        return self.target.partition("?")[0]

    @property
    def name(self) -> str:
        """`dynamodb:PutItem`."""
        return f"{self.service}:{self.operation}"


Answer = Mapping[str, Any]
OnCall = Callable[[Call, Callable[[], AWSResponse]], AWSResponse]
UNAVAILABLE = frozenset({"InternalServerError", "SlowDown", "ServiceUnavailable"})
_STATUS = {
    "NoSuchKey": 404,
    "NoSuchVersion": 404,
    "MethodNotAllowed": 405,
    "ConditionalRequestConflict": 409,
    "PreconditionFailed": 412,
    "InvalidRange": 416,
    "TooManyRequestsException": 429,
}


def _at_once(_: Call, carry_out: Callable[[], AWSResponse]) -> AWSResponse:
    return carry_out()


@dataclass
class Network:
    """What one session's requests reach. `mails` and `queued` keep what left, in order."""

    table: Table
    on_call: OnCall = _at_once
    bucket: Bucket = field(default_factory=Bucket)
    parameters: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    queued: dict[str, list[str]] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def copy(self) -> Network:
        """The same stores and what has left; what happens to one leaves the other as it is."""
        drawn = next(self._numbers)
        self._numbers = count(drawn)
        return replace(
            self,
            table=self.table.copy(),
            bucket=self.bucket.copy(),
            parameters=dict(self.parameters),
            mails=list(self.mails),
            queued={name: list(bodies) for name, bodies in self.queued.items()},
            _numbers=count(drawn),
        )

    def become(self, other: Network) -> None:
        """Have the stores of the other one, as they are now."""
        vars(self).update(vars(other.copy()) | {"on_call": self.on_call})

    def is_like(self, other: Network) -> bool:
        """Whether both stores are the same, and the same has left."""
        return (
            self.table.items == other.table.items
            and self.bucket.files == other.bucket.files
            and self.parameters == other.parameters
            and self.mails == other.mails
            and self.queued == other.queued
        )

    def attach(self, session: Session) -> None:
        """Answer this session's requests."""
        events: Any = session.events  # whose types expect handlers that answer nothing
        events.register_first("before-send", self.send)
        # A signature costs a fifth of a call, and nobody here reads it.
        events.register_first("choose-signer", lambda **_: botocore.UNSIGNED)

    def send(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        service, operation = event_name.split(".")[1:]
        target = urlsplit(request.url)
        place = f"{target.path}?{target.query}"
        if_none = "If-None-Match" in request.headers
        call = Call(service, operation, place, _body_of(request), if_none)

        def carry_out() -> AWSResponse:
            if service == "s3":
                found = self.bucket.call(operation, request)
                return _raw_response(request, found.status, found.content, found.headers)
            return _response(request, 200, self._answer(call), {})

        try:
            return self.on_call(call, carry_out)
        except AwsError as error:
            return _error_response(request, service, error)

    def _answer(self, call: Call) -> Answer:
        if call.service == "dynamodb":
            return self.table.call(call.operation, call.body)
        match call.name:
            case "sqs:SendMessageBatch":
                return self._queue(call.body)
            case "sqs:GetQueueAttributes":
                name = call.body["QueueUrl"].rpartition("/")[2]
                waiting = len(self.queued.get(name, []))
                return {"Attributes": {"ApproximateNumberOfMessages": f"{waiting}"}}
            case "sqs:ChangeMessageVisibility":
                return {}  # when a message comes again is the machine's choice
            case "sesv2:SendEmail":
                return self._mail(call.body)
            case "sesv2:GetAccount":
                return {"SendQuota": {"MaxSendRate": 14.0}}
            case "ssm:PutParameter":
                self.parameters[call.body["Name"]] = call.body["Value"]
                return {"Version": 1}
            case "ssm:GetParameter":
                if call.body["Name"] not in self.parameters:
                    raise AwsError("ParameterNotFound")
                return {"Parameter": {"Value": self.parameters[call.body["Name"]]}}
            case _:
                raise AwsError("UnknownOperationException", call.name)

    def _queue(self, body: Mapping[str, Any]) -> Answer:
        name = body["QueueUrl"].rpartition("/")[2]
        entries = body["Entries"]
        if not 0 < len(entries) <= 10:
            raise AwsError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        if sum(len(entry["MessageBody"].encode()) for entry in entries) > 1024 * 1024:
            raise AwsError("AWS.SimpleQueueService.BatchRequestTooLong")
        self.queued.setdefault(name, []).extend(entry["MessageBody"] for entry in entries)
        return {
            "Successful": [
                {
                    "Id": entry["Id"],
                    "MessageId": f"message-{next(self._numbers)}",
                    "MD5OfMessageBody": md5(
                        entry["MessageBody"].encode(), usedforsecurity=False
                    ).hexdigest(),
                }
                for entry in entries
            ],
            "Failed": [],
        }

    def _mail(self, body: Mapping[str, Any]) -> Answer:
        (recipient,) = body["Destination"]["ToAddresses"]
        self.mails.append((recipient, b64decode(body["Content"]["Raw"]["Data"])))
        return {"MessageId": f"ses-{next(self._numbers)}"}


def _body_of(request: AWSPreparedRequest) -> Mapping[str, Any]:
    raw = request.body
    if not isinstance(raw, bytes | bytearray | str) or raw[:1] not in (b"{", "{"):
        return {}
    body: Mapping[str, Any] = json.loads(raw)
    return body


class _Raw(io.BytesIO):
    """What botocore reads an answer from."""

    def stream(self, **_: object) -> Any:
        while chunk := self.read(65_536):
            yield chunk


def _error_response(request: AWSPreparedRequest, service: str, error: AwsError) -> AWSResponse:
    status = 503 if error.code in UNAVAILABLE else _STATUS.get(error.code, 400)
    if service == "s3":
        content = f"<Error><Code>{error.code}</Code></Error>".encode()
        return _raw_response(request, status, content, {"content-type": "application/xml"})
    refusal: Answer = {"__type": f"com.amazonaws#{error.code}", **error.body}
    return _response(request, status, refusal, {"x-amzn-errortype": error.code})


def _response(
    request: AWSPreparedRequest, status: int, body: Answer, headers: Mapping[str, str]
) -> AWSResponse:
    content = json.dumps(body).encode()
    return _raw_response(request, status, content, {"content-type": "application/json", **headers})


def _raw_response(
    request: AWSPreparedRequest, status: int, content: bytes, headers: Mapping[str, str]
) -> AWSResponse:
    lengths = {"content-length": str(len(content))}  # of what HEAD describes it says itself
    return AWSResponse(
        request.url, status, cast("Any", HeadersDict({**lengths, **headers})), _Raw(content)
    )
