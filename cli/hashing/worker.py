"""A worker process: reads blocks from standard input and writes answers to standard output.

Owns the frames of both directions: two sizes, a head of JSON, a body of bytes. The key is sent in a
frame too, because others can read a command line. An unreadable block is reported in its answer and
nowhere else; pool.py starts and ends the process.
"""

from __future__ import annotations

import json
import struct
import sys
from collections import Counter
from dataclasses import dataclass
from typing import IO

from chalicelib.domain.addresses import DigestKey
from cli.hashing.blocks import Layout
from cli.hashing.digesting import BlockError, Digested, Digester

_SIZES = struct.Struct("<II")  # bytes of the head and of the body

Head = dict[str, str | int | dict[str, int]]


@dataclass(frozen=True, slots=True)
class DigestSettings:
    """The settings for every block of a file."""

    key: DigestKey
    layout: Layout
    zipped: bool

    def digester(self) -> Digester:
        """A digester with these settings."""
        return Digester(self.key, self.layout, zipped=self.zipped)


def work() -> None:
    """Answer the frames on standard input until its end."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    digester = _receive_settings(source).digester()
    while (frame := receive(source)) is not None:
        try:
            digested = digester.digest(frame[1])
        except BlockError as error:
            send(target, {"reason": error.reason, "line": error.line})
        else:
            _send_digested(target, digested)


def send(target: IO[bytes], head: Head, body: bytes = b"") -> None:
    """Write one frame."""
    packed = json.dumps(head).encode()
    target.write(_SIZES.pack(len(packed), len(body)) + packed)
    target.write(body)
    target.flush()


def receive(source: IO[bytes]) -> tuple[Head, bytes] | None:
    """The next frame; None when the input has ended, even within a frame."""
    sizes = source.read(_SIZES.size)
    if len(sizes) < _SIZES.size:
        return None
    head_size, body_size = _SIZES.unpack(sizes)
    head, body = source.read(head_size), source.read(body_size)
    return (json.loads(head), body) if len(body) == body_size else None


def send_settings(target: IO[bytes], settings: DigestSettings) -> None:
    """The first frame a worker gets."""
    key, layout = settings.key, settings.layout
    head: Head = {
        "key_id": key.key_id,
        "algorithm": key.algorithm,
        "delimiter": layout.delimiter,
        "place": layout.place,
        "zipped": settings.zipped,
    }
    send(target, head, key.secret)


def digested_of(head: Head, body: bytes) -> Digested:
    """The answer to a block. Raises BlockError as the worker did."""
    match head:
        case {"reason": str(reason), "line": int(line)}:
            raise BlockError(reason, line)
        case {
            "digests": int(digests),
            "rows": int(rows),
            "lines": int(lines),
            "rejected": dict(rejected),
        }:
            return Digested(body, digests, rows, lines, Counter(rejected))
    raise ValueError("not an answer of a worker")


def _send_digested(target: IO[bytes], digested: Digested) -> None:
    head: Head = {
        "digests": digested.digests,
        "rows": digested.rows,
        "lines": digested.lines,
        "rejected": dict(digested.rejected),
    }
    send(target, head, digested.content)


def _receive_settings(source: IO[bytes]) -> DigestSettings:
    match receive(source):
        case {
            "key_id": str(key_id),
            "algorithm": ("hmac_sha256" | "sha256") as algorithm,
            "delimiter": str(delimiter),
            "place": int(place),
            "zipped": bool(zipped),
        }, bytes(secret):
            key = DigestKey(key_id, algorithm, secret)
            return DigestSettings(key, Layout(delimiter, place), zipped)
    raise ValueError("no settings")
