"""What the front asks of a token before the emulator does: as much as Cognito."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.front import Desk, front
from local.post_office import PostOffice
from local.serving import listening, serving
from local.sign_in import SignIn

CLIENT = "cl1ent"


class Pool:
    """The emulator's API, which takes a refresh token of any age."""

    def __init__(self) -> None:
        self.revoked: list[str] = []

    def initiate_auth(self, **_: Any) -> Any:
        tokens = {"IdToken": "id", "AccessToken": "access", "ExpiresIn": 900}
        return {"AuthenticationResult": tokens}

    def revoke_token(self, **asked: str) -> None:
        self.revoked.append(asked["Token"])


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def desk(tmp_path: Path, pool: Pool) -> Desk:
    made: Any = pool
    return Desk(
        web=tmp_path,
        post_office=PostOffice(tmp_path / "mail"),
        edge_headers=lambda _path, _headers: {},
        status=lambda: {"ready": True},
        client_token="client",
        sign_in=SignIn("http://127.0.0.1:1", CLIENT, made),
    )


@pytest.fixture
def client(desk: Desk) -> Iterator[httpx.Client]:
    with listening(None) as listener, serving(front(desk), listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=10, trust_env=False) as made:
            yield made


def token(lasts_s: int, use: str = "refresh") -> str:
    claims = {"token_use": use, "exp": time.time() + lasts_s}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{payload}.signature"


def refreshed(client: httpx.Client, **changed: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": token(60)}
    return client.post("/oauth2/token", data=form | changed)


def test_a_refresh_token_is_good_until_it_ends(client: httpx.Client) -> None:
    assert refreshed(client).json() == {
        "id_token": "id",
        "access_token": "access",
        "token_type": "Bearer",
        "expires_in": 900,
    }
    over = refreshed(client, refresh_token=token(-1))
    assert (over.status_code, over.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke"])
def test_no_other_client_and_no_other_form_is_taken(
    client: httpx.Client, pool: Pool, path: str
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": token(60), "token": token(60)}
    for answer in (
        client.post(path, data=form | {"client_id": "another"}),
        client.post(path, data=form),
        client.post(path, json=form | {"client_id": CLIENT}),
        client.post(
            path,
            content=b"client_id=\xff",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        ),
    ):
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_client"})
    assert pool.revoked == []


def test_only_a_refresh_token_is_revoked(client: httpx.Client, pool: Pool) -> None:
    good, other = token(60), token(60, use="id")
    form = {"client_id": CLIENT}
    assert client.post("/oauth2/revoke", data=form | {"token": good}).status_code == 200
    refused = client.post("/oauth2/revoke", data=form | {"token": other})
    assert (refused.status_code, refused.json()) == (400, {"error": "unsupported_token_type"})
    assert pool.revoked == [good]


def test_nobody_signs_in_before_the_stack_is_up(desk: Desk, client: httpx.Client) -> None:
    desk.sign_in = None
    assert refreshed(client).status_code == 503
