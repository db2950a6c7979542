"""Signature Version 4 on calls to the front, checked as API Gateway checks it.

The front takes a signature beside its own token, so that a call signed for AWS is made unchanged to
the local stack, and one that AWS would refuse is refused in the gateway's own words. Long-lived
keys and those of a session are known. A signature in the query string is taken for none.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey

from local.emulator import REGION

SERVICE: Final = "execute-api"
CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
ALGORITHM: Final = "AWS4-HMAC-SHA256"
_TIME: Final = "%Y%m%dT%H%M%SZ"
_PARTS: Final = ("Credential", "Signature", "SignedHeaders")
_UNKNOWN: Final = "The security token included in the request is invalid."
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)
_NO_DATE: Final = (
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
)


@dataclass(frozen=True)
class Key:
    """What belongs to an access key id; `session_token` is empty for a long-lived key."""

    secret: str
    session_token: str = ""


class Call(NamedTuple):
    """A call as sent: the whole address, headers with lower-case names."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class SignatureError(Exception):
    """Why a signature is refused: the gateway's kind of response, its error, its own words."""

    response: str
    error: str
    message: str


class _Signature(NamedTuple):
    key_id: str
    day: str
    region: str
    service: str
    names: tuple[str, ...]
    value: str


def check_signature(call: Call, keys: Mapping[str, Key], now: datetime) -> None:
    """Raise SignatureError unless the call is signed by one of the keys, which are by their id."""
    signature = _read(call.headers)
    time = _check_time(signature, call.headers, now)
    key = keys.get(signature.key_id)
    token = call.headers.get("x-amz-security-token", "")
    if key is None or not hmac.compare_digest(token.encode(), key.session_token.encode()):
        raise SignatureError("DEFAULT_4XX", "UnrecognizedClientException", _UNKNOWN)
    _check_scope(signature)
    _check_names(signature, call.headers)
    _check_value(signature, call, time, key)


def _read(headers: Mapping[str, str]) -> _Signature:
    given = headers["authorization"]
    algorithm, _, rest = given.partition(" ")
    parts = [part.strip() for part in rest.split(",")]
    if any("=" not in part for part in parts):
        raise _incomplete(
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with "
            f"SHA-256 and encoded with Base64): '{_hashed(given)}'."
        )
    fields = dict(part.split("=", 1) for part in parts)
    missing = [
        f"Authorization header requires '{one}' parameter." for one in _PARTS if not fields.get(one)
    ]
    if "x-amz-date" not in headers:
        missing.append(_NO_DATE)
    if missing:
        raise _incomplete(
            f"{' '.join(missing)} (Hashed with SHA-256 and encoded with Base64) "
            f"Authorization={_hashed(given)}"
        )
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{algorithm}'. ")
    scope = fields["Credential"].split("/")
    if len(scope) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/"
            f"service/term, got '{fields['Credential']}'"
        )
    key_id, day, region, service, _ = scope
    names = tuple(fields["SignedHeaders"].split(";"))
    return _Signature(key_id, day, region, service, names, fields["Signature"])


def _check_time(signature: _Signature, headers: Mapping[str, str], now: datetime) -> str:
    """The time in the headers, when it is about now."""
    time = headers["x-amz-date"]
    try:
        at = datetime.strptime(time, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise _wrong(
            f"Date must be in ISO-8601 'basic format'. Got '{time}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        ) from None
    earliest, latest = now - CLOCKS_DIFFER_BY, now + CLOCKS_DIFFER_BY
    if at < earliest:
        raise _wrong(
            f"Signature expired: {time} is now earlier than {earliest:{_TIME}} "
            f"({now:{_TIME}} - 5 min.)"
        )
    if at > latest:
        raise _wrong(
            f"Signature not yet current: {time} is still later than {latest:{_TIME}} "
            f"({now:{_TIME}} + 5 min.)"
        )
    if not time.startswith(signature.day):
        raise _wrong(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP. "
        )
    return time


def _check_scope(signature: _Signature) -> None:
    faults = ""
    if signature.region != REGION:
        faults += f"Credential should be scoped to a valid region, not '{signature.region}'. "
    if signature.service != SERVICE:
        faults += f"Credential should be scoped to correct service: '{SERVICE}'. "
    if faults:
        raise _wrong(faults)


def _check_names(signature: _Signature, headers: Mapping[str, str]) -> None:
    """The host is part of every signature, and so is every header of AWS's own."""
    if "host" not in signature.names:
        raise _wrong("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    for name in headers:
        if name.startswith("x-amz-") and name not in signature.names:
            raise _wrong(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")


def _check_value(signature: _Signature, call: Call, time: str, key: Key) -> None:
    signed = {name: call.headers[name] for name in signature.names if name in call.headers}
    # What is signed is the body that arrived, whatever the headers say of it.
    signed_body = call.headers.get("x-amz-content-sha256", hashlib.sha256(call.body).hexdigest())
    request = AWSRequest(call.method, call.url, headers=signed, data=call.body)
    request.context["timestamp"] = time
    signer = SigV4Auth(SigningKey(signature.key_id, key.secret), SERVICE, REGION)
    canonical = signer.canonical_request(request)
    text = signer.string_to_sign(request, canonical)
    expected = str(signer.signature(text, request))
    if (
        hmac.compare_digest(signature.value.encode(), expected.encode())
        and signed_body == hashlib.sha256(call.body).hexdigest()
    ):
        return
    raise _wrong(
        f"{_MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'"
        f"\n\nThe String-to-Sign should have been\n'{text}'\n"
    )


def _hashed(given: str) -> str:
    return base64.b64encode(hashlib.sha256(given.encode()).digest()).decode()


def _incomplete(message: str) -> SignatureError:
    return SignatureError("DEFAULT_4XX", "IncompleteSignatureException", message)


def _wrong(message: str) -> SignatureError:
    return SignatureError("INVALID_SIGNATURE", "InvalidSignatureException", message)
