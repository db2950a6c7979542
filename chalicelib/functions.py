"""The functions behind streams, queues and schedules: each takes an event apart, calls one use
case, and logs the outcome. What failed is isolated and answered in `invocations.py`.

Use cases are imported where they are called: a cold start loads only its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

from chalicelib import bootstrap, events
from chalicelib.daily_checks import balance, compare_with_files
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import (
    Queue,
    effect_of,
    is_incident,
    is_known,
    quantity_of,
    queues_of,
    reason_of,
)
from chalicelib.domain.fact_bodies import (
    ErasureConfirmed,
    InvitationReceived,
    InvitationsResumed,
    PrivacyFileAsked,
    PrivacyRequested,
    SignInRequested,
    body_of,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.sign_ins import SignInReason
from chalicelib.file_logs import count_quarantined, log_parts, log_receipt
from chalicelib.invocations import (
    BatchAnswer,
    Event,
    each_fact,
    each_message,
    each_of_stream,
    isolated,
    not_handled,
    scheduled,
)
from chalicelib.observability import count, count_by_reason, failed, log, warn
from chalicelib.pace import NotingMailer, at_least
from chalicelib.services.isolation import TRANSIENT, Isolation
from chalicelib.services.turns import in_turn

if TYPE_CHECKING:
    from chalicelib.services.operations.check_facts import FactReport

READERS = 16  # shards of an hour's facts, or holders of vouchers, that are read at the same time
# Of the five minutes of a run: a file that is begun in time is sealed and written in the rest.
EXPORTED_FOR = timedelta(minutes=4)
# Of the fifteen minutes of a run: the last piece of a busy hour's facts is checked in the rest.
RECONCILED_FOR = timedelta(minutes=13)


def relay(event: Event) -> BatchAnswer:
    """Facts to the queues of the work they trigger."""
    from chalicelib.services.operations.relay import relay as relay_facts

    return each_of_stream(
        event, lambda facts: count("FactRelayed", relay_facts(bootstrap.ports(), facts))
    )


def project(event: Event) -> BatchAnswer:
    """Facts to counts, journal and metrics."""
    from chalicelib.services.operations.project import project as project_facts

    return each_of_stream(
        event, lambda facts: _count_facts(project_facts(bootstrap.ports(), facts))
    )


def _count_facts(counted: Sequence[Fact]) -> None:
    """The metrics of facts that were counted just now."""
    for fact in counted:
        if is_incident(fact):
            continue  # counted and rung as a file that was moved to quarantine/
        count(_metric(fact.name), quantity_of(fact))
        if effect_of(fact).metric_by_reason:
            count_by_reason(_metric(fact.name), reason_of(fact))
        if not is_known(fact):
            warn("fact of a later version", correlation=fact.correlation, fact=fact.name)
    count("FactProjected", len(counted))


def decide(event: Event) -> BatchAnswer:
    """Decisions on sign-ins, on invitations, and on requests for one's data."""
    from chalicelib.services import protection
    from chalicelib.services.invitations.decide import WAITING, decide_invitation
    from chalicelib.services.privacy.request import decide_privacy_request
    from chalicelib.services.requeue import requeue_undecided
    from chalicelib.services.sponsors.sign_in import decide_sign_in

    def work(fact: Fact) -> str:
        ports = bootstrap.ports()
        if effect_of(fact).requeues_undecided:
            return f"requeued_{requeue_undecided(ports, fact.campaign)}"
        match body_of(fact):
            case InvitationsResumed():
                queued = protection.requeue_held(ports, fact.campaign)
                if queued == protection.REQUEUED_AT_ONCE:
                    ports.queues.put(Queue.DECIDE, [fact])  # the rest, in a call of its own
                return f"requeued_{queued}"
            case SignInRequested():
                outcome = decide_sign_in(ports, fact)
            case PrivacyRequested():
                outcome = decide_privacy_request(ports, fact)
            case InvitationReceived():
                outcome = decide_invitation(ports, fact)
            case _:
                raise LookupError(f"nothing is decided on {fact.name}")
        if outcome in {WAITING, SignInReason.LIST_UNAVAILABLE}:
            count("ListUnavailable")
        return outcome

    return each_fact(event, "decided", work, "decide")


def mail(event: Event) -> BatchAnswer:
    """Mails, one per message."""
    from chalicelib.services.mails.send import send_mail

    def work(fact: Fact) -> str:
        ports = bootstrap.ports()
        # By the fact, not by the queue: an earlier version may have put it into the other one.
        if Queue.REQUESTED_MAIL in queues_of(fact):
            return send_mail(ports, bootstrap.sender(), fact)
        # What does not get to the sender, such as a repeat, needs no turn.
        mailer = NotingMailer(ports.mailer)
        with at_least(bootstrap.seconds_for_a_mail(), when=lambda: mailer.was_asked):
            return send_mail(replace(ports, mailer=mailer), bootstrap.sender(), fact)

    return each_fact(event, "mailed", work, "mail")


def reward(event: Event) -> BatchAnswer:
    """Vouchers that the rules grant or revoke."""
    from chalicelib.services.vouchers.reward import reward as reward_referral

    return each_fact(
        event,
        "rewarded",
        lambda fact: ",".join(reward_referral(bootstrap.ports(), fact)) or "no_rule",
        "reward",
    )


def persons(event: Event) -> BatchAnswer:
    """What people confirmed about their own data: files of it, and erasures."""
    from chalicelib.services.privacy.carry_out import erase_confirmed, make_file

    def work(fact: Fact) -> str:
        match body_of(fact):
            case ErasureConfirmed():
                return erase_confirmed(bootstrap.ports(), fact)
            case PrivacyFileAsked():
                return make_file(bootstrap.ports(), fact)
            case _:
                raise LookupError(f"nobody asked for anything with {fact.name}")

    return each_fact(event, "carried out", work, "persons")


def mail_events(event: Event) -> BatchAnswer:
    """Events of SES about our mails."""
    from chalicelib.services.mails.ses_events import settle_mail

    def work(message: events.Message) -> None:
        mail_event = events.mail_event_in(message.body)
        if mail_event is None:
            return
        outcome = settle_mail(bootstrap.ports(), mail_event)
        log("mail event", mail=mail_event.mail_id, event=mail_event.kind, outcome=outcome)

    return each_message(event, work, "mail_events")


def ingest(event: Event) -> BatchAnswer:
    """Files the client drops, lists that ops have decided on, and parts of large files."""
    from chalicelib.services.file_parts import work_off
    from chalicelib.services.ingest import ingest as ingest_file
    from chalicelib.services.ingest import reviewed_drop

    def work(message: events.Message) -> None:
        ports = bootstrap.ports()
        part = events.part_in(message.body)
        if part:
            receipt = work_off(ports, part, not_handled)
            log("part of a file", campaign=part.campaign, file=part.file_id, part=part.part)
            if receipt:
                log_receipt(part.campaign, receipt)
            return
        for drop in events.drops_in(message.body, lambda fact: reviewed_drop(ports, fact)):
            receipt = ingest_file(ports, drop, log_parts)
            if receipt:
                log_receipt(drop.campaign, receipt, area=drop.area)
                count_quarantined(receipt)

    return each_message(event, work, "ingest")


def export() -> None:
    """Voucher files of every campaign, the files of what became of those vouchers, and those of
    the consents given to us.
    """
    from chalicelib.services.consents.write import write_consents
    from chalicelib.services.lookups import all_campaigns
    from chalicelib.services.vouchers.changes import write_changes
    from chalicelib.services.vouchers.export import export_vouchers

    def export_one(campaign: Campaign, until: datetime) -> None:
        for one in export_vouchers(bootstrap.ports(), campaign, not_handled, until=until):
            log("export", campaign=campaign.id, export=one.number, rows=one.rows)

    def write_changes_of_one(campaign: Campaign, until: datetime) -> None:
        for one in write_changes(bootstrap.ports(), campaign, until=until):
            log("changes", campaign=campaign.id, number=one.number, rows=one.rows)

    def write_consents_of_one(campaign: Campaign, until: datetime) -> None:
        for one in write_consents(bootstrap.ports(), campaign, until=until):
            log("consents", campaign=campaign.id, number=one.number, rows=one.rows)

    # An export that cannot be written holds up no change of the vouchers before it.
    works = {
        "export": export_one,
        "changes": write_changes_of_one,
        "consents": write_consents_of_one,
    }

    def run() -> None:
        clock = bootstrap.ports().clock
        ends = clock() + EXPORTED_FOR
        # What two runs at once keep from each other is left to the next run.
        with isolated(TRANSIENT) as isolation:
            campaigns = all_campaigns(bootstrap.ports(), isolation.note)
            turns = in_turn(clock, product(campaigns, works), ends)
            for (campaign, name), until in turns:
                with isolation.of(name, campaign.id):
                    works[name](campaign, until)
        if isolation.left:
            warn("left to the next run", number=isolation.left)

    scheduled("export", run)


def expire() -> None:
    """What is due by now, into the queue of `due`."""
    from chalicelib.services.operations.expire import expire as hand_out_due

    def run() -> None:
        log("handed out", messages=hand_out_due(bootstrap.ports()))

    scheduled("expire", run)


def due(event: Event) -> BatchAnswer:
    """Stretches of agendas: closed invitations, expired vouchers, kept orders, undecided
    invitations to be queued again, referrals to re-key.
    """
    from chalicelib.services.operations.due import work_off

    def work(message: events.Message) -> None:
        stretch = events.stretch_in(message.body)
        done = work_off(bootstrap.ports(), stretch, not_handled)
        log("worked off", correlation=None, agenda=stretch.agenda, scope=stretch.scope, **done)

    return each_message(event, work, "due")


def reconcile() -> None:
    """Stuck work, lists that are too old, referrals to re-key, facts that were lost."""
    from chalicelib.services.operations.check_facts import check_facts
    from chalicelib.services.operations.reconcile import ALARMED, FINDINGS
    from chalicelib.services.operations.reconcile import reconcile as find_stuck

    def run() -> None:
        ends = bootstrap.ports().clock() + RECONCILED_FOR
        found = find_stuck(bootstrap.ports(), not_handled)
        isolation = Isolation(not_handled, has_to_wait=())
        with isolation.of("facts", "check"):
            checked = check_facts(
                bootstrap.ports(), until=ends, readers=READERS, on_piece=_report_facts
            )
            found |= checked.numbers()
            complete = "yes" if checked.is_complete else "no"
            log(
                "facts checked",
                facts=checked.checked,
                waiting=checked.waiting,
                complete=complete,
            )
        found["not_handled"] += isolation.failed
        count("ReconcileFinding", sum(found[name] for name in FINDINGS if name not in ALARMED))
        for name, metric in ALARMED.items():
            if metric:
                count(metric, found[name])
        log("reconciled", correlation=None, **found)

    scheduled("reconcile", run)


def _report_facts(checked: FactReport) -> None:
    """The metrics of what a check of some facts found, and a line for each fact."""
    if checked.counted:  # a metric takes so many values an invocation
        _count_facts(checked.counted)
    for failure in checked.unreadable:
        not_handled(failure)
    for found in checked.findings:
        count_by_reason("FactFinding", found.fact.name)
        about = {"fact": found.fact.name, "missing": found.missing.value}
        if found.error:
            failed(found.error, "fact", correlation=found.fact.correlation, **about)
        else:
            warn("fact", correlation=found.fact.correlation, **about)


def seal() -> None:
    """What is counted becomes files of the journal."""
    from chalicelib.services.operations.seal import seal as seal_journal

    def run() -> None:
        sealed = seal_journal(bootstrap.ports())
        log("sealed", correlation=None, parts=sealed.parts, lines=sealed.lines)
        for digest in sealed.altered:
            warn("bundle missing or altered", bundle=digest)
        for part, error in sealed.unreadable.items():
            failed(error, "part unreadable", correlation=None, part=part)
        for campaign, error in sealed.failed.items():
            failed(error, "campaign failed", correlation=campaign)
        left = len(sealed.altered) + len(sealed.unreadable) + len(sealed.failed)
        count("NotHandled", left)

    scheduled("seal", run)


def root() -> None:
    """What each campaign's journal is, to where nobody who writes the journal can change it."""
    from chalicelib.services.operations.root import write_roots

    def run() -> None:
        with isolated() as isolation:
            for campaign in write_roots(bootstrap.ports(), isolation):
                log("root written", campaign=campaign)

    scheduled("root", run)


def report() -> None:
    """The daily files of every campaign, and the statements of the months that are over."""
    from chalicelib.services.lookups import all_campaigns
    from chalicelib.services.operations.report import report as write_report

    def report_one(campaign: Campaign) -> None:
        referrals = write_report(bootstrap.ports(), campaign, not_handled)
        log("reported", campaign=campaign.id, referrals=referrals)

    def run() -> None:
        with isolated() as isolation:
            campaigns = list(all_campaigns(bootstrap.ports(), isolation.note))
            for campaign in campaigns:
                with isolation.of("report", campaign.id):
                    report_one(campaign)
            # It reads the table whole: where that fails, the day is balanced all the same.
            with isolation.of("reconciliation", "vouchers"):
                compare_with_files(bootstrap.ports(), campaigns, isolation, not_handled)
            balance(bootstrap.ports(), campaigns, isolation, not_handled, readers=READERS)

    scheduled("report", run)


def _metric(fact_name: str) -> str:
    return "".join(part.capitalize() for part in fact_name.split("_"))
