"""Somebody is forgotten while everything else goes on: each seed another order of all calls.

    python -m tests.simulation.erasures [--seeds 200]

The erasure is a worker of its own, held at each of its calls to AWS, killed by some and begun
again, as an operator would. Beside it the person answers, buys, signs in and is invited once more;
queues, streams and schedules run. In the end nothing in the table, the queues or the bucket may say
who she was, but for the files that a receipt named, and no law may be broken.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.erasure import ErasureReceipt
from chalicelib.services.digests import digests_of
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.ports import ContentionError
from tests.api.gateway import Request
from tests.api.requests import CONFIRMATION, GOOD, PURCHASE, VOUCHERS, invitations
from tests.api.world import BUCKET, CAMPAIGN, OTHER_VIP, STRANGER, VIP, posting
from tests.simulation.laws import violations
from tests.simulation.races import FAULTS, ROUNDS, Call, Start, _ask, _step, kept
from tests.simulation.run import finish
from tests.simulation.scheduler import Worker
from tests.simulation.stage import Stage, stage

BUYER = "paul.durand@demo.test"
WHO = (STRANGER, BUYER, VIP)
SCHEDULED = ("export", "expire", "reconcile", "report")


@dataclass
class Forgotten:
    """What a race came to."""

    receipts: list[ErasureReceipt] = field(default_factory=list)
    kills: int = 0
    broken: list[str] = field(default_factory=list)


@contextmanager
def known() -> Iterator[Start]:
    """A sponsor with an open invitation and a referral, whose referee has a voucher."""
    with stage(vips=(VIP, OTHER_VIP)) as world:
        code = world.voucher(BUYER)
        token = world.invited(STRANGER)
        session, other = world.sign_in(VIP), world.sign_in(OTHER_VIP)
        requests = {
            "confirm": posting(f"/v1/invitations/{token}/confirmation", CONFIRMATION),
            "decline": posting(f"/v1/invitations/{token}/decline"),
            "redeem": posting(f"{VOUCHERS}/{code}/redemptions", PURCHASE),
            "sign in": GOOD["sign_in"](world),
            "invite": invitations("zoe@demo.test", session=session),
            "invite again": invitations(STRANGER, BUYER, session=other),
            "look": Request("GET", f"/v1/invitations/{token}"),
        }
        yield Start(world, lambda call: requests[call[0]], kept(world))


def forgotten_meanwhile(start: Start, seed: int) -> Forgotten:
    """One of the three is forgotten, at some moment of everything."""
    start.restore()
    world, chance = start.world, Random(seed)
    world.machine.chance.seed(seed)
    world.cloud.seed(f"erasure {seed}")
    address, found = chance.choice(WHO), Forgotten()
    calls: list[Call] = [
        (name, "") for name in ("confirm", "decline", "redeem", "sign in", "invite", "invite again")
    ]
    left = chance.sample(calls, chance.randint(2, len(calls)))
    wanted = needles(world, address)
    _begin_erasure(world, address, found)
    scheduler = world.cloud.scheduler
    fired = 0
    while scheduler.workers or left or world.machine.ready():
        ready = world.machine.ready()
        dice = chance.random()
        if left and (dice < 0.1 or not scheduler.workers):
            call = left.pop()
            world.machine.begin(call[0], partial(_ask, world, start.request(call)))
        elif ready and (dice < 0.3 or not scheduler.workers):
            chance.choice(ready)()
        elif fired < 4 and dice < 0.35:
            world.machine.deliver(chance.choice(SCHEDULED))
            fired += 1
        else:
            _step(world, chance, FAULTS, spared="mail")
    finish(world.cloud, world.machine, ROUNDS)
    _look(world, address, wanted, found)
    found.broken += violations(world.cloud)
    return found


def _begin_erasure(world: Stage, address: str, found: Forgotten) -> None:
    """Begin it, and begin it again when it is killed or cannot end now."""

    def at_end(worker: Worker) -> None:
        if isinstance(worker.outcome, ErasureReceipt):
            found.receipts.append(worker.outcome)
        elif worker.error and not isinstance(worker.error, ClientError | BotoCoreError):
            raise worker.error
        else:
            found.kills += 1
            _begin_erasure(world, address, found)

    world.machine.begin("erase", partial(_erase, world, address), at_end)


def _erase(world: Stage, address: str) -> ErasureReceipt | str:
    ports = world.cloud.ports()
    campaign = ports.campaigns.get(CAMPAIGN)
    assert campaign
    try:
        return erase_person(ports, [campaign], Address.parse(address))
    except (RetryLaterError, ContentionError) as error:
        return type(error).__name__


def needles(world: Stage, address: str) -> set[str]:
    """The address and its digests under the client's keys."""
    ports = world.cloud.aside.ports
    campaign = ports.campaigns.get(CAMPAIGN)
    assert campaign
    own = AddressDigests.of(Address.parse(address), [ports.keys.own()]).values
    digests = digests_of(ports, campaign, Address.parse(address)).values
    return {address, *digests} - set(own)


def _look(world: Stage, address: str, wanted: set[str], found: Forgotten) -> None:
    """Where she still is. Somebody who came back meanwhile is there again, by her own act."""
    again = _erase(world, address)
    if isinstance(again, ErasureReceipt):
        found.receipts.append(again)
    last = _erase(world, address)
    if not isinstance(last, ErasureReceipt) or last.found:
        found.broken.append(f"erasing again finds something: {last}")
    world.run()
    for item in world.table():
        text = json.dumps(item, ensure_ascii=False)
        found.broken += [
            f"in the table: {item['pk']} {item['sk']}" for one in wanted if one in text
        ]
    if found.kills:
        return  # killed after its last write, a run has left no receipt
    named = {one.path for receipt in found.receipts for one in receipt.files}
    found.broken += [f"in {path}" for path in _files_with(world, wanted) if path not in named]


def _files_with(world: Stage, wanted: set[str]) -> Iterator[str]:
    s3 = world.clients.s3
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="out/"):
        for each in page.get("Contents", ()):
            content = s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
            plain = gzip.decompress(content) if each["Key"].endswith(".gz") else content
            if any(one.encode() in plain for one in wanted):
                yield each["Key"]


def main() -> None:
    """Play many seeds; fails if one breaks."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.erasures", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=200)
    asked = parser.parse_args()
    broken = 0
    with known() as start:
        for seed in range(asked.seeds):
            for text in forgotten_meanwhile(start, seed).broken:
                broken += 1
                print(f"seed {seed}: {text}", file=sys.stderr)
    print(f"{asked.seeds} schedules, {broken} violations")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
