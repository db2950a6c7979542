"""The routes of the client's systems, IAM-signed on AWS: vouchers and orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from chalice.app import Blueprint
from pydantic import ValidationError

from chalicelib.api import client_models, models, operations
from chalicelib.api.edge import Call, Edge, Reply, field_problems, not_handled
from chalicelib.domain.files.orders import MAX_ID, OrderRow, parse_order
from chalicelib.domain.money import decimal_text
from chalicelib.domain.redemptions import (
    Purchase,
    Redemption,
    purchase_of,
)
from chalicelib.domain.vouchers import Voucher, exhausted_since, state_for_client
from chalicelib.services.errors import FieldProblem, InvalidError
from chalicelib.services.lookups import all_campaigns
from chalicelib.services.orders.record import OrderOutcome
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.ports import Failure, Ports
from chalicelib.services.vouchers.redeem import check_voucher, redeem, roll_back

# Of the 29 seconds that API Gateway waits: an order that is begun in time is recorded in the rest.
RECORDED_FOR = timedelta(seconds=20)


def client_routes(ports: Callable[[], Ports]) -> Blueprint:
    """The blueprint of the client's routes."""
    edge = Edge(Blueprint(__name__), ports)

    @edge.serves(operations.GET_VOUCHER)
    def get_voucher(call: Call, code: str) -> Reply:
        return _voucher(*check_voucher(call.ports, code))

    @edge.serves(operations.REDEEM)
    def post_redemption(call: Call, code: str) -> Reply:
        purchase = _purchase(call.body(client_models.RedemptionRequest))
        voucher, redemption, is_new = redeem(call.ports, code, purchase, not_handled)
        return (201 if is_new else 200), _redemption(voucher, redemption)

    @edge.serves(operations.ROLL_BACK)
    def delete_redemption(call: Call, code: str, order_id: str) -> Reply:
        roll_back(call.ports, code, order_id)
        return None

    @edge.serves(operations.POST_ORDERS)
    def post_orders(call: Call) -> Reply:
        parsed = [_order(given) for given in call.body(client_models.OrdersRequest).orders]
        rows = [row for row in parsed if isinstance(row, OrderRow)]
        until = call.ports.clock() + RECORDED_FOR
        unreadable: list[str] = []
        campaigns = list(all_campaigns(call.ports, partial(_note_campaign, unreadable)))
        outcomes = record_reported_orders(
            call.ports,
            campaigns,
            rows,
            unreadable=unreadable,
            on_failure=not_handled,
            until=until,
        )
        results = [
            _result(row, next(outcomes)) if isinstance(row, OrderRow) else row for row in parsed
        ]
        return client_models.OrdersAnswer(results=results)

    return edge.blueprint


def _note_campaign(unreadable: list[str], failure: Failure) -> None:
    unreadable.append(failure.name)
    not_handled(failure)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _purchase(body: client_models.RedemptionRequest) -> Purchase:
    values = {name: _text(value) for name, value in body.model_dump().items()}
    # Columns that a redemption does not have get a valid value.
    row = parse_order(values | {"voucher_code": "-", "status": "placed"})
    if not isinstance(row, OrderRow):
        raise InvalidError([FieldProblem(problem.field, problem.reason) for problem in row])
    return purchase_of(row)


def _order(given: object) -> OrderRow | client_models.OrderResult:
    order_id = given.get("order_id") if isinstance(given, Mapping) else None
    named = order_id if isinstance(order_id, str) and len(order_id) <= MAX_ID else None
    try:
        item = client_models.OrderItem.model_validate(given)
    except ValidationError as error:
        return _rejected(named, field_problems(error))
    row = parse_order({name: _text(value) for name, value in item.model_dump().items()})
    if isinstance(row, OrderRow):
        return row
    return _rejected(named, [FieldProblem(error.field, error.reason) for error in row])


def _result(row: OrderRow, outcome: OrderOutcome | None) -> client_models.OrderResult:
    if outcome is None:
        return client_models.OrderResult(order_id=row.order_id, status=503)
    if outcome.problem:
        return _rejected(row.order_id, [FieldProblem("order", outcome.problem)])
    return client_models.OrderResult(
        order_id=row.order_id, status=200, effect=outcome.effect, voucher=outcome.voucher
    )


def _rejected(order_id: str | None, problems: list[FieldProblem]) -> client_models.OrderResult:
    errors = [models.FieldProblemAnswer(field=p.field, reason=p.reason) for p in problems]
    return client_models.OrderResult(order_id=order_id, status=422, errors=errors)


def _voucher(voucher: Voucher, problem: str | None) -> client_models.VoucherAnswer:
    since = exhausted_since(voucher)
    return client_models.VoucherAnswer(
        code=voucher.code,
        acceptable=problem is None,
        reason=problem,
        exhausted_since=since.isoformat() if since else None,
        state=state_for_client(voucher).value,
        template=voucher.template,
        holder=voucher.holder.value,
        value=decimal_text(voucher.value_minor),
        currency=voucher.currency,
        minimum_basket=decimal_text(voucher.minimum_basket_minor),
        valid_from=voucher.valid_from.isoformat(),
        valid_until=voucher.valid_until.isoformat(),
        holder_bound=voucher.holder_bound,
        not_with=list(voucher.not_with),
    )


def _redemption(voucher: Voucher, redemption: Redemption) -> client_models.RedemptionAnswer:
    return client_models.RedemptionAnswer(
        code=voucher.code,
        order_id=redemption.order_id,
        value=decimal_text(voucher.value_minor),
        currency=voucher.currency,
        redeemed_at=redemption.redeemed_at.isoformat(),
    )
