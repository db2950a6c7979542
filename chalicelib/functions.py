"""The functions behind streams, queues and schedules: take an event apart, call one use case, say
how it went.

A batch is answered in parts: what failed is named and comes again, the rest is done. Whatever a use
case raises is logged by type and place and never leaves the function with its message, since Lambda
would log it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from chalicelib import bootstrap, events
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.facts import COUNTED_BY_REASON, REQUEUES_UNDECIDED, Fact, FactName
from chalicelib.observability import count, count_by_reason, failed, flushed, log, warn
from chalicelib.services.errors import NotYetError
from chalicelib.services.ports import ListUnavailableError

Event = dict[str, Any]
BatchAnswer = dict[str, list[dict[str, str]]]


class WorkFailedError(Exception):
    """A scheduled run failed; the log line before this says where."""


def relay(event: Event) -> BatchAnswer:
    """Facts to the queues of what follows from them."""
    from chalicelib.services.operations.relay import relay as to_queues

    return _stream(event, lambda facts: count("FactRelayed", to_queues(bootstrap.ports(), facts)))


def project(event: Event) -> BatchAnswer:
    """Facts to counts, journal and metrics."""
    from chalicelib.services.operations.project import project as to_counts

    def take(facts: list[Fact]) -> None:
        counted = to_counts(bootstrap.ports(), facts)
        for fact in counted:
            count(_metric(fact.name), int(fact.details.get("count") or 1))
            if fact.name in COUNTED_BY_REASON:
                count_by_reason(_metric(fact.name), str(fact.details["reason"]))
        count("FactProjected", len(counted))

    return _stream(event, take)


def decide(event: Event) -> BatchAnswer:
    """Sign-ins and invitations: who may, and why not."""
    from chalicelib.services.invitations.decide import decide_invitation, requeue_undecided
    from chalicelib.services.sponsors.sign_in import decide_sign_in

    def work(fact: Fact) -> str:
        ports = bootstrap.ports()
        if fact.name in REQUEUES_UNDECIDED:
            return f"taken_up_{requeue_undecided(ports, fact.campaign)}"
        decided = (
            decide_sign_in if fact.name == FactName.SIGN_IN_REQUESTED else decide_invitation
        )(ports, fact)
        if decided in {"waiting", "list_unavailable"}:
            count("ListUnavailable")
        return decided

    return _facts(event, "decided", work)


def mail(event: Event) -> BatchAnswer:
    """Mails, one per message."""
    from chalicelib.services.mails.send import deliver

    return _facts(
        event, "mailed", lambda fact: deliver(bootstrap.ports(), bootstrap.sender(), fact)
    )


def reward(event: Event) -> BatchAnswer:
    """Vouchers the rules grant, and take back."""
    from chalicelib.services.vouchers.reward import reward as grant

    return _facts(
        event, "rewarded", lambda fact: ",".join(grant(bootstrap.ports(), fact)) or "no_rule"
    )


def mail_events(event: Event) -> BatchAnswer:
    """What SES tells of our mails."""
    from chalicelib.services.mails.ses_events import settle_mail

    def work(body: str) -> None:
        told = events.mail_event_in(body)
        if told is None:
            return
        outcome = settle_mail(bootstrap.ports(), told)
        if told.kind == "bounced":
            count("MailBounced")
        log("mail event", mail=told.mail_id, event=told.kind, outcome=outcome)

    return _messages(event, work)


def ingest(event: Event) -> BatchAnswer:
    """Files the client drops, and lists that ops have decided on."""
    from chalicelib.services.ingest import ingest as take_in
    from chalicelib.services.ingest import reviewed_drop

    def work(body: str) -> None:
        ports = bootstrap.ports()
        for drop in events.drops_in(body, lambda fact: reviewed_drop(ports, fact)):
            receipt = take_in(ports, drop)
            if receipt is None:
                continue
            if receipt.status == "refused":
                count("FileRefused")
            if receipt.quarantined:
                count("FileQuarantined")
            log(
                "file taken in",
                campaign=drop.campaign,
                area=drop.path.split("/", 1)[0],
                sha256=receipt.sha256,
                status=receipt.status,
                reason=receipt.reason,
                rows=receipt.rows,
                rejected=receipt.rejected,
                effect=receipt.outcome.effect if receipt.outcome else None,
            )

    return _messages(event, work)


def export() -> None:
    """Voucher files of every campaign."""
    from chalicelib.services.lookups import all_campaigns
    from chalicelib.services.vouchers.export import export_vouchers

    def one(campaign: Campaign) -> None:
        written = export_vouchers(bootstrap.ports(), campaign)
        if written:
            log("export", campaign=campaign.id, export=written.number, rows=written.rows)

    _scheduled("export", lambda: _each(all_campaigns(bootstrap.ports()), one))


def expire() -> None:
    """What time does."""
    from chalicelib.services.operations.expire import expire as end_what_is_due

    def run() -> None:
        done = end_what_is_due(bootstrap.ports())
        log("expired", correlation=None, **done)

    _scheduled("expire", run)


def reconcile() -> None:
    """What stands still, and what has become too old."""
    from chalicelib.services.operations.reconcile import FINDINGS
    from chalicelib.services.operations.reconcile import reconcile as look

    def run() -> None:
        found = look(bootstrap.ports())
        count("ReconcileFinding", sum(found[name] for name in FINDINGS))
        count("ListTooOld", found["lists_too_old"])
        log("reconciled", correlation=None, **found)

    _scheduled("reconcile", run)


def report() -> None:
    """The daily files of every campaign."""
    from chalicelib.services.lookups import all_campaigns
    from chalicelib.services.operations.report import report as write

    def one(campaign: Campaign) -> None:
        log("reported", campaign=campaign.id, referrals=write(bootstrap.ports(), campaign))

    _scheduled("report", lambda: _each(all_campaigns(bootstrap.ports()), one))


def _each(campaigns: Iterable[Campaign], work: Callable[[Campaign], None]) -> None:
    """Work for every campaign: one that fails does not starve those after it."""
    wrong = 0
    for campaign in campaigns:
        try:
            work(campaign)
        except Exception as error:
            failed(error, "campaign failed", correlation=campaign.id)
            wrong += 1
    if wrong:
        raise WorkFailedError(f"{wrong} campaigns")


def _metric(fact_name: str) -> str:
    return "".join(part.capitalize() for part in fact_name.split("_"))


def _stream(event: Event, take: Callable[[list[Fact]], None]) -> BatchAnswer:
    """All facts of a batch at once; if that fails the batch comes again from its first record."""
    numbered = list(events.facts_in_stream(event))
    with flushed():
        try:
            take([fact for _, fact in numbered])
        except Exception as error:
            failed(error, "stream batch failed")
            return {"batchItemFailures": [{"itemIdentifier": numbered[0][0]}]}
    return {"batchItemFailures": []}


def _messages(event: Event, work: Callable[[str], None]) -> BatchAnswer:
    failures: list[dict[str, str]] = []
    with flushed():
        for message_id, body in events.messages(event):
            try:
                work(body)
            except (NotYetError, ListUnavailableError) as error:
                warn("not yet", error=type(error).__name__)
                failures.append({"itemIdentifier": message_id})
            except Exception as error:
                failed(error, "message failed")
                count("WorkFailed")
                failures.append({"itemIdentifier": message_id})
    return {"batchItemFailures": failures}


def _facts(event: Event, done: str, work: Callable[[Fact], str]) -> BatchAnswer:
    def on_fact(body: str) -> None:
        fact = events.fact_in(body)
        try:
            outcome = work(fact)
        except Exception as error:
            warn("left in the queue", correlation=fact.correlation, fact=fact.name,
                 error=type(error).__name__)  # fmt: skip
            raise
        log(done, correlation=fact.correlation, fact=fact.name, outcome=outcome)

    return _messages(event, on_fact)


def _scheduled(name: str, run: Callable[[], None]) -> None:
    with flushed():
        try:
            run()
        except Exception as error:
            failed(error, f"{name} failed")
            count("WorkFailed")
            # Without the cause: Lambda logs what leaves a function, message and all.
            raise WorkFailedError(name) from None
