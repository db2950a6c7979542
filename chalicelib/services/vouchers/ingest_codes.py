"""A file of the client's own voucher codes: each is stored, to be issued instead of a minted one.

A code stored before stays as it is, so a repeated file has no second effect. A code that a till
could mistake for an issued voucher is rejected on its line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.codes import candidates
from chalicelib.domain.files.own_codes import own_codes
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.vouchers import UNSHARDED, SpareCode, Voucher, spare_code
from chalicelib.services.ports import ConflictError, Insert, Key, Ports


def ingest_codes(
    ports: Ports, campaign: Campaign, template: str, *, plain: Iterable[bytes], tally: Tally
) -> None:
    """Store the codes of a file for vouchers of a template. `FileRefusedError`."""
    known = campaign.templates.get(template)
    if known is None or known.codes != "client":
        raise FileRefusedError("unknown_template")
    without_effect = Tally()
    # All lines are read before the first takes effect: a file damaged at its end changes nothing.
    for line, code in list(own_codes(plain, tally)):
        spare = spare_code(campaign.id, template, code)
        # In every way it may be read: a till must not mistake it for another voucher.
        issued = [Key.of(Voucher, code_key=key) for key in candidates(code)]
        earlier = _key_of(replace(spare, shard=UNSHARDED))
        found = ports.repository.read(*issued, earlier)
        if any(map(found.get, issued)):
            without_effect.reject(line, "code_issued_already")
            continue
        is_new = found.get(earlier) is None and _store_once(ports, spare)
        tally.note("stored" if is_new else "known_already")
    tally.add_rejected(without_effect)


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
