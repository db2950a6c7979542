"""A file of addresses becomes a list of digests, by the published recipe, and shows no address."""

from __future__ import annotations

import csv
import gzip
import hashlib
import hmac
import io
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import Result

from chalicelib.domain.addresses import DigestKey
from chalicelib.domain.files.manifest import parse_manifest
from cli.hashing import blocks
from cli.hashing.manifest import canaries, canary_address

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "docs/vectors/digests.json").read_text(encoding="utf-8"))
CASES = VECTORS["cases"]

Tandem = Callable[..., Result]
Hash = Callable[..., Result]


@pytest.fixture
def hashed(tmp_path: Path, tandem: Tandem) -> Hash:
    """Run `tandem hash` on `content` with the key of the published vectors."""
    (tmp_path / "vectors.key").write_text(VECTORS["hmac_key_hex"])

    def run(content: bytes, source: str = "in.csv", target: str = "out.csv", *more: str) -> Result:
        (tmp_path / source).write_bytes(content)
        key = ["--key-file", tmp_path / "vectors.key", "--key-id", "vectors"]
        return tandem(
            "hash", tmp_path / source, "--column", "email", *key, "-o", tmp_path / target, *more
        )

    return run


def all_cases() -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([["name", "email"], *(["x", case["address"]] for case in CASES)])
    return text.getvalue().encode()


def of_cases() -> list[str]:
    lines: list[str] = []
    for case in CASES:
        lines += dict.fromkeys([case["hmac_sha256"], case["hmac_sha256_canonical"]])
    return lines


def canary(number: int) -> str:
    key, address = bytes.fromhex(VECTORS["hmac_key_hex"]), canary_address(number).encode()
    return hmac.new(key, address, "sha256").hexdigest()


def expected() -> list[str]:
    return ["digest", canary(1), *of_cases(), canary(2)]


def test_both_digests_of_each_address_are_written_once_when_equal(
    hashed: Hash, tmp_path: Path
) -> None:
    assert hashed(all_cases()).exit_code == 0
    assert (tmp_path / "out.csv").read_text().splitlines() == expected()


def test_gzip_is_read_and_written_by_the_names_of_the_files(hashed: Hash, tmp_path: Path) -> None:
    assert hashed(gzip.compress(all_cases()), "in.csv.gz", "out.csv.gz").exit_code == 0
    written = (tmp_path / "out.csv.gz").read_bytes()
    assert gzip.decompress(written).decode().splitlines() == expected()
    hashed(all_cases(), "in.csv", "out.csv.gz")
    assert (tmp_path / "out.csv.gz").read_bytes() == written


def test_the_manifest_says_what_was_written(hashed: Hash, tmp_path: Path) -> None:
    hashed(all_cases(), "in.csv", "full.csv.gz")
    manifest = json.loads((tmp_path / "full.manifest.json").read_text())
    written = (tmp_path / "full.csv.gz").read_bytes()
    assert manifest.pop("sha256") == hashlib.sha256(written).hexdigest()
    assert datetime.fromisoformat(manifest.pop("generated_at")).tzinfo is not None
    assert manifest == {
        "rows": len(expected()) - 1,
        "key_id": "vectors",
        "canaries": [canary(1), canary(2)],
    }


def test_the_manifest_is_accepted_with_its_canaries(hashed: Hash, tmp_path: Path) -> None:
    hashed(all_cases(), "in.csv", "full.csv", "--canaries", "3")
    parse_manifest((tmp_path / "full.manifest.json").read_bytes())
    lines = (tmp_path / "full.csv").read_text().splitlines()
    assert lines == ["digest", canary(1), *of_cases(), canary(2), canary(3)]


def test_a_campaign_with_sha256_needs_no_key(tandem: Tandem, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(all_cases())
    arguments = ["hash", tmp_path / "in.csv", "--column", "email", "--key-id", "none"]
    arguments += ["-o", tmp_path / "full.csv", "--canaries", "0"]
    assert tandem(*arguments, "--plain").exit_code == 0
    lines = (tmp_path / "full.csv").read_text().splitlines()
    assert {case["sha256"] for case in CASES} <= set(lines)
    assert json.loads((tmp_path / "full.manifest.json").read_text())["key_id"] == "none"
    refused = tandem(*arguments)
    assert (refused.exit_code, refused.output) == (1, "say where the key is: --key-file HEXFILE\n")
    (tmp_path / "k").write_text("00" * 32)
    assert "needs no key" in tandem(*arguments, "--plain", "--key-file", tmp_path / "k").output


def test_the_manifest_of_a_delta_names_the_full_list_beneath(hashed: Hash, tmp_path: Path) -> None:
    hashed(all_cases(), "in.csv", "full.csv.gz")
    done = hashed(b"email\nnew@example.fr\n", "new.csv", "delta.csv", "--base",
                  str(tmp_path / "full.csv.gz"))  # fmt: skip
    assert done.exit_code == 0
    manifest = parse_manifest((tmp_path / "delta.manifest.json").read_bytes())
    assert manifest.base_sha256 == (
        hashlib.sha256((tmp_path / "full.csv.gz").read_bytes()).hexdigest()
    )
    assert hashed(b"email\na@b.fr\n", "new.csv", "x.csv", "--base", "gone.csv").exit_code == 1


def test_a_list_of_digests_to_remove_holds_no_canary(hashed: Hash, tmp_path: Path) -> None:
    hashed(all_cases(), "in.csv", "old.csv.gz", "--canaries", "0")
    written = gzip.decompress((tmp_path / "old.csv.gz").read_bytes()).decode()
    assert written.splitlines() == ["digest", *of_cases()]
    assert json.loads((tmp_path / "old.manifest.json").read_text())["canaries"] == []


def test_canaries_are_the_same_every_day_and_others_under_another_key() -> None:
    ours, theirs = (DigestKey("k1", secret=bytes([one]) * 32) for one in (1, 2))
    assert canaries(ours, 2) == canaries(ours, 5)[:2]
    assert not set(canaries(ours, 5)) & set(canaries(theirs, 5))


def test_canaries_alone_are_no_list(hashed: Hash, tmp_path: Path) -> None:
    assert "no valid address" in hashed(b"email\n").stderr
    assert not (tmp_path / "out.csv").exists()


def test_the_manifest_may_be_left_out(hashed: Hash, tmp_path: Path) -> None:
    hashed(all_cases(), "in.csv", "out.csv", "--no-manifest")
    assert not (tmp_path / "out.manifest.json").exists()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_column_is_found_whatever_separates_it(
    delimiter: str, hashed: Hash, tmp_path: Path
) -> None:
    rows = [["id", "email", "town"], ["1", CASES[0]["address"], "Lyon"]]
    content = "\r\n".join(delimiter.join(row) for row in rows)
    addresses = b"\xef\xbb\xbf" + content.encode()
    assert hashed(addresses, "in.csv", "out.csv", "--canaries", "0").exit_code == 0
    assert (tmp_path / "out.csv").read_text() == f"digest\n{CASES[0]['hmac_sha256']}\n"


def test_lines_without_a_good_address_are_counted_by_reason_and_not_shown(hashed: Hash) -> None:
    lines = [
        "id,email",
        "1,jeanne@example.fr",
        "2,secret-at-example",
        "3,",
        "4",
        "",
        "5,hidden@x@y.fr",
    ]
    result = hashed("\n".join(lines).encode())
    assert result.exit_code == 0
    reported, *rejected = result.stdout.splitlines()
    assert "3 digests (2 canaries) of 5 lines" in reported
    assert rejected == [
        "rejected, empty: 1",
        "rejected, missing_field: 1",
        "rejected, no_at_sign: 1",
        "rejected, several_at_signs: 1",
    ]
    assert not any(word in result.output for word in ("jeanne", "secret", "hidden"))


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"", "no column named email in the first line"),
        (b"jeanne@example.fr\npaul@example.fr\n", "no column named email in the first line"),
        (b"email\n", "no valid address"),
        (b"email\nnobody\n", "no valid address"),
        (b"email\njeanne@example.fr\nzo\xe9@example.fr\n", "not UTF-8: save the file as UTF-8"),
        ("email\njeanne@example.fr\n".encode("utf-16"), "not UTF-8: save the file as UTF-8"),
        (b'email\njeanne@example.fr\n"paul@example.fr\nx@example.fr\n', "unexpected end of data"),
        (b"email\njeanne@example.fr\n" + b"x" * 200_000, "field larger than field limit"),
    ],
)
def test_a_wrong_file_is_reported_without_an_address_and_leaves_no_list(
    content: bytes, reported: str, hashed: Hash, tmp_path: Path
) -> None:
    (tmp_path / "out.csv").write_text("the list of yesterday")
    result = hashed(content)
    assert result.exit_code == 1
    assert reported in result.stderr
    assert f"{tmp_path / 'in.csv'}: " in result.stderr
    assert "@" not in result.output
    assert (tmp_path / "out.csv").read_text() == "the list of yesterday"
    assert {file.name for file in tmp_path.iterdir()} == {"in.csv", "out.csv", "vectors.key"}


def test_an_unclosed_quote_is_reported_with_its_line(
    hashed: Hash, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LONGEST_ROW", 4 * blocks.BLOCK)
    rows = [f"{number},a{number}@example.fr" for number in range(60_000)]
    rows[50_000] = '50000,"a@example.fr'
    rows += ["x" * 80] * 250_000
    result = hashed("\n".join(["id,email", *rows]).encode())
    assert result.exit_code == 1
    assert "line 50002: this row does not end: a quote is not closed" in result.stderr


def test_the_share_done_the_rate_and_the_time_left_are_shown_on_a_terminal(
    hashed: Hash, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hashed(all_cases()).stderr == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", hashed(all_cases()).stderr)
    assert re.search(r"in\.csv .* 100% [\d,]+ lines/s 0:00:00", shown)
    assert "@" not in shown


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"email\na@example.fr\n", mtime=0)[:-9]]
)
def test_a_damaged_gzip_file_is_reported(content: bytes, hashed: Hash) -> None:
    result = hashed(content, "in.csv.gz")
    assert result.exit_code == 1
    assert "not a complete gzip file" in result.stderr


def test_files_that_cannot_be_opened_are_reported(
    hashed: Hash, tandem: Tandem, tmp_path: Path
) -> None:
    assert "No such file or directory" in hashed(b"email\n", "in.csv", "no/out.csv").stderr
    result = tandem(
        "hash", tmp_path / "none.csv", "--column", "email", "--key-file", tmp_path / "vectors.key",
        "--key-id", "vectors", "-o", tmp_path / "out.csv",
    )  # fmt: skip
    assert f"{tmp_path / 'none.csv'}: No such file or directory" in result.stderr


@pytest.mark.parametrize("target", ["out.txt", ".csv", "out.csv.zip"])
def test_a_list_is_named_as_the_bucket_takes_it(target: str, hashed: Hash) -> None:
    result = hashed(all_cases(), "in.csv", target)
    assert result.exit_code == 1
    assert "a list is named NAME.csv or NAME.csv.gz" in result.stderr


def test_the_addresses_are_never_overwritten(hashed: Hash, tmp_path: Path) -> None:
    result = hashed(all_cases(), "in.csv", "in.csv")
    assert result.exit_code == 1
    assert (tmp_path / "in.csv").read_bytes() == all_cases()
