"""Retrying a use case after a concurrent commit."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from chalicelib.services.ports import ConflictError, ContentionError

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 6


def retry_on_conflict(use_case: Callable[P, R]) -> Callable[P, R]:
    """Load and decide again when somebody else committed in between, so that no decision is based
    on outdated state.
    """

    @wraps(use_case)
    def attempted(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(ATTEMPTS):
            try:
                return use_case(*args, **kwargs)
            except ConflictError as error:
                conflict = error
        raise ContentionError(f"{ATTEMPTS} attempts met other commits") from conflict

    return attempted
