"""The client's lists by name, the limits on their drops, and the keys digests are made with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.addresses import Algorithm
from chalicelib.domain.campaign.fields import DigestHex, FileModel, KeyId

FileAlgorithm = Literal["hmac-sha256", "sha256"]

# How campaign files, and the list versions stored under them, spell an algorithm.
ALGORITHM_IN_FILES: Mapping[Algorithm, FileAlgorithm] = {
    "hmac_sha256": "hmac-sha256",
    "sha256": "sha256",
}
ALGORITHM_OF_FILES: Mapping[str, Algorithm] = {
    spelling: algorithm for algorithm, spelling in ALGORITHM_IN_FILES.items()
}


class ListName(StrEnum):
    """The lists a campaign may have. Each is a field of `Lists`, and a folder under `in/`."""

    CUSTOMERS = "customers"
    VIPS = "vips"


class ListLimits(FileModel):
    """When a dropped list is trusted, and for how long."""

    max_age_days: Annotated[int, Field(ge=1, le=400)] = 7
    max_shrink_percent: Annotated[int, Field(ge=0, le=100)] = 20
    max_growth_percent: Annotated[int, Field(ge=1, le=10_000)] | None = None
    canaries: tuple[DigestHex, ...] = ()
    canaries_by_key: dict[KeyId, tuple[DigestHex, ...]] = Field(default_factory=dict)

    @property
    def max_age(self) -> timedelta:
        """How old a list may be that decisions are based on."""
        return timedelta(days=self.max_age_days)

    def canaries_under(self, key_id: str) -> tuple[str, ...]:
        """The canaries that must be in a list made with that key."""
        return (*self.canaries, *self.canaries_by_key.get(key_id, ()))

    def shrinks_too_much(self, before: int, after: int) -> bool:
        """Whether a list may not shrink from `before` to `after` digests."""
        return 100 * (before - after) > self.max_shrink_percent * before

    def grows_too_much(self, before: int, after: int) -> bool:
        """Whether a list may not grow from `before` to `after` digests; by default it may."""
        if self.max_growth_percent is None:
            return False
        return 100 * (after - before) > self.max_growth_percent * before


class Lists(FileModel):
    """The client's two lists."""

    customers: ListLimits = ListLimits.model_construct()
    vips: ListLimits = ListLimits.model_construct()

    def __getitem__(self, name: ListName) -> ListLimits:
        limits: ListLimits = getattr(self, name)
        return limits

    def items(self) -> Iterator[tuple[ListName, ListLimits]]:
        """Every list with its limits, in the order of the names."""
        return ((name, self[name]) for name in ListName)


class DigestKeys(FileModel):
    """The current keys; the first one is used for everything sent to the client."""

    file_algorithm: FileAlgorithm = Field(
        default="hmac-sha256", alias="algorithm", title="Algorithm"
    )
    key_ids: Annotated[tuple[KeyId, ...], Field(min_length=1, max_length=2)]

    @property
    def algorithm(self) -> Algorithm:
        """What the digests are made with, as spelled everywhere but in files."""
        return ALGORITHM_OF_FILES[self.file_algorithm]
