"""The functions behind streams, queues and schedules: each takes an event apart, calls one use
case, and logs the outcome.

Of a queue's batch, only the failed messages are reported and delivered again. A stream's batch
succeeds or fails as a whole and is delivered again in halves. Exceptions are logged by type and
place and never leave the function with their message, because Lambda would log it.

Use cases are imported where they are called: a cold start loads only its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib import bootstrap, events
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import effect_of, is_known, quantity_of, reason_of
from chalicelib.domain.fact_bodies import InvitationReceived, SignInRequested, body_of
from chalicelib.domain.facts import Fact
from chalicelib.domain.sign_ins import SignInReason
from chalicelib.observability import count, count_by_reason, failed, flushed, log, warn
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.ports import Failure, ListUnavailableError

Event = dict[str, Any]
BatchAnswer = dict[str, list[dict[str, str]]]


class WorkFailedError(Exception):
    """A scheduled run or a stream's batch failed; the log line before this one says where."""


def relay(event: Event) -> BatchAnswer:
    """Facts to the queues of the work they trigger."""
    from chalicelib.services.operations.relay import relay as relay_facts

    return _stream(event, lambda facts: count("FactRelayed", relay_facts(bootstrap.ports(), facts)))


def project(event: Event) -> BatchAnswer:
    """Facts to counts, journal and metrics."""
    from chalicelib.services.operations.project import project as project_facts

    def work(facts: list[Fact]) -> None:
        counted = project_facts(bootstrap.ports(), facts)
        for fact in counted:
            count(_metric(fact.name), quantity_of(fact))
            if effect_of(fact).metric_by_reason:
                count_by_reason(_metric(fact.name), reason_of(fact))
            if not is_known(fact):
                warn("fact of a later version", correlation=fact.correlation, fact=fact.name)
        count("FactProjected", len(counted))

    return _stream(event, work)


def decide(event: Event) -> BatchAnswer:
    """Decisions on sign-ins and invitations."""
    from chalicelib.services.invitations.decide import WAITING, decide_invitation
    from chalicelib.services.requeue import requeue_undecided
    from chalicelib.services.sponsors.sign_in import decide_sign_in

    def work(fact: Fact) -> str:
        ports = bootstrap.ports()
        if effect_of(fact).requeues_undecided:
            return f"requeued_{requeue_undecided(ports, fact.campaign)}"
        match body_of(fact):
            case SignInRequested():
                outcome = decide_sign_in(ports, fact)
            case InvitationReceived():
                outcome = decide_invitation(ports, fact)
            case _:
                raise LookupError(f"nothing is decided on {fact.name}")
        if outcome in {WAITING, SignInReason.LIST_UNAVAILABLE}:
            count("ListUnavailable")
        return outcome

    return _facts(event, "decided", work)


def mail(event: Event) -> BatchAnswer:
    """Mails, one per message."""
    from chalicelib.services.mails.send import send_mail

    return _facts(
        event, "mailed", lambda fact: send_mail(bootstrap.ports(), bootstrap.sender(), fact)
    )


def reward(event: Event) -> BatchAnswer:
    """Vouchers that the rules grant or revoke."""
    from chalicelib.services.vouchers.reward import reward as reward_referral

    return _facts(
        event,
        "rewarded",
        lambda fact: ",".join(reward_referral(bootstrap.ports(), fact)) or "no_rule",
    )


def mail_events(event: Event) -> BatchAnswer:
    """Events of SES about our mails."""
    from chalicelib.services.mails.ses_events import settle_mail

    def work(body: str) -> None:
        mail_event = events.mail_event_in(body)
        if mail_event is None:
            return
        outcome = settle_mail(bootstrap.ports(), mail_event)
        if mail_event.kind == "bounced":
            count("MailBounced")
        log("mail event", mail=mail_event.mail_id, event=mail_event.kind, outcome=outcome)

    return _messages(event, work)


def ingest(event: Event) -> BatchAnswer:
    """Files the client drops, and lists that ops have decided on."""
    from chalicelib.services.ingest import ingest as ingest_file
    from chalicelib.services.ingest import reviewed_drop

    def work(body: str) -> None:
        ports = bootstrap.ports()
        for drop in events.drops_in(body, lambda fact: reviewed_drop(ports, fact)):
            receipt = ingest_file(ports, drop)
            if receipt is None:
                continue
            if receipt.status == "refused":
                count("FileRefused")
            if receipt.quarantined:
                count("FileQuarantined")
            log(
                "file processed",
                campaign=drop.campaign,
                area=drop.area,
                sha256=receipt.sha256,
                status=receipt.status,
                reason=receipt.reason,
                rows=receipt.rows,
                rejected=receipt.rejected,
                effect=receipt.outcome.effect if receipt.outcome else None,
                quarantined="yes" if receipt.quarantined else None,
            )

    return _messages(event, work)


def export() -> None:
    """Voucher files of every campaign, then the files of what became of those vouchers."""
    from chalicelib.services.vouchers.changes import write_changes
    from chalicelib.services.vouchers.export import export_vouchers

    def export_one(campaign: Campaign) -> None:
        written = export_vouchers(bootstrap.ports(), campaign, _not_handled)
        if written:
            log("export", campaign=campaign.id, export=written.number, rows=written.rows)
        changes = write_changes(bootstrap.ports(), campaign)
        if changes:
            log("changes", campaign=campaign.id, number=changes.number, rows=changes.rows)

    _scheduled("export", lambda: _each(export_one))


def expire() -> None:
    """What is due by now, into the queue of `due`."""
    from chalicelib.services.operations.expire import expire as hand_out_due

    def run() -> None:
        log("handed out", messages=hand_out_due(bootstrap.ports()))

    _scheduled("expire", run)


def due(event: Event) -> BatchAnswer:
    """Stretches of agendas: closed invitations, expired vouchers, kept orders, undecided
    invitations to be queued again, referrals to re-key.
    """
    from chalicelib.services.operations.due import work_off

    def work(body: str) -> None:
        stretch = events.stretch_in(body)
        done = work_off(bootstrap.ports(), stretch, _not_handled)
        log("worked off", correlation=None, agenda=stretch.agenda, scope=stretch.scope, **done)

    return _messages(event, work)


def reconcile() -> None:
    """Stuck work, lists that are too old, referrals to re-key."""
    from chalicelib.services.operations.reconcile import FINDINGS
    from chalicelib.services.operations.reconcile import reconcile as find_stuck

    def run() -> None:
        found = find_stuck(bootstrap.ports(), _not_handled)
        count("ReconcileFinding", sum(found[name] for name in FINDINGS))
        count("ListTooOld", found["lists_too_old"])
        count("ExportUnacknowledged", found["unacknowledged"])
        count("OrdersMissing", found["orders_missing"])
        count("CodesLow", found["codes_low"])
        log("reconciled", correlation=None, **found)

    _scheduled("reconcile", run)


def report() -> None:
    """The daily files of every campaign, and the statements of the months that are over."""
    from chalicelib.services.operations.reconciliation import write_reconciliation
    from chalicelib.services.operations.report import report as write_report
    from chalicelib.services.operations.statement import write_statements

    def report_one(campaign: Campaign) -> None:
        referrals = write_report(bootstrap.ports(), campaign, _not_handled)
        log("reported", campaign=campaign.id, referrals=referrals)
        # First: it stores what earlier versions did not, and a statement waits for that.
        differences = write_reconciliation(bootstrap.ports(), campaign)
        if differences is not None:
            count("ReconciliationDifference", differences)
            log("compared with the files", campaign=campaign.id, differences=differences)
        for statement in write_statements(bootstrap.ports(), campaign):
            log("statement", campaign=campaign.id, month=statement.month, rows=statement.rows)

    _scheduled("report", lambda: _each(report_one))


def _each(work: Callable[[Campaign], None]) -> None:
    """Work for every campaign: a failure does not affect the others."""
    from chalicelib.services.isolation import Isolation
    from chalicelib.services.lookups import all_campaigns

    isolation = Isolation(_not_handled, has_to_wait=())
    for campaign in all_campaigns(bootstrap.ports(), isolation.note):
        with isolation.of("campaign", campaign.id):
            work(campaign)
    if isolation.failed:
        raise WorkFailedError(f"{isolation.failed} campaigns")


def _not_handled(failure: Failure) -> None:
    failed(failure.error, "not handled", kind=failure.kind, name=failure.name)
    count("NotHandled")


def _metric(fact_name: str) -> str:
    return "".join(part.capitalize() for part in fact_name.split("_"))


def _stream(event: Event, work: Callable[[list[Fact]], None]) -> BatchAnswer:
    """Handle all facts of a batch at once; if that fails, Lambda delivers it again in halves.

    It does so only if the call fails. If the answer named a failed record, Lambda would split the
    batch there; as none is known, that would be the first one, and the batch would never shrink.
    """
    with flushed():
        try:
            work(list(events.facts_in_stream(event)))
        except Exception as error:
            failed(error, "stream batch failed")
            # Without the cause: Lambda logs the exception that leaves a function, with its message.
            raise WorkFailedError("stream batch") from None
    return {"batchItemFailures": []}


def _messages(event: Event, work: Callable[[str], None]) -> BatchAnswer:
    failures: list[dict[str, str]] = []
    with flushed():
        for message_id, body in events.messages(event):
            try:
                work(body)
            except (RetryLaterError, ListUnavailableError) as error:
                warn("retry later", error=type(error).__name__)
                failures.append({"itemIdentifier": message_id})
            except Exception as error:
                failed(error, "message failed")
                count("WorkFailed")
                failures.append({"itemIdentifier": message_id})
    return {"batchItemFailures": failures}


def _facts(event: Event, log_message: str, work: Callable[[Fact], str]) -> BatchAnswer:
    def on_fact(body: str) -> None:
        fact = events.fact_in(body)
        try:
            outcome = work(fact)
        except Exception as error:
            warn("left in the queue", correlation=fact.correlation, fact=fact.name,
                 error=type(error).__name__)  # fmt: skip
            raise
        log(log_message, correlation=fact.correlation, fact=fact.name, outcome=outcome)

    return _messages(event, on_fact)


def _scheduled(name: str, run: Callable[[], None]) -> None:
    with flushed():
        try:
            run()
        except Exception as error:
            failed(error, f"{name} failed")
            count("WorkFailed")
            # Without the cause: Lambda logs the exception that leaves a function, with its message.
            raise WorkFailedError(name) from None
