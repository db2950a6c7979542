"""Whether the work that follows from a fact is done: looked up where its result is.

Neither a marker nor a second record is needed: what the work leaves behind shows that it was done.

| work | it is done when |
|---|---|
| a decision on an invitation | the invitation is decided, or gone |
| a decision on a sign-in | its contact is gone (refused), or the grant is among the facts |
| a decision on a request for one's data | the same |
| the file of somebody's data | it is kept with what was typed, or that has ended |
| an erasure that was confirmed | the address that was typed is gone: it goes last |
| a mail | its item exists, whatever became of it; or it may not be sent any more, or is held |
| a mail that ops have sent again | it waits no longer |
| resuming a campaign's invitations | all that are held are queued, or they are stopped again |
| a reward | the same work, done again, would change nothing |
| a held list that ops decided on | it is no longer held, or its refusal is among the facts |
| a new list | no invitation from before it is undecided |

Of many facts the results are read at once, by their keys; only what is not there costs more reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from chalicelib.domain import mails
from chalicelib.domain.effects import effect_of, queues_of
from chalicelib.domain.entity import Entity
from chalicelib.domain.fact_bodies import (
    ErasureConfirmed,
    InvitationAccepted,
    InvitationReceived,
    InvitationsResumed,
    ListApproved,
    ListRefused,
    ListReview,
    MailToSendAgain,
    PrivacyFileAsked,
    PrivacyLinkGranted,
    PrivacyRequested,
    ReferralConfirmed,
    RewardRevoked,
    SignInGranted,
    SignInRequested,
    VoucherAcknowledged,
    VoucherEndsSoon,
    VoucherIssued,
    body_of,
)
from chalicelib.domain.facts import Fact, FactBody, FactName
from chalicelib.domain.invitations import (
    Invitation,
    InvitationState,
    is_answerable,
    is_undecided,
    within_campaign,
)
from chalicelib.domain.lists.model import APPROVED, REJECTED, HeldList
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.people import Contact
from chalicelib.domain.protection import HeldInvitation
from chalicelib.domain.sign_ins import SignInLink
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.facts import facts_around, has_followed
from chalicelib.services.lookups import (
    current_campaign,
    sponsor_contact,
)
from chalicelib.services.mail_causes import mail_of
from chalicelib.services.mail_grounds import (
    ConfirmationGround,
    confirmation_ground,
    release_ground,
    reminder_ground,
    revocation_ground,
)
from chalicelib.services.ports import BATCH_LIMIT, Agenda, Failure, Key, Ports, Repository
from chalicelib.services.protection import stop_of
from chalicelib.services.vouchers.reward import reward

Results = Mapping[Key[Any], Entity]


def results_of(ports: Ports, facts: Sequence[Fact]) -> Results:
    """What the work of `facts` was to leave behind or to change, as far as keys lead to it.

    `ContentionError`.
    """
    keys = list(dict.fromkeys(key for fact in facts if (key := _key_of(fact))))
    results: dict[Key[Any], Entity] = {}
    for start in range(0, len(keys), BATCH_LIMIT):
        results |= ports.repository.read(*keys[start : start + BATCH_LIMIT]).entities
    return results


def is_undone(ports: Ports, fact: Fact, results: Results) -> bool:
    """Whether work that follows from `fact` is not done yet; `results` are those of its key.

    `LookupError` for a fact with a queue whose result this module does not know.
    """
    if not queues_of(fact):
        return False
    if effect_of(fact).requeues_undecided:
        return _has_undecided(ports, fact)
    body = body_of(fact)
    key = _key_of(fact)
    result = results.get(key) if key else None
    if isinstance(body, _MAIL_BODIES):
        is_unsent = result is None and _may_be_mailed(ports, body)
        return is_unsent or _would_reward(ports, fact)
    match body:
        case InvitationReceived():
            return isinstance(result, Invitation) and is_undecided(result)
        case SignInRequested():
            return result is not None and not has_followed(ports, fact, FactName.SIGN_IN_GRANTED)
        case PrivacyRequested():
            granted = FactName.PRIVACY_LINK_GRANTED
            return result is not None and not has_followed(ports, fact, granted)
        case ErasureConfirmed():
            return result is not None
        case PrivacyFileAsked():
            return isinstance(result, Contact) and result.file is None
        case MailToSendAgain():
            return isinstance(result, Mail) and result.state is MailState.WAITING
        case InvitationsResumed():
            return _has_unqueued(ports, fact.campaign)
        case ListReview():
            return isinstance(result, HeldList) and _is_unprocessed(ports, fact, body, result)
        case _:
            return _would_reward(ports, fact)


_MAIL_BODIES = (
    SignInGranted, PrivacyLinkGranted, InvitationAccepted, VoucherIssued, VoucherAcknowledged,
    ReferralConfirmed, RewardRevoked, VoucherEndsSoon,
)  # fmt: skip


def _key_of(fact: Fact) -> Key[Any] | None:
    """Where the first thing to look at is."""
    if not queues_of(fact):
        return None
    if mail_id := mail_of(fact):
        return Key.of(Mail, mail_id=mail_id)
    match body_of(fact):
        case InvitationReceived(sponsor_id=sponsor_id, invitation_id=invitation_id):
            return Key.of(Invitation, sponsor_id=sponsor_id, invitation_id=invitation_id)
        case (
            SignInRequested(contact_id=contact_id)
            | PrivacyRequested(contact_id=contact_id)
            | PrivacyFileAsked(contact_id=contact_id)
            | ErasureConfirmed(contact_id=contact_id)
        ):
            return Key.of(Contact, contact_id=contact_id)
        case ListReview(list_name=name, mode=mode, sha256=sha256):
            return Key.of(HeldList, campaign=fact.campaign, name=name, mode=mode, sha256=sha256)
        case _:
            return None


def _named_elsewhere(_: Failure) -> None:
    """Of an item that cannot be read nothing is said here: `reconcile` names it."""


def _has_undecided(ports: Ports, fact: Fact) -> bool:
    waiting = ports.repository.agenda(
        Invitation, Agenda.UNDECIDED, fact.campaign, until=fact.at, on_failure=_named_elsewhere
    )
    return next(waiting, None) is not None


def _is_unprocessed(ports: Ports, fact: Fact, review: ListReview, held: HeldList) -> bool:
    decision = APPROVED if isinstance(review, ListApproved) else REJECTED
    if held.decision != decision:
        return False  # decided otherwise since, or held again
    since = facts_around(ports, fact.subject, fact.at, ports.clock())
    refusals = [body_of(each) for each in since if each.at >= fact.at]
    return not any(isinstance(body, ListRefused) and body.mode == review.mode for body in refusals)


def _may_be_mailed(ports: Ports, body: FactBody) -> bool:
    """Whether there is still somebody to write to, and something to say."""
    match body:
        case SignInGranted(sponsor_id=sponsor_id, contact_id=contact_id):
            link = ports.repository.get(SignInLink, sponsor_id=sponsor_id)
            is_last = link is not None and link.contact_id == contact_id
            return is_last and _has_contact(ports, contact_id)
        case PrivacyLinkGranted(contact_id=contact_id):
            # What was typed ends with a link that was replaced or stopped.
            return _has_contact(ports, contact_id)
        case InvitationAccepted(sponsor_id=sponsor_id, invitation_id=invitation_id):
            return _invitation_may_be_mailed(ports, sponsor_id, invitation_id)
        case VoucherIssued() | VoucherAcknowledged():
            return _voucher_may_be_mailed(ports, body)
        case ReferralConfirmed():
            ground = confirmation_ground(ports, body)
            return ground is not None and not _is_mailed(ports, ground)
        case RewardRevoked():
            return revocation_ground(ports, body) is not None
        case VoucherEndsSoon():
            return reminder_ground(ports, body) is not None
        case _:
            return False


def _invitation_may_be_mailed(ports: Ports, sponsor_id: str, invitation_id: str) -> bool:
    invitation = ports.repository.get(
        Invitation, sponsor_id=sponsor_id, invitation_id=invitation_id
    )
    if invitation is None or invitation.state is not InvitationState.RECEIVED:
        return False
    campaign = current_campaign(ports, invitation.campaign)
    if not is_answerable(within_campaign(campaign, invitation), ports.clock()):
        return False
    held = ports.repository.get(
        HeldInvitation, campaign=invitation.campaign, invitation_id=invitation_id
    )
    sponsor = sponsor_contact(ports, sponsor_id)
    names_sponsor = sponsor is not None and sponsor.first_name is not None
    return held is None and names_sponsor and _has_contact(ports, invitation.contact_id)


def _has_unqueued(ports: Ports, campaign: str) -> bool:
    held = ports.repository.within(HeldInvitation, _named_elsewhere, campaign=campaign)
    now = ports.clock()
    return stop_of(ports, campaign) is None and any(one.is_to_be_queued(now) for one in held)


def _voucher_may_be_mailed(ports: Ports, body: VoucherIssued | VoucherAcknowledged) -> bool:
    ground = release_ground(ports, body)
    # Another voucher of this reward has a fact of its own.
    return ground is not None and ground.voucher.voucher_id == body.voucher_id


def _is_mailed(ports: Ports, ground: ConfirmationGround) -> bool:
    """Whether it was mailed: the key is the contact's, which the fact does not name."""
    mail_id = mails.confirmed_mail(ground.contact.contact_id)
    return ports.repository.get(Mail, mail_id=mail_id) is not None


def _has_contact(ports: Ports, contact_id: str) -> bool:
    return ports.repository.get(Contact, contact_id=contact_id) is not None


# --- rewards ------------------------------------------------------------------------------------


class _WouldCommitError(Exception):
    """The work is not done: it would change something."""


class _ReadOnly:
    """A repository that nothing can be committed to."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._repository, name)
        return method

    def commit(self, *_: object, **__: object) -> None:
        raise _WouldCommitError


def _would_reward(ports: Ports, fact: Fact) -> bool:
    """Whether the reward's own work would change something, or waits; that of a fact which earns
    nothing reads nothing.
    """
    dry = replace(ports, repository=cast("Repository", _ReadOnly(ports.repository)))
    try:
        reward(dry, fact)
    except (_WouldCommitError, RetryLaterError):
        return True
    return False
