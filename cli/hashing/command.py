"""`tandem hash`: its options, the files it writes, the summary.

Reads a CSV file (or `.csv.gz`) and writes a list of digests with its manifest, ready for
`in/{campaign}/…`. Each address gives, in the order of the file, the digest of its normalised form
and, where it differs, of its canonical form; canaries are at the beginning and the end. The bytes
do not depend on the number of jobs. The output appears complete, under its name, or not at all.
"""

from __future__ import annotations

import gzip
import hashlib
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, cast

import typer

from chalicelib.domain.addresses import DigestKey
from cli.errors import CommandError
from cli.hashing import blocks, pool
from cli.hashing.digesting import HEADER, BlockError, Digested, gzip_member, hex_lines
from cli.hashing.files import UNFINISHED, Advance, progress, sha256_of, write_atomically
from cli.hashing.manifest import MAX_CANARIES, canaries, manifest_beside, manifest_of
from cli.hashing.worker import DigestSettings
from cli.key_files import chosen_key


@dataclass(slots=True)
class _Total:
    """Counts of what has been read and written so far."""

    digests: int = 0
    rows: int = 0
    lines: int = 1  # the header's
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, done: Digested) -> None:
        self.digests += done.digests
        self.rows += done.rows
        self.lines += done.lines
        self.rejected += done.rejected


def hash_addresses(
    source: Annotated[Path, typer.Argument(metavar="INPUT.csv", help="Addresses, with a header.")],
    column: Annotated[str, typer.Option(help="The column that holds the addresses.")],
    key_id: Annotated[str, typer.Option(help="The id of the key.")],
    target: Annotated[Path, typer.Option("-o", "--output", help="OUT.csv or OUT.csv.gz")],
    key_file: Annotated[
        Path | None, typer.Option(help="A file with the digest key in hex.")
    ] = None,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="SHA-256 without a key: for a campaign with sha256."),
    ] = False,
    base: Annotated[
        Path | None,
        typer.Option(metavar="FULL.csv.gz", help="The full list that a delta is based on."),
    ] = None,
    manifest: Annotated[bool, typer.Option(help="Write OUT.manifest.json beside the list.")] = True,
    canary_count: Annotated[
        int,
        typer.Option(
            "--canaries",
            min=0,
            max=MAX_CANARIES,
            help="Digests of nobody to add, always the same for a key; 0 for remove/.",
        ),
    ] = 2,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default one per processor.")
    ] = None,
) -> None:
    """Turn a file of addresses into a list of digests, ready to drop."""
    key = chosen_key(key_id, key_file, plain=plain)
    base_sha256 = sha256_of(base) if base else None
    manifest_file = manifest_beside(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise CommandError(f"{target}: the list would overwrite the addresses")
    canary_digests = canaries(key, canary_count)
    began = time.monotonic()
    with write_atomically(target) as unfinished:
        total, sha256 = _hash(source, column, key, canary_digests, unfinished, jobs or pool.cores())
    rows = total.digests + len(canary_digests)
    if manifest:
        with write_atomically(manifest_file) as unfinished:
            unfinished.write_bytes(
                manifest_of(rows, sha256, key_id, datetime.now(UTC), canary_digests, base_sha256)
            )
    rate = total.rows / (time.monotonic() - began)
    typer.echo(
        f"{target}: {rows} digests ({len(canary_digests)} canaries) of {total.rows} lines, "
        f"{rate:,.0f} lines/s"
    )
    for line in _rejection_lines(total.rejected):
        typer.echo(line)


def _hash(
    source: Path, column: str, key: DigestKey, canary_digests: list[str], target: Path, jobs: int
) -> tuple[_Total, str]:
    """Write the list. Returns what was counted, and the SHA-256 of the file."""
    total = _Total()
    sha256 = hashlib.sha256()
    zipped = target.name.endswith(f".gz{UNFINISHED}")
    # Some at either end: a truncated list lacks one.
    head, tail = (
        hex_lines([bytes.fromhex(digest) for digest in half])
        for half in (
            canary_digests[: len(canary_digests) // 2],
            canary_digests[len(canary_digests) // 2 :],
        )
    )
    with _open_source(source) as (addresses, advance), target.open("wb") as file:

        def write(content: bytes) -> None:
            file.write(content)
            sha256.update(content)

        layout, rows = blocks.table(addresses, column)
        write(gzip_member(HEADER + head) if zipped else HEADER + head)
        for done in _digest_rows(rows, DigestSettings(key, layout, zipped), jobs, total):
            write(done.content)
            total.add(done)
            advance(total.rows)
        if not total.digests:
            raise CommandError("no valid address", *_rejection_lines(total.rejected))
        write(gzip_member(tail) if zipped and tail else tail)
    return total, sha256.hexdigest()


def _digest_rows(
    rows: Iterator[bytes], settings: DigestSettings, jobs: int, total: _Total
) -> Iterator[Digested]:
    """Raises CommandError with the line, counting from `total`, of a row that is not CSV."""
    with closing(pool.digested(rows, settings, jobs)) as answers:
        try:
            yield from answers
        except BlockError as error:
            where = f"line {total.lines + error.line}: " if error.line else ""
            raise CommandError(where + error.reason) from error


@contextmanager
def _open_source(source: Path) -> Iterator[tuple[IO[bytes], Advance]]:
    """The content of a plain or gzipped file, and a function that reports how many lines are done.

    Adds the name of the file to a CommandError.
    """
    try:
        with ExitStack() as files:
            file = files.enter_context(source.open("rb"))
            advance = files.enter_context(progress(source, file))
            zipped = source.suffix == ".gz"
            content = files.enter_context(gzip.GzipFile(fileobj=file)) if zipped else file
            yield cast("IO[bytes]", content), advance
    except CommandError as error:
        raise CommandError(*(f"{source}: {line}" for line in error.lines)) from error
    except UnicodeDecodeError:  # its message contains the bytes
        raise CommandError(f"{source}: not UTF-8: save the file as UTF-8") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CommandError(f"{source}: not a complete gzip file") from error


def _rejection_lines(rejected: Counter[str]) -> list[str]:
    return [f"rejected, {reason}: {count}" for reason, count in sorted(rejected.items())]
