"""Secrets in the parameter store, read once per process: the digest keys as `ports.Keys`, and what
passes are signed with.
"""

from __future__ import annotations

from chalicelib.adapters.clients import Clients
from chalicelib.domain.addresses import OWN_KEY, OWN_KEY_ID, DigestKey
from chalicelib.domain.campaign.lists import DigestKeys


class ParameterKeys:
    """`ports.Keys` on SSM: one SecureString per key id, its value the key in hex."""

    def __init__(self, clients: Clients, path: str) -> None:
        self._clients = clients
        self._path = path
        self._read: dict[str, bytes] = {}

    def in_force(self, keys: DigestKeys) -> list[DigestKey]:
        if keys.algorithm == "sha256":
            return [DigestKey(key_id, "sha256") for key_id in keys.key_ids]
        return [DigestKey(key_id, "hmac_sha256", self._secret(key_id)) for key_id in keys.key_ids]

    def own(self) -> DigestKey:
        return DigestKey(OWN_KEY_ID, "hmac_sha256", self._secret(OWN_KEY))

    def _secret(self, key_id: str) -> bytes:
        if key_id not in self._read:
            answer = self._clients.ssm.get_parameter(
                Name=f"{self._path}{key_id}", WithDecryption=True
            )
            self._read[key_id] = bytes.fromhex(answer["Parameter"]["Value"])
        return self._read[key_id]


class SecretTexts:
    """The SecureStrings below a path, each by the rest of its name."""

    def __init__(self, clients: Clients, path: str) -> None:
        self._clients = clients
        self._path = path

    def __call__(self, name: str) -> str:
        """The text of one."""
        answer = self._clients.ssm.get_parameter(Name=f"{self._path}{name}", WithDecryption=True)
        return answer["Parameter"]["Value"]
