"""The rules of a campaign: `when` this happens, `if` conditions hold, `issue` a template `to` a
holder.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from chalicelib.domain.campaign.fields import Amount, Budget, FileModel, Slug


class HolderRole(StrEnum):
    """Who a voucher is issued to."""

    SPONSOR = "sponsor"
    REFEREE = "referee"


class Trigger(StrEnum):
    """What may trigger a rule."""

    REFERRAL_CONFIRMED = "referral_confirmed"
    ORDER_PLACED = "order_placed"
    ORDER_KEPT = "order_kept"
    ORDER_RETURNED = "order_returned"
    VOUCHER_REDEEMED = "voucher_redeemed"


class Release(StrEnum):
    """When a voucher's mail may be sent."""

    AT_ONCE = "at_once"
    ON_ACKNOWLEDGEMENT = "on_acknowledgement"


class Conditions(FileModel):
    """When a rule applies: every condition given must hold.

    Amounts are those of the order, both limits included; days are local days since the
    confirmation, which is day 0. `template`: the order was made with a voucher of that template, or
    the voucher that was redeemed is one.
    """

    order: Annotated[int, Field(ge=1, le=50)] | None = None
    minimum_amount: Amount | None = None
    maximum_amount: Amount | None = None
    minimum_days: Annotated[int, Field(ge=0, le=1100)] | None = None
    maximum_days: Annotated[int, Field(ge=0, le=1100)] | None = None
    template: Slug | None = None

    def allow_amount(self, amount_minor: int) -> bool:
        """Whether an amount, in minor units, is within the limits."""
        above = self.minimum_amount is None or amount_minor >= int(self.minimum_amount * 100)
        below = self.maximum_amount is None or amount_minor <= int(self.maximum_amount * 100)
        return above and below

    def allow_days(self, days: int) -> bool:
        """Whether so many days after the confirmation are within the limits."""
        late_enough = self.minimum_days is None or days >= self.minimum_days
        return late_enough and (self.maximum_days is None or days <= self.maximum_days)


# Of a file that is put in force: each adds names to the counts of a day, which are one item, and to
# the answer of the dashboard (tests/api/test_dashboard_bounds.py). What is in force stays readable.
MOST_RULES = 20


class Rule(FileModel):
    """`when` a trigger happens, `if` conditions hold, `issue` a template `to` a holder."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Slug
    when: Trigger
    conditions: Conditions = Field(default=Conditions.model_construct(), alias="if")
    issue: Slug
    to: HolderRole


class Caps(FileModel):
    """The most that may stand at once: rewards of one sponsor, of one referee, and the value of all
    rewards of the campaign. A revoked reward does not count.
    """

    sponsor_rewards: Annotated[int, Field(ge=1, le=10_000)] = 20
    referee_rewards: Annotated[int, Field(ge=1, le=10_000)] | None = None
    budget: Budget | None = None

    @property
    def budget_minor(self) -> int | None:
        """The budget in minor units."""
        return None if self.budget is None else int(self.budget * 100)
