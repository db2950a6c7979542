"""Whether a pass or a link is good, by OpenSSL's own command: `openssl` has to be there.

What a phone does before it shows a pass: every file is in the manifest with its hash, no other is
there, and the signature of the manifest is by a certificate that leads to a trusted root.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from base64 import urlsafe_b64decode
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)


class BadPassError(Exception):
    """What is wrong with a pass."""


def files_of(pass_file: bytes) -> dict[str, bytes]:
    """The files in the zip."""
    with zipfile.ZipFile(io.BytesIO(pass_file)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def verify(pass_file: bytes, root: str, folder: Path) -> dict[str, bytes]:
    """Its files. `BadPassError` says what a phone would refuse it for."""
    files = files_of(pass_file)
    manifest, signature = files.pop("manifest.json"), files.pop("signature")
    hashed = {name: hashlib.sha1(one).hexdigest() for name, one in files.items()}
    if hashed != json.loads(manifest):
        raise BadPassError("the manifest is not of these files")
    for name, content in (("m", manifest), ("s", signature), ("root.pem", root.encode())):
        (folder / name).write_bytes(content)
    ours = ["-inform", "DER", "-in", "s", "-content", "m", "-binary"]
    done = openssl(folder, "smime", "-verify", *ours, "-CAfile", "root.pem", "-purpose", "any")
    if done.returncode:
        raise BadPassError(done.stderr.decode())
    return files


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The command, in that folder."""
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)


def decoded(part: str) -> bytes:
    """A part of a token."""
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def is_good_token(token: str, account: str, folder: Path) -> bool:
    """Whether the signature of a token is by the key of that service account."""
    signed, _, signature = token.rpartition(".")
    key = load_pem_private_key(json.loads(account)["private_key"].encode(), None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, content in (("t", signed.encode()), ("s", decoded(signature)), ("k", public)):
        (folder / name).write_bytes(content)
    return (
        openssl(folder, "dgst", "-sha256", "-verify", "k", "-signature", "s", "t").returncode == 0
    )
