"""The rights on the bucket, asked without leaving anything there.

What may be written is asked with a body whose digest is wrong: S3 looks at the right first, and
then refuses the body. What may not be read or written must be refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli.client.check_api import check_clock
from cli.client.findings import Finding, failed, ok, skipped

if TYPE_CHECKING:
    import boto3
    from botocore.exceptions import ClientError

PROBE = "tandem-client-check.csv"
WRONG_DIGEST = base64.b64encode(hashlib.md5(b"another", usedforsecurity=False).digest()).decode()
DENIED = "AccessDenied"
TOO_WIDE = "this right is wider than it should be: tell us"
OURS = "the role has no such right here: is it the bucket and the campaign that you got from us?"
CREDENTIALS = {
    "InvalidAccessKeyId": "the access key is unknown: take on the role again",
    "SignatureDoesNotMatch": "the secret is not that of the access key",
    "ExpiredToken": "take on the role again",
    "InvalidToken": "the session token is not that of the access key: take on the role again",
    "RequestTimeTooSkewed": "set this machine's clock by NTP",
    "NoSuchBucket": "is it the bucket that you got from us?",
}


class _Bucket:
    """The bucket with the rights of the caller; what S3 says to each question."""

    def __init__(self, name: str, session: boto3.Session) -> None:
        from botocore.config import Config

        self.name = name
        self._s3 = session.client(
            "s3",
            config=Config(connect_timeout=10, read_timeout=30, retries={"total_max_attempts": 2}),
        )

    def lists(self, prefix: str) -> list[Mapping[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [dict(one) for page in pages for one in page.get("Contents", [])]

    def first_under(self, prefix: str) -> Mapping[str, Any]:
        """The page with the first file there."""
        return dict(self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1))

    def read(self, key: str) -> bytes:
        return bytes(self._s3.get_object(Bucket=self.name, Key=key)["Body"].read())

    def open(self, key: str) -> None:
        """Ask for a file, and leave it unread."""
        self._s3.get_object(Bucket=self.name, Key=key)["Body"].close()

    def probe(self, key: str) -> None:
        """Try to write; nothing is ever stored."""
        self._s3.put_object(Bucket=self.name, Key=key, Body=b"", ContentMD5=WRONG_DIGEST)


def check_bucket(
    name: str, campaign: str, session: boto3.Session, now: Callable[[], datetime]
) -> list[Finding]:
    """Whether what the client does in the bucket is allowed, and nothing else is."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        bucket = _Bucket(name, session)
        page = bucket.first_under(f"out/{campaign}/")
        return [*_clock(page, now()), *_rights(bucket, campaign, page)]
    except BotoCoreError as error:
        return [failed("bucket", str(error), "may this machine reach S3?")]
    except ClientError as error:
        return [*_clock(error.response, now()), _refused(f"list out/{campaign}/", error)]


def _rights(bucket: _Bucket, campaign: str, page: Mapping[str, Any]) -> list[Finding]:
    """What is allowed beside the first page of what we wrote, and what is not."""
    outgoing, incoming = f"out/{campaign}/", f"in/{campaign}/"
    readable = next((one["Key"] for one in page.get("Contents", [])), None)
    asked: list[tuple[str, Callable[[], object]]] = [
        (f"list {incoming}", lambda: bucket.first_under(incoming))
    ]
    if readable:
        asked.append((f"read {outgoing}", lambda: bucket.open(readable)))
    denied: list[tuple[str, Callable[[], object]]] = [
        ("list the whole bucket", lambda: bucket.first_under("")),
        ("list out/ of others", lambda: bucket.first_under("out/")),
        (f"read {incoming}", lambda: bucket.open(f"{incoming}orders/{PROBE}")),
        (f"write {outgoing}", lambda: bucket.probe(f"{outgoing}{PROBE}")),
        ("write outside in/", lambda: bucket.probe(PROBE)),
    ]
    return [
        ok(f"list {outgoing}", "allowed"),
        *(_allowed(what, ask) for what, ask in asked),
        *([] if readable else [skipped(f"read {outgoing}", "nothing is there yet")]),
        _writable(f"write {incoming}", lambda: bucket.probe(f"{incoming}orders/{PROBE}")),
        *(_denied(what, ask) for what, ask in denied),
        *_receipts(bucket, f"{outgoing}receipts/customers/full/"),
    ]


def _clock(answer: Any, now: datetime) -> list[Finding]:
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return [check_clock(date, now)] if date else []


def _allowed(what: str, ask: Callable[[], object]) -> Finding:
    code, error = _asked(ask)
    return _refused(what, error) if error and code != "NoSuchKey" else ok(what, "allowed")


def _writable(what: str, ask: Callable[[], object]) -> Finding:
    code, error = _asked(ask)
    if code == "BadDigest":
        return ok(what, "allowed")
    if error is None:
        return failed(what, "a file with a wrong digest was stored", "tell us")
    return _refused(what, error)


def _denied(what: str, ask: Callable[[], object]) -> Finding:
    code, _ = _asked(ask)
    name = f"may not {what}"
    return (
        ok(name, "refused, as it should be")
        if code == DENIED
        else failed(name, code or "allowed", TOO_WIDE)
    )


def _asked(ask: Callable[[], object]) -> tuple[str, ClientError | None]:
    from botocore.exceptions import ClientError

    try:
        ask()
    except ClientError as error:
        return str(error.response.get("Error", {}).get("Code", "")), error
    return "", None


def _refused(what: str, error: ClientError) -> Finding:
    details = error.response.get("Error", {})
    code = str(details.get("Code", ""))
    return failed(what, f"{code}: {details.get('Message', '')}", CREDENTIALS.get(code, OURS))


def _receipts(bucket: _Bucket, prefix: str) -> list[Finding]:
    """What our side said of the newest customer list: it knows the canaries of the key."""
    from botocore.exceptions import ClientError

    try:
        found = bucket.lists(prefix)
        newest = max(found, key=lambda one: one["LastModified"])["Key"] if found else None
        receipt = json.loads(bucket.read(newest)) if newest else None
    except ClientError as error:
        return [skipped("last list", f"its receipt cannot be read: {error}")]
    if receipt is None:
        return [skipped("last list", "no receipt of a customer list yet", "drop one")]
    if receipt["status"] == "accepted":
        return [ok("last list", f"{receipt['file']}: accepted, so key and canaries agree")]
    detail = f"{receipt['file']}: {receipt['status']}, {receipt.get('reason')}"
    return [failed("last list", detail, "see the client guide: Reasons a file is refused")]
