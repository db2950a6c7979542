"""A campaign with the client's PGP key: files in both directions, by the functions as they are
deployed, each with its layer and its role.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pysequoia
import pytest

from cli.hashing.manifest import canary_address
from local.demo.lists import CAMPAIGN_FILE, digest_of, with_pictures
from local.narration import Narrator
from local.running import Stack
from local.surfaces import Surfaces
from tests.e2e.conftest import hurried
from tests.e2e.test_second_campaign import digests, run, sign_in
from tests.fakes.pgp import client_public, opened

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

CAMPAIGN = "sealed"


@pytest.fixture(scope="module")
def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surfaces]:
    file = tmp_path_factory.mktemp("campaign") / "sealed.yaml"
    text = CAMPAIGN_FILE.read_text(encoding="utf-8")
    key = "".join(f"    {line}\n" for line in client_public().splitlines())
    text = text.replace("campaign: demo-vip", f"campaign: {CAMPAIGN}")
    file.write_text(f"{text}files:\n  encrypt_to: |\n{key}")
    with_pictures(file)
    put = run(stack, "tandem", "campaign", "put", str(file))
    assert put.returncode == 0, put.stderr
    surfaces = Surfaces(stack, CAMPAIGN)
    yield surfaces
    surfaces.close()


@pytest.fixture(scope="module")
def to_us(stack: Stack, world: Surfaces) -> pysequoia.Cert:
    """Our public key, as a client gets it."""
    del world  # a campaign with a key is put
    printed = run(stack, "tandem", "key", "pgp")
    assert printed.returncode == 0, printed.stderr
    return pysequoia.Cert.from_bytes(printed.stdout.encode())


def dropped(world: Surfaces, to_us: pysequoia.Cert, path: str, content: bytes) -> dict[str, Any]:
    world.drop(path, pysequoia.encrypt(content, recipients=[to_us], armor=False))
    narrator = Narrator(world.stack)
    narrator.wait(f"receipt for {path}", lambda: int(bool(world.receipt(path))), 1)
    return world.receipt(path) or {}


def rows_of(world: Surfaces, folder: str) -> list[dict[str, str]]:
    """The rows that the client reads, of whatever is there, each file by its manifest."""
    found = []
    for key in world.output_keys(f"{folder}/"):
        path = key.split("/", 2)[2]
        if path.endswith(".manifest.json"):
            manifest = json.loads(world.output_file(path) or b"{}")
            assert manifest["encrypted_to"]
            file = path.replace(".manifest.json", ".csv.gz.pgp")
            content = gzip.decompress(opened(world.output_file(file) or b"")).decode()
            found += list(csv.DictReader(content.splitlines()))
        else:
            assert path.endswith(".csv.gz.pgp")
    return found


def test_a_voucher_is_exported_acknowledged_and_used_in_encrypted_files(
    stack: Stack, world: Surfaces, to_us: pysequoia.Cert
) -> None:
    customers = digests("customer1@demo.test", *map(canary_address, (1, 2)))
    receipt = dropped(world, to_us, "customers/full/a.csv.gz.pgp", gzip.compress(customers))
    assert (receipt["status"], receipt["version"]) == ("accepted", 1)
    receipt = dropped(world, to_us, "vips/full/a.csv.pgp", digests("vip7@demo.test"))
    assert (receipt["status"], receipt["rows"]) == ("accepted", 1)

    session = sign_in(world, "vip7@demo.test")
    referee = "first.sealed@demo.test"
    invited = world.call(
        "POST", "/sponsor/invitations", {"referees": [{"email": referee}]}, bearer=session
    )
    assert invited.status_code == 202
    narrator = Narrator(stack)
    narrator.wait("invited", lambda: len(world.letters(referee)), 1)
    token = world.token_for(referee, "referee")
    yes = {"terms_version": "2026-01", "marketing_consent": True}
    assert world.call("POST", f"/invitations/{token}/confirmation", yes).status_code == 201

    with hurried(stack, "export"):
        narrator.wait("exported", lambda: len(rows_of(world, "vouchers")), 1)
    [exported] = rows_of(world, "vouchers")
    assert exported["template"] == "welcome"
    assert world.codes_for(referee) == []
    assert dropped(world, to_us, "acks/00000001.ack.pgp", b"")["status"] == "accepted"
    narrator.wait("the code is mailed", lambda: len(world.codes_for(referee)), 1)
    assert world.codes_for(referee) == [exported["code"]]

    lines = [
        "order_id,ordered_at,email_digest,voucher_code,amount,currency,status",
        f"S1,{datetime.now(UTC).isoformat()},{digest_of(referee)},{exported['code']},80.00,EUR,kept",
    ]
    orders = gzip.compress("\n".join(lines).encode())
    receipt = dropped(world, to_us, "orders/today.csv.gz.pgp", orders)
    assert (receipt["status"], receipt["errors"]) == ("accepted", [])
    with hurried(stack, "export"):
        narrator.wait("used", lambda: len(rows_of(world, "changes")), 1)
    assert [row["change"] for row in rows_of(world, "changes")] == ["redeemed"]
    assert narrator.failures == []


def test_what_is_for_another_is_refused_by_the_deployed_function(
    world: Surfaces, to_us: pysequoia.Cert
) -> None:
    del to_us
    stranger = pysequoia.Tsk.generate(user_id="stranger").extract_certificate()
    receipt = dropped(world, stranger, "orders/another.csv.pgp", b"order_id\n")
    assert (receipt["status"], receipt["reason"]) == ("refused", "not_decryptable")


def test_the_command_line_shows_the_encrypted_file(stack: Stack, world: Surfaces) -> None:
    del world
    shown = run(stack, "tandem", "export", "show", CAMPAIGN, "1", "--json")
    assert json.loads(shown.stdout)["file"] == f"out/{CAMPAIGN}/vouchers/00000001.csv.gz.pgp"
