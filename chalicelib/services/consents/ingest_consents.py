"""A file of the words that people gave the client: each is kept under the digest that it names.

Of all the words about a person the later one wins, ours or the client's, and a withdrawal wins over
a consent of the same moment; so a file may be dropped again, late, or before one that is older. A
withdrawal holds for the mails we send: she is not invited, also if nobody here knows her yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import (
    Consent,
    ConsentSource,
    ConsentState,
    Word,
    with_word,
)
from chalicelib.domain.fact_bodies import ConsentGiven, ConsentWithdrawal
from chalicelib.domain.files.consents import (
    IN_THE_FUTURE,
    ConsentRow,
    consent_json,
    consents,
    is_too_early,
)
from chalicelib.domain.files.reading import Tally
from chalicelib.services.facts import new_fact
from chalicelib.services.isolation import read_apart
from chalicelib.services.lookups import consents_of
from chalicelib.services.ports import BATCH_LIMIT, Change, Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.row_groups import Parts, RowGroups, few_or_many
from chalicelib.services.row_work import RowWork, do_each

NOTHING_NEW = "none"


def ingest_consents(
    ports: Ports, campaign: Campaign, *, plain: Iterable[bytes], tally: Tally
) -> Parts | None:
    """Keep the words of a file; those of a large one are returned in parts. `FileRefusedError`.

    All lines are read before the first takes effect: a file damaged at its end changes nothing.
    """
    few, many = few_or_many(consents(plain, tally, campaign.layout_of("consents")))
    if many:
        return _in_parts(many)
    kept = Tally()
    do_each(consent_work(ports, campaign, few, kept))
    tally.add(kept)
    return None


def _in_parts(numbered: Iterable[tuple[int, ConsentRow]]) -> Parts:
    groups = RowGroups()
    groups.add((line, row.email_digest, consent_json(line, row)) for line, row in numbered)
    return groups.parts()


def consent_work(
    ports: Ports, campaign: Campaign, numbered: Sequence[tuple[int, ConsentRow]], tally: Tally
) -> Iterator[RowWork]:
    """The keeping of numbered words; what becomes of them goes into `tally`."""
    for start in range(0, len(numbered), BATCH_LIMIT):
        some = numbered[start : start + BATCH_LIMIT]
        digests = dict.fromkeys(row.email_digest for _, row in some)
        # Of one that cannot be read, its row alone is left.
        found, _ = read_apart(list(digests), partial(consents_of, ports, campaign))
        known = {one.digest: one for one in found}
        for line, row in some:
            keep = partial(_keep, ports, campaign, known.get(row.email_digest), line, row, tally)
            yield RowWork(line, row.email_digest, keep)


def _keep(
    ports: Ports,
    campaign: Campaign,
    known: Consent | None,
    line: int,
    row: ConsentRow,
    tally: Tally,
) -> None:
    if is_too_early(row, ports.clock()):
        tally.reject(line, IN_THE_FUTURE)
    elif known and with_word(known, _word(row)) == known:
        tally.note(NOTHING_NEW)  # words only get later: what was read a moment ago is enough
    else:
        tally.note(_record(ports, campaign, row))


@retry_on_conflict
def _record(ports: Ports, campaign: Campaign, row: ConsentRow) -> str:
    stored = ports.repository.get(Consent, brand=campaign.brand.id, digest=row.email_digest)
    consent = stored or Consent(
        brand=campaign.brand.id,
        digest=row.email_digest,
        consent_id=ports.codes.identifier(),
        campaign=campaign.id,
    )
    after = with_word(consent, _word(row))
    if after == consent:
        return NOTHING_NEW
    kind = ConsentGiven if row.state is ConsentState.GIVEN else ConsentWithdrawal
    fact = new_fact(
        ports,
        kind(consent_id=consent.consent_id, source=ConsentSource.CLIENT),
        campaign=campaign.id,
        subject=consent.consent_id,
        correlation=consent.consent_id,
    )
    change: Change = Replace(after) if stored else Insert(after)
    ports.repository.commit(change, facts=[fact])
    return row.state


def _word(row: ConsentRow) -> Word:
    return Word(state=row.state, at=row.at, source=ConsentSource.CLIENT)
