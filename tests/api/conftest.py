"""The fixtures of the API's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import app
from tests.api.gateway import Gateway
from tests.api.world import World
from tests.api.world import world as fresh_world

GATEWAY = Gateway(app.app)


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh world."""
    with fresh_world(GATEWAY) as made:
        yield made
