"""The commands of the README and of the client guide, as a new user types them, block by block."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from urllib.error import HTTPError
from urllib.parse import quote

import pytest
from botocore.credentials import Credentials

from local import deployment
from local.demo.lists import with_pictures
from local.emulator import REGION
from local.running import Stack
from tests.docs.test_client_guide import recipe
from tests.e2e.conftest import Played, hurried

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/client-guide.md").read_text(encoding="utf-8")
END = "------ end of a block"


def blocks(page: str, heading: str, language: str = "") -> list[str]:
    """The code blocks of a section."""
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def typed(
    stack: Stack, commands: str, folder: Path = ROOT, more: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What the commands print, in a shell that knows the port of the stack."""
    environment = {**os.environ, "TANDEM_PORT": stack.url.rsplit(":", 1)[1], **more}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", commands],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.usefixtures("played")
def test_the_commands_of_the_readme_do_what_it_says(stack: Stack) -> None:
    played = blocks(README, "Play it with curl", "bash")
    with hurried(stack, "export"):
        printed = typed(stack, f"echo {END}\n".join(played)).split(f"{END}\n")
    stack.run("export")  # the rewards that the last order has earned, which other tests look for
    _, signed_in, invited, confirmed, exported, accepted, ordered, counted, changed = printed[:9]
    objected, given, erased = printed[9:]
    assert "'left': 50" in signed_in
    assert invited.count('"received"') == 2
    assert '"sponsor":{"first_name":"Claire"}' in confirmed
    assert '"state":"confirmed"' in confirmed
    assert exported.startswith("code,template,holder,")
    assert '"acknowledged": 1' in exported
    assert '"acceptable":true' in accepted
    assert re.findall(r'"effect":"(\w+)","voucher":(\S+?),', ordered) == [
        ("recorded", "null"), ("not_a_referees", '"unknown"'),
    ]  # fmt: skip
    assert "'state': 'preparing'" in counted
    assert "'vouchers_redeemed': " in counted
    assert re.search(r",redeemed,\S+,README-1,$", changed, re.MULTILINE)
    assert re.search(r"^303 \S+/page\n{", objected)
    assert '"jeanne@demo.test"' in given
    assert '"started"' in erased
    assert '"status":410' in erased


@pytest.mark.usefixtures("played")
def test_the_stock_aws_command_shows_the_bucket(stack: Stack) -> None:
    (commands,) = blocks(README, "Look around")
    printed = typed(stack, commands.replace("| head -5", ""))
    assert " out/demo-vip/changes/00000001.csv.gz\n" in printed
    assert "\ncode,template,holder,holder_digest," in printed


def test_a_campaign_is_added_while_it_runs(stack: Stack, tmp_path: Path) -> None:
    (commands,) = blocks(README, "Add a campaign while it runs")
    for name in (".venv", "local"):
        (tmp_path / name).symlink_to(ROOT / name)
    text = (ROOT / "local/demo/demo-vip.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("campaign: demo-vip", "campaign: mine"))
    with_pictures(tmp_path / "mine.yaml")
    (tmp_path / "customers.csv").write_text("email\njeanne@demo.test\npaul@demo.test\n")
    printed = typed(stack, commands, tmp_path)
    assert "mine: in force as version 1" in printed
    manifest = json.loads((tmp_path / "full.manifest.json").read_text(encoding="utf-8"))
    assert (manifest["rows"], manifest["key_id"]) == (4, "demo")  # with the two canaries


def client_of(stack: Stack, key: deployment.Credentials) -> Mapping[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_SESSION_TOKEN": getattr(key, "session_token", ""),
        "API_URL": stack.url,
    }


def test_the_clients_call_is_signed_with_curl(stack: Stack) -> None:
    """With a key of its own, and with the temporary one of a role."""
    plain, temporary = (one for one in blocks(GUIDE, "The API") if one.startswith("curl "))
    user, session = stack.deployment.client, stack.deployment.client_session
    for command, key, said in (
        (plain, user, "This voucher does not exist"),
        (temporary, session, "This voucher does not exist"),
        (plain, session, "The security token included in the request is invalid."),
    ):
        command = command.replace("--aws-sigv4", "--silent --aws-sigv4")
        assert said in typed(stack, command, more=client_of(stack, key))


def test_the_clients_calls_are_signed_with_python(stack: Stack, played: Played) -> None:
    """With an order id of every kind of character that has to be encoded in a path."""
    client = stack.deployment.client
    key = Credentials(client.access_key_id, client.secret_access_key)
    sign = recipe("signed")["signed"]

    def call(method: str, path: str, body: object = None) -> int:
        content = None if body is None else json.dumps(body).encode()
        url = f"{stack.url}/v1/client/vouchers/{path}"
        try:
            with urllib.request.urlopen(sign(method, url, content, key, REGION)) as answer:
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code

    (code,) = played.world.codes_for("new2@demo.test")[:1]
    order = "FR 2026/17#1+é%25?&"
    at = datetime.now(UTC).isoformat()
    use = {"order_id": order, "ordered_at": at, "amount": "90.00", "currency": "EUR"}
    in_path = quote(order, safe="-._~")
    assert call("POST", f"{code}/redemptions", use) == 201
    assert call("POST", f"{code}/redemptions", use) == 200
    assert call("POST", f"{code}/redemptions", use | {"amount": "91.00"}) == 409
    assert call("DELETE", f"{code}/redemptions/{in_path}") == 204
    assert call("DELETE", f"{code}/redemptions/{in_path}") == 204
    assert call("GET", code) == 200
