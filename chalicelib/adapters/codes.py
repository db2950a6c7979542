"""Randomness from the operating system as `ports.Codes`."""

from __future__ import annotations

import secrets

from chalicelib.domain.codes import ALPHABET, RANDOM_LENGTH, complete

LINK_CODE_LENGTH = 12


class SecureCodes:
    """`ports.Codes` on `secrets`."""

    def identifier(self) -> str:
        return secrets.token_hex(16)

    def token(self) -> str:
        return secrets.token_urlsafe(32)

    def voucher_code(self) -> str:
        return complete(_letters(RANDOM_LENGTH))

    def link_code(self) -> str:
        return _letters(LINK_CODE_LENGTH).lower()


def _letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))
