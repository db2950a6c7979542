"""People of the ops pool sign in with a browser, and a wall shows numbers without anybody.

The pages, the front, the emulator's own sign-in pages and the deployed API: nothing is scripted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from typer.testing import CliRunner

from cli.main import app
from local.deployment import Account, Deployer
from local.running import Stack
from tests.browser.conftest import WATCH_POLICY
from tests.e2e.conftest import Played

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.xdist_group("e2e")]

VERIFIER = "v" * 43
REFRESHED_MS = 30_000  # the page asks every five seconds, and the machine may be busy
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


@pytest.fixture
def context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    made = browser.new_context(
        base_url=stack.url, locale="en-GB", viewport={"width": 1280, "height": 900}
    )
    made.set_default_timeout(20_000)
    made.add_init_script(WATCH_POLICY)
    faults: list[str] = []
    made.on(
        "console", lambda one: faults.append(one.text) if "policy violated" in one.text else None
    )
    yield made
    made.close()
    assert faults == []


def sign_in(page: Page, account: Account, campaign: str = "demo-vip") -> None:
    """As somebody does who knows her password."""
    page.goto(f"/dashboard/?campaign={campaign}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Username").fill(account.name)
    page.get_by_label("Password").fill(account.password)
    page.get_by_role("button", name="Sign in").click()


def invited(page: Page) -> Any:
    """The number that the page shows, also while a wall shows other tables."""
    return page.locator("#funnel-invitations td").first


def invited_now(played: Played) -> str:
    """The number it should show: other tests may have invited people since the story."""
    return str(played.counts()["invited"])


def tokens(page: Page) -> dict[str, str]:
    stored = page.evaluate("sessionStorage.getItem('tandem.session')")
    found: dict[str, str] = json.loads(stored or "{}")
    return found


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return found


@pytest.fixture
def front(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=30, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("role", ["marketing", "ops"])
def test_who_has_a_role_signs_in_and_sees_the_numbers(
    context: BrowserContext, stack: Stack, played: Played, role: str
) -> None:
    page = context.new_page()
    sign_in(page, stack.deployment.accounts[role])
    expect(invited(page)).to_have_text(invited_now(played))
    address = urlsplit(page.url)
    assert (address.path, parse_qs(address.query)) == ("/dashboard/", {"campaign": ["demo-vip"]})
    expect(page.get_by_text(f"{role}@local.test")).to_be_visible()
    # In this tab alone: nothing in what other tabs, or the next reader of this machine, would see.
    assert page.evaluate("localStorage.length + document.cookie.length") == 0
    said = claims(tokens(page)["idToken"])
    assert said["cognito:groups"] == [role]
    assert said["exp"] - said["iat"] == 15 * 60
    assert page.evaluate("sessionStorage.getItem('tandem.sign-in')") is None
    page.reload()
    expect(invited(page)).to_have_text(invited_now(played))


@pytest.mark.usefixtures("played")
def test_who_has_no_role_is_told_so_and_can_sign_out(context: BrowserContext, stack: Stack) -> None:
    page = context.new_page()
    sign_in(page, new_account(stack))
    expect(page.get_by_role("alert").filter(has_text="role “marketing”")).to_be_visible()
    expect(page.locator("#numbers")).to_be_hidden()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.wait_for_function(
        "sessionStorage.getItem('tandem.session') === null"
    )  # by way of the pool


def test_marketing_decides_nothing(front: httpx.Client, stack: Stack, played: Played) -> None:
    assert played.given
    token = stack.token_of(stack.deployment.accounts["marketing"])
    headers = {"Authorization": f"Bearer {token}"}
    of_campaign = "/v1/ops/campaigns/demo-vip"
    assert front.get(f"{of_campaign}/dashboard", headers=headers).status_code == 200
    for refused in (
        front.get(f"{of_campaign}/held-rewards", headers=headers),
        front.post(f"{of_campaign}/held-rewards/a.b.0/release", headers=headers),
    ):
        assert refused.status_code == 403
        assert refused.json()["type"] == "urn:tandem:problem:no-role"


def test_a_token_that_has_run_out_is_renewed_and_a_session_that_was_ended_is_not(
    context: BrowserContext, stack: Stack, played: Played
) -> None:
    page = context.new_page()
    sign_in(page, stack.deployment.accounts["marketing"])
    expect(invited(page)).to_have_text(invited_now(played))
    before = tokens(page)
    run_out = "const s = JSON.parse(sessionStorage['tandem.session']); s.renewAt = 0;"
    page.evaluate(f"{run_out} sessionStorage['tandem.session'] = JSON.stringify(s)")
    with page.expect_response("**/oauth2/token"):
        page.reload()
    expect(invited(page)).to_have_text(invited_now(played))
    after = tokens(page)
    assert after["idToken"] != before["idToken"]
    assert after["refreshToken"] == before["refreshToken"]
    assert claims(after["idToken"])["cognito:groups"] == ["marketing"]
    # As ops end it for somebody whose laptop is gone.
    stack.session.client("cognito-idp", endpoint_url=stack.endpoint).revoke_token(
        Token=before["refreshToken"], ClientId=stack.deployment.outputs["DashboardClientId"]
    )
    page.evaluate(f"{run_out} sessionStorage['tandem.session'] = JSON.stringify(s)")
    over = page.get_by_role("alert").filter(has_text="Your session has ended")
    expect(over).to_be_visible(timeout=REFRESHED_MS)
    expect(invited(page)).to_have_text(invited_now(played))
    expect(page.locator("#as-of")).not_to_be_empty()
    expect(page.get_by_role("button", name="Sign in again")).to_be_visible()
    assert tokens(page) == {}
    assert urlsplit(page.url).path == "/dashboard/"


def test_signing_out_ends_the_session_for_everybody_who_has_its_tokens(
    context: BrowserContext, front: httpx.Client, stack: Stack, played: Played
) -> None:
    page = context.new_page()
    sign_in(page, stack.deployment.accounts["ops"])
    expect(invited(page)).to_have_text(invited_now(played))
    refresh = tokens(page)["refreshToken"]
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh,
        "client_id": stack.deployment.outputs["DashboardClientId"],
    }
    assert front.post("/oauth2/token", data=form).status_code == 200
    with page.expect_request(re.compile(r"/logout\?client_id=\w+&logout_uri=")):
        page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.locator("#numbers")).to_be_hidden()
    assert tokens(page) == {}
    refused = front.post("/oauth2/token", data=form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


# --- as strict as Cognito -------------------------------------------------------------------------


def code_for(stack: Stack, **changed: str) -> tuple[str, dict[str, str]]:
    """A code that the sign-in pages gave, and the form that exchanges it."""
    outputs = stack.deployment.outputs
    asked = {
        "response_type": "code",
        "client_id": outputs["DashboardClientId"],
        "redirect_uri": f"{stack.url}/dashboard/",
        "scope": "openid",
        "state": "s",
        "nonce": "n",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changed
    account = stack.deployment.accounts["marketing"]
    with httpx.Client(base_url=stack.endpoint, trust_env=False) as pages:
        pages.get("/oauth2/authorize", params=asked).raise_for_status()
        answer = pages.post(
            "/login", data=asked | {"username": account.name, "password": account.password}
        )
    (code,) = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
    return code, {
        "grant_type": "authorization_code",
        "client_id": asked["client_id"],
        "redirect_uri": asked["redirect_uri"],
        "code": code,
        "code_verifier": VERIFIER,
    }


def refused(front: httpx.Client, form: dict[str, str], **changed: str) -> str:
    answer = front.post("/oauth2/token", data=form | changed)
    assert answer.status_code == 400
    error: str = answer.json()["error"]
    return error


def test_a_code_is_good_once_for_its_client_its_page_and_its_verifier(
    front: httpx.Client, stack: Stack
) -> None:
    _, form = code_for(stack)
    assert refused(front, form, code_verifier="w" * 43) == "invalid_grant"
    assert refused(front, form, code_verifier="") == "invalid_grant"
    assert refused(front, form, redirect_uri=f"{stack.url}/sponsor/") == "invalid_grant"
    other = stack.deployment.outputs["OpsClientId"]
    assert refused(front, form, client_id=other) == "invalid_client"
    assert refused(front, form, code="guessed") == "invalid_grant"
    answer = front.post("/oauth2/token", data=form)
    assert answer.status_code == 200
    assert claims(answer.json()["id_token"])["nonce"] == "n"
    assert refused(front, form) == "invalid_grant"


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://127.0.0.1/dashboard/"},
        {"client_id": "nobodys"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"scope": "openid aws.cognito.signin.user.admin"},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_the_sign_in_pages_take_no_other_page_client_or_way(
    stack: Stack, wrong: dict[str, str]
) -> None:
    with pytest.raises((httpx.HTTPStatusError, KeyError)):
        code_for(stack, **wrong)


@pytest.mark.parametrize("spoilt", ["", "none", "a.b.c"])
def test_what_is_no_refresh_token_is_renewed_by_nobody(
    front: httpx.Client, stack: Stack, spoilt: str
) -> None:
    client = stack.deployment.outputs["DashboardClientId"]
    form = {"grant_type": "refresh_token", "client_id": client, "refresh_token": spoilt}
    assert refused(front, form) == "invalid_grant"
    assert refused(front, form, grant_type="password") == "unsupported_grant_type"
    revoked = front.post("/oauth2/revoke", data={"token": spoilt, "client_id": client})
    assert (revoked.status_code, revoked.json()["error"]) == (400, "unsupported_token_type")


def test_an_access_token_is_none_of_the_api(front: httpx.Client, stack: Stack) -> None:
    """On AWS a method without scopes takes an ID token alone; the emulator takes both."""
    _, form = code_for(stack)
    access = front.post("/oauth2/token", data=form).json()["access_token"]
    answer = front.get(
        "/v1/ops/campaigns/demo-vip/dashboard", headers={"Authorization": f"Bearer {access}"}
    )
    assert answer.status_code == 401


# --- scripts and walls ----------------------------------------------------------------------------


def tandem(stack: Stack, *arguments: str, given: str = "") -> Any:
    environment = {"TANDEM_PORT": str(urlsplit(stack.url).port)}
    return CliRunner().invoke(app, list(arguments), env=environment, input=given)


def new_account(stack: Stack, *roles: str) -> Account:
    pool = stack.deployment.outputs["OpsPoolId"]
    return Deployer(stack.endpoint).account(pool, f"new-{secrets.token_hex(4)}", *roles)


def enrolled(stack: Stack, account: Account) -> str:
    """The secret of the authenticator app that this account has set up."""
    outputs = stack.deployment.outputs
    cognito = stack.session.client("cognito-idp", endpoint_url=stack.endpoint)
    access = cognito.admin_initiate_auth(
        UserPoolId=outputs["OpsPoolId"],
        ClientId=outputs["OpsClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": account.name, "PASSWORD": account.password},
    )["AuthenticationResult"]["AccessToken"]
    secret = cognito.associate_software_token(AccessToken=access)["SecretCode"]
    cognito.verify_software_token(AccessToken=access, UserCode=code_of(secret))
    return secret


def code_of(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, int(time.time() // 30).to_bytes(8), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


def token_for(stack: Stack, account: Account, *lines: str) -> Any:
    return tandem(stack, "ops", "token", "--account", account.name, given="\n".join(lines))


def test_a_script_gets_a_token_by_password_and_second_factor(
    front: httpx.Client, stack: Stack, played: Played
) -> None:
    assert played.given
    account = new_account(stack, "ops")
    secret = enrolled(stack, account)
    done = token_for(stack, account, account.password, code_of(secret))
    assert (done.exit_code, done.stderr) == (0, "")
    headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
    answer = front.get("/v1/ops/campaigns/demo-vip/dashboard", headers=headers)
    assert answer.status_code == 200


def test_without_either_a_script_gets_a_line_that_says_so(stack: Stack) -> None:
    account = new_account(stack, "ops")
    secret = enrolled(stack, account)
    other = f"{(int(code_of(secret)) + 1) % 1_000_000:06}"
    somebody = replace(account, name="nobody@local.test")
    for done in (
        token_for(stack, account, "wrong", code_of(secret)),
        token_for(stack, account, account.password, other),
        token_for(stack, somebody, account.password, code_of(secret)),
    ):
        assert (done.exit_code, done.stdout) == (1, "")
        assert "is wrong" in done.stderr
        assert account.password not in done.stderr
    for done in (token_for(stack, account), token_for(stack, account, account.password)):
        assert (done.exit_code, done.stdout) == (1, "")
        assert "nothing was given" in done.stderr


def test_an_account_that_has_never_signed_in_does_so_in_the_browser_first(stack: Stack) -> None:
    outputs, password = stack.deployment.outputs, f"Aa1!{secrets.token_urlsafe(12)}"
    stack.session.client("cognito-idp", endpoint_url=stack.endpoint).admin_create_user(
        UserPoolId=outputs["OpsPoolId"],
        Username="fresh@local.test",
        TemporaryPassword=password,
        MessageAction="SUPPRESS",
    )
    done = token_for(stack, Account("fresh@local.test", password), password)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"sign in once at {stack.url}/dashboard/" in done.stderr


def test_a_wall_shows_one_campaign_until_its_link_is_revoked(
    context: BrowserContext, stack: Stack, played: Played
) -> None:
    made = tandem(stack, "wall", "create", "--campaign", "demo-vip")
    assert made.exit_code == 0
    address = made.stdout.strip()
    assert address.startswith(f"{stack.url}/dashboard/?campaign=demo-vip#wall=")
    page = context.new_page()
    page.goto(address)
    expect(invited(page)).to_have_text(invited_now(played))
    assert "#" not in page.url
    expect(page.get_by_role("button", name=re.compile("Sign|Another"))).to_have_count(0)
    page.reload()
    expect(invited(page)).to_have_text(invited_now(played))
    shown = tandem(stack, "wall", "list", "--campaign", "demo-vip").stdout
    (link,) = re.findall(r"^ *([0-9a-f]{12}) ", shown, re.MULTILINE)
    assert tandem(stack, "wall", "revoke", link, "--campaign", "demo-vip").exit_code == 0
    over = page.get_by_role("alert").filter(has_text="shows nothing new any more")
    expect(over).to_be_visible(timeout=REFRESHED_MS)
    expect(invited(page)).to_have_text(invited_now(played))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # A wall has no header: nobody could press anything in it.
    page.locator("[data-language=fr]").evaluate("button => button.click()")
    expect(page.get_by_role("alert").filter(has_text="plus valable")).to_be_visible()
    assert [url for url in asked if "/assets/" not in url] == []  # its words in French, at most
    assert tandem(stack, "wall", "list", "--campaign", "demo-vip").stdout.strip() == "none"
