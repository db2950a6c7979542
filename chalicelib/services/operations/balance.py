"""Whether the facts, the counts, the journal and what they are about agree, for a whole local day.

Laws that follow from no single fact:

* the counters are what the facts in the table add up to, and what the journal adds up to (law 10);
* of each voucher that was issued there is one, and an export has as many as were put into it;
* the vouchers that were issued are those in exports and those that wait, each in the one export
  that it names (law 5);
* every mail that left has the fact that it follows from (law 2).

A day is looked at once it is settled; `check_facts.py` has done by then what was lost. One pass
over the facts of the hours serves all campaigns. A fact or a voucher that cannot be read, or says
too little, is named, and nothing is said of it; all others are balanced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import comparable, deltas, is_known
from chalicelib.domain.exports import Export, ExportPart
from chalicelib.domain.fact_bodies import (
    ExportWritten,
    InvitationSent,
    MailSent,
    VoucherIssued,
    VouchersExported,
    body_of,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.balance import (
    BalanceFinding,
    Imbalance,
    balance_file,
    balance_path,
    findings_in,
)
from chalicelib.domain.journal import AlteredBundleError, BrokenChainError
from chalicelib.domain.mails import Mail
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.facts import CLOCKS_DIFFER
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.journal import miscounts
from chalicelib.services.mail_causes import causes_of, mail_of
from chalicelib.services.ports import FACT_SHARDS, Failure, OnFailure, Ports, hours
from chalicelib.services.written_files import content_of

# The last hour of a day is checked within two hours, and what was missing is done.
SETTLED_AFTER = timedelta(hours=3)
HOLDERS_AT_ONCE = 1_000  # what is in memory of all the vouchers of theirs

Apart = Callable[[Campaign], AbstractContextManager[None]]


@dataclass
class _Day:
    """What the facts of a local day of a campaign say."""

    campaign: Campaign
    day: date
    counted: Counter[str] = field(default_factory=Counter)
    mails: set[str] = field(default_factory=set)  # that follow from a fact of the day
    sent: list[str] = field(default_factory=list)
    issued: list[VoucherIssued] = field(default_factory=list)
    exported: Counter[int] = field(default_factory=Counter)
    written: dict[int, int] = field(default_factory=dict)

    @property
    def hours(self) -> Iterator[datetime]:
        """The hours (UTC) that the day has a part of, in every time zone the campaign has had."""
        wider = timedelta(days=1) if self.campaign.earlier_zones else timedelta(0)
        return hours(
            self.campaign.start_of_day(self.day) - wider,
            self.campaign.end_of_day(self.day) + wider,
        )

    def take(self, fact: Fact) -> None:
        """Note a fact, if it is one of the day; it is counted also if it says too little for more,
        as the projector has counted it.
        """
        if self.campaign.counted_on(fact.at) != self.day or not is_known(fact):
            return
        self.counted.update(deltas(self.campaign, [fact]).get(self.day, {}))
        if mail_id := mail_of(fact):
            self.mails.add(mail_id)
        match body_of(fact):
            case MailSent(mail_id=mail_id) | InvitationSent(mail_id=mail_id):
                self.sent.append(mail_id)
            case VoucherIssued() as issued:
                self.issued.append(issued)
            case VouchersExported(export=number, count=count):
                self.exported[number] += count
            case ExportWritten(export=number, count=count):
                self.written[number] = count
            case _:
                pass


def write_balances(
    ports: Ports,
    campaigns: Iterable[Campaign],
    apart: Apart = lambda _: nullcontext(),
    on_failure: OnFailure = raised,
    *,
    readers: int = 1,
) -> Iterator[tuple[Campaign, int]]:
    """Write the report about yesterday of every campaign that has none, once that day is settled,
    if anything was counted on it; yields how many things do not agree, also of the reports that
    were there.

    `apart` keeps a failure in the work for one campaign from the others; a fact or a voucher that
    cannot be handled goes to `on_failure`. The vouchers of `readers` holders are read at a time.
    """
    due = []
    for campaign in campaigns:
        with apart(campaign):
            day = campaign.local_date(ports.clock()) - timedelta(days=1)
            report = content_of(ports.files, balance_path(campaign.id, day))
            if report is not None:
                yield campaign, findings_in(report)
            elif _is_due(ports, campaign, day):
                due.append((campaign, day))
    for campaign, day, findings in balances(ports, due, apart, on_failure, readers=readers):
        with apart(campaign):
            ports.files.write_once(balance_path(campaign.id, day), balance_file(findings))
            yield campaign, len(findings)


def _is_due(ports: Ports, campaign: Campaign, day: date) -> bool:
    """Whether a day is settled, and something was counted on it: a quiet one needs no report."""
    if ports.clock() - campaign.end_of_day(day) < SETTLED_AFTER:
        return False
    return any(ports.repository.counts(campaign.id).get(day, {}).values())


def balances(
    ports: Ports,
    due: Iterable[tuple[Campaign, date]],
    apart: Apart = lambda _: nullcontext(),
    on_failure: OnFailure = raised,
    *,
    readers: int = 1,
) -> Iterator[tuple[Campaign, date, list[BalanceFinding]]]:
    """What does not agree, of each campaign and local day."""
    days = {campaign.id: _Day(campaign, day) for campaign, day in due}
    isolation = Isolation(on_failure, has_to_wait=())
    for hour in sorted({hour for each in days.values() for hour in each.hours}):
        for shard in range(FACT_SHARDS):
            for fact in ports.repository.facts_in(hour, shard, isolation.note):
                if fact.campaign in days:
                    with isolation.of(Fact.__name__, fact.fact_id):
                        days[fact.campaign].take(fact)
    for each in days.values():
        with apart(each.campaign):
            vouchers = _stored_vouchers(ports, each, isolation, readers)
            findings = [
                *_counters(ports, each),
                *_journal(ports, each),
                *_mails(ports, each, isolation),
                *_missing(each, vouchers),
                *_exports(ports, each),
                *_each_in_one_export(ports, each, list(vouchers.values())),
            ]
            yield each.campaign, each.day, findings


def _counters(ports: Ports, day: _Day) -> Iterator[BalanceFinding]:
    of_day = ports.repository.counts(day.campaign.id).get(day.day, {})
    counted, expected = comparable(of_day, day.counted)
    for name in sorted(counted.keys() | expected.keys()):
        here, there = expected.get(name, 0), counted.get(name, 0)
        if here != there:
            yield BalanceFinding(Imbalance.COUNTER_AND_FACTS, name, str(here), str(there))


def _journal(ports: Ports, day: _Day) -> Iterator[BalanceFinding]:
    try:
        found = miscounts(ports, day.campaign, since=day.day, until=day.day)
    except (BrokenChainError, AlteredBundleError) as error:
        yield BalanceFinding(Imbalance.JOURNAL_UNREADABLE, str(error))
        return
    for one in found:
        yield BalanceFinding(
            Imbalance.COUNTER_AND_JOURNAL, one.name, str(one.journaled), str(one.counted)
        )


def _mails(ports: Ports, day: _Day, isolation: Isolation) -> Iterator[BalanceFinding]:
    for mail_id in dict.fromkeys(day.sent):
        if mail_id in day.mails:
            continue
        with isolation.of(Mail.__name__, mail_id):
            if not _has_fact(ports, mail_id):
                yield BalanceFinding(Imbalance.MAIL_WITHOUT_FACT, mail_id)


def _has_fact(ports: Ports, mail_id: str) -> bool:
    """Whether a mail that was sent later than on the day of its fact has one."""
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None:
        return True  # it has ended, with its campaign
    return bool(causes_of(ports, mail))


def _stored_vouchers(
    ports: Ports, day: _Day, isolation: Isolation, readers: int
) -> dict[str, Voucher]:
    """The vouchers that were issued on the day, by their ids, as far as they are there. Of those
    that cannot be read, the day knows nothing any more.
    """
    repository, issued = ports.repository, {one.voucher_id for one in day.issued}
    holders = iter(dict.fromkeys(one.holder_id for one in day.issued))
    found: dict[str, Voucher] = {}
    unreadable: list[Failure] = []
    with ThreadPoolExecutor(readers) as pool:
        while some := list(islice(holders, HOLDERS_AT_ONCE)):
            for held in pool.map(lambda each: repository.held_by(each, unreadable.append), some):
                found |= {one.voucher_id: one for one in held if one.voucher_id in issued}
    for failure in unreadable:
        isolation.note(failure)
    unknown = {failure.name for failure in unreadable}
    day.issued = [one for one in day.issued if one.voucher_id not in unknown]
    return found


def _missing(day: _Day, vouchers: Collection[str]) -> Iterator[BalanceFinding]:
    for issued in day.issued:
        if issued.voucher_id not in vouchers:
            yield BalanceFinding(Imbalance.VOUCHER_MISSING, issued.voucher_id)


def _exports(ports: Ports, day: _Day) -> Iterator[BalanceFinding]:
    for number, written in sorted(day.written.items()):
        export = ports.repository.get(Export, campaign=day.campaign.id, number=number)
        rows = export.rows if export else 0
        # Vouchers may have been put into it the day before.
        if rows != written or day.exported[number] > rows:
            found = f"{day.exported[number]} exported, {written} written"
            yield BalanceFinding(Imbalance.EXPORT_AND_FACTS, str(number), str(rows), found)


def _each_in_one_export(
    ports: Ports, day: _Day, vouchers: Sequence[Voucher]
) -> Iterator[BalanceFinding]:
    """The vouchers are read before the parts: one that names an export is in a part by then."""
    exports = _exports_with(ports, day, [voucher.code_key for voucher in vouchers])
    doubtful = [one for one in vouchers if exports[one.code_key] != _named_by(one)]
    # One that waited when it was read may have been exported since.
    keys = [{"code_key": one.code_key} for one in doubtful]
    again = {one.code_key: one for one in ports.repository.get_many(Voucher, keys)}
    now = [again.get(one.code_key, one) for one in vouchers]
    exported = sum(len(exports[one.code_key]) for one in now)
    pending = sum(one.export is None for one in now)
    if exported + pending != len(now):
        found = f"{exported} exported, {pending} pending"
        yield BalanceFinding(Imbalance.ISSUED_AND_EXPORTED, "issued", str(len(now)), found)
    for one in now:
        if exports[one.code_key] != _named_by(one):
            named, found_in = _text(_named_by(one)), _text(exports[one.code_key])
            yield BalanceFinding(Imbalance.VOUCHER_AND_EXPORTS, one.voucher_id, named, found_in)


def _exports_with(ports: Ports, day: _Day, codes: Iterable[str]) -> dict[str, list[int]]:
    """The exports with a row of each code: of those that were not written before the day began."""
    found: dict[str, list[int]] = {code: [] for code in codes}
    begins = next(day.hours) - CLOCKS_DIFFER
    for export in ports.repository.within(Export, campaign=day.campaign.id) if found else ():
        if export.written_at and export.written_at < begins:
            continue
        parts = ports.repository.within(ExportPart, campaign=day.campaign.id, number=export.number)
        for code in (code for part in parts for code in part.codes):
            if code in found:
                found[code].append(export.number)
    return found


def _named_by(voucher: Voucher) -> list[int]:
    return [] if voucher.export is None else [voucher.export]


def _text(exports: Iterable[int]) -> str:
    return ", ".join(map(str, exports)) or "none"
