"""`tandem manifest`: a list that other tools made is read as our side reads it."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import Result

from chalicelib.domain.addresses import DigestKey
from chalicelib.domain.files.digests import digests
from chalicelib.domain.files.manifest import parse_manifest
from chalicelib.domain.files.reading import FileRefusedError, Tally
from cli.client.lists import read_list
from cli.hashing.manifest import canaries

ROOT = Path(__file__).parents[2]
KEY = DigestKey("k1", secret=b"sixteen bytes or")
CANARIES = canaries(KEY, 2)

Tandem = Callable[..., Result]


def digest_of(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


def made(path: Path, *digests: str, header: str = "digest\n", end: str = "\n") -> Path:
    content = (header + "".join(f"{one}{end}" for one in digests)).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def with_key(tmp_path: Path) -> list[str]:
    (tmp_path / "k1.key").write_text(KEY.secret.hex())
    return ["--key-id", "k1", "--key-file", str(tmp_path / "k1.key")]


@pytest.mark.parametrize("name", ["full.csv", "full.csv.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("header", ["", "digest\n", "\ufeffdigest\r\n"])
def test_the_manifest_is_the_one_our_side_asks_for(
    tandem: Tandem, tmp_path: Path, name: str, end: str, header: str
) -> None:
    source = made(tmp_path / name, *CANARIES, digest_of(1), end=end, header=header)
    done = tandem("manifest", source, *with_key(tmp_path))
    assert done.exit_code == 0, done.output
    manifest = parse_manifest((tmp_path / "full.manifest.json").read_bytes())
    assert (manifest.rows, manifest.key_id) == (3, "k1")
    assert manifest.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert manifest.canaries == tuple(CANARIES)


def test_the_manifest_of_a_delta_names_its_full_list(tandem: Tandem, tmp_path: Path) -> None:
    full = made(tmp_path / "full.csv", *CANARIES, digest_of(1))
    delta = made(tmp_path / "remove.csv", digest_of(1))
    options = ["--canaries", "0", "--base", full, "--key-id", "k1"]
    assert tandem("manifest", delta, *options).exit_code == 0
    manifest = parse_manifest((tmp_path / "remove.manifest.json").read_bytes())
    assert manifest.base_sha256 == hashlib.sha256(full.read_bytes()).hexdigest()
    assert manifest.canaries == ()


def test_json_says_all_of_it(tandem: Tandem, tmp_path: Path) -> None:
    source = made(tmp_path / "full.csv", digest_of(1), digest_of(2), digest_of(1))
    done = tandem("manifest", source, "--key-id", "k1", "--json")
    assert json.loads(done.output) == {
        "file": str(source),
        "manifest": str(tmp_path / "full.manifest.json"),
        "rows": 3,
        "digests": 3,
        "duplicates": 1,
        "sorted": False,
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "canaries": None,
        "rejected": 0,
        "problems": [],
    }


def test_both_digests_of_an_address_may_stand_in_a_row(tandem: Tandem, tmp_path: Path) -> None:
    source = tmp_path / "full.csv"
    rows = [f"{digest_of(1)},{digest_of(2)}", f"{digest_of(3)},"]
    made(source, *rows, header="digest,canonical_digest\n")
    read = json.loads(tandem("manifest", source, "--key-id", "k1", "--json").output)
    assert (read["rows"], read["digests"]) == (2, 3)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("no digest", "line 3: not 64 hex digits"),
        ("ab" * 20, "line 3: a digest of another length than 64 hex digits"),
        ("jeanne@demo.test", "line 3: an address, not a digest: nothing of it may be sent"),
        ('"a', "line 3: a quote that does not stand around a whole field"),
        (f"{digest_of(1)},{digest_of(2)}", "line 3: another number of columns than in the first"),
    ],
)
def test_a_bad_line_is_named_and_there_is_no_manifest(
    tandem: Tandem, tmp_path: Path, bad: str, said: str
) -> None:
    rows = [*CANARIES, *map(digest_of, range(3))]
    source = made(tmp_path / "full.csv", rows[0], bad, *rows[1:])
    done = tandem("manifest", source, *with_key(tmp_path))
    assert done.exit_code == 1
    assert f"{source}: {said}" in done.stderr
    assert bad not in done.output
    assert not (tmp_path / "full.manifest.json").exists()
    problems = json.loads(tandem("manifest", source, *with_key(tmp_path), "--json").stdout)
    assert problems["problems"][0]["line"] == 3
    assert problems["manifest"] is None


def test_lines_are_counted_over_blocks(tmp_path: Path) -> None:
    rows = [*map(digest_of, range(50)), "x", *map(digest_of, range(50))]
    read = read_list(made(tmp_path / "full.csv", *rows), block=200)
    assert [(one.line, one.reason) for one in read.errors] == [(52, "not_hex")]


def test_no_more_lines_are_shown_than_can_be_read(tandem: Tandem, tmp_path: Path) -> None:
    source = made(tmp_path / "full.csv", *["x"] * 50)
    done = tandem("manifest", source, "--key-id", "k1")
    assert done.stderr.splitlines()[-1] == f"{source}: and 30 more"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("full.csv", b"", "no digest at all"),
        ("full.csv", b"digest\n", "no digest at all"),
        ("full.csv", b"email\nx\n", "this header is not known: a list has the column digest"),
        ("full.csv.gz", b"digest\n", "named .gz, and not gzip"),
        ("full.csv", gzip.compress(b"digest\n", mtime=0), "gzip, and not named .gz"),
        ("full.csv.gz", gzip.compress(b"digest\n" * 99, mtime=0)[:-9], "a gzip file that was cut"),
        ("full.csv", "digest\n".encode("utf-16"), "UTF-16: save it as UTF-8"),
        ("full.csv", b"0" * 5000, "a line of more than 4,096 bytes"),
    ],
)
def test_a_file_that_can_only_be_refused_is_refused(
    tandem: Tandem, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    done = tandem("manifest", source, "--key-id", "k1")
    assert done.exit_code == 1
    assert said in done.stderr


def test_a_list_without_the_canaries_of_its_key_has_no_manifest(
    tandem: Tandem, tmp_path: Path
) -> None:
    source = made(tmp_path / "full.csv", CANARIES[0], digest_of(1))
    done = tandem("manifest", source, *with_key(tmp_path))
    assert done.exit_code == 1
    assert "the canaries of this key are not in it" in done.stderr


def test_dry_run_writes_nothing(tandem: Tandem, tmp_path: Path) -> None:
    source = made(tmp_path / "full.csv", digest_of(1))
    assert tandem("manifest", source, "--key-id", "k1", "--dry-run").exit_code == 0
    assert not (tmp_path / "full.manifest.json").exists()


@settings(deadline=None)  # files, on a machine that may be busy
@given(
    st.lists(
        st.one_of(
            st.sampled_from([digest_of(n) for n in range(4)]),
            st.sampled_from([digest_of(1).upper(), "", " ", "x", "a" * 63, "é", '"', "ab" * 20]),
        ),
        max_size=12,
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 300),
)
def test_a_list_is_read_as_our_side_reads_it(rows: list[str], end: str, block: int) -> None:
    """The blocks that are recognised at once give what the rules give, line by line."""
    content = ("digest\n" + "".join(f"{row}{end}" for row in rows)).encode()
    tally = Tally()
    records: list[bytes] = []
    refused = ""
    try:
        records += digests([content], tally)
    except FileRefusedError as error:
        refused = error.reason
    with NamedTemporaryFile(suffix=".csv") as file:
        file.write(content)
        file.flush()
        if refused and not tally.rejected:
            with pytest.raises(FileRefusedError, match=refused):
                read_list(Path(file.name), block=block)
            return
        if refused == "plain_address":
            return  # after a bad line, which is named first or not at all
        read = read_list(Path(file.name), block=block)
    assert (read.rows, read.rejected, list(read.errors)) == (
        tally.rows, tally.rejected, tally.errors,
    )  # fmt: skip
    if not refused:
        assert read.digests == len(records)
        assert read.duplicates == len(records) - len(set(records))


def test_sorted_lists_and_repeated_digests_are_told(tmp_path: Path) -> None:
    numbers = [digest_of(n) for n in range(3000)]
    ordered = read_list(made(tmp_path / "ordered.csv", *sorted(numbers)))
    assert (ordered.is_sorted, ordered.duplicates) == (True, 0)
    mixed = [*numbers, *numbers[:7]]
    random.Random(1).shuffle(mixed)
    assert (read := read_list(made(tmp_path / "mixed.csv", *mixed))).duplicates == 7
    assert (read.is_sorted, read.digests) == (False, 3007)


@pytest.mark.slow
def test_the_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    peaks = [peak_of(tmp_path, rows) for rows in (100_000, 1_000_000)]
    assert peaks[1] < peaks[0] + 25_000, peaks  # kB; the rows are 58 MB more


def peak_of(tmp_path: Path, rows: int) -> int:
    """The most memory that reading a list takes, in kB, in a process of its own."""
    source = tmp_path / f"{rows}.csv"
    with source.open("w", encoding="ascii") as file:
        file.writelines(f"{digest_of(number)}\n" for number in range(rows))
    script = (
        "import pathlib, resource, sys; from cli.client.lists import read_list; "
        "assert read_list(pathlib.Path(sys.argv[1])).digests == int(sys.argv[2]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = [sys.executable, "-c", script, str(source), str(rows)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)
