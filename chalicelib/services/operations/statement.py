"""Writing the statement of each month, once, when nothing of the month is still on its way.

It waits until every voucher issued in the month is in a written export and every change of the
month in a written file, so whenever it is made it has the same rows. A statement never changes:
what is reported later belongs to the month in which it is reported.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.exports import ExportPart
from chalicelib.domain.fact_bodies import StatementWritten
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.statements import (
    statement_file,
    statement_manifest,
    statement_path,
)
from chalicelib.domain.files.writing import Encrypted, sha256_of
from chalicelib.domain.statements import (
    Statement,
    end_of,
    month_after,
    month_of,
    outstanding_by_expiry,
    totals,
)
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.accounts import (
    Opening,
    Reading,
    is_settled,
    last_changes,
    last_export,
    last_opening,
    read_books,
)
from chalicelib.services.encryption import Envelope, envelope_of, others_have_ended
from chalicelib.services.facts import new_fact
from chalicelib.services.ports import Agenda, ConflictError, Insert, Ports
from chalicelib.services.waiting_changes import waiting_changes
from chalicelib.services.written_files import stored_as, write_table

# Longer than any function runs: what was dated in the month is stored by then, and on the agenda.
SETTLED_AFTER = timedelta(minutes=20)


def write_statements(ports: Ports, campaign: Campaign) -> list[Statement]:
    """Write every statement that is due, the earliest first; returns them."""
    written = []
    while statement := _write_next(ports, campaign):
        written.append(statement)
    return written


def _write_next(ports: Ports, campaign: Campaign) -> Statement | None:
    month = _next_month(ports, campaign)
    if month is None or not _is_complete(ports, campaign, end_of(campaign, month)):
        return None
    opening = last_opening(ports, campaign)
    reading = read_books(ports, campaign, opening, end_of(campaign, month))
    envelope = envelope_of(ports, campaign.id)
    is_encrypted = _is_encrypted(ports, campaign, month, envelope)
    if is_encrypted is None:
        return None
    statement = _write(ports, campaign, month, opening, reading, envelope if is_encrypted else None)
    try:
        ports.repository.commit(Insert(statement), facts=[_written_fact(ports, statement)])
    except ConflictError:
        return None  # another run has written it
    return statement


def _write(
    ports: Ports,
    campaign: Campaign,
    month: str,
    opening: Opening,
    reading: Reading,
    envelope: Envelope | None,
) -> Statement:
    """Write the statement and its manifest, unless they are there. `OtherContentError`."""
    accounts = reading.books.accounts

    def of_file(content: bytes) -> Statement:
        return Statement(
            campaign=campaign.id,
            month=month,
            until=end_of(campaign, month),
            rows=len(accounts),
            sha256=sha256_of(content),
            exports=reading.exports.last,
            changes=reading.changes.last,
            exports_complete=reading.exports.complete,
            changes_complete=reading.changes.complete,
            written_at=ports.clock(),
            is_encrypted=envelope is not None,
        )

    def manifest_of(content: bytes, encrypted: Encrypted | None) -> bytes:
        statement = of_file(content)
        return statement_manifest(
            statement,
            as_of=statement.until - timedelta(seconds=1),
            totals=totals(opening.accounts, accounts),
            outstanding=outstanding_by_expiry(campaign, accounts.values()),
            encrypted=encrypted,
        )

    path, content = statement_path(campaign.id, month), statement_file(accounts.values())
    return of_file(write_table(ports.files, path, content, manifest_of, envelope))


def _is_encrypted(ports: Ports, campaign: Campaign, month: str, envelope: Envelope) -> bool | None:
    """Whether the statement is encrypted. One that an attempt before this one has left keeps its
    name, whatever the campaign has been given since. None: not yet, a run that has read an earlier
    version of the campaign may be at it.
    """
    there = stored_as(ports.files, statement_path(campaign.id, month))
    if there:
        return envelope.encrypts if len(there) > 1 else True in there
    return envelope.encrypts if others_have_ended(ports, envelope) else None


def _written_fact(ports: Ports, statement: Statement) -> Fact:
    subject = f"statement-{statement.campaign}-{statement.month}"
    body = StatementWritten(month=statement.month, count=statement.rows)
    return new_fact(ports, body, campaign=statement.campaign, subject=subject, correlation=subject)


def _next_month(ports: Ports, campaign: Campaign) -> str | None:
    """The month after the last statement, or that of the first voucher; None before any."""
    written = [one.month for one in ports.repository.within(Statement, campaign=campaign.id)]
    if written:
        return month_after(written[-1])
    issued = [
        datetime.fromisoformat(row[part.columns.index("issued_at")])
        for part in ports.repository.within(ExportPart, campaign=campaign.id, number=1)
        for row in part.rows
    ]
    return month_of(campaign, min(issued)) if issued else None


def _is_complete(ports: Ports, campaign: Campaign, until: datetime) -> bool:
    """Whether everything before `until` is in written files.

    The order counts: what leaves the agenda, or the waiting changes, is in a file by then.
    """
    if ports.clock() < until + SETTLED_AFTER:
        return False
    last_moment = until - timedelta(microseconds=1)
    unexported = ports.repository.agenda(Voucher, Agenda.UNEXPORTED, campaign.id, until=last_moment)
    # In the order of time: the first one decides.
    waiting = next(waiting_changes(ports, campaign.id), None)
    if next(unexported, None) or (waiting and waiting.at < until):
        return False
    files = (last_export(ports, campaign), last_changes(ports, campaign))
    return all(map(is_settled, files))
