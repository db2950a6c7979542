"""Tokens: opaque, 256 bits, in the fragment of a link; kept only as their SHA-256."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from chalicelib.domain.people import Token, TokenPurpose

SIGN_IN_LASTS = timedelta(minutes=30)
SESSION_LASTS = timedelta(hours=12)
MAX_LENGTH = 100


def hashed(token: str) -> str:
    """What is kept of a token: the hex SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_usable(token: Token | None, purpose: TokenPurpose, now: datetime) -> bool:
    """True when there is such a token, for that purpose, neither used nor over."""
    return (
        token is not None
        and token.purpose is purpose
        and token.used_at is None
        and now < token.ends_at
    )
