"""The contest of hashing a client's export of addresses: `tandem hash` and a Python loop."""

from __future__ import annotations

import filecmp
import os
import sys
from pathlib import Path

from bench.lists.inputs import write_addresses
from bench.lists.processes import Contestant, Settings, command, run, run_rounds
from bench.lists.results import Check, Results, standings

ADDRESSES = 1_000_000  # at most; no more than the list has rows
HASH = "hash"
ALL_CORES = f"tandem hash, {os.cpu_count()} jobs"
ONE_JOB = "tandem hash, 1 job"
LOOP = "Python loop"


def contest(settings: Settings, results: Results) -> None:
    """Hash the same addresses in each way; all digests of the loop must be on Tandem's list."""
    addresses, key = settings.file("addresses.csv"), settings.file("key.hex")
    count = min(ADDRESSES, settings.rows)
    settings.progress("writing addresses")
    write_addresses(addresses, count)
    key.write_text("5a" * 32 + "\n")
    key.chmod(0o600)
    every, one = settings.file("all.csv.gz"), settings.file("one.csv.gz")
    plain = settings.file("loop.csv.gz")
    loop = command("python_loops", "hash", addresses, key, plain)
    contestants = [
        _tandem(ALL_CORES, addresses, key, every, os.cpu_count() or 1),
        _tandem(ONE_JOB, addresses, key, one, 1),
        Contestant(LOOP, loop, (addresses,), (plain,), slow=True),
    ]
    contest = f"{HASH} {count:,} addresses"
    results.standings += standings(contest, run_rounds(contestants, settings), ALL_CORES)
    settings.progress("comparing the digests")
    answer = run(command("checks", "digests", plain, every)).answer
    whole = answer["missing"] == 0 and answer["loop"] == count
    same = filecmp.cmp(every, one, shallow=False)
    results.checks += [
        Check(contest, LOOP, "all its digests are on the list of tandem hash", whole),
        Check(contest, ONE_JOB, f"the bytes of {os.cpu_count()} jobs", same),
    ]


def _tandem(name: str, addresses: Path, key: Path, out: Path, jobs: int) -> Contestant:
    tandem = Path(sys.executable).with_name("tandem")
    words = ("hash", addresses, "--column", "email", "--key-file", key, "--key-id", "bench")
    manifest = out.with_name(out.name.replace(".csv.gz", ".manifest.json"))
    written = (out, manifest)
    return Contestant(name, (tandem, *words, "-o", out, "--jobs", str(jobs)), (addresses,), written)
