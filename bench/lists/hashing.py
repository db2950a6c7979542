"""The contest of `tandem hash` with a per-line loop, on a client's export of addresses."""

from __future__ import annotations

import filecmp
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.lists.figures import Check
from bench.lists.making import address_list
from bench.lists.places import Setting, python
from bench.lists.processes import Run, run
from bench.lists.rounds import Contestant, in_turns

ROWS = 1_000_000
ALL_CORES = f"tandem hash, {os.cpu_count()} jobs"
ONE_JOB = "tandem hash, 1 job"
LOOP = "per-line loop"


def hash_addresses(setting: Setting) -> tuple[dict[str, list[Run]], list[Check]]:
    """Hash `ROWS` addresses by each way; all digests of the loop must be on our list."""
    addresses, key = setting.file("addresses.csv"), setting.file("key.hex")
    setting.told("making addresses")
    address_list(addresses, ROWS)
    key.write_text("5a" * 32 + "\n")
    key.chmod(0o600)
    every, one = setting.file("all.csv.gz"), setting.file("one.csv.gz")
    plain = setting.file("loop.csv.gz")
    contestants = [
        _tandem(ALL_CORES, addresses, key, every, os.cpu_count() or 1),
        _tandem(ONE_JOB, addresses, key, one, 1),
        Contestant(LOOP, python("of_hash_loop", addresses, key, plain), (addresses,), (plain,)),
    ]
    runs = in_turns(contestants, min(setting.rounds, 3), setting.told)
    setting.told("comparing the digests")
    answer = run(python("checks", "hashed", plain, every), {}).answer
    same = filecmp.cmp(every, one, shallow=False)
    return runs, [_check(answer), Check("any number of jobs gives the same bytes", same, "")]


def _tandem(name: str, addresses: Path, key: Path, out: Path, jobs: int) -> Contestant:
    command = Path(sys.executable).with_name("tandem")
    words = ("hash", addresses, "--column", "email", "--key-file", key, "--key-id", "bench")
    manifest = out.with_name(out.name.replace(".csv.gz", ".manifest.json"))
    return Contestant(
        name,
        (command, *words, "-o", out, "--jobs", str(jobs)),
        (addresses,),
        (out, manifest),
    )


def _check(answer: Mapping[str, float]) -> Check:
    found = f"{answer['loop']:,} by the loop, {answer['ours']:,} by ours"
    whole = answer["missing"] == 0 and answer["loop"] == ROWS
    return Check("every digest of the loop is on the list of tandem hash", whole, found)


def lines_per_second(seconds: float) -> float:
    """Of the export."""
    return ROWS / seconds
