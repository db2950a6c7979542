"""Chance by name: the same question has the same answer in every run of a seed.

A sequence of random numbers would give everybody another fate when one report is moved. Here each
decision has its own name, so a year can be played twice with only the sequence of reports changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Decisions of one seed, each by the name of what is decided."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def roll(self, *name: object) -> float:
        """A number from 0 up to 1."""
        text = repr((self._seed, *name)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64

    def happens(self, share: float, *name: object) -> bool:
        """True for that share of all names."""
        return self.roll(*name) < share

    def between(self, low: int, high: int, *name: object) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.roll(*name) * (high - low + 1))

    def choose(self, options: Sequence[T], *name: object) -> T:
        """One of the options."""
        return options[self.between(0, len(options) - 1, *name)]
