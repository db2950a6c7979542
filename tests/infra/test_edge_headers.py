"""What the edge lets each kind of answer do."""

from __future__ import annotations

import json

import pytest

from chalicelib.api.page_policy import PAGE_POLICY
from infra.package import Package
from local.edge_headers import EdgeHeaders, edge_headers

NOTHING = "default-src 'none'; frame-ancestors 'none'"
OWN = "default-src 'none'; style-src 'self'"


@pytest.fixture(scope="module")
def added(made: Package) -> EdgeHeaders:
    return edge_headers(json.loads(made.template.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("path", "own", "policy"),
    [
        ("/", None, PAGE_POLICY),
        ("/referee/", None, PAGE_POLICY),
        ("/p/K7QM2", PAGE_POLICY, PAGE_POLICY),
        ("/assets/0123.js", None, NOTHING),
        ("/pictures/demo/logo.svg", None, NOTHING),
        ("/v1/campaigns/demo", None, NOTHING),
        ("/oauth2/token", None, NOTHING),
        ("/v1/unsubscribe/t0k/page", OWN, OWN),
        ("/favicon.svg", None, PAGE_POLICY),
    ],
)
def test_pages_run_their_scripts_and_everything_else_does_nothing(
    added: EdgeHeaders, path: str, own: str | None, policy: str
) -> None:
    answered = {} if own is None else {"Content-Security-Policy": own}
    headers = answered | added(path, answered)
    assert headers["Content-Security-Policy"] == policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
