"""When a list drop is trusted, and the keys that its digests are made with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.campaign.fields import DigestHex, FileModel, KeyId


class ListLimits(FileModel):
    """When a list drop is trusted, and for how long."""

    max_age_days: Annotated[int, Field(ge=1, le=400)] = 7
    max_shrink_percent: Annotated[int, Field(ge=0, le=100)] = 20
    max_growth_percent: Annotated[int, Field(ge=1, le=10_000)] | None = None
    canaries: tuple[DigestHex, ...] = ()
    canaries_by_key: dict[KeyId, tuple[DigestHex, ...]] = Field(default_factory=dict)

    def canaries_under(self, key_id: str) -> tuple[str, ...]:
        """Those that must be in a list made with that key."""
        return (*self.canaries, *self.canaries_by_key.get(key_id, ()))


class Lists(FileModel):
    """The client's two lists."""

    customers: ListLimits = ListLimits()
    vips: ListLimits = ListLimits()


class DigestKeys(FileModel):
    """The keys in force; the first one is used for what the client is sent."""

    algorithm: Literal["hmac-sha256", "sha256"] = "hmac-sha256"
    key_ids: Annotated[tuple[KeyId, ...], Field(min_length=1, max_length=2)]
