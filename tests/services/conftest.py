"""The world the use cases are tried in."""

from __future__ import annotations

import pytest

from tests.fakes.world import World, new_world


@pytest.fixture
def world() -> World:
    """The campaign put, both lists in force."""
    return new_world()
