"""A voucher of the story as a pass for a phone: from the deployed API, by the function that signs,
with certificates in the parameter store, through the gateway and its handling of files.
"""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from chalicelib.wallets.signing import SAVE
from local.running import Stack
from local.surfaces import Surfaces
from tests.wallets.certificates import authority, service_account
from tests.wallets.verifying import is_good_token, verify

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.usefixtures("played"),
]

PKPASS = "application/vnd.apple.pkpass"


@pytest.fixture(scope="module", autouse=True)
def certificates(stack: Stack) -> None:
    """What `tandem wallet apple` and `tandem wallet google` put there."""
    parameters = stack.session.client("ssm", endpoint_url=stack.endpoint)
    path = stack.deployment.outputs["KeysPath"].replace("digest-keys", "wallets")
    for name in ("certificate", "key", "intermediate"):
        parameters.put_parameter(
            Name=f"{path}apple/{name}",
            Value=getattr(authority(), name),
            Type="SecureString",
            Overwrite=True,
        )
    parameters.put_parameter(
        Name=f"{path}google/account", Value=service_account(), Type="SecureString", Overwrite=True
    )


def held(stack: Stack) -> tuple[str, dict[str, object]]:
    """Where the page of a referee is whose voucher is not used yet, and the voucher."""
    world = Surfaces(stack, "demo-vip")
    try:
        for number in (1, 2, 3, 4, 7, 8):
            path = f"/invitations/{world.token_for(f'new{number}@demo.test', 'referee')}"
            for voucher in world.call("GET", path).json()["vouchers"]:
                if voucher["passes"]:
                    return path, voucher
    finally:
        world.close()
    raise LookupError("no voucher of the story can be used")


def ask(stack: Stack, path: str, accept: str) -> httpx.Response:
    return httpx.get(f"{stack.url}/v1{path}", headers={"Accept": accept}, timeout=60)


def test_the_deployed_stack_signs_a_pass_that_openssl_verifies(
    stack: Stack, tmp_path: Path
) -> None:
    page, voucher = held(stack)
    answer = ask(stack, f"{page}/vouchers/{voucher['id']}/apple-pass", PKPASS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, PKPASS)
    files = verify(answer.content, authority().root, tmp_path)
    content = json.loads(files["pass.json"])
    assert content["serialNumber"] == voucher["id"]
    code = next(one for one in content["coupon"]["auxiliaryFields"] if one["key"] == "code")
    assert code["value"] == voucher["code"]
    assert any(name.startswith("logo") for name in files)  # read from the bucket


def test_what_is_not_a_file_stays_text_for_a_call_that_asks_for_one(stack: Stack) -> None:
    page, voucher = held(stack)
    refused = ask(stack, f"{page}/vouchers/unknown/apple-pass", PKPASS)
    assert (refused.status_code, refused.json()["status"]) == (404, 404)
    other = ask(stack, f"{page}/vouchers/{voucher['id']}/apple-pass", "*/*")
    assert (other.status_code, other.json()["status"]) == (406, 406)


def test_the_deployed_stack_signs_a_link_that_openssl_verifies(
    stack: Stack, tmp_path: Path
) -> None:
    page, voucher = held(stack)
    answer = ask(stack, f"{page}/vouchers/{voucher['id']}/google-pass", "application/json")
    assert answer.status_code == 200
    url = answer.json()["url"]
    assert url.startswith(SAVE)
    assert is_good_token(url.removeprefix(SAVE), service_account(), tmp_path)
