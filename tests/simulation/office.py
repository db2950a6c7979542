"""What the client and marketing change while everything runs: lists, the campaign, a digest key.

All of it is work under faults like any other: a list is a file that S3 reports, a version of the
campaign is put by a process that may be killed and puts it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from chalicelib.domain.addresses import Address, AddressDigests, DigestKey
from chalicelib.domain.campaign.file import Campaign
from chalicelib.services.campaigns.put import put_campaign
from tests.api.world import CAMPAIGN, KEY, campaign_like_demo
from tests.simulation.cloud import Cloud
from tests.simulation.machine import Machine
from tests.simulation.scheduler import Worker

CLIENT = "known.client@demo.test"  # always listed
LATER_KEY = DigestKey("later", "hmac_sha256", bytes(range(32, 64)))
# Every mail that a campaign may ask for.
MAILS: dict[str, Any] = {"mail_confirmations": True, "ends_soon_days": 7}
FULL, ADD, REMOVE = "full", "add", "remove"


@dataclass
class Office:
    """See the module. `referees` are the addresses that a list may gain or lose."""

    cloud: Cloud
    machine: Machine
    chance: Random
    referees: Sequence[str]
    keys: list[DigestKey] = field(default_factory=lambda: [KEY])
    _drops: int = 0
    _value: int = 10  # of the welcome voucher, in euros

    def actions(self) -> list[Callable[[], None]]:
        """What may change now."""
        return [self._drop_list, self._drop_list, self._put_value, self._rotate_key]

    def digest(self, address: str) -> str:
        """The exact digest of an address, under a key that the client knows."""
        return self._digests(address, self.chance.choice(self.keys))[0]

    def _drop_list(self) -> None:
        """A full list, or a few digests that come or go."""
        mode = self.chance.choice((FULL, FULL, ADD, REMOVE))
        listed = [one for one in self.referees if self.chance.random() < 0.2]
        if mode == FULL:
            listed.append(CLIENT)
        elif not listed:
            return
        key = self.chance.choice(self.keys)
        rows = [row for address in listed for row in self._digests(address, key)]
        content = "\n".join(("digest", *rows, "")).encode()
        self._drops += 1
        path = f"in/{CAMPAIGN}/customers/{mode}/{self._drops:04}.csv"
        manifest = {
            "rows": len(rows),
            "sha256": hashlib.sha256(content).hexdigest(),
            "key_id": key.key_id,
            "generated_at": self.cloud.now.isoformat(),
        }
        self._store(f"{path}.manifest.json", json.dumps(manifest).encode())
        self._store(path, content)

    def _store(self, path: str, content: bytes) -> None:
        self.cloud.network.bucket.put(path, content)
        self.machine.drop(path)

    def _digests(self, address: str, key: DigestKey) -> tuple[str, str]:
        pair = AddressDigests.of(Address.parse(address), [key]).under(key.key_id)
        return pair.exact, pair.canonical

    def _put_value(self) -> None:
        """A version in which the welcome voucher is worth something else."""
        self._value = self.chance.randint(5, 15)
        self._put()

    def _rotate_key(self) -> None:
        """The client's new key is in force beside the old one."""
        if LATER_KEY not in self.keys:
            self.cloud.network.parameters[f"/tandem/test/digest-keys/{LATER_KEY.key_id}"] = (
                LATER_KEY.secret.hex()
            )
            self.keys.insert(0, LATER_KEY)
            self._put()

    def _put(self, attempt: int = 1) -> None:
        version = self._version()

        def work() -> None:
            worker = self.cloud.scheduler.current()
            assert worker is not None
            put_campaign(worker.context.ports, version)

        def at_end(worker: Worker) -> None:
            if (worker.killed or worker.error) and attempt < 4:
                self._put(attempt + 1)

        self.machine.begin("put", work, at_end)

    def _version(self) -> Campaign:
        document = campaign_like_demo(**MAILS).model_dump(by_alias=True, exclude={"version"})
        document["templates"]["welcome"]["value"] = f"{self._value}.00"
        document["digests"]["key_ids"] = [key.key_id for key in self.keys]
        return Campaign.model_validate(document)
