"""The demo's customer and VIP lists: the same bytes on every run, since they come from one seed.

The customer list stands for a real one in size; only the addresses a demo or a test types are real
digests in it, the others are random. The addresses are under `demo.test`, which nobody can own.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from chalicelib.domain.addresses import Address, DigestKey, digest
from chalicelib.domain.campaign.lists import ListName
from cli.hashing.manifest import canaries, manifest_of
from cli.key_files import digest_key

FOLDER = Path(__file__).parent
CAMPAIGN = "demo-vip"
KEY_ID = "demo"
KEY_FILE = FOLDER / "digest.key"
CAMPAIGN_FILE = FOLDER / "demo-vip.yaml"
PICTURES = (FOLDER / "logo.svg", FOLDER / "logo.png")

CUSTOMERS = 2000
VIPS = 500
CANARIES = 2  # those that `tandem hash` puts into a list
CUSTOMER_ROWS = 200_000
SEED = 20260101


@dataclass(frozen=True)
class DemoList:
    """A list as it is dropped: `name` is customers or vips, `content` a `.csv.gz`."""

    name: str
    content: bytes
    rows: int

    @property
    def path(self) -> str:
        """Where it is dropped in the bucket."""
        return f"in/{CAMPAIGN}/{self.name}/full/{self.name}.csv.gz"

    @property
    def manifest_path(self) -> str:
        """Where its manifest is dropped, before it."""
        return f"in/{CAMPAIGN}/{self.name}/full/{self.name}.manifest.json"

    def manifest(self, generated_at: datetime) -> bytes:
        """Its manifest."""
        sha256 = hashlib.sha256(self.content).hexdigest()
        return manifest_of(self.rows, sha256, KEY_ID, generated_at)


def customer_address(number: int) -> str:
    """The address of a customer, 1 to CUSTOMERS: on the list, so never invited."""
    return f"customer{number}@demo.test"


def vip_address(number: int) -> str:
    """The address of a VIP, 1 to VIPS: may sponsor."""
    return f"vip{number}@demo.test"


def digest_of(address: str) -> str:
    """The digest of an address under the demo's key."""
    return digest(Address.parse(address).normalised, demo_key())


@cache
def demo_key() -> DigestKey:
    """The key everybody knows: for the demo only."""
    return digest_key(KEY_ID, KEY_FILE)


def customer_list() -> DemoList:
    """200,000 customers: the known ones, the VIPs (customers too), the canaries, random ones."""
    known = [customer_address(number) for number in range(1, CUSTOMERS + 1)]
    known += [vip_address(number) for number in range(1, VIPS + 1)]
    digests = [
        *map(digest_of, known),
        *canaries(demo_key(), CANARIES),
        *_random_digests(CUSTOMER_ROWS - len(known) - CANARIES),
    ]
    return _list(ListName.CUSTOMERS, digests)


def vip_list() -> DemoList:
    """The 500 VIPs."""
    return _list(ListName.VIPS, [digest_of(vip_address(number)) for number in range(1, VIPS + 1)])


def _random_digests(count: int) -> Iterator[str]:
    source = random.Random(SEED)  # nosec B311
    return (source.randbytes(32).hex() for _ in range(count))


def _list(name: ListName, digests: list[str]) -> DemoList:
    # Sorted, so that the place of a line says nothing of whose it is.
    text = "\n".join(["digest", *sorted(digests), ""])
    return DemoList(
        name.value, gzip.compress(text.encode(), compresslevel=1, mtime=0), len(digests)
    )


def with_pictures(file: Path) -> Path:
    """A copy of the campaign file, with the pictures that it names copied beside it."""
    for picture in PICTURES:
        shutil.copy(picture, file.parent)
    return file
