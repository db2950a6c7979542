"""Looking for what stands still: the watch that makes "never lost" true when a queue or a function
fails.

Each kind of finding has a name, a metric and a place in the runbook. What can safely be started
again is: undecided invitations and leased mails that must arrive go back to their queue; the guards
of their use cases make a repeat harmless. The rest is for people.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.campaign import Campaign
from chalicelib.domain.facts import FactName, Queue, follow_up
from chalicelib.domain.model import Fact, Invitation, Mail, MailState, Voucher
from chalicelib.services.decide_invitation import take_up_waiting
from chalicelib.services.deliver import AT_MOST_ONCE, invitation_of
from chalicelib.services.ports import Ports, Replace, Topic
from chalicelib.services.steps import all_campaigns

UNDECIDED_AFTER = timedelta(minutes=15)
LEASED_AFTER = timedelta(minutes=15)
UNEXPORTED_AFTER = timedelta(hours=1)


def reconcile(ports: Ports) -> dict[str, int]:
    """Find what stands still and start again what can be; returns how many of each."""
    findings = {"undecided": 0, "leased": _leased(ports), "unexported": 0}
    for campaign in all_campaigns(ports):
        findings["undecided"] += _undecided(ports, campaign)
        findings["unexported"] += _unexported(ports, campaign)
    return findings


def _undecided(ports: Ports, campaign: Campaign) -> int:
    until = ports.clock() - UNDECIDED_AFTER
    overdue = ports.repository.agenda(Invitation, Topic.UNDECIDED, campaign.campaign, until=until)
    return take_up_waiting(ports, campaign.campaign) if next(overdue, None) else 0


def _unexported(ports: Ports, campaign: Campaign) -> int:
    until = ports.clock() - UNEXPORTED_AFTER
    overdue = ports.repository.agenda(Voucher, Topic.UNEXPORTED, campaign.campaign, until=until)
    return sum(1 for _ in overdue)


def _leased(ports: Ports) -> int:
    found = 0
    for mail in ports.repository.agenda(Mail, Topic.LEASED, until=ports.clock() - LEASED_AFTER):
        if mail.mail_kind in AT_MOST_ONCE:
            found += _uncertain(ports, mail)
            continue
        found += 1
        fact = _cause(ports, mail)
        if fact:
            ports.queues.put(Queue.MAIL, [fact])
    return found


def _uncertain(ports: Ports, mail: Mail) -> int:
    """An invitation's mail nobody can tell of is a finding until its invitation is over."""
    invitation = invitation_of(ports, mail)
    if invitation and invitation.ended_at is None:
        return 1
    ports.repository.commit(Replace(replace(mail, state=MailState.FAILED)))
    return 0


def _cause(ports: Ports, mail: Mail) -> Fact | None:
    subject = mail.ids.get("voucher") or mail.mail_id.removeprefix("sign_in-")
    facts = list(ports.repository.facts_of(subject))
    due = [fact for fact in facts if follow_up(fact) is Queue.MAIL]
    return next((fact for fact in due if fact.name != FactName.INVITATION_ACCEPTED), None)
