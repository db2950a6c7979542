"""`tandem person`: show what somebody is to the campaigns, everything stored of her, or forget her.

The address is typed at a prompt that does not show it, or comes on the standard input, or with
`--address`, which leaves it in the shell's history. No line of the command's output repeats it but
the file of `export`. Its answers are JSON on the standard output; everything else goes to the
standard error.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from chalicelib.domain.addresses import Address, AddressError
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.consents import latest_word
from chalicelib.domain.erasure import ErasureReceipt
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.lookups import all_campaigns
from chalicelib.services.persons.access import export_person
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.persons.find import Person, find_person
from chalicelib.services.ports import Ports
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.printing import Json, print_records
from cli.queues import receive
from cli.reconcile import ports_of

MAIL_EVENTS = "mail-events-dead"
# As it stands in JSON, which may be in JSON itself.
_ADDRESS = re.compile(r"[^\s\"'<>\\,;:]+@[^\s\"'<>\\,;:]+")

app = typer.Typer(help="What is stored of a person, and its end.", no_args_is_help=True)

OneCampaign = Annotated[str | None, typer.Option("--campaign", help="One campaign.")]
Brand = Annotated[str | None, typer.Option("--brand", help="All campaigns of a brand, by its id.")]
Typed = Annotated[
    str | None,
    typer.Option("--address", help="The address. Without it: asked for, or the standard input."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def export(
    campaign: OneCampaign = None, brand: Brand = None, address: Typed = None, stage: Stage = LOCAL
) -> None:
    """Print everything that is stored of a person, as JSON."""
    ports = ports_of(connect(stage))
    _print(export_person(ports, _campaigns(ports, campaign, brand), _address(address)).as_json())


@app.command()
def show(
    campaign: OneCampaign = None,
    brand: Brand = None,
    address: Typed = None,
    as_json: Json = False,
    stage: Stage = LOCAL,
) -> None:
    """Show what is stored of somebody, by ids and states alone: no address, no name, no code. Reads
    the whole table.
    """
    ports = ports_of(connect(stage))
    person = find_person(ports, _campaigns(ports, campaign, brand), _address(address))
    records = [*_states_of(person)]
    print_records(records, as_json=as_json)
    if person.unreadable:
        raise CommandError(f"{person.unreadable} items cannot be read, and may name her")


def _states_of(person: Person) -> Iterator[dict[str, str]]:
    for one in person.found:
        match one:
            case Sponsor():
                yield _line("sponsor", one.campaign, one.sponsor_id, f"{one.invited} invited")
            case Invitation() if one.invitation_id in person.names.invitations:
                yield _line("invitation", one.campaign, one.invitation_id, one.state)
            case Referral() if one.referral_id in person.names.referrals:
                yield _line("referral", one.campaign, one.referral_id, "confirmed")
            case Voucher() if person.names.hold(one):
                yield _line("voucher", one.campaign, one.voucher_id, one.state)
    for opposition in person.oppositions():
        yield _line("opposition", "", "", opposition.scope)
    if word := latest_word(person.consents()):
        yield _line("consent to news", "", "", word.state)


def _line(what: str, campaign: str, name: str, state: str) -> dict[str, str]:
    return {"what": what, "campaign": campaign, "id": name, "state": state}


@app.command()
def erase(
    campaign: OneCampaign = None,
    brand: Brand = None,
    address: Typed = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    stage: Stage = LOCAL,
) -> None:
    """Forget a person; print a receipt, as JSON, without the address."""
    connection = connect(stage)
    ports = ports_of(connection)
    campaigns, who = _campaigns(ports, campaign, brand), _address(address)
    if not dry_run and not yes:
        _ask(erase_person(ports, campaigns, who, dry_run=True))
    try:
        receipt = erase_person(ports, campaigns, who, dry_run=dry_run)
    except RetryLaterError as error:
        raise CommandError(
            "other work kept changing the same things: part of it is done, run it again"
        ) from error
    events = 0 if dry_run else _remove_events(connection, who)
    _print(receipt.as_json() | {"mail_events_removed": events})
    if receipt.unreadable:
        raise CommandError(
            f"{receipt.unreadable} items cannot be read, and may name her: "
            'see docs/operations.md, "A person asks"'
        )


def _campaigns(ports: Ports, campaign: str | None, brand: str | None) -> list[Campaign]:
    if (campaign is None) is (brand is None):
        raise CommandError("name either --campaign or --brand")
    if campaign is not None:
        current = ports.repository.get(CurrentCampaign, campaign=campaign)
        if current is None:
            raise CommandError(f"no campaign {campaign}: list them with: tandem campaign list")
        return [current.document]
    found = [one for one in all_campaigns(ports) if one.brand.id == brand]
    if not found:
        raise CommandError(f"no campaign of a brand {brand}: list them with: tandem campaign list")
    return sorted(found, key=lambda one: one.id)


def _address(typed: str | None) -> Address:
    if typed is None and sys.stdin.isatty():
        typed = str(typer.prompt("address", hide_input=True, err=True))
    elif typed is None:
        typed = sys.stdin.readline()
    try:
        return Address.parse(typed)
    except AddressError as error:
        raise CommandError(f"not an address: {error.reason}") from error


def _ask(planned: ErasureReceipt) -> None:
    """Go on only with a yes; there is nothing to ask where nothing is stored."""
    if not planned.found:
        return
    counts = {**planned.removed, **planned.made_nameless}
    parts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
    typer.echo(f"{', '.join(planned.campaigns)}: {parts}", err=True)
    try:
        is_sure = typer.confirm("forget this person? it cannot be undone", err=True)
    except typer.Abort as error:
        raise CommandError("nothing was changed: nobody answered; a script says --yes") from error
    if not is_sure:
        raise CommandError("nothing was changed")


def _remove_events(connection: Connection, who: Address) -> int:
    """Remove what the sender wrote about mails to her and nothing could handle: it has addresses,
    and says nothing any more of a mail that is nobody's. Returns how many.
    """
    queue, removed = connection.queue_url(MAIL_EVENTS), 0
    messages = [message for batch in receive(connection, queue) for message in batch]
    for message in messages:
        which = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}
        if _names(message["Body"], who):
            connection.clients.sqs.delete_message(**which)
            removed += 1
        else:
            connection.clients.sqs.change_message_visibility(**which, VisibilityTimeout=0)
    return removed


def _names(text: str, who: Address) -> bool:
    """Whether an address in a text, in whatever spelling, reaches her mailbox."""
    for found in _ADDRESS.findall(text):
        try:
            if Address.parse(found).mailbox == who.mailbox:
                return True
        except AddressError:
            continue
    return False


def _print(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False))
