"""A file of the client's own voucher codes: each is stored, to be issued instead of a minted one.

A code stored before stays as it is, so a repeated file has no second effect. A code that a till
could mistake for an issued voucher is rejected on its line.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.codes import candidates, canonical
from chalicelib.domain.files.own_codes import own_codes
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.vouchers import SpareCode, Voucher
from chalicelib.services.ports import ConflictError, Insert, Ports


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
        # In every way it may be read: a till must not mistake it for another voucher.
        if any(ports.repository.get(Voucher, code_key=key) for key in candidates(code)):
            without_effect.reject(line, "code_issued_already")
            continue
        spare = SpareCode(
            campaign=campaign.id, template=template, code_key=canonical(code), code=code
        )
        tally.note("stored" if _store_once(ports, spare) else "known_already")
    tally.add_rejected(without_effect)


def _store_once(ports: Ports, spare: SpareCode) -> bool:
    """Store a code; False when it is stored already."""
    try:
        ports.repository.commit(Insert(spare))
    except ConflictError:
        return False
    return True
