"""`tandem voucher`: show one by its code and what happened to it; show those that the client
refused, and replace one of them.

Refused vouchers are replaced by themselves, unless three codes of one holder were refused. A
decision to replace one all the same is recorded with who made it.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chalicelib.domain.money import decimal_text
from chalicelib.domain.vouchers import Voucher, problem_at
from chalicelib.services.errors import UnknownError
from chalicelib.services.issuing import ReplacementOutcome
from chalicelib.services.lookups import find_voucher
from chalicelib.services.vouchers.replace_refused import refused_vouchers, replace_refused
from cli.asking import Yes, ask
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.facts import facts_between, record_of
from cli.lookups import current_campaign
from cli.printing import Json, print_record, print_records
from cli.reconcile import ports_of
from cli.unreadable import naming_unreadable

app = typer.Typer(
    help="Vouchers: one by its code, and those that the client refused.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="As it is printed; hyphens are free.")]
Which = Annotated[str, typer.Argument(metavar="VOUCHER", help="Its id, as `refused` shows it.")]


@app.command()
def show(code: Code, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show a voucher: what it is worth, for whom, its state, and why a till would refuse it now."""
    connection = connect(stage)
    print_record(_record(connection, _found(connection, code)), as_json=as_json)


@app.command()
def history(code: Code, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show what happened to a voucher, oldest first."""
    connection = connect(stage)
    voucher = _found(connection, code)
    facts = facts_between(
        connection.repository, voucher.voucher_id, voucher.issued_at, connection.clock()
    )
    print_records([record_of(fact) for fact in facts], as_json=as_json)


def _found(connection: Connection, code: str) -> Voucher:
    try:
        return find_voucher(ports_of(connection), code)
    except UnknownError as error:
        raise CommandError("no voucher has this code") from error


def _record(connection: Connection, voucher: Voucher) -> dict[str, Any]:
    return {
        "voucher": voucher.voucher_id,
        "campaign": voucher.campaign,
        "campaign_version": voucher.campaign_version,
        "template": voucher.template,
        "value": f"{decimal_text(voucher.value_minor)} {voucher.currency}",
        "minimum_basket": decimal_text(voucher.minimum_basket_minor),
        "holder": voucher.holder,
        "holder_id": voucher.holder_id,
        "referral": voucher.referral_id,
        "rule": voucher.rule,
        "rung": voucher.rung,
        "state": voucher.state,
        "refused_now": problem_at(voucher, connection.clock()),
        "issued_at": voucher.issued_at,
        "valid_from": voucher.valid_from,
        "valid_until": voucher.valid_until,
        "export": voucher.export,
        "acknowledged_at": voucher.acknowledged_at,
        "refused_by_client": voucher.refused_reason,
        "redeemed_by_order": voucher.redeemed_by,
        "revoked_at": voucher.revoked_at,
        "ended_at": voucher.ended_at,
        "replaces": voucher.replaces,
        "replaced_by": voucher.replaced_by,
    }


@app.command()
def refused(campaign: Name, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show the refused vouchers that nothing has replaced yet, and the client's reasons."""
    connection = connect(stage)
    known = current_campaign(connection, campaign).campaign
    with naming_unreadable() as on_failure:
        records = [
            {
                "voucher": one.voucher_id,
                "holder": one.holder,
                "template": one.template,
                "export": one.export,
                "the_client's_reason": one.refused_reason,
            }
            for one in refused_vouchers(connection, known, on_failure)
        ]
        print_records(records, as_json=as_json)


@app.command()
def replace(campaign: Name, which: Which, yes: Yes = False, stage: Stage = LOCAL) -> None:
    """Replace a refused voucher, however often codes of its holder were refused."""
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    known = refused_vouchers(connection, rules.id, lambda _: None)  # whatever else is unreadable
    found = [one for one in known if one.voucher_id == which]
    if not found:
        raise CommandError(f"no refused voucher {which}: see: tandem voucher refused {campaign}")
    question = f"issue a voucher in place of {which}? it is worth the same"
    ask(question, yes=yes, otherwise="nothing was issued")
    outcome = replace_refused(connection, rules, found[0].code_key, by=connection.principal())
    if outcome is not ReplacementOutcome.REPLACED:
        raise CommandError(f"{which}: {_PROBLEMS[outcome]}")
    typer.echo(f"{which}: replaced; the new voucher is in the next export")


_PROBLEMS = {
    ReplacementOutcome.NOT_OWED: "it has ended, or it was revoked or replaced meanwhile",
    ReplacementOutcome.WAITS_FOR_CODES: "the template has no code left: the client must drop some",
}
