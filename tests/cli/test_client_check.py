"""`tandem client check`: what it says of the API, of digests and of files.

The bucket's rights are asked of a stack: tests/e2e/test_client_check.py.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from chalicelib.domain.addresses import DigestKey
from cli.client import check_files
from cli.client.check_api import NOBODYS_CODE
from cli.hashing.manifest import canaries
from local.signatures import Call, Key, SignatureError, check_signature

Tandem = Callable[..., Result]
Serving = Callable[[type[BaseHTTPRequestHandler]], AbstractContextManager[int]]
UNKNOWN = {
    "type": "urn:tandem:problem:not-found",
    "title": "Not found",
    "status": 404,
    "detail": "This voucher does not exist.",
}


class Api(BaseHTTPRequestHandler):
    """Answers a call for nobody's code as the API does, once its signature is right."""

    behind = timedelta(0)
    answer: tuple[int, Any] | None = None

    def do_GET(self) -> None:
        url = f"http://{self.headers['host']}{self.path}"
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, body = 404, UNKNOWN
        try:
            now = datetime.now(UTC) - self.behind
            check_signature(Call("GET", url, headers, b""), {"id": Key("key", "token")}, now)
        except SignatureError as error:
            status, body = 403, {"title": "The signature is refused", "detail": error.message}
        if self.path != f"/api/v1/client/vouchers/{NOBODYS_CODE}":
            status, body = 404, {"type": UNKNOWN["type"], "title": "No such resource"}
        status, body = self.answer or (status, body)
        self.send_response_only(status)
        self.send_header("Date", format_datetime(datetime.now(UTC) - self.behind, usegmt=True))
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def api(serving: Serving) -> Iterator[str]:
    with serving(Api) as port:
        yield f"http://127.0.0.1:{port}/api"


def findings(done: Result) -> dict[str, tuple[str, str, str]]:
    read = json.loads(done.stdout)
    assert read["ok"] is (done.exit_code == 0)
    return {one["what"]: (one["state"], one["detail"], one["do"]) for one in read["findings"]}


def test_a_signed_call_is_answered(tandem: Tandem, api: str) -> None:
    done = tandem("client", "check", api, "--json")
    found = findings(done)
    assert {name: state for name, (state, *_) in found.items()} == {
        "recipe": "ok", "key": "skipped", "connection": "ok", "clock": "ok", "signature": "ok",
        "answer": "ok",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "value", "said", "do"),
    [
        ("AWS_SECRET_ACCESS_KEY", "x", "The request signature we calculated", "the secret"),
        ("AWS_ACCESS_KEY_ID", "x", "The security token included", "the access key is unknown"),
        ("AWS_SESSION_TOKEN", "x", "The security token included", "the access key is unknown"),
        ("AWS_DEFAULT_REGION", "eu-west-1", "Credential should be scoped", "sign for the region"),
    ],
)
def test_a_refused_signature_says_why_and_what_to_do(
    tandem: Tandem,
    api: str,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    said: str,
    do: str,
) -> None:
    monkeypatch.setenv(variable, value)
    done = tandem("client", "check", api, "--json")
    assert done.exit_code == 1
    state, told, advice = findings(done)["signature"]
    assert state == "failed"
    assert told.startswith(said)
    assert "\n" not in told
    assert advice.startswith(do)


def test_a_clock_that_is_off_is_named_before_the_signature_it_spoils(
    tandem: Tandem, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Api, "behind", timedelta(minutes=10))
    done = tandem("client", "check", api)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    (at,) = (number for number, line in enumerate(lines) if line.startswith("failed  clock: "))
    assert lines[at].endswith(" s ahead")
    assert lines[at + 1].strip().startswith("→ set it by NTP")
    assert lines[at + 2].startswith("failed  signature: Signature not yet current: ")


def test_a_clock_is_looked_at_even_where_signatures_still_hold(
    tandem: Tandem, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Api, "behind", timedelta(seconds=-90))
    found = findings(tandem("client", "check", api, "--json"))
    assert found["clock"][:2] in [("failed", f"{n} s behind") for n in range(85, 96)]
    assert found["signature"][0] == "ok"


@pytest.mark.parametrize(
    ("answer", "what", "said"),
    [
        ((404, {"type": UNKNOWN["type"], "title": "No such page"}), "answer", "No such page"),
        ((200, {"page": "of somebody else"}), "answer", "200"),
        ((503, {"title": "Try again later"}), "answer", "503 Try again later"),
        ((403, ["not ours"]), "signature", "403"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_the_apis_is_a_failure(
    tandem: Tandem, api: str, monkeypatch: pytest.MonkeyPatch, answer: Any, what: str, said: str
) -> None:
    monkeypatch.setattr(Api, "answer", answer)
    done = tandem("client", "check", api, "--json")
    assert done.exit_code == 1
    assert findings(done)[what][:2] == ("failed", said)


def test_an_address_where_nothing_listens_is_a_failure(tandem: Tandem) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    done = tandem("client", "check", f"http://127.0.0.1:{port}", "--json")
    assert done.exit_code == 1
    assert findings(done)["connection"][0] == "failed"


def test_without_credentials_it_says_so(
    tandem: Tandem, api: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    done = tandem("client", "check", api)
    assert (done.exit_code, done.stderr.startswith("no AWS credentials: ")) == (1, True)


@pytest.mark.parametrize("target", ["https://api.example/api", "bucket"])
def test_a_profile_that_is_not_there_is_named(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    done = tandem("client", "check", target, "--campaign", "demo-vip")
    assert done.exit_code == 1
    assert done.stderr == "The config profile (nobodys) could not be found\n"


def test_a_bucket_that_cannot_be_reached_is_a_failure(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    done = tandem("client", "check", "bucket", "--campaign", "demo-vip", "--json")
    assert done.exit_code == 1
    assert findings(done)["bucket"][2] == "may this machine reach S3?"


def test_the_region_is_that_of_the_address_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.client.aws import session_of

    url = "https://abc.execute-api.eu-central-1.amazonaws.com/api"
    assert session_of(None, url).region_name == "eu-central-1"
    assert session_of("eu-west-1", url).region_name == "eu-west-1"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(Exception, match="no region: say --region"):
        session_of(None, "https://api.example/api")


def test_a_bucket_needs_its_campaign(tandem: Tandem) -> None:
    done = tandem("client", "check", "bucket")
    assert (done.exit_code, done.stderr) == (
        1, "say which campaign in bucket: --campaign NAME\n",
    )  # fmt: skip


# --- digests and files --------------------------------------------------------------------------

KEY = DigestKey("k1", secret=b"sixteen bytes or")
DIGEST = "ab" * 32


def keyed(tmp_path: Path) -> list[str]:
    (tmp_path / "k1.key").write_text(KEY.secret.hex())
    return ["--key-id", "k1", "--key-file", str(tmp_path / "k1.key")]


def test_the_canaries_of_the_key_are_shown_and_the_key_is_not(
    tandem: Tandem, tmp_path: Path
) -> None:
    done = tandem("client", "check", *keyed(tmp_path))
    assert done.exit_code == 0
    assert all(canary in done.stdout for canary in canaries(KEY, 2))
    assert KEY.secret.hex() not in done.output


def test_a_recipe_that_differs_from_the_published_one_is_a_failure(
    tandem: Tandem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = json.loads(check_files.VECTORS[1].read_bytes())
    vectors["cases"][2]["hmac_sha256_canonical"] = DIGEST
    (tmp_path / "digests.json").write_text(json.dumps(vectors))
    monkeypatch.setattr(check_files, "VECTORS", (tmp_path / "digests.json",))
    done = tandem("client", "check", "--json")
    assert done.exit_code == 1
    assert findings(done)["recipe"][1] == f"1 of {len(vectors['cases'])} published cases differ"


def test_a_list_is_held_against_its_manifest_and_its_key(tandem: Tandem, tmp_path: Path) -> None:
    source = tmp_path / "full.csv"
    source.write_text("".join(f"{one}\n" for one in [*canaries(KEY, 2), DIGEST]))
    options = ["--list", source, *keyed(tmp_path), "--json"]
    assert findings(tandem("client", "check", *options))["manifest"][0] == "skipped"
    assert tandem("manifest", source, *keyed(tmp_path)).exit_code == 0
    found = findings(tandem("client", "check", *options))
    assert (found["list"][0], found["manifest"][0]) == ("ok", "ok")
    with source.open("a") as file:
        file.write(f"{DIGEST}\n")
    found = findings(done := tandem("client", "check", *options))
    assert done.exit_code == 1
    assert found["manifest"][:2] == (
        "failed", f"{tmp_path}/full.manifest.json: not of this list: rows, sha256",
    )  # fmt: skip
    (tmp_path / "full.manifest.json").write_text("[]")
    assert findings(tandem("client", "check", *options))["manifest"][1].endswith("_not_json")
    source.write_text(f"{DIGEST}\n")
    said = findings(tandem("client", "check", *options))["list"][1]
    assert "the canaries of this key are not in it" in said


def test_a_manifest_of_another_key_is_a_failure(tandem: Tandem, tmp_path: Path) -> None:
    source = tmp_path / "full.csv"
    source.write_text("".join(f"{one}\n" for one in [*canaries(KEY, 2), DIGEST]))
    assert tandem("manifest", source, "--key-id", "k2").exit_code == 0
    found = findings(tandem("client", "check", "--list", source, *keyed(tmp_path), "--json"))
    assert found["manifest"][1].endswith("not of this list: key_id")


@pytest.mark.parametrize(
    ("header", "state", "said"),
    [
        ("status,order_id,ordered_at,email_digest,voucher_code,amount,currency", "ok", "header"),
        ("order_id;ordered_at", "skipped", "other_delimiter found a semicolon"),
        ("order_id,ordered_at", "failed", "line 1: missing_column email_digest, voucher_code"),
        ("", "failed", "empty_file"),
    ],
)
def test_the_header_of_an_order_file_is_read(
    tandem: Tandem, tmp_path: Path, header: str, state: str, said: str
) -> None:
    source = tmp_path / "orders.csv"
    source.write_text(header)
    found = findings(tandem("client", "check", "--orders", source, "--json"))
    assert found["orders"][0] == state
    assert said in found["orders"][1]
