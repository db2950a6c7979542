"""`tandem client check` of the retailer's wheel, on a stack: with the client's own rights all is
right, with wider or no rights it is not, and nothing is left in the bucket.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.files.orders import COLUMNS
from infra.package import ROOT
from local import deployment
from local.emulator import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from local.running import Stack
from local.stack import DEMO_KEY_FILE
from tests.e2e.conftest import Played
from tests.infra.wheels import retailers_tandem

GUIDE = (ROOT / "docs/client-guide.md").read_text(encoding="utf-8")

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

CLIENTS = {
    "list out/demo-vip/", "list in/demo-vip/", "read out/demo-vip/", "write in/demo-vip/",
}  # fmt: skip
OTHERS = {
    "may not list the whole bucket", "may not list out/ of others", "may not read in/demo-vip/",
    "may not write out/demo-vip/", "may not write outside in/",
}  # fmt: skip


@pytest.fixture(scope="module")
def tandem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as a retailer installs it, without the repository."""
    return retailers_tandem(tmp_path_factory.mktemp("retailer"), with_check=True)


def as_client(stack: Stack, key: deployment.Credentials) -> dict[str, str]:
    """What a shell of the client's has in its environment, and nothing of this one."""
    return {
        "PATH": os.defpath,
        "AWS_ENDPOINT_URL": stack.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_SESSION_TOKEN": getattr(key, "session_token", ""),
    }


def checked(
    tandem: Path, stack: Stack, key: deployment.Credentials
) -> dict[str, Mapping[str, Any]]:
    """What it finds with these credentials, by what was asked."""
    environment = as_client(stack, key)
    options = ["--campaign", "demo-vip", "--json"]
    done = subprocess.run(
        [tandem, "client", "check", stack.bucket, stack.url, *options],
        cwd=tandem.parent, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    read = json.loads(done.stdout)
    assert read["ok"] is (done.returncode == 0)
    return {one["what"]: one for one in read["findings"]}


def states(found: Mapping[str, Mapping[str, Any]], names: set[str]) -> set[str]:
    return {found[name]["state"] for name in names}


@pytest.mark.parametrize("temporary", [False, True], ids=["key", "session"])
def test_the_clients_own_rights_are_enough_and_no_more(
    tandem: Path, stack: Stack, played: Played, temporary: bool
) -> None:
    before = set(played.world.output_keys("")) | in_keys(stack)
    deployed = stack.deployment
    found = checked(tandem, stack, deployed.client_session if temporary else deployed.client)
    assert states(found, CLIENTS | OTHERS | {"signature", "answer", "clock"}) == {"ok"}
    assert "accepted, so key and canaries agree" in found["last list"]["detail"]
    assert set(played.world.output_keys("")) | in_keys(stack) == before


def in_keys(stack: Stack) -> set[str]:
    pages = stack.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.bucket, Prefix="in/")
    return {one["Key"] for page in pages for one in page.get("Contents", [])}


@pytest.mark.usefixtures("played")
def test_wider_rights_are_a_failure(tandem: Path, stack: Stack) -> None:
    found = checked(tandem, stack, deployment.Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY))
    assert states(found, CLIENTS) == {"ok"}
    assert states(found, OTHERS) == {"failed"}
    assert found["may not write outside in/"]["detail"] == "BadDigest"
    assert not any("check" in key for key in in_keys(stack))


@pytest.mark.usefixtures("played")
def test_a_wrong_secret_is_named_by_both(tandem: Path, stack: Stack) -> None:
    client = stack.deployment.client
    found = checked(tandem, stack, deployment.Credentials(client.access_key_id, "wrong"))
    assert states(found, {"signature", "list out/demo-vip/"}) == {"failed"}
    assert found["list out/demo-vip/"]["do"] == "the secret is not that of the access key"


@pytest.mark.usefixtures("played")
def test_the_commands_of_the_guide_do_what_it_says(
    tandem: Path, stack: Stack, tmp_path: Path
) -> None:
    """As an integrator types them, one after the other: hash, manifest, check."""
    (tmp_path / "customers.csv").write_text("email\njeanne@demo.test\nPaul+x@gmail.com\n")
    (tmp_path / "orders.csv").write_text(f"{','.join(COLUMNS)}\n")
    shutil.copy(DEMO_KEY_FILE, tmp_path / "digest.key")
    typed = re.findall(r"^```\n(tandem [^`]*)```", GUIDE, re.MULTILINE)
    names = {"KEY_ID": "demo", "BUCKET": stack.bucket, "API_URL": stack.url, "CAMPAIGN": "demo-vip"}
    said = {}
    for start in ("tandem hash", "tandem manifest", "tandem client check"):
        (command,) = (one for one in typed if one.startswith(start))
        for name, value in names.items():
            command = re.sub(rf"\b{name}\b", value, command)
        environment = as_client(stack, stack.deployment.client_session)
        environment["PATH"] = f"{tandem.parent}:{os.defpath}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        said[start] = done.stdout
    assert "full.csv.gz: 5 rows, 5 digests" in said["tandem manifest"]
    lines = said["tandem client check"].splitlines()
    assert {line[:8].strip() for line in lines} == {"ok"}
    assert [line for line in lines if line.startswith("ok      manifest: full.manifest.json")]
