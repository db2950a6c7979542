"""Digest keys read from a file or the environment, never printed.

A key file contains the key in hex, on one line.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from chalicelib.domain.addresses import RESERVED_KEY_IDS, DigestKey
from cli.errors import CommandError

MIN_KEY_BYTES = 16
MAX_KEY_BYTES = 64


def checked_key_id(key_id: str) -> str:
    """The id, if it is valid for a key. Raises CommandError."""
    if not re.fullmatch("[a-z0-9-]{1,16}", key_id):
        raise CommandError("a key id is 1 to 16 lower-case letters, digits and hyphens")
    if key_id in RESERVED_KEY_IDS:
        raise CommandError(f"the key id {key_id} is reserved: choose another")
    return key_id


def digest_key(key_id: str, file: Path | None, from_env: str | None = None) -> DigestKey:
    """The key in `file`, or in the environment variable `from_env`. Raises CommandError."""
    checked_key_id(key_id)
    if (file is None) == (from_env is None):
        raise CommandError("say where the key is: --file HEXFILE or --from-env NAME")
    source, text = _from_file(file) if file else _from_environment(str(from_env))
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        raise CommandError(f"{source}: not hex: a key is written in digits and a to f") from None
    if not MIN_KEY_BYTES <= len(secret) <= MAX_KEY_BYTES:
        raise CommandError(f"{source}: a key has {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes")
    return DigestKey(key_id, secret=secret)


def _from_file(file: Path) -> tuple[str, str]:
    try:
        return str(file), file.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        raise CommandError(f"{file}: not hex: a key is written in digits and a to f") from None


def _from_environment(name: str) -> tuple[str, str]:
    if name not in os.environ:
        raise CommandError(f"no environment variable {name}")
    return name, os.environ[name].strip()


def chosen_key(key_id: str, key_file: Path | None, *, plain: bool) -> DigestKey:
    """The key in a file, or that of plain SHA-256. Raises CommandError."""
    if plain and key_file:
        raise CommandError("--plain needs no key: omit --key-file, or omit --plain")
    if plain:
        return DigestKey(checked_key_id(key_id), "sha256")
    if key_file is None:
        raise CommandError("say where the key is: --key-file HEXFILE")
    return digest_key(key_id, key_file)
