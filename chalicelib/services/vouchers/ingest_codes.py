"""A file of the client's own voucher codes: each is stored, to be issued instead of a minted one.

A code stored before stays as it is, so a repeated file has no second effect. A code that a till
could mistake for an issued voucher is rejected on its line. Codes that differ only in case and
hyphens are in one part of a large file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.codes import candidates, canonical
from chalicelib.domain.files.own_codes import duplicates, own_codes
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.vouchers import UNSHARDED, SpareCode, Voucher, spare_code
from chalicelib.services.ports import ConflictError, Insert, Key, Ports
from chalicelib.services.row_groups import Parts, RowGroups, few_or_many
from chalicelib.services.row_work import RowWork, do_each


def ingest_codes(
    ports: Ports, campaign: Campaign, template: str, *, plain: Iterable[bytes], tally: Tally
) -> Parts | None:
    """Store the codes of a file for vouchers of a template; those of a large one are returned in
    parts. `FileRefusedError`.

    All lines are read before the first takes effect: a file damaged at its end changes nothing.
    """
    known = campaign.templates.get(template)
    if known is None or known.codes != "client":
        raise FileRefusedError("unknown_template")
    few, many = few_or_many(own_codes(plain, tally))
    if many:
        return _in_parts(many)
    stored = Tally()
    do_each(code_work(ports, campaign, template, duplicates(few), few, stored))
    tally.add(stored)
    return None


def _in_parts(numbered: Iterable[tuple[int, str]]) -> Parts:
    groups = RowGroups()
    groups.add((line, canonical(code), json.dumps([line, code])) for line, code in numbered)
    return groups.parts()


def code_work(
    ports: Ports,
    campaign: Campaign,
    template: str,
    repeated: set[int],
    numbered: Sequence[tuple[int, str]],
    tally: Tally,
) -> Iterator[RowWork]:
    """The storing of numbered codes, of which some lines are `repeated`; what becomes of them goes
    into `tally`.
    """
    for line, code in numbered:
        if line in repeated:
            yield RowWork(line, code, partial(_reject_repeated, line, tally))
        else:
            spare = spare_code(campaign.id, template, code)
            yield RowWork(line, code, partial(_store, ports, spare, line, code, tally))


def _reject_repeated(line: int, tally: Tally) -> None:
    tally.reject(line, "code_duplicate")


def _store(ports: Ports, spare: SpareCode, line: int, code: str, tally: Tally) -> None:
    # In every way it may be read: a till must not mistake it for another voucher.
    issued = [Key.of(Voucher, code_key=key) for key in candidates(code)]
    earlier = _key_of(replace(spare, shard=UNSHARDED))
    found = ports.repository.read(*issued, earlier)
    if any(map(found.get, issued)):
        tally.reject(line, "code_issued_already")
        return
    is_new = found.get(earlier) is None and _store_once(ports, spare)
    tally.note("stored" if is_new else "known_already")


def _key_of(spare: SpareCode) -> Key[SpareCode]:
    return Key.of(
        SpareCode,
        campaign=spare.campaign,
        template=spare.template,
        shard=spare.shard,
        code_key=spare.code_key,
    )


def _store_once(ports: Ports, spare: SpareCode) -> bool:
    """Store a code; False when it is stored already."""
    try:
        ports.repository.commit(Insert(spare))
    except ConflictError:
        return False
    return True
