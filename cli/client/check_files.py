"""What can be checked of digests and files before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

from chalicelib.domain.addresses import Address, DigestKey, digest
from chalicelib.domain.files.lines import lines
from chalicelib.domain.files.manifest import MAX_MANIFEST, Manifest, parse_manifest
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.files.reading import FileRefusedError, Tally, content, table
from cli.client.findings import Finding, failed, ok, skipped
from cli.client.lists import ReadList
from cli.client.manifest import examined, lines_about
from cli.hashing.manifest import canaries, manifest_beside

CANARIES = 2
# Of a file that is laid out otherwise, which a campaign may declare.
LAYOUTS = frozenset({"other_delimiter", "other_encoding", "utf16", "not_utf8"})
PIECE = 1 << 16
# In the wheel beside this module; in a working copy where they are published.
VECTORS = (
    Path(__file__).with_name("digests.json"),
    Path(__file__).parents[2] / "docs/vectors/digests.json",
)


def check_recipe() -> Finding:
    """Whether this machine makes the digests that are published."""
    file = next(path for path in VECTORS if path.exists())
    vectors = json.loads(file.read_bytes())
    key = DigestKey("vectors", secret=bytes.fromhex(vectors["hmac_key_hex"]))
    wrong = sum(
        digest(Address.parse(case["address"]).normalised, key) != case["hmac_sha256"]
        or digest(Address.parse(case["address"]).canonical, key) != case["hmac_sha256_canonical"]
        for case in vectors["cases"]
    )
    cases = len(vectors["cases"])
    if wrong:
        return failed("recipe", f"{wrong} of {cases} published cases differ", "install it again")
    return ok("recipe", f"this machine makes the digests of all {cases} published cases")


def check_key(key: DigestKey | None) -> Finding:
    """The canaries of the key, by which both sides see that they have the same one."""
    if key is None:
        return skipped("key", "no key given", "say --key-id ID --key-file HEXFILE")
    both = " and ".join(canaries(key, CANARIES))
    return ok("key", f"the canaries of {key.key_id} are {both}: the campaign file must have these")


def check_list(path: Path, key: DigestKey | None) -> list[Finding]:
    """A list, and the manifest beside it."""
    wanted = canaries(key, CANARIES) if key else []
    read, problems = examined(path, wanted)
    if read is None or problems:
        return [
            failed("list", f"{path}: {line}", "make the list again")
            for line in lines_about(problems)
        ]
    detail = f"{path}: {read.digests} digests in {read.rows} rows"
    found = ok("list", detail + (", with the canaries of the key" if key else ""))
    return [found, _check_manifest(manifest_beside(path), read, key)]


def _check_manifest(path: Path, read: ReadList, key: DigestKey | None) -> Finding:
    if not path.exists():
        return skipped("manifest", f"no {path}", "write it: tandem manifest")
    try:
        with path.open("rb") as file:
            manifest = parse_manifest(file.read(MAX_MANIFEST + 1))
    except FileRefusedError as refused:
        return failed("manifest", f"{path}: {refused.reason}", "write it: tandem manifest")
    wrong = ", ".join(_differences(manifest, read, key))
    if wrong:
        return failed(
            "manifest", f"{path}: not of this list: {wrong}", "write it again: tandem manifest"
        )
    return ok("manifest", f"{path}: of this list, key {manifest.key_id}")


def _differences(manifest: Manifest, read: ReadList, key: DigestKey | None) -> list[str]:
    pairs = {
        "rows": manifest.rows == read.rows,
        "sha256": manifest.sha256 == read.sha256,
        "key_id": key is None or manifest.key_id == key.key_id,
    }
    return [name for name, same in pairs.items() if not same]


def check_orders(path: Path) -> Finding:
    """The header of an order file; its rows are judged when it is dropped."""
    columns = ",".join(COLUMNS)
    try:
        with path.open("rb") as file:
            pieces = iter(lambda: file.read(PIECE), b"")
            next(table(lines(content(path.name, pieces)), COLUMNS, Tally()), None)
    except FileRefusedError as refused:
        where = f"line {refused.line}: " if refused.line else ""
        detail = f"{path}: {where}{refused.reason} {refused.detail}".rstrip()
        if refused.reason in LAYOUTS:
            return skipped(
                "orders", detail, "right if the campaign declares it: see tandem file check orders"
            )
        return failed("orders", detail, f"the columns are {columns}")
    return ok("orders", f"{path}: the header has the columns of the contract")
