"""`tandem manifest`: checks a list that other tools made, and writes the manifest beside it.

A list with a bad line gets no manifest: the lines are named, and nothing of what they say is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from chalicelib.domain.files.reading import FileRefusedError
from cli.client.lists import ReadList, read_list
from cli.errors import CommandError
from cli.hashing.files import sha256_of, write_atomically
from cli.hashing.manifest import MAX_CANARIES, canaries, manifest_beside, manifest_of
from cli.key_files import checked_key_id, chosen_key
from cli.printing import Json, print_json

LINES_SHOWN = 20
# What to say of a line, by its reason; the others are words that say it.
REASONS = {
    "not_hex": "not 64 hex digits",
    "wrong_length": "a digest of another length than 64 hex digits: another hash",
    "digest_damaged": "a spreadsheet has made a number or an error of this digest",
    "bad_quotes": "a quote that does not stand around a whole field",
    "wrong_number_of_fields": "another number of columns than in the first line",
    "plain_address": "an address, not a digest: nothing of it may be sent",
    "mixed_lengths": "a digest of another length than the others",
    "unknown_column": "this header is not known: a list has the column digest",
    "missing_column": "this header has no column digest",
    "duplicate_column": "this header names a column twice",
    "empty_file": "no digest at all",
    "not_utf8": "not UTF-8",
    "utf16": "UTF-16: save it as UTF-8",
    "nul_character": "a NUL character",
    "line_too_long": "a line of more than 4,096 bytes",
    "not_gzip": "named .gz, and not gzip",
    "gzip_not_named_gz": "gzip, and not named .gz",
    "corrupt_gzip": "a damaged gzip file",
    "truncated_gzip": "a gzip file that was cut",
}


def write_manifest(
    source: Annotated[
        Path, typer.Argument(metavar="LIST", help="LIST.csv or LIST.csv.gz: a digest a line.")
    ],
    key_id: Annotated[str, typer.Option(help="The id of the key it was made with.")],
    key_file: Annotated[
        Path | None,
        typer.Option(help="A file with that key in hex: the canaries must be in the list."),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="The digests are plain SHA-256, without a key.")
    ] = False,
    canary_count: Annotated[
        int,
        typer.Option(
            "--canaries", min=0, max=MAX_CANARIES, help="How many must be there; 0 for remove/."
        ),
    ] = 2,
    base: Annotated[
        Path | None,
        typer.Option(metavar="FULL.csv.gz", help="The full list that a delta is based on."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check, and write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Check a list of digests that SQL or another tool made, and write LIST.manifest.json."""
    checked_key_id(key_id)
    target = manifest_beside(source)
    wanted = expected_canaries(key_id, key_file, canary_count, plain=plain)
    base_sha256 = sha256_of(base) if base else None
    read, problems = examined(source, wanted or [])
    written = bool(read and not problems and not dry_run)
    if read and written:
        with write_atomically(target) as unfinished:
            unfinished.write_bytes(
                manifest_of(
                    read.rows, read.sha256, key_id, datetime.now(UTC), wanted or [], base_sha256
                )
            )
    if as_json:
        print_json(_record(source, read, problems, wanted, target if written else None))
    elif read and not problems:
        _say(source, read, wanted, target if written else None)
    if problems:
        if as_json:
            raise typer.Exit(1)
        raise CommandError(*(f"{source}: {text}" for text in lines_about(problems)))


Problem = dict[str, Any]
"""`line` (0: the file as a whole), `reason`, and `text` for people."""


def examined(source: Path, wanted: list[str]) -> tuple[ReadList | None, list[Problem]]:
    """A list and what is wrong with it; None of one that can only be refused."""
    try:
        read = read_list(source, wanted)
    except FileRefusedError as refused:
        return None, [_problem(refused.line, refused.reason)]
    problems = [_problem(one.line, one.reason) for one in read.errors]
    if not problems and read.missing:
        text = (
            "the canaries of this key are not in it: another key, another recipe, or a cut list; "
            "for a list to remove say --canaries 0"
        )
        problems = [{"line": 0, "reason": "canaries_missing", "text": text}]
    return read, problems


def expected_canaries(
    key_id: str, key_file: Path | None, count: int, *, plain: bool
) -> list[str] | None:
    """The digests that must be in a list; None when the key that would tell was not given."""
    if count == 0:
        return []
    if key_file is None and not plain:
        return None
    return canaries(chosen_key(key_id, key_file, plain=plain), count)


def lines_about(problems: list[Problem]) -> list[str]:
    """The first problems, a line each, and how many more there are."""
    shown = [
        f"line {one['line']}: {one['text']}" if one["line"] else str(one["text"])
        for one in problems[:LINES_SHOWN]
    ]
    more = len(problems) - len(shown)
    return shown + ([f"and {more} more" if more else ""] if more else [])


def _problem(line: int, reason: str) -> Problem:
    return {"line": line, "reason": reason, "text": REASONS.get(reason, reason.replace("_", " "))}


def _record(
    source: Path,
    read: ReadList | None,
    problems: list[Problem],
    wanted: list[str] | None,
    target: Path | None,
) -> dict[str, Any]:
    """What `--json` prints."""
    facts: dict[str, Any] = {"file": str(source), "manifest": str(target) if target else None}
    if read:
        facts |= {
            "rows": read.rows,
            "digests": read.digests,
            "duplicates": read.duplicates,
            "sorted": read.is_sorted,
            "sha256": read.sha256,
            "canaries": wanted,
            "rejected": read.rejected,
        }
    return facts | {"problems": problems}


def _say(source: Path, read: ReadList, wanted: list[str] | None, target: Path | None) -> None:
    order = "sorted" if read.is_sorted else "not sorted, which is no fault"
    twice = f"{read.duplicates} of them repeated"
    typer.echo(f"{source}: {read.rows} rows, {read.digests} digests, {twice}, {order}")
    if wanted is None:
        typer.echo("canaries: not looked for, since no key was given: say --key-file HEXFILE")
    else:
        typer.echo(f"canaries: {len(wanted)} there")
    typer.echo(f"{target}: written" if target else "no manifest written: --dry-run")
