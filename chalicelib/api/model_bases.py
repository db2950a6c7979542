"""What all bodies of requests and answers are."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from chalicelib.api.fields import described

Texts = Annotated[dict[str, str], described({"fr": "Offrez 10 €", "en": "Give €10"})]
"""A text by language."""


class Request(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True, defer_build=True)
