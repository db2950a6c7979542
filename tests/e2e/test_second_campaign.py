"""Another campaign while the stack runs, by the command line and the stock `aws` command alone."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.hashing.manifest import canary_address
from local.demo.lists import CAMPAIGN_FILE, digest_of, with_pictures
from local.narration import Narrator
from local.running import Stack
from local.surfaces import Surfaces
from tests.e2e.conftest import hurried

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

CAMPAIGN = "autumn"


def run(stack: Stack, *command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A command of this environment, talking to the stack. It reads `typed`."""
    status = stack.status()
    environment = {
        **os.environ,
        "TANDEM_PORT": stack.url.rsplit(":", 1)[1],
        "AWS_ACCESS_KEY_ID": status["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": status["secret_access_key"],
        "AWS_DEFAULT_REGION": status["region"],
        "AWS_ENDPOINT_URL": status["aws_endpoint"],
    }
    program = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    return subprocess.run(
        program, env=environment, input=typed, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surfaces]:
    file = tmp_path_factory.mktemp("campaign") / "autumn.yaml"
    text = CAMPAIGN_FILE.read_text(encoding="utf-8")
    text = text.replace("campaign: demo-vip", f"campaign: {CAMPAIGN}")
    file.write_text(text.replace("release: on_acknowledgement", "release: at_once"))
    with_pictures(file)
    put = run(stack, "tandem", "campaign", "put", str(file))
    assert put.returncode == 0, put.stderr
    surfaces = Surfaces(stack, CAMPAIGN)
    yield surfaces
    surfaces.close()


def copied(
    stack: Stack, world: Surfaces, path: str, content: bytes, folder: Path
) -> dict[str, Any]:
    """The receipt of a file that `aws s3 cp` put there."""
    source = folder / path.rsplit("/", 1)[1]
    source.write_bytes(content)
    target = f"s3://{stack.bucket}/in/{CAMPAIGN}/{path}"
    copy = run(stack, "aws", "s3", "cp", str(source), target)
    assert copy.returncode == 0, copy.stderr
    reported = Narrator(world.stack)
    reported.wait(f"receipt for {path}", lambda: int(bool(world.receipt(path))), 1)
    return world.receipt(path) or {}


def digests(*addresses: str) -> bytes:
    return "\n".join(["digest", *map(digest_of, addresses)]).encode()


def test_a_wrong_campaign_file_is_refused_with_its_line_and_changes_nothing(
    stack: Stack, world: Surfaces, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    text = CAMPAIGN_FILE.read_text(encoding="utf-8").replace("value: 5.00", "value: five")
    wrong.write_text(text.replace("campaign: demo-vip", f"campaign: {CAMPAIGN}"))
    line = 1 + text[: text.index("value: five")].count("\n")
    put = run(stack, "tandem", "campaign", "put", str(wrong))
    assert put.returncode == 1
    assert f"wrong.yaml:{line}:" in put.stderr
    assert "templates.second-order.value" in put.stderr
    assert world.call("GET", f"/campaigns/{CAMPAIGN}").json()["version"] == 1


def test_lists_and_orders_copied_with_the_stock_aws_command_get_receipts_and_exports(
    stack: Stack, world: Surfaces, tmp_path: Path
) -> None:
    customers = digests("customer1@demo.test", *map(canary_address, (1, 2)))
    receipt = copied(
        stack, world, "customers/full/today.csv.gz", gzip.compress(customers), tmp_path
    )
    assert (receipt["status"], receipt["rows"], receipt["version"]) == ("accepted", 3, 1)
    receipt = copied(stack, world, "vips/full/today.csv", digests("vip9@demo.test"), tmp_path)
    assert (receipt["status"], receipt["rows"]) == ("accepted", 1)

    session = sign_in(world, "vip9@demo.test")
    referees = [{"email": "first.autumn@demo.test"}, {"email": "customer1@demo.test"}]
    invited = world.call("POST", "/sponsor/invitations", {"referees": referees}, bearer=session)
    assert invited.status_code == 202
    narrator = Narrator(world.stack)
    narrator.wait("invited", lambda: len(world.letters("first.autumn@demo.test")), 1)
    token = world.token_for("first.autumn@demo.test", "referee")
    yes = {"terms_version": "2026-01", "marketing_consent": True}
    assert world.call("POST", f"/invitations/{token}/confirmation", yes).status_code == 201
    narrator.wait("voucher at once", lambda: len(world.codes_for("first.autumn@demo.test")), 1)
    code = world.codes_for("first.autumn@demo.test")[0]

    now = datetime.now(UTC).isoformat()
    lines = [
        "order_id,ordered_at,email_digest,voucher_code,amount,currency,status",
        f"X1,{now},{digest_of('first.autumn@demo.test')},{code},80.00,EUR,kept",
        f"X2,{now},{digest_of('nobody@autumn.test')},,80.00,EUR,kept",
        f"X3,{now},{digest_of('first.autumn@demo.test')},{code},80.00,EUR,placed",
        f"X4,{now},,WE-22222-22222-2223,80.00,EUR,placed",
    ]
    receipt = copied(stack, world, "orders/today.csv", "\n".join(lines).encode(), tmp_path)
    assert (receipt["status"], receipt["errors"]) == ("accepted", [])
    assert receipt["vouchers"] == [
        {"line": 4, "voucher": "exhausted"}, {"line": 5, "voucher": "unknown"},
    ]  # fmt: skip

    with hurried(stack, "export"):
        narrator.wait("exported", lambda: sum(len(rows) for rows in world.exports().values()), 3)
    rows = [row for rows in world.exports().values() for row in rows]
    assert sorted(row["template"] for row in rows) == ["second-order", "thank-you", "welcome"]
    number = min(world.exports())
    manifest = json.loads(world.output_file(f"vouchers/{number}.manifest.json") or b"{}")
    assert manifest["export"] == number
    assert narrator.failures == []


def sign_in(world: Surfaces, address: str, first_name: str = "Anne") -> str:
    before = len(world.letters(address))
    campaign = f"/campaigns/{world.campaign}"
    world.call("POST", f"{campaign}/sign-in", {"email": address}).raise_for_status()
    Narrator(world.stack).wait("sign-in mail", lambda: len(world.letters(address)), before + 1)
    body = {"token": world.token_for(address, "sponsor"), "first_name": first_name}
    return str(world.call("POST", f"{campaign}/sessions", body).json()["session"])
