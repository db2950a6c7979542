"""Types of single fields of the campaign file, each with the message that refuses a wrong value."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from chalicelib.domain.locales import LOCALES

# A description completes "must be …", in the refusal of a wrong file and in editors.
Slug = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{1,39}$",
        description="2 to 40 lower-case letters, figures and hyphens, a letter first",
    ),
]


Locale = Annotated[
    str,
    Field(
        pattern=f"^({'|'.join(LOCALES)})$",
        description=f"a language of pages and mails: {', '.join(LOCALES[:-1])} or {LOCALES[-1]}",
    ),
]


Currency = Annotated[
    str, Field(pattern=r"^[A-Z]{3}$", description="a currency code of three capitals, like EUR")
]


DigestHex = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$", description="a digest: 64 hex characters in lower case")
]


KeyId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9-]{1,16}$",
        description="1 to 16 lower-case letters, figures and hyphens",
    ),
]


Text = Annotated[str, Field(min_length=1, max_length=500)]


Texts = Annotated[dict[Locale, Text], Field(min_length=1)]


ONE_LINE = r"^[^\r\n<>]+$"


OneLine = Annotated[
    str,
    Field(
        min_length=1,
        max_length=60,
        pattern=ONE_LINE,
        description="a name on one line, without < or >",
    ),
]


HttpsUrl = Annotated[
    str,
    Field(
        pattern=r"^https://[^\s<>\"']+$",
        max_length=500,
        description="an https:// address without spaces or quotes",
    ),
]


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone: {name}") from error
    return name


TimeZone = Annotated[str, AfterValidator(_known_time_zone)]


def _require_iso_day(value: object) -> object:
    # Pydantic also takes a number of seconds for a date: 2026 would be a day of 1970.
    if isinstance(value, str | date) and re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        return value
    raise ValueError("must be a day like 2026-01-31")


Day = Annotated[date, BeforeValidator(_require_iso_day)]


def two_decimals(amount: Decimal) -> Decimal:
    if amount != amount.quantize(Decimal("0.01")):
        raise ValueError("at most two decimals")
    return amount


Amount = Annotated[Decimal, Field(ge=0, le=100_000), AfterValidator(two_decimals)]


def _true_or_false(value: object) -> bool:
    # Words alone: pydantic also takes 1, "on" and "y" for true.
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ValueError("must be true or false")


Flag = Annotated[bool, BeforeValidator(_true_or_false, json_schema_input_type=bool)]


Budget = Annotated[Decimal, Field(gt=0, le=1_000_000_000), AfterValidator(two_decimals)]


LAST_YEAR = 2100


class FileModel(BaseModel):
    # Built at first use, not at every start of a function. So a default that is a model is made by
    # `model_construct`, which builds nothing.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
