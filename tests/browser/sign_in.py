"""Signing in to the dashboard, as the scripted pages and the token endpoint do it."""

from __future__ import annotations

import base64
import json
from typing import Any

from playwright.sync_api import Page

from .front import Call, ScriptedApi

TOKEN = "POST /oauth2/token"
REVOCATION = "POST /oauth2/revoke"
DASHBOARD = "GET /v1/ops/campaigns/demo-vip/dashboard"
QUARTER_OF_AN_HOUR = 15 * 60

# A session of this tab, as if somebody had signed in before the page was opened.
SESSION = """if (!sessionStorage["test.begun"]) {
  sessionStorage["test.begun"] = "yes";
  sessionStorage["tandem.session"] = JSON.stringify(
    { idToken: "IDTOKEN", refreshToken: "refresh-1", renewAt: Date.now() + 840000 });
}"""
# State, nonce and verifier in the order that the page draws them.
DRAWN = """let drawn = 0; crypto.getRandomValues = (bytes) => bytes.fill(++drawn);"""


def id_token(number: int = 1, **claims: object) -> str:
    """A token that says who it is; nobody checks its signature but the API."""
    said = {"email": "marie@agence.example", "number": number, **claims}
    payload = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"head.{payload}.signature"


def signed_in() -> str:
    """A script that makes this tab one where somebody has signed in."""
    return SESSION.replace("IDTOKEN", id_token())


def tokens(number: int = 1, *, refresh: bool = True, **claims: object) -> dict[str, object]:
    """What the token endpoint answers."""
    found: dict[str, object] = {
        "id_token": id_token(number, **claims),
        "expires_in": QUARTER_OF_AN_HOUR,
    }
    return found | ({"refresh_token": "refresh-1"} if refresh else {})


def drawn(number: int) -> str:
    """What the page has drawn, after `DRAWN`."""
    return base64.urlsafe_b64encode(bytes([number]) * 32).decode().rstrip("=")


def asked_for(api: ScriptedApi) -> dict[str, str]:
    """What the page asked the sign-in pages for, the last time."""
    body: Any = api.made("GET /pool/oauth2/authorize")[-1].body
    return dict(body)


def bearers(api: ScriptedApi) -> list[str]:
    """The tokens that the numbers were asked for with, in order."""
    return [call.headers["authorization"].removeprefix("Bearer ") for call in api.made(DASHBOARD)]


def form(call: Call) -> dict[str, str]:
    """The form of a call to the token endpoint."""
    assert isinstance(call.body, dict)
    return call.body


def stored(page: Page) -> dict[str, Any]:
    """What this tab has stored."""
    found: dict[str, Any] = page.evaluate("Object.fromEntries(Object.entries(sessionStorage))")
    return found
