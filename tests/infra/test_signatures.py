"""The front takes a call of the client's systems that is signed as for AWS, and no other."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey

from chalicelib.api.gateway import GATEWAY_PROBLEMS, gateway_problem
from infra.postprocess.api import _gateway_responses
from infra.postprocess.shapes import object_at
from local.deployment import SessionCredentials
from local.emulator import REGION
from local.signatures import (
    CLOCKS_DIFFER_BY,
    SERVICE,
    Call,
    Key,
    SignatureError,
    check_signature,
)
from tests.infra.test_upstream import desk_of, served

KEY = SigningKey("id", "key")  # the client's principal at the desk
SESSION = SigningKey("session", "its key", "its token")
KEYS = {"id": Key("key"), "session": Key("its key", "its token")}
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details.\n\n"
    "The Canonical String for this request should have been\n'DELETE\n"
)
SCOPE = (
    "Credential should be scoped to a valid region, not 'eu-west-1'. "
    "Credential should be scoped to correct service: 'execute-api'. "
)
PATH = "/v1/client/vouchers/WE%20X%2F1/redemptions/%231006"


class Api(BaseHTTPRequestHandler):
    """Lets in what the front has signed with the client's key, checked in full, as on AWS: a header
    that is there twice counts as one of both values.
    """

    def do_DELETE(self) -> None:
        length = int(self.headers.get("content-length", 0))
        names = {name.lower() for name in self.headers}
        call = Call(
            self.command,
            f"http://{self.headers['host']}{self.path}",
            {name: ",".join(self.headers.get_all(name, [])) for name in names},
            self.rfile.read(length),
        )
        try:
            check_signature(call, {"id": Key("key")}, datetime.now(UTC))
            self.send_response(204)
        except (KeyError, SignatureError):
            self.send_response(500)
        self.end_headers()

    def do_POST(self) -> None:
        self.do_DELETE()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def front(tmp_path: Path) -> Iterator[httpx.Client]:
    """The front, before an API that answers every call."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        desk = desk_of(server.server_port, tmp_path)
        assert desk.upstream is not None
        desk.upstream.session = SessionCredentials("session", "its key", "its token")
        with served(desk) as client:
            yield client
        server.shutdown()
        thread.join()


def headers_of(
    method: str,
    url: str,
    body: bytes = b"",
    key: SigningKey = KEY,
    service: str = SERVICE,
    region: str = REGION,
) -> dict[str, str]:
    """The headers with which the client's systems sign a call."""
    request = AWSRequest(method, url, data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(key, service, region).add_auth(request)
    return dict(request.headers.items())


@pytest.mark.parametrize("key", [KEY, SESSION, SigningKey("test", "test")])
@pytest.mark.parametrize("path", ["/v1/client/orders", PATH, f"{PATH}?a=%2F&b="])
def test_a_signed_call_is_let_in(front: httpx.Client, path: str, key: SigningKey) -> None:
    headers = headers_of("DELETE", f"{front.base_url}{path}".replace(":80/", "/"), key=key)
    assert front.delete(path, headers=headers).status_code == 204


def test_a_signature_is_of_the_body(front: httpx.Client) -> None:
    url = f"{front.base_url}/v1/client/orders"
    headers = headers_of("POST", url, b'{"orders": []}')
    assert front.post(url, content=b'{"orders": []}', headers=headers).status_code == 204
    refused = front.post(url, content=b'{"orders": [1]}', headers=headers)
    assert (refused.status_code, refused.headers["content-type"]) == (
        403,
        "application/problem+json",
    )


@pytest.mark.parametrize(
    ("wrong", "error", "detail"),
    [
        (
            {"key": SigningKey("id", "other")},
            "InvalidSignatureException",
            MISMATCH,
        ),
        (
            {"key": SigningKey("other", "key")},
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            {"key": SigningKey("session", "its key")},
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            {"key": SigningKey("id", "key", "a token of nobody's")},
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            {"service": "s3", "region": "eu-west-1"},
            "InvalidSignatureException",
            SCOPE,
        ),
    ],
    ids=["secret", "id", "no session token", "another session token", "scope"],
)
def test_another_key_service_or_region_is_refused_in_the_gateways_words(
    front: httpx.Client, wrong: dict[str, Any], error: str, detail: str
) -> None:
    headers = headers_of("DELETE", f"{front.base_url}{PATH}", **wrong)
    refused = front.delete(PATH, headers=headers)
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["x-amzn-errortype"] == error
    problem = refused.json()
    assert problem["detail"].startswith(detail)
    kind = "INVALID_SIGNATURE" if error.startswith("Invalid") else "DEFAULT_4XX"
    assert problem == {**gateway_problem(kind), "detail": problem["detail"]}


def test_an_unsigned_call_is_answered_as_the_gateway_answers_an_unknown_route(
    front: httpx.Client,
) -> None:
    refused = front.delete(PATH)
    assert refused.status_code == 404
    assert refused.json() == gateway_problem("MISSING_AUTHENTICATION_TOKEN")


def test_a_token_that_is_not_the_fronts_is_a_signature_that_cannot_be_read(
    front: httpx.Client,
) -> None:
    refused = front.delete(PATH, headers={"Authorization": "Bearer no"})
    assert refused.status_code == 403
    assert refused.json()["detail"] == (
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 "
        f"and encoded with Base64): '{b64encode(sha256(b'Bearer no').digest()).decode()}'."
    )


@pytest.mark.parametrize(
    "kind", ["INVALID_SIGNATURE", "EXPIRED_TOKEN", "ACCESS_DENIED", "DEFAULT_4XX"]
)
def test_the_gateways_own_words_reach_the_caller_on_aws(kind: str) -> None:
    (status,) = (status for each, status, *_ in GATEWAY_PROBLEMS if each == kind)
    responses = object_at(object_at(_gateway_responses(), kind), "responseTemplates")
    template = responses["application/json"]
    rendered = json.loads(str(template).replace("$context.error.messageString", '"Its words"'))
    assert rendered == {**gateway_problem(kind), "detail": "Its words"}
    assert status in {403, None}


@pytest.mark.parametrize(
    "once", ["/v1/client/vouchers/WE%20X%2F1/redemptions/%231006", "/v1/client/orders?a=%2F"]
)
def test_a_path_that_is_encoded_once_in_the_signature_is_refused(
    front: httpx.Client, once: str
) -> None:
    """As some versions of curl sign: it works until an id has such a character."""
    url = f"{front.base_url}{once}"
    request = AWSRequest("DELETE", url, data=b"")
    S3SigV4Auth(KEY, SERVICE, REGION).add_auth(request)
    headers = dict(request.headers.items())
    assert front.delete(once, headers=headers).status_code == (403 if "%20" in once else 204)


def test_a_signature_of_another_call_is_refused(front: httpx.Client) -> None:
    other = headers_of("DELETE", f"{front.base_url}{PATH}7")
    assert front.delete(PATH, headers=other).status_code == 403
    posted = headers_of("POST", f"{front.base_url}{PATH}")
    assert front.delete(PATH, headers=posted).status_code == 403


def test_a_signature_lets_nobody_into_the_routes_of_ops(front: httpx.Client) -> None:
    path = "/v1/ops/campaigns/none/dashboard"
    headers = headers_of("DELETE", f"{front.base_url}{path}")
    assert front.delete(path, headers=headers).status_code == 401


URL = "http://127.0.0.1:8000/v1/client/orders"


def problem_of(headers: dict[str, str], now: datetime | None = None, body: bytes = b"") -> str:
    """What is wrong with a signature; nothing where all is right."""
    named = {name.lower(): value for name, value in headers.items()}
    named.setdefault("host", "127.0.0.1:8000")
    try:
        check_signature(Call("DELETE", URL, named, body), KEYS, now or datetime.now(UTC))
    except SignatureError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("off", "said"),
    [(CLOCKS_DIFFER_BY, "Signature expired: "), (-CLOCKS_DIFFER_BY, "Signature not yet current: ")],
)
def test_a_signature_holds_for_minutes(off: timedelta, said: str) -> None:
    headers = headers_of("DELETE", URL)
    at = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert problem_of(headers, at + off) == ""
    assert problem_of(headers, at + off * 1.1).startswith(said + headers["X-Amz-Date"])


def test_the_skew_is_said_as_the_gateway_says_it() -> None:
    headers = headers_of("DELETE", URL) | {"X-Amz-Date": "20260504T120000Z"}
    assert problem_of(headers, datetime(2026, 5, 4, 12, 5, 1, tzinfo=UTC)) == (
        "Signature expired: 20260504T120000Z is now earlier than 20260504T120001Z "
        "(20260504T120501Z - 5 min.)"
    )
    assert problem_of(headers, datetime(2026, 5, 4, 11, 54, 59, tzinfo=UTC)) == (
        "Signature not yet current: 20260504T120000Z is still later than 20260504T115959Z "
        "(20260504T115459Z + 5 min.)"
    )


@pytest.mark.parametrize(
    ("found", "put", "said"),
    [
        ("Signature=", "Sign=", "Authorization header requires 'Signature' parameter. (Hashed"),
        ("Credential=id/", "Credential=id/x/", "Credential must have exactly 5 slash-delimited"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'."),
        ("host;", "", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."),
        (";x-amz-date", "", "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization."),
        ("Credential=id/20", "Credential=id/19", "Date in Credential scope does not match"),
        ("Signature=", "Signature=é", "The request signature we calculated does not match"),
    ],
)
def test_a_header_that_is_not_whole_is_refused(found: str, put: str, said: str) -> None:
    headers = headers_of("DELETE", URL)
    assert found in headers["Authorization"]
    changed = headers | {"Authorization": headers["Authorization"].replace(found, put)}
    assert problem_of(changed).startswith(said)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (None, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date'"),
        ("yesterday", "Date must be in ISO-8601 'basic format'. Got 'yesterday'."),
    ],
)
def test_a_time_that_is_missing_or_no_time_is_refused(time: str | None, said: str) -> None:
    headers = headers_of("DELETE", URL)
    del headers["X-Amz-Date"]
    assert problem_of(headers | ({"X-Amz-Date": time} if time else {})).startswith(said)


def test_the_digest_in_the_headers_is_that_of_the_body() -> None:
    request = AWSRequest(
        "DELETE", URL, data=b"", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    )
    SigV4Auth(KEY, SERVICE, REGION).add_auth(request)
    headers = dict(request.headers.items())
    assert problem_of(headers).startswith("The request signature we calculated does not match")


def test_a_header_of_awss_own_that_is_not_signed_is_refused() -> None:
    headers = headers_of("DELETE", URL) | {"X-Amz-Content-SHA256": sha256(b"").hexdigest()}
    assert problem_of(headers).startswith("'x-amz-content-sha256' must be a 'SignedHeader'")
