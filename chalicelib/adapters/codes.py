"""Randomness from the operating system as `ports.Codes`."""

from __future__ import annotations

import secrets

from chalicelib.domain.codes import ALPHABET, RANDOM_LENGTH, complete_all

LINK_CODE_LENGTH = 12
AT_ONCE = 1 << 16  # codes: a few megabytes

# A random byte is a letter, or is not used: 256 is no multiple of 31, so with the last bytes some
# letters would come more often than others.
_FAIR = 256 - 256 % len(ALPHABET)
_LETTER = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_UNFAIR = bytes(range(_FAIR, 256))


class SecureCodes:
    """`ports.Codes` on `secrets`."""

    def identifier(self) -> str:
        return secrets.token_hex(16)

    def token(self) -> str:
        return secrets.token_urlsafe(32)

    def voucher_code(self) -> str:
        return self.voucher_codes(1)[0]

    def voucher_codes(self, count: int) -> list[str]:
        """So many voucher codes, no two alike."""
        codes: dict[str, None] = {}
        while missing := count - len(codes):
            drawn = complete_all(_letters(min(missing, AT_ONCE) * RANDOM_LENGTH))
            codes.update(dict.fromkeys(drawn))
        return list(codes)

    def link_code(self) -> str:
        return _letters(LINK_CODE_LENGTH).lower()


def _letters(count: int) -> str:
    letters = b""
    while missing := count - len(letters):
        # One byte in 32 is not used: one in 16 more than needed is nearly always enough.
        drawn = secrets.token_bytes(missing + missing // 16 + 8)
        letters += drawn.translate(_LETTER, _UNFAIR)[:missing]
    return letters.decode()
