"""Voucher templates: what a voucher of a kind is worth, and under which conditions."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.domain.campaign.fields import (
    Amount,
    FileModel,
    Flag,
    HttpsUrl,
    Slug,
    Texts,
    two_decimals,
)


class Symbology(StrEnum):
    """The bar code that tills read. The values are published."""

    CODE128 = "code128"
    QR = "qr"
    EAN13 = "ean13"


class Use(FileModel):
    """How a voucher is used: `online`, where the basket is; `shop`, whether tills take it, and the
    bar code they read; `how`, in the retailer's own words.
    """

    online: HttpsUrl | None = None
    shop: Flag = False
    symbology: Symbology | None = None
    how: Texts | None = None


class VoucherTemplate(FileModel):
    """What a voucher of this kind is worth, and under which conditions.

    `holder_bound`: only on an order of its holder. `not_with`: not on one order with a voucher of
    these templates, whichever of the two is used first.
    """

    prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,4}$", description="two to four capitals")]
    value: Annotated[Decimal, Field(gt=0, le=100_000), AfterValidator(two_decimals)]
    minimum_basket: Amount = Decimal(0)
    valid_days: Annotated[int, Field(ge=1, le=1000)]
    codes: Literal["minted", "client"] = "minted"
    holder_bound: Flag = False
    not_with: tuple[Slug, ...] = ()
    days_left: Annotated[int, Field(ge=1, le=90)] = 7
    use: Use | None = None

    @property
    def value_minor(self) -> int:
        """The value in minor units (cents)."""
        return int(self.value * 100)

    @property
    def minimum_basket_minor(self) -> int:
        """The smallest basket it may be used on, in minor units."""
        return int(self.minimum_basket * 100)
