"""The front takes a call of the client's systems that is signed as for AWS, and no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey

from local.emulator import REGION
from local.signatures import CLOCKS_DIFFER_BY, SERVICE, is_signed
from tests.infra.test_upstream import desk_of, served

KEY = SigningKey("id", "key")  # the client's principal at the desk
PATH = "/v1/client/vouchers/WE%20X%2F1/redemptions/%231006"


class Api(BaseHTTPRequestHandler):
    """Lets in what the front has signed with the client's key, checked in full, as on AWS: a header
    that is there twice counts as one of both values.
    """

    def do_DELETE(self) -> None:
        length = int(self.headers.get("content-length", 0))
        names = {name.lower() for name in self.headers}
        signed = is_signed(
            self.command,
            f"http://{self.headers['host']}{self.path}",
            {name: ",".join(self.headers.get_all(name, [])) for name in names},
            self.rfile.read(length),
            secrets={"id": "key"},
            now=datetime.now(UTC),
        )
        self.send_response(204 if signed else 403)
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
        with served(desk_of(server.server_port, tmp_path)) as client:
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


@pytest.mark.parametrize("key", [KEY, SigningKey("test", "test")])
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
    "wrong",
    [
        {"key": SigningKey("id", "other")},
        {"key": SigningKey("other", "key")},
        {"service": "s3"},
        {"region": "eu-west-1"},
    ],
    ids=["secret", "id", "service", "region"],
)
def test_another_key_service_or_region_is_refused(
    front: httpx.Client, wrong: dict[str, str]
) -> None:
    headers = headers_of("DELETE", f"{front.base_url}{PATH}", **wrong)  # type: ignore[arg-type]
    assert front.delete(PATH, headers=headers).status_code == 403


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


def checked(headers: dict[str, str], now: datetime, body: bytes = b"") -> bool:
    named = {name.lower(): value for name, value in headers.items()}
    named.setdefault("host", "127.0.0.1:8000")
    return is_signed("DELETE", URL, named, body, secrets={"id": "key"}, now=now)


@pytest.mark.parametrize("off", [CLOCKS_DIFFER_BY, -CLOCKS_DIFFER_BY])
def test_a_signature_holds_for_minutes(off: timedelta) -> None:
    headers = headers_of("DELETE", URL)
    at = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert checked(headers, at + off)
    assert not checked(headers, at + off * 1.1)


def test_a_time_that_is_not_signed_is_not_trusted() -> None:
    """Otherwise a call could be sent again at any time."""
    time = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    request = AWSRequest("DELETE", URL, data=b"", headers={"host": "127.0.0.1:8000"})
    request.context["timestamp"] = time
    signer = SigV4Auth(KEY, SERVICE, REGION)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    scope = f"Credential={signer.scope(request)}, SignedHeaders=host"
    signature = signer.signature(text, request)
    headers = {"authorization": f"AWS4-HMAC-SHA256 {scope}, Signature={signature}"}
    assert not checked(headers | {"x-amz-date": time}, datetime.now(UTC))


def test_the_digest_in_the_headers_is_that_of_the_body() -> None:
    unsigned = headers_of("DELETE", URL) | {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    assert not checked(unsigned, datetime.now(UTC))
