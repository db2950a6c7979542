"""A voucher that is refused on an order, counted once, whether a call asks or a report names it.

A till tries again, and the order that it rang up is reported afterwards, as often as the client
likes. Whichever comes first stores a note with the fact (`RedemptionRefusal`), by our own id of the
order and the voucher; the others find it. So the first reason holds.
"""

from __future__ import annotations

from contextlib import suppress

from chalicelib.domain.fact_bodies import RedemptionRefused
from chalicelib.domain.redemptions import RedemptionRefusal
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.facts import voucher_fact
from chalicelib.services.order_refs import reference_of
from chalicelib.services.ports import ConflictError, Insert, Ports


def count_refusal(ports: Ports, voucher: Voucher, order_id: str, reason: str) -> None:
    """Count that the voucher is not used on the order, unless that was counted before."""
    reference = reference_of(ports, order_id)
    if find_refusal(ports, voucher, reference):
        return
    fact = voucher_fact(ports, voucher, RedemptionRefused.of(voucher, reference, reason))
    with suppress(ConflictError):  # somebody else has counted it in between
        ports.repository.commit(Insert(refusal_of(voucher, reference)), facts=[fact])


def find_refusal(ports: Ports, voucher: Voucher, reference: str) -> RedemptionRefusal | None:
    """The note that the voucher was refused on the order with that reference."""
    return ports.repository.get(
        RedemptionRefusal,
        campaign=voucher.campaign,
        order_ref=reference,
        code_key=voucher.code_key,
    )


def refusal_of(voucher: Voucher, reference: str) -> RedemptionRefusal:
    """That note, before it is stored."""
    return RedemptionRefusal(
        campaign=voucher.campaign, order_ref=reference, code_key=voucher.code_key
    )
