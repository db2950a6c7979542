"""The bodies of the client's calls: vouchers, redemptions, orders. As in models.py."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from chalicelib.api.fields import (
    Code,
    CodeRefusal,
    Currency,
    DecimalText,
    Digest,
    Effect,
    Moment,
    OrderId,
    OrderStatus,
    Refusal,
    State,
    Template,
    described,
)
from chalicelib.api.model_bases import Answer, Request
from chalicelib.api.models import FieldProblemAnswer
from chalicelib.domain.files.orders import MAX_ID


class VoucherAnswer(Answer):
    """Whether the voucher would be accepted now, and if not, why; and what it asks of an order.

    `not_with`: not on one order with a voucher of these templates. `exhausted_since`: when it was
    used, null while it is not, or where that is not known; never on which order or by whom.
    """

    code: Code
    acceptable: Annotated[bool, described(True)]
    reason: Annotated[Refusal | None, described(None)]
    exhausted_since: Annotated[Moment | None, described(None)]
    state: State
    template: Template
    holder: Literal["sponsor", "referee"]
    value: DecimalText
    currency: Currency
    minimum_basket: DecimalText
    valid_from: Moment
    valid_until: Moment
    holder_bound: bool
    not_with: list[Template]


def _as_written(amount: object) -> object:
    """A JSON number as its text; true and false are not numbers."""
    is_number = isinstance(amount, int | Decimal) and not isinstance(amount, bool)
    return str(amount) if is_number else amount


# A decimal string; of a JSON number, its text.
AmountField = Annotated[
    str,
    BeforeValidator(_as_written, json_schema_input_type=str | Decimal),
    Field(examples=["42.50"]),
]


class RedemptionRequest(Request):
    """The order a voucher is used on. `ordered_at` is ISO 8601 with an offset; `email_digest` is
    the buyer, for a voucher that is bound to its holder.
    """

    order_id: OrderId
    ordered_at: Moment
    amount: AmountField
    currency: Currency
    email_digest: Digest | None = None


class RedemptionAnswer(Answer):
    """A redemption; a repeated call gets the same body."""

    code: Code
    order_id: OrderId
    state: Literal["redeemed"] = "redeemed"
    value: DecimalText
    currency: Currency
    redeemed_at: Moment


class OrderItem(Request):
    """One order, with the columns of the order file."""

    order_id: OrderId
    ordered_at: Moment
    email_digest: Digest | None = None
    voucher_code: Code | None = None
    amount: AmountField
    currency: Currency
    status: OrderStatus


# Read one by one, so that a wrong order does not cost the others.
_Item = Annotated[object, WithJsonSchema({"$ref": "#/components/schemas/OrderItem"})]


class OrdersRequest(Request):
    """Orders in a call. Each is checked separately."""

    orders: Annotated[list[_Item], Field(min_length=1, max_length=500)]


class OrderResult(Answer):
    """The result of one order of a call: 200 accepted, 422 rejected, 503 send it again. `voucher`
    is what is wrong with its code, which does not cost the order.
    """

    order_id: Annotated[str, described("20260504-0001", maxLength=MAX_ID)] | None
    status: Literal[200, 422, 503]
    effect: Annotated[Effect | None, described("recorded")] = None
    voucher: Annotated[CodeRefusal | None, described(None)] = None
    errors: list[FieldProblemAnswer] = Field(default=[])


class OrdersAnswer(Answer):
    """One result per order, in the order of the request."""

    results: list[OrderResult]
