"""The rules of a campaign: `when` a trigger, `if` conditions hold, `issue` a template `to` a
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
    """What a rule may wait for."""

    REFERRAL_CONFIRMED = "referral_confirmed"
    ORDER_KEPT = "order_kept"


class Release(StrEnum):
    """When a voucher's mail may leave."""

    AT_ONCE = "at_once"
    ON_ACKNOWLEDGEMENT = "on_acknowledgement"


class Conditions(FileModel):
    """When a rule applies: all that are given must hold."""

    order: Annotated[int, Field(ge=1, le=50)] | None = None
    minimum_amount: Amount | None = None


class Rule(FileModel):
    """`when` an event, `if` conditions hold, `issue` a template `to` a holder."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Slug
    when: Trigger
    conditions: Conditions = Field(default=Conditions(), alias="if")
    issue: Slug
    to: HolderRole


class Caps(FileModel):
    """The most one sponsor may be granted."""

    sponsor_rewards: Annotated[int, Field(ge=1, le=10_000)] = 20
