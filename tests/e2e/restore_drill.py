"""A restored table brought into service, on the packaged stack: `make restore-drill`.

The demo's story is played. In the middle of it everything that the table holds is kept, as
point-in-time recovery would; at its end the table is taken back to that, by the commands of the
runbook as they are printed there. Then everything must be as it was before, and the story's end be
the same.

The emulator has no point-in-time recovery: the one command for it is answered here, and as strictly
as by AWS. What is restored is a table of another name, without stream, expiry and backups.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from boto3.dynamodb.types import TypeDeserializer
from rich.console import Console

from local.demo import lists
from local.demo.expected import EXPECTED
from local.deployment import root_session
from local.emulator import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from local.narration import Narrator
from local.running import Stack
from local.stack import running_stack
from local.story import Story
from tests.e2e.conftest import hurried

ROOT = Path(__file__).resolve().parents[2]
SECTION = "## Taking the table back"
INVITED_SINCE = ("new21@demo.test", "new22@demo.test")
SETTLED_WITHIN_S = 120
Item = Mapping[str, Any]


def commands() -> list[str]:
    """The commands of the runbook's section, block by block."""
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    section = runbook.split(f"\n{SECTION}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


class Drill:
    """One stack, what its table held at the moment, and how it is checked."""

    def __init__(self, stack: Stack, directory: Path) -> None:
        self.stack, self.directory = stack, directory
        self.narrator = Narrator(stack, Console())
        self.story = Story(stack, self.narrator)
        self.world = self.story.world
        self.kept_in = directory / "kept.json"
        self.moment = ""

    # --- what happens -----------------------------------------------------------------------------

    def play(self) -> None:
        """The story, with the moment after its third chapter, and invitations at its end."""
        before = (self.story.lists, self.story.sign_in, self.story.invite)
        after = (
            self.story.answer, self.story.first_vouchers, self.story.orders, self.story.rewards,
            self.story.unearned, self.story.files, self.invite_since,
        )  # fmt: skip
        self.chapters(before)
        self.keep()
        self.chapters(after)
        self.settle()

    def chapters(self, chapters: Iterable[Callable[[], None]]) -> None:
        """Some chapters, in a hurry."""
        with hurried(self.stack, "export", "report", "seal"):
            for chapter in chapters:
                chapter()

    def keep(self) -> None:
        """What the table holds at this moment: nothing runs while it is read."""
        self.run("tandem restore stop")
        self.moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        kept = list(items(self.stack))
        self.kept_in.write_text(json.dumps({"moment": self.moment, "items": kept}))
        self.run("tandem restore start")
        self.check("the table as it was at the moment is kept", bool(kept))

    def invite_since(self) -> None:
        """After the moment: one more referee confirms, another does not answer."""
        self.invite("vip2@demo.test", INVITED_SINCE)
        self.wait("mailed", lambda: len(self.world.letters(INVITED_SINCE[1])) == 1)
        self.story._confirm(INVITED_SINCE[0])
        rows = EXPECTED["vouchers in files"] + 1
        self.story._wait_for_exports(rows)

    def invite(self, sponsor: str, addresses: Sequence[str]) -> None:
        """A sponsor invites some more people."""
        answer = self.world.call(
            "POST",
            "/sponsor/invitations",
            {"referees": [{"email": address} for address in addresses]},
            bearer=self.story._sessions[sponsor],
            headers={"Idempotency-Key": f"since-{sponsor}"},
        )
        self.check(f"{sponsor} invites {len(addresses)} more", answer.status_code == 202)

    def settle(self) -> None:
        """Until every fact is counted and nothing waits for an export or a file."""
        for function in ("expire", "reconcile", "export", "export", "report", "seal"):
            self.stack.run(function)
        self.wait("settled", lambda: not self.unsettled())

    def unsettled(self) -> list[str]:
        """What waits: facts, vouchers, changes, mails."""
        waiting: list[str] = []
        for item in map(plain, items(self.stack)):
            kind = item.get("kind")
            waits = (
                (kind == "FACT" and not item["counted"])
                or (kind == "VOUCHER" and item.get("export") is None)
                or (kind == "MAIL" and item["state"] in {"leased", "waiting"})
                or (kind == "INVITATION" and item.get("decision") is None)
                or kind == "VOUCHER_CHANGE"
            )
            waiting += [f"{kind} {item['sk']}"] if waits else []
        return waiting

    # --- the runbook ------------------------------------------------------------------------------

    def take_back(self) -> None:
        """The commands of the runbook, as they are printed there."""
        blocks = commands()
        self.check(f"{len(blocks)} blocks of commands in the runbook", len(blocks) > 3)
        values = {"CAMPAIGN": lists.CAMPAIGN, "DATE": datetime.now(UTC).date().isoformat()}
        for block in blocks:
            text = re.sub(r"\b(CAMPAIGN|DATE)\b", lambda found: values[found[0]], block)
            self.run(re.sub(r"(?m)^export MOMENT=.*$", f"export MOMENT={self.moment}", text))

    def run(self, block: str) -> None:
        """Run commands in a shell, where `aws` and `tandem` are those of this stack."""
        print(*(f"  $ {line}" for line in block.splitlines()), sep="\n", flush=True)
        environment = {
            **os.environ,
            "PATH": f"{self._shims()}:{os.environ['PATH']}",
            "STAGE": "local",
            "MOMENT": self.moment,
            "TANDEM_PORT": self.stack.url.rsplit(":", 1)[1],
            "AWS_ENDPOINT_URL": self.stack.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_DEFAULT_REGION": REGION,
        }
        done = subprocess.run(
            ["/bin/bash", "-ec", block], env=environment, capture_output=True, text=True,
            check=False, cwd=ROOT,
        )  # fmt: skip
        print(*(f"    {line}" for line in done.stdout.splitlines()), sep="\n", flush=True)
        self.check(f"exit code {done.returncode} {done.stderr.strip()}", done.returncode == 0)

    def _shims(self) -> Path:
        """A folder with the two commands; what the emulator lacks of AWS is done by this module."""
        folder = self.directory / "bin"
        if not folder.exists():
            folder.mkdir()
            aws = Path(sys.executable).with_name("aws")
            write_command(folder / "tandem", '-c "from cli.main import app; app()" "$@"')
            restored = f'-m tests.e2e.restore_drill --restore "{self.kept_in}" "$@"'
            write_command(folder / "restored", restored)
            (folder / "aws").write_text(
                '#!/bin/sh\ncase "$*" in\n*restore-table-to-point-in-time*) exec restored "$@" ;;\n'
                f'*) exec "{aws}" "$@" ;;\nesac\n'
            )
            (folder / "aws").chmod(0o755)
        return folder

    # --- checks -----------------------------------------------------------------------------------

    def check(self, text: str, holds: bool) -> None:
        """Note whether something holds."""
        self.narrator.check(text, holds)

    def wait(self, text: str, holds: Callable[[], bool]) -> None:
        """Wait until something holds, and note whether it does."""
        until = time.monotonic() + SETTLED_WITHIN_S
        while not holds() and time.monotonic() < until:
            time.sleep(0.5)
        self.check(text, holds())

    def seen(self) -> dict[str, Any]:
        """What everybody sees: the client, the people, the dashboard, and what is stored for it."""
        found = [plain(item) for item in items(self.stack)]
        facts = Counter(item["fact_id"] for item in found if item.get("kind") == "FACT")
        return {
            "vouchers": fields(found, "VOUCHER", "voucher_id", "printed", "state", "export",
                               "redeemed_by", "replaces", "replaced_by"),
            "rewards": fields(found, "REWARD", "pk", "sk", "code", "order_id"),
            "orders": fields(found, "ORDER", "order_id", "status", "amount_minor", "code_key",
                             "referral_id", "counts"),
            "redemptions": fields(found, "REDEMPTION", "pk", "sk", "order_id"),
            "referrals": fields(found, "REFERRAL", "referral_id", "sponsor_id", "sponsor_digest",
                                "orders"),
            "facts": facts,
            "journal": self.journal(),
            "counts": self.story.counts(),
            "mails": Counter((one.to, one.subject) for one in self.world.letters()),
            "exports": {key: self.content(key) for key in self.keys("vouchers/")},
            "changes": {key: self.content(key) for key in self.keys("changes/")},
        }  # fmt: skip

    def keys(self, folder: str) -> list[str]:
        """The paths of the client's files in a folder."""
        return self.world.output_keys(folder)

    def content(self, key: str) -> bytes:
        """A file of the client."""
        return self.stack.s3.get_object(Bucket=self.stack.bucket, Key=key)["Body"].read()

    def journal(self) -> Counter[str]:
        """The facts in the chained files, by their ids."""
        lines = (line for key in self.keys("journal/") for line in self.content(key).splitlines())
        return Counter(json.loads(line)["fact"]["fact_id"] for line in lines)

    def compare(self, before: Mapping[str, Any]) -> None:
        """Nothing is lost and nothing is double."""
        after = self.seen()
        for name, was in before.items():
            self.check(f"{name}: {len(was)} as before", after[name] == was)
        campaign = [fact for fact in after["journal"] if fact not in after["facts"]]
        self.check("every journaled fact is in the table", not campaign)
        self.check("each fact once in the journal", set(after["journal"].values()) == {1})
        counts = {name: after["counts"].get(name, 0) for name in EXPECTED}
        once_more = (
            "confirmed", "vouchers_issued", "rewards", "vouchers_exported", "vouchers in files",
            "referrals in the table",
        )  # fmt: skip
        more = {"invited": 2, "sent": 2} | dict.fromkeys(once_more, 1)
        wanted = {name: value + more.get(name, 0) for name, value in EXPECTED.items()}
        self.check("the story's end, and what was added to it", counts == wanted)
        rows = Counter(row["voucher"] for one in self.world.exports().values() for row in one)
        self.check("each voucher in one export", set(rows.values()) == {1})

    def go_on(self) -> None:
        """Life goes on, and what is repeated has no second effect."""
        letters = len(self.world.letters())
        orders = self.world.funnel("orders_kept")
        self.story._order_by_api("B-3")
        self.use_again()
        self.invite("vip1@demo.test", INVITED_SINCE[1:])
        self.settle()
        self.check("nobody is mailed a second time", len(self.world.letters()) == letters)
        self.check("no order counts twice", self.world.funnel("orders_kept") == orders)
        self.story._acknowledge()
        self.settle()
        # The address came after the moment: nobody has it any more.
        codes = self.world.codes_for(INVITED_SINCE[0])
        self.check("whose address is lost is not mailed", not codes)
        self.check("no dead queue holds anything", not self.dead())

    def use_again(self) -> None:
        """The till repeats its call: the amount is known again, and another order is refused."""
        code = self.world.codes_for("new7@demo.test")[0]
        path = f"/vouchers/{code}/redemptions"
        used = {"ordered_at": datetime.now(UTC).isoformat(), "amount": "61.20", "currency": "EUR"}
        statuses = [
            self.world.as_client("POST", path, used | {"order_id": order}).status_code
            for order in ("TILL-2", "TILL-3")
        ]
        self.check(
            f"a used voucher is used, on its order alone: {statuses}", statuses == [200, 409]
        )
        found = [plain(item) for item in items(self.stack)]
        amounts = fields(found, "REDEMPTION", "order_id", "amount_minor", "is_rebuilt")
        self.check("its amount is known again", ("TILL-2", "6120", "False") in amounts)

    def dead(self) -> list[str]:
        """The dead queues that hold something."""
        urls = self.stack.sqs.list_queues()["QueueUrls"]
        return [url for url in urls if url.endswith("-dead") and self.holds(url)]

    def holds(self, url: str) -> bool:
        """Whether a queue holds anything."""
        answer = self.stack.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return answer["Attributes"]["ApproximateNumberOfMessages"] != "0"


def fields(found: Iterable[Mapping[str, Any]], kind: str, *names: str) -> set[tuple[str, ...]]:
    """Some fields of the items of a kind."""
    return {
        tuple(str(item.get(name)) for name in names) for item in found if item.get("kind") == kind
    }


def items(stack: Stack) -> Iterator[Item]:
    """Every item of the stack's table."""
    for page in stack.dynamodb.get_paginator("scan").paginate(
        TableName=stack.table, ConsistentRead=True
    ):
        yield from page["Items"]


def plain(item: Item) -> dict[str, Any]:
    """An item as Python's values."""
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in item.items()}


def write_command(path: Path, arguments: str) -> None:
    """A command that runs this Python with some arguments."""
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}\n')
    path.chmod(0o755)


def restore_into_a_new_table(kept: Path, arguments: Sequence[str]) -> None:
    """What `aws dynamodb restore-table-to-point-in-time` does, as strictly: the new table has
    another name, the keys and indexes of its source, and nothing else of it.
    """
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    source, target = given["--source-table-name"], given["--target-table-name"]
    held = json.loads(kept.read_text())
    if given["--restore-date-time"] != f"{held['moment']}Z" or source == target:
        raise SystemExit("that moment was not kept, or the table is there")
    client = root_session().client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    table = client.describe_table(TableName=source)["Table"]
    indexes = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in table["GlobalSecondaryIndexes"]
    ]
    client.create_table(
        TableName=target,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=table["AttributeDefinitions"],
        KeySchema=table["KeySchema"],
        GlobalSecondaryIndexes=cast("Any", indexes),
    )
    for item in held["items"]:
        client.put_item(TableName=target, Item=item)


def drill(directory: Path) -> bool:
    """The whole of it; True when every check held."""
    with running_stack(directory=directory / "stack") as stack:
        rehearsal = Drill(stack, directory)
        try:
            rehearsal.play()
            before = rehearsal.seen()
            rehearsal.narrator.chapter("The table is taken back, by the runbook")
            rehearsal.take_back()
            rehearsal.settle()
            rehearsal.narrator.chapter("Nothing is lost, nothing is double")
            rehearsal.compare(before)
            rehearsal.go_on()
        finally:
            rehearsal.world.close()
        return rehearsal.narrator.verdict()


def main() -> None:
    """Rehearse, or do what the emulator lacks."""
    if sys.argv[1:2] == ["--restore"]:
        restore_into_a_new_table(Path(sys.argv[2]), sys.argv[5:])
        return
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(not drill(Path(directory)))


if __name__ == "__main__":
    main()
