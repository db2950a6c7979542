"""The kinds of values in bodies and paths, as the OpenAPI document describes them: format, length,
values, an example of each.

They describe and check nothing: what a value may be is decided by the domain, which names what is
wrong with it. So an answer with a value that is not described yet is still an answer; every answer
of the tests is held against the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, get_args

from pydantic import Field

from chalicelib.domain.addresses import SyntaxReason
from chalicelib.domain.campaign.review import Signal
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.files.orders import MAX_ID
from chalicelib.domain.files.orders import FieldReason as OrderFieldReason
from chalicelib.domain.first_names import NameReason
from chalicelib.domain.invitations import Channel
from chalicelib.domain.orders import CodeProblem, OrderProblem
from chalicelib.domain.orders import OrderStatus as Status
from chalicelib.domain.vouchers import VoucherProblem, VoucherState


def described(*examples: object, **schema: Any) -> Any:
    """A field with examples and further members of its JSON schema."""
    return Field(examples=list(examples), json_schema_extra=schema)


def one_of(values: Iterable[str], **schema: Any) -> Any:
    """A field with one of `values`."""
    known = [str(value) for value in values]
    return described(schema.pop("example", known[0]), enum=known, **schema)


PROBLEM = "urn:tandem:problem:"
# What a call may be refused for, beside what the state of a voucher or a reward forbids: such a
# problem has the name of its reason.
PROBLEMS = (
    "malformed-json", "invalid-request", "invalid-address", "unauthorised", "wrong-address",
    "cross-site", "no-role", "not-found", "closed", "over", "too-large", "unsupported-media-type",
    "not-acceptable",
    "over-quota", "unavailable", "internal",
)  # fmt: skip
REVIEWED = ("released", "refused")
STATE_REASONS = (*VoucherProblem, *REVIEWED)
FIELD_REASONS = (
    "missing", "unknown_field", "wrong_type", "invalid", "too_few", "too_many", "wrong_length",
    "probably_mistyped", "not_in_force", "in_the_future", "used_for_another_request",
    *get_args(SyntaxReason), *get_args(NameReason), *get_args(OrderFieldReason), *OrderProblem,
)  # fmt: skip
EFFECTS = (
    "recorded", "redeemed", "rolled_back", "not_counted", "known_already", "not_a_referees",
    "before_confirmation",
)  # fmt: skip

Moment = Annotated[str, described("2026-05-04T18:21:07+02:00", format="date-time")]
Day = Annotated[str, described("2026-05-04", format="date")]
DecimalText = Annotated[str, described("15.00", pattern=r"^[0-9]+\.[0-9]{2}$")]
Currency = Annotated[str, described("EUR", pattern="^[A-Z]{3}$")]
Locale = Annotated[str, described("fr", pattern="^[a-z]{2}$")]
Url = Annotated[str, described("https://www.example.fr/vip", format="uri")]
MailAddress = Annotated[str, described("contact@example.fr", format="email")]
TimeZone = Annotated[str, described("Europe/Paris")]
Colour = Annotated[str, described("#1f4e3d", pattern="^#[0-9a-fA-F]{6}$")]
Line = Annotated[str, described("Maison Tandem")]
Slug = Annotated[str, described("demo-vip", pattern="^[a-z][a-z0-9-]{1,39}$")]
Template = Annotated[str, described("welcome")]
FirstName = Annotated[str, described("Jeanne", maxLength=40)]
Masked = Annotated[str, described("j•••@e•••.fr")]
Svg = Annotated[str, described('<svg xmlns="http://www.w3.org/2000/svg"/>')]
Id = Annotated[str, described("01KX4Z7Q2M8R5T6V9WABCDEFGH")]
Token = Annotated[str, described("kT5v0Yw3Qm8ZpR1sXa7LbN2c", minLength=1)]
LinkCode = Annotated[str, described("7K4MPWQ2XC9R")]
Code = Annotated[str, described("WE-7K4MP-WQ2XC-9RHS", maxLength=60)]
Digest = Annotated[str, described("5d" * 32, pattern="^[0-9a-fA-F]{64}$")]
OrderId = Annotated[str, described("20260504-0001", minLength=1, maxLength=MAX_ID)]
OrderStatus = Annotated[str, one_of(Status)]
Count = Annotated[int, described(3, minimum=0)]

State = Annotated[str, one_of(VoucherState, example="acknowledged")]
Holder = Annotated[str, one_of(HolderRole)]
SignalName = Annotated[str, one_of(Signal)]
ChannelName = Annotated[str, one_of(Channel)]
Refusal = Annotated[str, one_of(VoucherProblem)]
StateReason = Annotated[str, one_of(STATE_REASONS)]
CodeRefusal = Annotated[str, one_of((*CodeProblem, *VoucherProblem))]
Effect = Annotated[str, one_of(EFFECTS)]
FieldReason = Annotated[str, one_of(dict.fromkeys(FIELD_REASONS))]
ProblemType = Annotated[
    str,
    one_of(
        PROBLEM + name
        for name in (*PROBLEMS, *(reason.replace("_", "-") for reason in STATE_REASONS))
    ),
]
