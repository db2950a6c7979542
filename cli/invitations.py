"""`tandem invitation`: show one by its id, and why it is where it is. No address is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

import typer

from chalicelib.domain.eligibility import Reason
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Decision, Invitation, InvitationState
from chalicelib.domain.protection import HeldInvitation
from chalicelib.services.list_status import list_statuses
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.facts import facts_between
from cli.lookups import current_campaign
from cli.printing import Json, print_json, print_record
from cli.reconcile import ports_of

DAYS = 120

app = typer.Typer(help="One invitation, by its id.", no_args_is_help=True)

Which = Annotated[
    str, typer.Argument(metavar="INVITATION", help="Its id, as facts and logs have it.")
]
Days = Annotated[
    int, typer.Option(min=1, help="How many days back it may have been received, from now.")
]


@app.command()
def show(which: Which, days: Days = DAYS, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show an invitation: its state, times, sponsor, and the decision on it."""
    connection = connect(stage)
    invitation, _ = _found(connection, which, days)
    decision = invitation.decision
    record = {
        "invitation": invitation.invitation_id,
        "campaign": invitation.campaign,
        "campaign_version": invitation.campaign_version,
        "sponsor": invitation.sponsor_id,
        "channel": invitation.channel,
        "locale": invitation.locale,
        "state": invitation.state,
        "received_at": invitation.received_at,
        "decided_at": decision and decision.decided_at,
        "decision": decision and decision.reason,
        "customers_version": decision and decision.customers_version,
        "vips_version": decision and decision.vips_version,
        "sent_at": invitation.sent_at,
        "closes_at": invitation.closes_at,
        "ended_at": invitation.ended_at,
        "referral": invitation.referral_id,
    }
    print_record(record, as_json=as_json)


@app.command()
def why(which: Which, days: Days = DAYS, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Say in words why an invitation is in its state, and what it waits for."""
    connection = connect(stage)
    invitation, facts = _found(connection, which, days)
    reasons = [*_reasons(connection, invitation, facts)]
    if as_json:
        print_json({"invitation": which, "state": invitation.state, "because": reasons})
        return
    typer.echo(f"{which}: {invitation.state}")
    for reason in reasons:
        typer.echo(f"  {reason}")


def _found(connection: Connection, which: str, days: int) -> tuple[Invitation, list[Fact]]:
    """The invitation, and its facts: the first one names the sponsor it is stored with."""
    now = connection.clock()
    facts = facts_between(connection.repository, which, now - timedelta(days=days), now)
    sponsor = next((fact.ids["sponsor"] for fact in facts if "sponsor" in fact.ids), None)
    found = (
        connection.repository.get(Invitation, sponsor_id=sponsor, invitation_id=which)
        if sponsor
        else None
    )
    if found is None:
        raise CommandError(
            f"no invitation {which} of the last {days} days: look further back with --days"
        )
    return found, facts


def _reasons(connection: Connection, invitation: Invitation, facts: list[Fact]) -> Iterator[str]:
    if invitation.decision is None:
        yield from _undecided(connection, invitation)
        return
    yield _decided(invitation.decision)
    match invitation.state:
        case InvitationState.RECEIVED:
            yield from _unsent(connection, invitation)
        case InvitationState.SENT:
            yield f"its mail left at {_at(invitation.sent_at)}; nobody has answered"
            yield f"it closes at {_at(invitation.closes_at)}"
        case InvitationState.EXPIRED:
            yield f"it closed at {_at(invitation.ended_at)}: {_closing_reason(facts)}"
        case InvitationState.CONFIRMED:
            yield f"confirmed at {_at(invitation.ended_at)}, as referral {invitation.referral_id}"
        case InvitationState.DECLINED | InvitationState.BOUNCED:
            yield f"{invitation.state} at {_at(invitation.ended_at)}"


def _decided(decision: Decision) -> str:
    lists = [
        f"{name} list version {version}"
        for name, version in (
            ("customer", decision.customers_version),
            ("VIP", decision.vips_version),
        )
        if version is not None
    ]
    based_on = ", ".join([f"campaign version {decision.campaign_version}", *lists])
    outcome = "accepted" if decision.reason is Reason.ELIGIBLE else f"refused: {decision.reason}"
    return f"{outcome} at {_at(decision.decided_at)}, by {based_on}"


def _undecided(connection: Connection, invitation: Invitation) -> Iterator[str]:
    campaign = current_campaign(connection, invitation.campaign).document
    yield "nobody has decided on it yet"
    lists = list_statuses(ports_of(connection), campaign)
    waits_for = [name for name, status in lists.items() if not status.in_force]
    for name in waits_for:
        yield f"it waits for a young enough list of {name}: see tandem list status {campaign.id}"
    if not waits_for:
        yield "the lists are in force: it is decided within minutes, or see: tandem queue list"


def _unsent(connection: Connection, invitation: Invitation) -> Iterator[str]:
    held = connection.repository.get(
        HeldInvitation, campaign=invitation.campaign, invitation_id=invitation.invitation_id
    )
    if held:
        yield "held: the campaign's invitations are stopped: see tandem mail resume"
    else:
        yield "its mail is not noted as sent: see: tandem queue list, tandem mail list --stuck"


def _closing_reason(facts: list[Fact]) -> object:
    ends = [fact for fact in facts if fact.name == FactName.INVITATION_EXPIRED]
    return ends[-1].details.get("reason", "unanswered") if ends else "unanswered"


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "an unknown time"
