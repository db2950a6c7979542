"""A retailer that works by files alone, with the stock `aws` command and the rights of its own
principal: what it reads in `out/` gives the state of every voucher, and its value to the cent.

The stack has the machine's clock, so the four weeks of the month follow each other at once.
Vouchers that expire, and statements, take a calendar: tests/services has those.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli.hashing.manifest import canary_address, manifest_of
from local.demo.lists import CAMPAIGN_FILE, KEY_ID, digest_of, with_pictures
from local.narration import Narrator
from local.running import Stack
from local.surfaces import Surfaces
from tests.docs.test_client_guide import recipe
from tests.e2e.conftest import hurried
from tests.e2e.test_second_campaign import run, sign_in

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGN = "month"
SPONSOR = "vip60@demo.test"
ROLES = ("keeps", "cancels", "returns", "refused", "lends", "late", "reversed", "waits")
VOUCHERS, CHANGES = 16, 11  # at the end of the month
ORDERS = "order_id,ordered_at,email_digest,voucher_code,amount,currency,status"


def address_of(role: str) -> str:
    return f"{role}.month@demo.test"


@dataclass
class Client:
    """The client's systems: a folder, the `aws` command, and what it has read so far."""

    stack: Stack
    folder: Path
    narrator: Narrator
    acknowledged: set[str] = field(default_factory=set)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def environment(self) -> dict[str, str]:
        """With the keys of the principal that has the client's policy and nothing else."""
        status = self.stack.status()
        return {
            **os.environ,
            "AWS_ACCESS_KEY_ID": status["client_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": status["client_secret_access_key"],
            "AWS_DEFAULT_REGION": status["region"],
            "AWS_ENDPOINT_URL": status["aws_endpoint"],
        }

    def aws(self, *words: str) -> str:
        """What the stock command says on standard error."""
        command = [str(Path(sys.executable).with_name("aws")), "s3", *words]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stderr

    def drop(self, path: str, *lines: str) -> dict[str, Any]:
        """Copy a file in, and read its receipt."""
        source = self.folder / path.replace("/", "-")
        source.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        assert self.aws("cp", str(source), f"s3://{self.stack.bucket}/in/{CAMPAIGN}/{path}") == ""
        receipt = self.out / "receipts" / f"{path}.json"
        self.wait(f"receipt for {path}", receipt.exists)
        read: dict[str, Any] = json.loads(receipt.read_text(encoding="utf-8"))
        return read

    def wait(self, what: str, seen: Callable[[], object]) -> None:
        """Copy `out/` again and again until something is seen in it."""

        def looked() -> int:
            source = f"s3://{self.stack.bucket}/out/{CAMPAIGN}"
            assert self.aws("sync", source, str(self.out)) == ""
            return int(bool(seen()))

        self.narrator.wait(what, looked, 1)
        assert self.narrator.failures == []

    def rows(self, folder: str) -> list[dict[str, str]]:
        """The rows of all files of a folder whose manifest is there."""
        manifests = sorted((self.out / folder).glob("*.manifest.json"))
        return [row for manifest in manifests for row in rows_beside(manifest)]

    def codes(self, address: str) -> list[str]:
        digest = digest_of(address)
        return [row["code"] for row in self.rows("vouchers") if row["holder_digest"] == digest]

    def acknowledge(self, **refused: str) -> Counter[str]:
        """Acknowledge every export that is new, but for the codes of some roles."""
        refusals = {self.codes(address_of(role))[0]: reason for role, reason in refused.items()}
        effects: Counter[str] = Counter()
        for manifest in sorted((self.out / "vouchers").glob("*.manifest.json")):
            number = manifest.name[:8]
            if number in self.acknowledged:
                continue
            codes = {row["code"] for row in rows_beside(manifest)} & refusals.keys()
            lines = [f"{code},{refusals[code]}" for code in codes]
            receipt = self.drop(f"acks/{number}.ack", *(["code,reason", *lines] if lines else []))
            assert receipt["status"] == "accepted"
            effects.update(receipt["effects"])
            self.acknowledged.add(number)
        return effects

    def report(self, file: str, *orders: str) -> dict[str, Any]:
        return self.drop(f"orders/{file}.csv", ORDERS, *orders)


def rows_beside(manifest: Path) -> list[dict[str, str]]:
    path = manifest.with_name(manifest.name.replace(".manifest.json", ".csv.gz"))
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def order(number: str, buyer: str, status: str, code: str = "") -> str:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return f"{number},{at},{digest_of(buyer)},{code},70.00,EUR,{status}"


@pytest.fixture(scope="module")
def client(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The client of a campaign in force, with its lists dropped."""
    folder = tmp_path_factory.mktemp("client")
    file = folder / "month.yaml"
    text = CAMPAIGN_FILE.read_text(encoding="utf-8")
    file.write_text(text.replace("campaign: demo-vip", f"campaign: {CAMPAIGN}"))
    with_pictures(file)
    put = run(stack, "tandem", "campaign", "put", str(file))
    assert put.returncode == 0, put.stderr
    client = Client(stack, folder, Narrator(stack))
    customers = (SPONSOR, *map(canary_address, (1, 2)))
    with hurried(stack, "export"):
        for name, people in (("customers", customers), ("vips", (SPONSOR,))):
            receipt = client.drop(f"{name}/full/today.csv", "digest", *map(digest_of, people))
            assert receipt["status"] == "accepted"
        yield client


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[Surfaces]:
    """What the people reach, and the API: what the files are compared with."""
    surfaces = Surfaces(stack, CAMPAIGN)
    yield surfaces
    surfaces.close()


@pytest.fixture(scope="module")
def month(client: Client, world: Surfaces) -> Client:
    """Four weeks of files, with late, reversed and repeated reports among them."""
    confirm(client, world)
    first_week(client)
    second_week(client)
    third_week(client)
    fourth_week(client)
    return client


def confirm(client: Client, world: Surfaces) -> None:
    """A sponsor invites a referee for each role, and each confirms."""
    session = sign_in(world, SPONSOR)
    referees = [{"email": address_of(role)} for role in ROLES]
    world.call("POST", "/sponsor/invitations", {"referees": referees}, bearer=session)

    def mailed() -> int:
        return sum(bool(world.letters(address_of(role))) for role in ROLES)

    client.narrator.wait("invited", mailed, len(ROLES))
    yes = {"terms_version": "2026-01", "marketing_consent": False}
    for role in ROLES:
        token = world.token_for(address_of(role), "referee")
        answer = world.call("POST", f"/invitations/{token}/confirmation", yes)
        assert answer.status_code == 201


def first_week(client: Client) -> None:
    """The first vouchers; the client refuses one, and finds another in its place."""
    client.wait("first vouchers", lambda: len(client.rows("vouchers")) == len(ROLES))
    effects = client.acknowledge(refused="unknown card programme")
    assert effects == {"acknowledged": len(ROLES) - 1, "refused": 1}
    client.wait("another code", lambda: len(client.codes(address_of("refused"))) == 2)
    assert client.acknowledge() == {"acknowledged": 1}


def second_week(client: Client) -> None:
    """Orders with vouchers; one of them is the sponsor's own, one of a stranger."""
    used = {role: client.codes(address_of(role))[0] for role in ROLES}
    receipt = client.report(
        "second",
        *(order(f"A-{role}", address_of(role), "placed", used[role]) for role in
          ("keeps", "cancels", "returns")),
        order("A-lends", SPONSOR, "kept", used["lends"]),
        order("A-late", address_of("late"), "kept"),
        order("A-reversed", address_of("reversed"), "cancelled"),
        order("A-stranger", "nobody@month.test", "kept", "PROMO2026"),
    )  # fmt: skip
    assert receipt["status"] == "accepted"
    assert receipt["vouchers"] == [{"line": 8, "voucher": "unknown"}]


def third_week(client: Client) -> None:
    """What became of the orders; the week before again, under another name."""
    again = (client.folder / "orders-second.csv").read_text(encoding="utf-8").splitlines()
    late, reversed_ = (client.codes(address_of(role))[0] for role in ("late", "reversed"))
    receipt = client.report(
        "third",
        order("A-keeps", address_of("keeps"), "kept"),
        order("A-cancels", address_of("cancels"), "cancelled"),
        order("A-returns", address_of("returns"), "kept"),
        order("A-late", address_of("late"), "placed", late),
        order("A-reversed", address_of("reversed"), "placed", reversed_),
    )
    assert (receipt["status"], receipt["rejected"]) == ("accepted", 0)
    repeated = client.report("second-again", *again[1:])
    assert repeated["status"] == "accepted"
    # Of three orders that are kept: the first rung of the ladder, and the sponsor's voucher.
    client.wait("rewards", lambda: len(client.rows("vouchers")) == VOUCHERS - 1)
    assert client.acknowledge() == {"acknowledged": 6}


def fourth_week(client: Client) -> None:
    """An order comes back; a voucher of the ladder is used. The last export is not loaded yet."""
    second = client.codes(address_of("keeps"))[-1]
    receipt = client.report(
        "fourth",
        order("A-returns", address_of("returns"), "returned"),
        order("B-keeps", address_of("keeps"), "kept", second),
    )
    assert receipt["effects"] == {"recorded": 2}
    client.wait("the second rung", lambda: len(client.rows("vouchers")) == VOUCHERS)
    client.wait("its changes", lambda: len(client.rows("changes")) == CHANGES)


def test_the_files_alone_give_the_state_of_every_voucher(month: Client, world: Surfaces) -> None:
    rebuilt = recipe("states_from")["states_from"](str(month.out))
    codes = [row["code"] for row in month.rows("vouchers")]
    answers = {code: world.as_client("GET", f"/vouchers/{code}").json() for code in codes}
    assert rebuilt == {code: answer["state"] for code, answer in answers.items()}
    # Redeemed: keeps twice, returns, lends, late. Revoked: the refused one, two of the returned.
    assert Counter(rebuilt.values()) == {
        "acknowledged": 7, "redeemed": 5, "revoked": 3, "exported": 1,
    }  # fmt: skip
    assert outstanding(month.rows("vouchers"), rebuilt) == outstanding(answers.values())


def outstanding(
    vouchers: Iterable[dict[str, Any]], states: dict[str, str] | None = None
) -> Decimal:
    """What is still owed, to the cent; without `states`, each voucher has its own."""
    return sum(
        (
            Decimal(one["value"])
            for one in vouchers
            if (states[one["code"]] if states else one["state"]) in {"exported", "acknowledged"}
        ),
        Decimal(),
    )


def test_changes_are_numbered_without_gaps_and_name_the_order(month: Client) -> None:
    names = sorted(path.name for path in (month.out / "changes").glob("*.csv.gz"))
    assert names == [f"{number:08}.csv.gz" for number in range(1, len(names) + 1)]
    rows = {role: changes_of(month, role) for role in ROLES}
    assert rows == {
        "keeps": [("redeemed", "A-keeps"), ("redeemed", "B-keeps")],
        "cancels": [("redeemed", "A-cancels"), ("rolled_back", "A-cancels")],
        "returns": [("redeemed", "A-returns"), ("revoked", "")],
        "refused": [("refused", ""), ("replaced", "")],
        "lends": [("redeemed", "A-lends")],
        "late": [("redeemed", "A-late")],
        "reversed": [],
        "waits": [],
    }


def changes_of(client: Client, role: str) -> list[tuple[str, str]]:
    codes = client.codes(address_of(role))
    return [
        (row["change"], row["order_id"]) for row in client.rows("changes") if row["code"] in codes
    ]


@pytest.mark.parametrize(
    "words",
    [("ls", "lists/"), ("cp", __file__, f"out/{CAMPAIGN}/vouchers/x.csv")],
    ids=["read", "write"],
)
def test_the_client_may_read_and_write_nothing_else(client: Client, words: Sequence[str]) -> None:
    *before, path = words
    assert "AccessDenied" in client.aws(*before, f"s3://{client.stack.bucket}/{path}")


def test_the_daily_work_of_the_guide_loads_each_file_once(month: Client, world: Surfaces) -> None:
    """Run twice, as it may be on any day; the second time its receipts are there."""
    folder = month.folder / "daily"
    folder.mkdir()
    people = (SPONSOR, *map(canary_address, (1, 2)))
    content = gzip.compress("\n".join(["digest", *map(digest_of, people), ""]).encode())
    manifest = manifest_of(3, hashlib.sha256(content).hexdigest(), KEY_ID, datetime.now(UTC))
    (folder / "full.csv.gz").write_bytes(content)
    (folder / "full.manifest.json").write_bytes(manifest)
    vips = gzip.compress("\n".join(["digest", digest_of(SPONSOR), ""]).encode())
    manifest = manifest_of(1, hashlib.sha256(vips).hexdigest(), KEY_ID, datetime.now(UTC))
    (folder / "vips.csv.gz").write_bytes(vips)
    (folder / "vips.manifest.json").write_bytes(manifest)
    bought = order("A-daily", "nobody@month.test", "placed")
    (folder / "orders.csv").write_text(f"{ORDERS}\n{bought}\nA-wrong,yesterday,,,1.00,EUR,placed\n")
    not_accepted: list[str] = []
    for runs in (1, 2):
        not_accepted += daily_work(month, folder).splitlines()
        month.wait("receipts", partial(has_receipts, month, folder, runs))
    acknowledged = {path.stem for path in (folder / "loaded").glob("*.ack")}
    assert not_accepted != []
    assert len(set(not_accepted)) == len(not_accepted)
    assert {Path(path).parent.as_posix() for path in not_accepted} == {"out/receipts/orders"}
    files = sorted(path.name[:8] for path in (month.out / "vouchers").glob("*.csv.gz"))
    assert sorted(acknowledged) == files
    loaded = (folder / "tills.csv").read_text(encoding="utf-8").splitlines()
    codes = [row["code"] for row in month.rows("vouchers")]
    assert sorted(line.split(",")[0] for line in loaded) == sorted([*codes, *["code"] * len(files)])
    states = {code: world.as_client("GET", f"/vouchers/{code}").json()["state"] for code in codes}
    assert "exported" not in states.values()
    blocked = set((folder / "blocked.txt").read_text(encoding="utf-8").split())
    assert blocked == {code for code, state in states.items() if state == "revoked"}


def daily_work(client: Client, folder: Path) -> str:
    """What the guide's commands print."""
    guide = (ROOT / "docs/client-guide.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^```bash\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": programs, "BUCKET": client.stack.bucket, "CAMPAIGN": CAMPAIGN}
    done = subprocess.run(
        ["bash", "-c", commands], cwd=folder, env=client.environment | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def has_receipts(client: Client, folder: Path, runs: int) -> bool:
    """Whether everything is answered that the commands have dropped in so many runs."""
    receipts = client.out / "receipts"
    acks = [f"{path.name}.json" for path in (folder / "loaded").glob("*.ack")]
    return len(list(receipts.glob("orders/*Z.csv.json"))) == runs and all(
        (receipts / "acks" / name).exists() for name in acks
    )
