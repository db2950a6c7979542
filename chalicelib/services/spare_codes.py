"""The client's own codes that are not issued yet: choosing one, and counting what is left.

A template's codes are stored in shards, and a grant looks at some codes of one of them, chosen at
random: no partition takes every grant, and concurrent grants rarely choose the same code. Of those
that do, one wins, because the code is removed in the transaction that issues the voucher. A shard
without codes leads to the next, so the last codes are found wherever they are. Codes of earlier
versions are in no shard; they count as one more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from chalicelib.domain.vouchers import SHARDS, UNSHARDED, SpareCode, Voucher
from chalicelib.services.ports import CommandPorts, ConflictError, Remove

CODES_TO_CHOOSE_FROM = 25
_PLACES = (*SHARDS, UNSHARDED)


def choose_spare_code(ports: CommandPorts, campaign_id: str, template: str) -> SpareCode | None:
    """One of the codes left for a template, to be removed when it is issued; None without any."""
    chance = int(ports.codes.identifier(), 16)
    start = chance % len(_PLACES)
    for shard in (*_PLACES[start:], *_PLACES[:start]):
        if found := _choose(ports, campaign_id, template, shard, chance // len(_PLACES)):
            return found
    return None


def _choose(
    ports: CommandPorts, campaign_id: str, template: str, shard: str, chance: int
) -> SpareCode | None:
    while some := ports.repository.first_within(
        SpareCode, CODES_TO_CHOOSE_FROM, campaign=campaign_id, template=template, shard=shard
    ):
        first = chance % len(some)
        for spare in (*some[first:], *some[:first]):
            if ports.repository.get(Voucher, code_key=spare.code_key) is None:
                return spare
            _forget(ports, spare)
    return None


def _forget(ports: CommandPorts, spare: SpareCode) -> None:
    """The client gave the code for two templates, and the other one has issued it: removed, so that
    no later grant reads it again.
    """
    try:
        ports.repository.commit(Remove(spare))
    except ConflictError:
        return  # another grant has removed it


def count_spare_codes(ports: CommandPorts, campaign_id: str, template: str, most: int) -> int:
    """How many codes are left for a template, counted no further than `most`."""
    return sum(1 for _ in islice(_every_spare_code(ports, campaign_id, template), most))


def _every_spare_code(ports: CommandPorts, campaign_id: str, template: str) -> Iterator[SpareCode]:
    return chain.from_iterable(
        ports.repository.within(SpareCode, campaign=campaign_id, template=template, shard=shard)
        for shard in _PLACES
    )
