"""Behind the queues of decisions: on sign-ins, on invitations, on requests for one's data."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.domain.effects import Queue, effect_of
from chalicelib.domain.fact_bodies import (
    InvitationReceived,
    InvitationsResumed,
    PrivacyRequested,
    SignInRequested,
    body_of,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.sign_ins import SignInReason
from chalicelib.invocations import BatchAnswer, Event, each_fact, not_handled
from chalicelib.observability import count
from chalicelib.services import protection
from chalicelib.services.invitations.decide import WAITING, decide_invitation
from chalicelib.services.privacy.request import decide_privacy_request
from chalicelib.services.requeue import requeue_undecided
from chalicelib.services.sponsors.sign_in import decide_sign_in


def decide(event: Event, *_: object) -> BatchAnswer:
    """Decisions on sign-ins, on invitations, and on requests for one's data."""

    def work(fact: Fact) -> str:
        ports = bootstrap.ports()
        if effect_of(fact).requeues_undecided:
            return f"requeued_{requeue_undecided(ports, fact.campaign)}"
        match body_of(fact):
            case InvitationsResumed():
                queued = protection.requeue_held(ports, fact.campaign, not_handled)
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
