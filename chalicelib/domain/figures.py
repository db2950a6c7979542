"""What a fact adds to the figures of the dashboard, beside the counters of the funnel (`effects`).

    channel.{email|link}.{step}        invitations by how they came in
    hour.{0 to 23}.{email|link}.{invited|confirmed}   the same by the local hour
    release.{version}                  versions of the campaign that came in force, but the first
    sponsors.{signed_in|active}        each sponsor once
    within.{hours}                     confirmations, by how long after the mail; `more` after all
    money.{issued|redeemed|expired|revoked}.{template}   vouchers, in minor units
    rule.{granted|replaced|redeemed|expired|revoked|refused}.{rule}.{rung}   rewards and vouchers
    rule_money.{granted|redeemed|expired|revoked}.{rule}.{rung}   the same, in minor units
    due.{month}                        what is outstanding, by the month it ends in, in minor units
    revenue                            of kept orders, in minor units
    kept.{n}.{days}, lost.{n}.{days}   referees who reached, or fell below, n kept orders, so many
                                       local days after they confirmed
    till.{reason}                      vouchers refused on an order, each once; codes that are none,
                                       as the first report of an order names them
    mails.{sent|bounced|complained|failed}, oppositions, consents
    figured.2                          facts that added any of these

The names are stored by local day. All of it follows from the fact, so it can be recomputed from the
journal (law 10); from a cohort's day and its age its first day follows. A day that an earlier
version counted has fewer `figured.2` than the journal, since that version knew fewer names: only
such a day may differ. A new name comes with the next number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import ConsentSource
from chalicelib.domain.fact_bodies import (
    CampaignPut,
    ConsentGiven,
    InvitationReceived,
    InvitationRefused,
    InvitationSent,
    MailBounced,
    MailComplained,
    MailFailed,
    MailSent,
    OppositionRecorded,
    OrderBody,
    RedemptionRefused,
    ReferralConfirmed,
    RewardRefused,
    RewardRevoked,
    SignInGranted,
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRolledBack,
)
from chalicelib.domain.facts import FactBody
from chalicelib.domain.invitations import CHANNEL_OF_MAIL, Channel

FIGURED = "figured.2"
REVENUE = "revenue"
MOST_KEPT = 5  # kept orders of one referee that are counted by their number
MOST_RUNGS = 3  # of a rule that are told apart: it may grant for every order
HOURS = (1, 3, 6, 12, 24, 48, 96, 168, 336)
_HOUR_S = 3600


def figures_of(campaign: Campaign, body: FactBody, at: datetime) -> dict[str, int]:
    """What a fact that is counted under the local time `at` adds, by name."""
    added = {
        **_by_people(body),
        **_by_hour(body, at.hour),
        **_by_release(body),
        **_by_vouchers(body),
        **_by_rules(body),
        **_by_orders(campaign, body, at.date()),
    }
    added = {name: by for name, by in added.items() if by}
    return added | {FIGURED: 1} if added else {}


def _by_people(body: FactBody) -> Mapping[str, int]:
    match body:
        case SignInGranted(is_first=True):
            return {"sponsors.signed_in": 1}
        case InvitationReceived(channel=channel, is_first=is_first):
            return {_step(channel, "invited"): 1, "sponsors.active": int(is_first)}
        case InvitationRefused(channel=channel):
            return {_step(channel, "refused"): 1}
        case InvitationSent(kind=kind) if kind in CHANNEL_OF_MAIL:
            return {_step(CHANNEL_OF_MAIL[kind], "sent"): 1}
        case ReferralConfirmed(channel=Channel() as channel, waited_s=waited, is_first=is_first):
            within = {} if waited is None else {within_name(waited): 1}
            return {_step(channel, "confirmed"): 1, "sponsors.active": int(is_first), **within}
        case OppositionRecorded():
            return {"oppositions": 1}
        case ConsentGiven(source=ConsentSource.CONFIRMATION):
            return {"consents": 1}
        case MailSent():
            return {"mails.sent": 1}
        case MailBounced():
            return {"mails.bounced": 1}
        case MailComplained():
            return {"mails.complained": 1}
        case MailFailed():
            return {"mails.failed": 1}
        case _:
            return {}


def _by_hour(body: FactBody, hour: int) -> Mapping[str, int]:
    match body:
        case InvitationReceived(channel=channel):
            return {f"hour.{hour}.{channel.value}.invited": 1}
        case ReferralConfirmed(channel=Channel() as channel):
            return {f"hour.{hour}.{channel.value}.confirmed": 1}
        case _:
            return {}


def _by_release(body: FactBody) -> Mapping[str, int]:
    """The first version begins the campaign and changes nothing."""
    match body:
        case CampaignPut(version=version) if version > 1:
            return {f"release.{version}": 1}
        case _:
            return {}


def _step(channel: Channel, step: str) -> str:
    return f"channel.{channel.value}.{step}"


def within_name(waited_s: int) -> str:
    """The name that a confirmation so many seconds after its mail is counted under."""
    hours = next((each for each in HOURS if waited_s <= each * _HOUR_S), None)
    return f"within.{hours or 'more'}"


def _by_vouchers(body: FactBody) -> Mapping[str, int]:
    match body:
        # Facts of earlier versions do not say the month.
        case VoucherIssued(ends_in=str() as month, replaced_ends_in=str() as before):
            return _moved(before, month, body.value_minor)
        case VoucherIssued(ends_in=str() as month):
            return _money("issued", body.template, month, body.value_minor, 1)
        case VoucherRedeemed(ends_in=str() as month):
            return _money("redeemed", body.template, month, body.value_minor, -1)
        case VoucherRolledBack(ends_in=str() as month):
            given_back = _money("redeemed", body.template, month, body.value_minor, -1)
            return {name: -by for name, by in given_back.items()}
        case VoucherExpired(ends_in=str() as month):
            return _money("expired", body.template, month, body.value_minor, -1)
        case RewardRevoked(ends_in=str() as month):
            return _money("revoked", body.template, month, body.value_minor, -1)
        case RedemptionRefused(reason=reason):
            return {f"till.{reason}": 1}
        case _:
            return {}


def _money(
    what: str, template: str | None, month: str, value_minor: int | None, due: int
) -> dict[str, int]:
    value = value_minor or 0
    return {f"money.{what}.{template}": value, f"due.{month}": due * value}


def _moved(before: str, month: str, value_minor: int) -> dict[str, int]:
    """A replacement is worth what the replaced one was; it may end in another month."""
    return {} if before == month else {f"due.{before}": -value_minor, f"due.{month}": value_minor}


def _by_rules(body: FactBody) -> Mapping[str, int]:
    match body:
        case VoucherIssued(replaces_id=str(), rule=rule, rung=rung):
            return {_rule_name("replaced", rule, rung): 1}
        case VoucherIssued(rule=rule, rung=rung):
            return _of_rule("granted", rule, rung, body.value_minor)
        # Facts of earlier versions do not say the rule.
        case VoucherRedeemed(rule=str() as rule, rung=int() as rung):
            return _of_rule("redeemed", rule, rung, body.value_minor)
        case VoucherRolledBack(rule=str() as rule, rung=int() as rung):
            redeemed = _of_rule("redeemed", rule, rung, body.value_minor)
            return {name: -by for name, by in redeemed.items()}
        case VoucherExpired(rule=str() as rule, rung=int() as rung):
            return _of_rule("expired", rule, rung, body.value_minor)
        case RewardRevoked(rule=rule, rung=rung):
            return _of_rule("revoked", rule, rung, body.value_minor)
        case RewardRefused(rule=rule, rung=rung):
            return {_rule_name("refused", rule, rung): 1}
        case _:
            return {}


def _of_rule(what: str, rule: str, rung: int, value_minor: int | None) -> dict[str, int]:
    name = _rule_name(what, rule, rung)
    return {name: 1, name.replace("rule", "rule_money", 1): value_minor or 0}


def _rule_name(what: str, rule: str, rung: int) -> str:
    return f"rule.{what}.{rule}.{rung if rung <= MOST_RUNGS else 'more'}"


def _by_orders(campaign: Campaign, body: FactBody, day: date) -> Mapping[str, int]:
    if not isinstance(body, OrderBody):
        return {}
    added = {REVENUE: body.revenue_minor or 0}
    if body.code_problem:
        added[f"till.{body.code_problem}"] = 1
    if body.confirmed_at:
        confirmed_on = campaign.counted_on(datetime.fromisoformat(body.confirmed_at))
        age = (day - confirmed_on).days
        for what, number in (("kept", body.reaches), ("lost", body.loses)):
            if number is not None and number <= MOST_KEPT:
                added[f"{what}.{number}.{age}"] = 1
    return added


def is_figure(name: str) -> bool:
    """Whether a count is a figure, not a counter of the funnel."""
    return name.partition(".")[0] in _FAMILIES


_PEOPLE = {"channel", "hour", "sponsors", "within", "mails", "oppositions", "consents"}
_ORDERS = {REVENUE, "kept", "lost", "till"}
_VOUCHERS = {"money", "due", "rule", "rule_money"}
_FAMILIES = {*_PEOPLE, *_ORDERS, *_VOUCHERS, "release", "figured"}
