"""`tandem hash`: a client's addresses to a list of digests, on the client's own machine.

Reads a CSV file (or `.csv.gz`) line by line and writes one of digests with its manifest, ready for
`in/{campaign}/…`. Each address gives the digest of its normalised form and, where it differs, of
its canonical form. Lines without a good address are counted by reason; no address is ever printed.
The output appears whole, under its name, or not at all.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, cast

import typer
from rich.console import Console
from rich.progress import Progress

from chalicelib.domain.addresses import AddressDigests, AddressError, DigestKey
from cli.errors import CommandError
from cli.keys import digest_key

DELIMITERS = ",;\t"
UNFINISHED = ".part"

Count = Counter[str]


def hash_addresses(
    source: Annotated[Path, typer.Argument(metavar="INPUT.csv", help="Addresses, with a header.")],
    column: Annotated[str, typer.Option(help="The column that holds the addresses.")],
    key_file: Annotated[Path, typer.Option(help="A file with the digest key in hex.")],
    key_id: Annotated[str, typer.Option(help="The name of the key.")],
    target: Annotated[Path, typer.Option("-o", "--output", help="OUT.csv or OUT.csv.gz")],
    manifest: Annotated[bool, typer.Option(help="Write OUT.manifest.json beside it.")] = True,
) -> None:
    """Turn a file of addresses into a list of digests for the client's drop."""
    key = digest_key(key_id, key_file)
    manifest_file = manifest_beside(target)
    rejected: Count = Counter()
    if target.exists() and source.exists() and target.samefile(source):
        raise CommandError(f"{target}: the list would be written over the addresses")
    with _opened(source) as addresses, _written_whole(target) as unfinished:
        rows = _hash(addresses, column, key, unfinished, rejected)
        if not rows:
            raise CommandError("no good address", *_counted(rejected))
        sha256 = _sha256(unfinished)
    if manifest:
        with _written_whole(manifest_file) as unfinished:
            unfinished.write_bytes(manifest_of(rows, sha256, key_id, datetime.now(UTC)))
    typer.echo(f"{target}: {rows} digests")
    for line in _counted(rejected):
        typer.echo(line)


def manifest_beside(target: Path) -> Path:
    """`lists/full.csv.gz` → `lists/full.manifest.json`. Raises CommandError for any other name."""
    for ending in (".csv", ".csv.gz"):
        if target.name.endswith(ending) and target.name != ending:
            return target.with_name(target.name.removesuffix(ending) + ".manifest.json")
    raise CommandError(f"{target}: a list is named NAME.csv or NAME.csv.gz")


def manifest_of(rows: int, sha256: str, key_id: str, generated_at: datetime) -> bytes:
    """The manifest of a list: rows without the header, SHA-256 of the file as it is dropped."""
    fields = {
        "rows": rows,
        "sha256": sha256,
        "key_id": key_id,
        "generated_at": generated_at.isoformat(timespec="seconds"),
    }
    return (json.dumps(fields, indent=2) + "\n").encode()


def _hash(source: IO[bytes], column: str, key: DigestKey, target: Path, rejected: Count) -> int:
    """Write the list; returns its rows. What gave none is counted in `rejected`, by reason."""
    rows = 0
    with _writer(target) as out:
        out.write("digest\n")
        for address in _addresses(source, column, rejected):
            for digest in _digests(address, key, rejected):
                out.write(f"{digest}\n")
                rows += 1
    return rows


def _digests(address: str, key: DigestKey, rejected: Count) -> list[str]:
    try:
        pair = AddressDigests.of(address, [key]).under(key.key_id)
    except AddressError as error:
        rejected[error.reason] += 1
        return []
    return list(dict.fromkeys((pair.exact, pair.canonical)))


def _addresses(source: IO[bytes], column: str, rejected: Count) -> Iterator[str]:
    text = io.TextIOWrapper(source, encoding="utf-8-sig", newline="")
    delimiter, place = _column(text.readline(), column)
    # strict: a quote left open would otherwise swallow the rest of the file as one bad address.
    lines = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        for fields in lines:
            if len(fields) > place:
                yield fields[place]
            elif fields:
                rejected["missing_field"] += 1
    except csv.Error as error:
        raise CommandError(f"line {lines.line_num + 1}: {error}") from error


def _column(header: str, name: str) -> tuple[str, int]:
    for delimiter in DELIMITERS:
        names = next(csv.reader([header], delimiter=delimiter), [])
        if name in names:
            return delimiter, names.index(name)
    # The first line is not shown: without a header it holds an address.
    raise CommandError(f"no column named {name} in the first line")


@contextmanager
def _opened(source: Path) -> Iterator[IO[bytes]]:
    """What a plain or gzipped file holds, with a progress bar; raises what is wrong by its name."""
    try:
        with source.open("rb") as file, Progress(console=Console(stderr=True)) as progress:
            size = source.stat().st_size
            watched = progress.wrap_file(file, size, description=source.name)
            content = gzip.GzipFile(fileobj=watched) if source.suffix == ".gz" else watched
            yield cast("IO[bytes]", content)
    except CommandError as error:
        raise CommandError(*(f"{source}: {line}" for line in error.lines)) from error
    except UnicodeDecodeError:  # its message holds the bytes
        raise CommandError(f"{source}: not UTF-8: save the file as UTF-8") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CommandError(f"{source}: not a whole gzip file") from error


@contextmanager
def _writer(target: Path) -> Iterator[IO[str]]:
    """Text to a file, gzipped where its name says so; the same text gives the same bytes."""
    with ExitStack() as files:
        binary: IO[bytes] = files.enter_context(target.open("wb"))
        if target.name.endswith(f".gz{UNFINISHED}"):
            zipped = gzip.GzipFile(filename="", mode="wb", fileobj=binary, compresslevel=6, mtime=0)
            binary = cast("IO[bytes]", files.enter_context(zipped))
        yield files.enter_context(io.TextIOWrapper(binary, encoding="ascii", newline=""))


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _counted(rejected: Count) -> list[str]:
    return [f"rejected, {reason}: {count}" for reason, count in sorted(rejected.items())]


@contextmanager
def _written_whole(target: Path) -> Iterator[Path]:
    """A file to write to, which takes its place under its name only when all went well."""
    unfinished = target.with_name(f"{target.name}{UNFINISHED}")
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
