"""What all bodies of requests and answers are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Texts = dict[str, str]
"""A text by language."""


class Request(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True, defer_build=True)
