"""Signature Version 4 on calls to the front, checked as API Gateway checks it.

The front takes a signature beside its own token, so that a call signed for AWS is made unchanged to
the local stack. Temporary credentials are unknown here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey

from local.emulator import REGION

SERVICE: Final = "execute-api"
CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
ALGORITHM: Final = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^/]+)/([0-9]{{8}})/{REGION}/{SERVICE}/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_MUST_BE_SIGNED = frozenset({"host", "x-amz-date"})


def is_signed(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Mapping[str, str],
    now: datetime,
) -> bool:
    """Whether a call has a good signature by one of the keys; `secrets` by access key id.

    `url` is the call's as sent, `headers` have lower-case names.
    """
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        return False
    key_id, day, names, signature = found.groups()
    signed = {name: headers[name] for name in names.split(";") if name in headers}
    secret = secrets.get(key_id)
    if secret is None or not signed.keys() >= _MUST_BE_SIGNED:
        return False
    time = signed["x-amz-date"]
    if not time.startswith(day) or not _is_now(time, now):
        return False
    digest = hashlib.sha256(body).hexdigest()
    if headers.get("x-amz-content-sha256", digest) != digest:
        return False
    expected = _signature(AWSRequest(method, url, headers=signed, data=body), time, key_id, secret)
    return hmac.compare_digest(signature, expected)


def _is_now(time: str, now: datetime) -> bool:
    try:
        at = datetime.strptime(time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(now - at) <= CLOCKS_DIFFER_BY


def _signature(request: AWSRequest, time: str, key_id: str, secret: str) -> str:
    """The signature that botocore gives such a request at that time."""
    signer = SigV4Auth(SigningKey(key_id, secret), SERVICE, REGION)
    request.context["timestamp"] = time
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))
