"""The published pages, as use cases and routes need them."""

from __future__ import annotations

from typing import Protocol


class Pages(Protocol):
    """The pages as they are published, cached for a minute: who opens a shared link asks."""

    def referee_page(self) -> str | None:
        """The HTML of the referee's page; None while it cannot be read."""
