"""What limits each caller by address: the rules of infra/edge.yaml, played as AWS WAF counts."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.short_forms import read_template
from local.front import Desk, front
from local.post_office import PostOffice
from local.serving import listening, serving
from local.web_acl import EDGE, WebAcl, web_acl

LAPTOP, SOMEBODY = "203.0.113.5", "203.0.113.6"
SIGN_IN = "/v1/campaigns/demo-vip/sign-in"
UNSUBSCRIBE = "/v1/unsubscribe/token"
FIVE_MINUTES = 300


@dataclass
class Clock:
    """Seconds, moved by hand."""

    at: float = 0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def acl(clock: Clock) -> WebAcl:
    return web_acl(clock)


def flood(acl: WebAcl, method: str, path: str, times: int = 5000) -> None:
    for _ in range(times):
        acl.refusing(LAPTOP, method, path)


def test_law_12_one_address_that_floods_is_stopped_and_the_others_are_not(acl: WebAcl) -> None:
    flood(acl, "POST", SIGN_IN)
    assert acl.refusing(LAPTOP, "POST", SIGN_IN) == "actions"
    assert acl.refusing(SOMEBODY, "POST", SIGN_IN) is None


@pytest.mark.parametrize(
    ("method", "path"), [("POST", SIGN_IN), ("DELETE", "/v1/sponsor/session"), ("GET", "/v1/x")]
)
def test_law_12_whatever_an_address_floods_it_can_still_unsubscribe(
    acl: WebAcl, method: str, path: str
) -> None:
    flood(acl, method, path)
    assert acl.refusing(LAPTOP, method, path)
    assert acl.refusing(LAPTOP, "POST", UNSUBSCRIBE) is None
    assert acl.refusing(LAPTOP, "GET", f"{UNSUBSCRIBE}/page") is None


def test_one_address_cannot_shut_others_out_of_unsubscribing(acl: WebAcl) -> None:
    flood(acl, "POST", UNSUBSCRIBE)
    assert acl.refusing(LAPTOP, "POST", UNSUBSCRIBE) == "unsubscribes"
    assert acl.refusing(LAPTOP, "POST", SIGN_IN) is None


@pytest.mark.parametrize(
    "path",
    [
        "//v1/campaigns/demo-vip/sign-in",
        "/v1/campaigns/demo-vip/sign%2Din",
        "/%76%31/campaigns/demo-vip/sign-in",
        "/v1/unsubscribe/../campaigns/demo-vip/sign-in",
        "/v1/unsubscribe/%2e%2e/campaigns/demo-vip/sign-in",
        "/./v1/campaigns/demo-vip/sign-in",
    ],
)
def test_another_spelling_of_a_path_is_counted_with_it(acl: WebAcl, path: str) -> None:
    flood(acl, "POST", path)
    assert acl.refusing(LAPTOP, "POST", SIGN_IN) == "actions"


def test_pages_are_not_limited(acl: WebAcl) -> None:
    flood(acl, "GET", "/sponsor/")
    assert acl.refusing(LAPTOP, "GET", "/sponsor/") is None


def test_pages_of_shared_links_are_limited_because_the_api_makes_them(acl: WebAcl) -> None:
    flood(acl, "GET", "/p/k7qm2")
    assert acl.refusing(LAPTOP, "GET", "/p/other") == "reads"
    assert acl.refusing(LAPTOP, "GET", "/%70/other") == "reads"
    assert acl.refusing(SOMEBODY, "GET", "/p/other") is None


def test_asking_for_the_head_of_an_answer_counts_as_reading_it(acl: WebAcl) -> None:
    flood(acl, "HEAD", "/p/k7qm2")
    assert acl.refusing(LAPTOP, "HEAD", "/v1/campaigns/demo-vip") == "reads"
    assert acl.refusing(LAPTOP, "GET", "/p/other") == "reads"
    assert acl.refusing(LAPTOP, "POST", SIGN_IN) is None


def test_an_address_is_answered_again_once_its_count_has_fallen(acl: WebAcl, clock: Clock) -> None:
    flood(acl, "POST", SIGN_IN)
    clock.at += FIVE_MINUTES - 1
    assert acl.refusing(LAPTOP, "POST", SIGN_IN)
    clock.at += FIVE_MINUTES
    assert acl.refusing(LAPTOP, "POST", SIGN_IN) is None


def test_one_address_is_under_what_all_callers_together_may_do(
    acl: WebAcl, template: dict[str, Any]
) -> None:
    """Law 12: it takes more than ten addresses to use up a route's own limit."""
    allowed = {rule.name: rule.limit / rule.window_s for rule in acl.rules}
    together = {name: one["Default"] for name, one in template["Parameters"].items()}
    assert allowed["actions"] * 10 <= together["ThrottlePublicPostRate"]
    assert allowed["reads"] * 10 <= together["ThrottleRate"]
    assert allowed["unsubscribes"] * 5 <= together["ThrottleUnsubscribeRate"]


def test_a_rule_that_is_not_played_here_is_an_error(tmp_path: Path) -> None:
    changed = tmp_path / "edge.yaml"
    for ours, other in (
        ("AggregateKeyType: IP", "AggregateKeyType: FORWARDED_IP"),
        ("AndStatement", "GeoMatchStatement"),
        ("Type: URL_DECODE", "Type: LOWERCASE"),
    ):
        text = EDGE.read_text(encoding="utf-8")
        assert ours in text
        changed.write_text(text.replace(ours, other), encoding="utf-8")
        with pytest.raises((NotImplementedError, KeyError)):
            web_acl(template=changed)


def test_cfn_lint_finds_nothing_in_it() -> None:
    program = Path(sys.executable).with_name("cfn-lint")
    command: list[str | Path] = [program, "--regions", "us-east-1", "--template", EDGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_no_sample_of_a_call_is_kept_and_the_refusal_is_a_problem() -> None:
    """Paths hold tokens and codes."""
    described = read_template(EDGE)
    acl = described["Resources"]["WebAcl"]["Properties"]
    seen = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]
    assert not any(one["SampledRequestsEnabled"] for one in seen)
    problem = json.loads(acl["CustomResponseBodies"]["too-many"]["Content"])
    assert problem["type"] == "urn:tandem:problem:unavailable"
    for rule in acl["Rules"]:
        answer = rule["Action"]["Block"]["CustomResponse"]
        assert (answer["ResponseCode"], answer["CustomResponseBodyKey"]) == (429, "too-many")


def test_the_front_refuses_as_the_edge_does(tmp_path: Path) -> None:
    acl = WebAcl(tuple(rule for rule in web_acl().rules if rule.name == "actions"))
    desk = Desk(
        web=tmp_path,
        post_office=PostOffice(tmp_path / "mail"),
        edge_headers=lambda _path, _headers: {},
        status=lambda: {"ready": False},
        client_token="client",
        web_acl=acl,
    )
    with listening(None) as listener, serving(front(desk), listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, trust_env=False) as caller:
            statuses = [caller.post(SIGN_IN).status_code for _ in range(301)]
            assert statuses == [503] * 300 + [429]
            refused = caller.post(SIGN_IN)
            assert refused.json()["status"] == 429
            assert refused.headers["retry-after"] == "60"
            assert caller.post(UNSUBSCRIBE).status_code == 503
            # The client's systems call the API itself, where no edge is.
            assert caller.post("/v1/client/orders").status_code == 503
