"""The rules of a campaign: `when` this happens, `if` conditions hold, `issue` a template `to` a
holder.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from chalicelib.domain.campaign.fields import Amount, FileModel, Slug


class HolderRole(StrEnum):
    """Who a voucher is issued to."""

    SPONSOR = "sponsor"
    REFEREE = "referee"


class Trigger(StrEnum):
    """What may trigger a rule."""

    REFERRAL_CONFIRMED = "referral_confirmed"
    ORDER_KEPT = "order_kept"


class Release(StrEnum):
    """When a voucher's mail may be sent."""

    AT_ONCE = "at_once"
    ON_ACKNOWLEDGEMENT = "on_acknowledgement"


class Conditions(FileModel):
    """When a rule applies: every condition given must hold."""

    order: Annotated[int, Field(ge=1, le=50)] | None = None
    minimum_amount: Amount | None = None


class Rule(FileModel):
    """`when` a trigger happens, `if` conditions hold, `issue` a template `to` a holder."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Slug
    when: Trigger
    conditions: Conditions = Field(default=Conditions(), alias="if")
    issue: Slug
    to: HolderRole


class Caps(FileModel):
    """The most that may be granted to one sponsor."""

    sponsor_rewards: Annotated[int, Field(ge=1, le=10_000)] = 20
