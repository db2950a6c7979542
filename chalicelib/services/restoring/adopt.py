"""Bringing a restored table forward to what happened since: facts with what they did.

    for each campaign, its files verified first
      lost facts ──► fact + state + counts, one transaction each, those that build on others later
      exports, files of changes ──► their numbers are taken
    journal ──► parts and heads     bundles ──► counted     files in in/ ──► the queue

A fact is in the table when its state is, so a run that is killed anywhere is started again and does
the rest. Nothing else may run meanwhile. What cannot be known any more is named in the report; its
facts are brought back all the same, because the journal has them (law 10).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial

from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.effects import deltas, is_known
from chalicelib.domain.entity import IllegalMoveError
from chalicelib.domain.fact_bodies import (
    CampaignPut,
    ChangesWritten,
    ConsentsWritten,
    OrderBody,
    PersonErased,
    body_as,
)
from chalicelib.domain.facts import Fact, FactBody, FactName
from chalicelib.domain.files.exports import ReferralLine, referral_file, referral_rows, unread
from chalicelib.domain.referrals import Referral
from chalicelib.services.file_ports import Written
from chalicelib.services.isolation import read_apart
from chalicelib.services.operations.project import project
from chalicelib.services.persons.erase import erase_again
from chalicelib.services.ports import BATCH_LIMIT, Agenda, Change, Failure, OnFailure, Ports
from chalicelib.services.restoring.held import held_changes
from chalicelib.services.restoring.journal import move_head, settle_parts
from chalicelib.services.restoring.mails import mail_changes
from chalicelib.services.restoring.numbered import (
    close_exports,
    complete_changes,
    complete_consents,
    complete_exports,
    export_changes,
    rows_written,
)
from chalicelib.services.restoring.orders import order_fact_changes
from chalicelib.services.restoring.outside import (
    BEFORE,
    Outside,
    bundled_facts,
    outside_of,
    tables_since,
)
from chalicelib.services.restoring.people import people_changes
from chalicelib.services.restoring.privacy import privacy_changes
from chalicelib.services.restoring.vouchers import voucher_changes
from chalicelib.services.restoring.work import LOST, UnfoundedError, Work

AT_ONCE = 40  # facts without a state of their own, and the counters of their days

Changes = Callable[[Work, Fact, FactBody], list[Change] | None]
_CHANGES: tuple[Changes, ...] = (
    people_changes, privacy_changes, held_changes, voucher_changes, export_changes,
    order_fact_changes, mail_changes,
)  # fmt: skip
# What they were about comes back otherwise: campaign files are put again, lists dropped again, a
# statement is made again of the same rows. The others change nothing but what counts them.
WITHOUT_STATE = frozenset({
    FactName.CAMPAIGN_PUT, FactName.SIGN_IN_REQUESTED, FactName.PRIVACY_REQUESTED,
    FactName.STATEMENT_WRITTEN,
    FactName.VOUCHER_REFUSED_REPEATEDLY, FactName.VOUCHER_UNDELIVERED,
    FactName.LIST_ACCEPTED, FactName.LIST_CONFIRMED, FactName.LIST_WAITS, FactName.LIST_REFUSED,
    FactName.LIST_HELD, FactName.LIST_APPROVED, FactName.LIST_REJECTED, FactName.LIST_ROLLED_BACK,
    # `tandem restore copy` has left the links as they were: one that was revoked stays so.
    FactName.WALL_LINK_MADE, FactName.WALL_LINK_REVOKED,
})  # fmt: skip
_ORDER = {name.value: place for place, name in enumerate(FactName)}
_WRITTEN_LAST = {FactName.CHANGES_WRITTEN, FactName.CONSENTS_WRITTEN}
# Once all the rest is back, by the ids of these facts: who was forgotten must not come back.
_ERASED_LAST = {FactName.PERSON_ERASED}


class CampaignMissingError(ValueError):
    """A campaign, or a version of one, that was put after the moment and is not there."""


@dataclass
class Adopted:
    """What a run did for one campaign. `without_state` are facts of which only the fact is back;
    `unknown_vouchers` the ids of vouchers that only a file has; `unreachable` the ids of referrals
    without an address, whose referees cannot be mailed; `called` the ids of orders that a
    call reported: their dates are known when they are reported again. `unreadable` are the ids of
    facts that the table has and nobody can read; they are left as they are.
    """

    campaign: str
    facts: Counter[str] = field(default_factory=Counter)
    without_state: list[Fact] = field(default_factory=list)
    unknown_vouchers: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    exports: list[int] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    sealed: int = 0


@dataclass(frozen=True)
class Known:
    """What is known of a campaign outside the table, and which of its facts the table lacks; of
    those it has, the ids that cannot be read.
    """

    outside: Outside
    lost: list[Fact]
    unreadable: list[str]


def look(ports: Ports, moment: datetime) -> list[Known]:
    """What is known of each campaign, and what is to be brought back. Nothing is changed.
    `BrokenChainError`, `CampaignMissingError`.
    """
    bundled = bundled_facts(ports, moment)
    current = list(ports.repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS))
    every = [outside_of(ports, one.campaign, moment, bundled) for one in current]
    versions = {one.campaign: one.document.version for one in current}
    put = [fact for one in every for fact in one.facts] + bundled
    missing = sorted(set(_missing_versions(put, versions)))
    if missing:
        raise CampaignMissingError(", ".join(missing))
    return [_compared(ports, outside) for outside in every]


def _missing_versions(facts: Iterable[Fact], versions: Mapping[str, int]) -> Iterator[str]:
    for fact in facts:
        if fact.campaign not in versions:
            yield fact.campaign
        elif fact.name == FactName.CAMPAIGN_PUT:
            version = CampaignPut.from_stored(fact.ids, fact.details).version
            if version > versions[fact.campaign]:
                yield f"{fact.campaign}, version {version}"


def _compared(ports: Ports, outside: Outside) -> Known:
    failures: list[Failure] = []
    stored = {fact.fact_id for fact in _stored(ports, outside.facts, failures.append)}
    unreadable = sorted({failure.name for failure in failures})
    there = stored.union(unreadable)
    lost = [fact for fact in outside.facts if fact.fact_id not in there]
    return Known(outside, lost, unreadable)


def _stored(ports: Ports, facts: Sequence[Fact], on_failure: OnFailure) -> Iterator[Fact]:
    for start in range(0, len(facts), BATCH_LIMIT // 2):
        yield from ports.repository.stored(facts[start : start + BATCH_LIMIT // 2], on_failure)


def adopt(ports: Ports, moment: datetime) -> list[Adopted]:
    """Bring back what happened since `moment`, to which the table was restored; what was done, by
    campaign. `BrokenChainError` and `CampaignMissingError`, before anything is changed;
    `AlteredBundleError`.
    """
    found = look(ports, moment)
    done = [_bring_back(ports, known, moment) for known in found]
    settle_parts(ports, [known.outside for known in found])
    for known in found:
        _mark_tables(ports, known.outside, moment)
        move_head(ports, known.outside)
        project(ports, known.outside.waiting)
    return done


def dropped_since(ports: Ports, moment: datetime) -> list[Written]:
    """The files under `in/` that may have taken effect after the moment, oldest first: processed
    again, they have the effects that are missing, and no second one (law 7).
    """
    return ports.files.written_since("in/", moment - BEFORE)


def _mark_tables(ports: Ports, outside: Outside, moment: datetime) -> None:
    """Have the next correspondence table read every referral again that one of the time after the
    moment has: how often a referral was stored says nothing any more.
    """
    for path in tables_since(ports, outside.campaign, moment):
        lines = map(ReferralLine.parse, referral_rows(ports.files.read(path)))
        table = referral_file(unread(line).text for line in lines)
        ports.files.write(path, table, content_type="application/gzip")


# --- one campaign ---------------------------------------------------------------------------------


def _bring_back(ports: Ports, known: Known, moment: datetime) -> Adopted:
    outside, lost = known.outside, known.lost
    work = Work(ports, outside, moment)
    done = Adopted(outside.campaign, unreadable=known.unreadable)
    _mark_sealed(work)
    writer = _Writer(work, done)
    later = [fact for fact in lost if fact.name in _WRITTEN_LAST]
    erased = [fact for fact in lost if fact.name in _ERASED_LAST]
    facts = [fact for fact in lost if fact.name not in _WRITTEN_LAST | _ERASED_LAST]
    left = writer.bring_back(sorted(facts, key=_in_order))
    writer.bring_back_alone(left)
    done.unknown_vouchers = complete_exports(work, left)
    close_exports(work)
    complete_changes(work)
    complete_consents(work)
    writer.bring_back_alone(writer.bring_back(later))
    for fact in erased:
        erase_again(ports, work.campaign, body_as(fact, PersonErased))
        writer.bring_back([fact])
    done.exports, done.changes = sorted(outside.exports), sorted(outside.changes)
    done.sealed = len(outside.sealed)
    done.called = _called(work)
    done.unreachable = _unreachable(ports, outside)
    return done


def _in_order(fact: Fact) -> tuple[datetime, bool, int]:
    """By time; of one moment as the story goes. Who objects is found by an address that the end of
    the invitation erases.
    """
    is_later = fact.name != FactName.OPPOSITION_RECORDED
    return fact.at, is_later, _ORDER.get(fact.name, 0)


def _unreachable(ports: Ports, outside: Outside) -> list[str]:
    confirmed = [fact for fact in outside.facts if fact.name == FactName.REFERRAL_CONFIRMED]
    keys = [{"referral_id": fact.ids["referral"]} for fact in confirmed]
    found, _ = read_apart(keys, partial(ports.repository.get_many, Referral))
    return sorted(one.referral_id for one in found if one.contact_id.startswith(LOST))


def _called(work: Work) -> set[str]:
    bodies = map(_body, work.outside.facts)
    ids = {work.order_id(body) for body in bodies if isinstance(body, OrderBody)}
    return ids - work.outside.ordered_at.keys()


def _body(fact: Fact) -> FactBody | None:
    return Work.body(fact) if is_known(fact) else None


def _mark_sealed(work: Work) -> None:
    """Count the facts that were stored and not counted at the moment, and are in a file now, but
    for those that cannot be read, which the report names.
    """
    for file in work.outside.sealed:
        read = _stored(work.ports, file.facts, lambda _: None)
        stored = [fact for fact in read if not fact.counted]
        for start in range(0, len(stored), AT_ONCE):
            some = stored[start : start + AT_ONCE]
            counts = {work.campaign.id: deltas(work.campaign, some)}
            work.ports.repository.bring_back(file.last, (), (), some, counts)


class _Writer:
    """Brings facts back, each with what it did."""

    def __init__(self, work: Work, done: Adopted) -> None:
        self._work, self._done = work, done
        # Which file of the journal a fact is in, by the file's last hash; none for a bundle's.
        self._file = {
            fact.fact_id: file.last for file in work.outside.sealed for fact in file.facts
        }

    def bring_back(self, facts: Sequence[Fact]) -> list[Fact]:
        """Bring facts back as long as one more can be; returns those that build on what is not
        there.
        """
        waiting = list(facts)
        while waiting:
            left = [fact for fact in waiting if not self._brought_back(fact)]
            if len(left) == len(waiting) and self._work.is_lenient:
                break
            self._work.is_lenient = len(left) == len(waiting)
            waiting = left
        self._work.is_lenient = False
        return waiting

    def _brought_back(self, fact: Fact) -> bool:
        try:
            changes = changes_of(self._work, fact)
        except (UnfoundedError, IllegalMoveError, ValueError, KeyError):
            return False  # or something that it is about cannot be read
        self._write([fact], changes)
        return True

    def bring_back_alone(self, facts: Sequence[Fact]) -> None:
        """Bring facts back of which nothing else is known."""
        self._done.without_state += facts
        for start in range(0, len(facts), AT_ONCE):
            some = facts[start : start + AT_ONCE]
            for file in dict.fromkeys(self._file.get(fact.fact_id) for fact in some):
                self._write([one for one in some if self._file.get(one.fact_id) == file], [])

    def _write(self, facts: Sequence[Fact], changes: Sequence[Change]) -> None:
        file = self._file.get(facts[0].fact_id)
        counted = [replace(fact, counted=file is not None) for fact in facts]
        counts: dict[str, dict[date, dict[str, int]]] = {}
        if file is not None:
            counts[self._work.campaign.id] = deltas(self._work.campaign, facts)
        self._work.ports.repository.bring_back(file or "0", changes, counted, (), counts)
        self._done.facts.update(fact.name for fact in facts)


def changes_of(work: Work, fact: Fact) -> list[Change]:
    """What a fact did, as far as it is not there. `UnfoundedError`, and `IllegalMoveError` where a
    state does not allow it yet: clocks differ, so a fact before it may have a later time.
    `LookupError` for a kind that nothing here knows.
    """
    if not is_known(fact) or fact.name in WITHOUT_STATE | _ERASED_LAST:
        return []
    body = work.body(fact)
    if isinstance(body, ChangesWritten | ConsentsWritten):
        return rows_written(work, fact, body)
    found = (changes(work, fact, body) for changes in _CHANGES)
    changes = next((one for one in found if one is not None), None)
    if changes is None:
        raise LookupError(f"nothing says what {fact.name} did")
    return changes
