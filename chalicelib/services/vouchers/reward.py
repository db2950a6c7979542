"""Granting what the rules grant, once per (rule, referral, rung), and taking it back (law 4).

The reward item and the voucher are inserted in one transaction with the fact, together with the
referral at the revision the rung was decided on: an order returned meanwhile changes the referral
and the grant is decided again. Work that is repeated, reordered or killed half-way finds the reward
item and is done.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole, Rule
from chalicelib.domain.codes import canonical, printed
from chalicelib.domain.eligibility import REFUSED
from chalicelib.domain.facts import FOUND_ON_LATER_LIST, Fact, FactName
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import (
    CONFIRMATION_RUNG,
    Reward,
    granted_on_confirmation,
    granted_on_order,
    is_capped,
    rung_of,
)
from chalicelib.domain.vouchers import (
    SpareCode,
    Voucher,
    VoucherState,
    is_live,
    valid_until,
    withdrawn,
)
from chalicelib.services.errors import NotYetError
from chalicelib.services.facts import new_fact, voucher_fact
from chalicelib.services.lookups import current_campaign, find_customer, find_customer_as_of
from chalicelib.services.ports import (
    Change,
    Insert,
    ListUnavailableError,
    Membership,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

CODES_TO_CHOOSE_FROM = 25
NOT_A_NEWCOMER = "not_a_newcomer"


def reward(ports: Ports, fact: Fact) -> list[str]:
    """Do what follows from `fact`; returns one named outcome per rule concerned.

    `NotYetError` when the customer list must be asked and cannot be, or a template is out of codes.
    """
    match FactName(fact.name):
        case FactName.REFERRAL_CONFIRMED:
            return _reward_confirmation(ports, fact)
        case FactName.ORDER_KEPT:
            return _reward_order(ports, fact)
        case FactName.ORDER_RETURNED | FactName.ORDER_CANCELLED:
            return _take_back(ports, fact)
        case _:
            return []


def _reward_confirmation(ports: Ports, fact: Fact) -> list[str]:
    campaign = current_campaign(ports, fact.campaign)
    rules = granted_on_confirmation(campaign)
    return _grant_each(ports, fact.ids["referral"], rules, CONFIRMATION_RUNG, None)


def _reward_order(ports: Ports, fact: Fact) -> list[str]:
    campaign = current_campaign(ports, fact.campaign)
    order = ports.repository.get(Order, campaign=fact.campaign, order_id=fact.ids["order"])
    referral = ports.repository.get(Referral, referral_id=fact.ids["referral"])
    rung = rung_of(referral, order.order_id) if referral and order else None
    if order is None or referral is None or rung is None:
        return ["does_not_count"]
    rules = granted_on_order(campaign, order, rung)
    return _grant_each(ports, referral.referral_id, rules, rung, order)


def _grant_each(
    ports: Ports, referral_id: str, rules: list[Rule], rung: int, order: Order | None
) -> list[str]:
    """Grant every rule that can be now: one that must wait does not hold up the others."""
    outcomes: list[str] = []
    waits: NotYetError | None = None
    for rule in rules:
        try:
            outcomes.append(grant(ports, referral_id, rule, rung, order))
        except NotYetError as error:
            waits = error
    if waits:
        raise waits
    return outcomes


@retry_on_conflict
def grant(ports: Ports, referral_id: str, rule: Rule, rung: int, order: Order | None) -> str:
    """Grant one rule for one rung, once; returns the named outcome."""
    key: dict[str, str | int] = {"referral_id": referral_id, "rule": rule.id, "rung": rung}
    if ports.repository.get(Reward, **key):
        return "decided_already"
    referral = ports.repository.get(Referral, referral_id=referral_id)
    sponsor = ports.repository.get(Sponsor, sponsor_id=referral.sponsor_id) if referral else None
    if referral is None or sponsor is None:
        return "erased"
    if order and rung_of(referral, order.order_id) != rung:
        return "does_not_count"
    campaign = current_campaign(ports, referral.campaign)
    newcomer, list_version = _newcomer(ports, campaign, referral, order)
    decided = Reward(
        referral_id=referral.referral_id,
        rule=rule.id,
        rung=rung,
        campaign=campaign.id,
        order_id=order.order_id if order else None,
        customers_version=list_version,
    )
    if not newcomer:
        return _refuse(ports, referral, decided, NOT_A_NEWCOMER)
    if is_capped(rule, campaign, sponsor):
        return _refuse(ports, referral, decided, "sponsor_cap")
    return _issue(ports, campaign, referral, sponsor, rule, decided)


def _newcomer(
    ports: Ports, campaign: Campaign, referral: Referral, order: Order | None
) -> tuple[bool, int | None]:
    """Law 3: whether this is a newcomer, and by which list version; asked once with an order."""
    if referral.newcomer is not None:
        return referral.newcomer, referral.newcomer_list_version
    try:
        customers = _asked(ports, campaign, referral, order)
    except ListUnavailableError as error:
        raise NotYetError("customer list") from error
    return customers.found is None, customers.version


def _asked(ports: Ports, campaign: Campaign, referral: Referral, order: Order | None) -> Membership:
    if order:
        return find_customer_as_of(ports, campaign, referral.referee, order.ordered_at)
    return find_customer(ports, campaign, referral.referee)


def _refuse(ports: Ports, referral: Referral, decided: Reward, reason: str) -> str:
    # Said of a person once, however many rungs are refused; the revision settles who is first.
    found = reason == NOT_A_NEWCOMER and not referral.found_on_later_list
    noted = [Replace(replace(referral, found_on_later_list=True))] if found else []
    refused = new_fact(
        ports,
        FactName.REWARD_REFUSED,
        campaign=referral.campaign,
        subject=referral.referral_id,
        correlation=referral.correlation,
        ids={"referral": referral.referral_id, "sponsor": referral.sponsor_id},
        rule=decided.rule,
        rung=decided.rung,
        verdict=REFUSED,
        reason=reason,
        customers_version=decided.customers_version,
        **{FOUND_ON_LATER_LIST: "yes" if found else None},
    )
    item = Insert(replace(decided, refused_reason=reason))
    ports.repository.commit(item, *noted, facts=[refused])
    return reason


def _issue(
    ports: Ports,
    campaign: Campaign,
    referral: Referral,
    sponsor: Sponsor,
    rule: Rule,
    decided: Reward,
) -> str:
    code, printed_code, spent = _code_for(ports, campaign, rule, referral)
    voucher = _voucher(ports, campaign, referral, sponsor, rule, decided.rung, code, printed_code)
    granted = replace(decided, code=code, granted_at=voucher.issued_at)
    changes: list[Change] = [Insert(granted), Insert(voucher), *spent]
    # The rung was decided on this referral: if it has changed, so may have the rung.
    changes.append(Replace(replace(referral, rewards=referral.rewards + 1)))
    if rule.to is HolderRole.SPONSOR:
        changes.append(Replace(replace(sponsor, rewards=sponsor.rewards + 1)))
    ports.repository.commit(*changes, facts=[_issued(ports, voucher, granted)])
    return "granted"


def _code_for(
    ports: Ports, campaign: Campaign, rule: Rule, referral: Referral
) -> tuple[str, str, list[Remove]]:
    """A code, how it is printed, and what using it up changes."""
    template = campaign.templates[rule.issue]
    if template.codes == "minted":
        code = ports.codes.voucher_code()
        return code, printed(template.prefix, code), []
    spares = ports.repository.within(SpareCode, campaign=campaign.id, template=rule.issue)
    # The client may have given one code for two templates: whoever issued it first has it.
    free = (one for one in spares if ports.repository.get(Voucher, code=one.code) is None)
    # Not all for the first one: those who issue at the same moment must not meet on one code.
    choice = list(islice(free, CODES_TO_CHOOSE_FROM))
    if not choice:
        raise NotYetError(f"no codes left for template {rule.issue}")
    spare = choice[int(referral.referral_id[:8], 16) % len(choice)]
    return canonical(spare.printed), spare.printed, [Remove(spare)]


def _voucher(
    ports: Ports,
    campaign: Campaign,
    referral: Referral,
    sponsor: Sponsor,
    rule: Rule,
    rung: int,
    code: str,
    printed_code: str,
) -> Voucher:
    now = ports.clock()
    template = campaign.templates[rule.issue]
    to_sponsor = rule.to is HolderRole.SPONSOR
    return Voucher(
        code=code,
        voucher_id=ports.codes.identifier(),
        printed=printed_code,
        campaign=campaign.id,
        campaign_version=campaign.version,
        template=rule.issue,
        holder=rule.to,
        holder_id=sponsor.sponsor_id if to_sponsor else referral.referral_id,
        holder_digest=referral.sponsor_digest if to_sponsor else referral.referee_digest,
        contact_id=sponsor.contact_id if to_sponsor else referral.contact_id,
        referral_id=referral.referral_id,
        rule=rule.id,
        rung=rung,
        value_minor=template.value_minor,
        currency=campaign.currency,
        minimum_basket_minor=template.minimum_basket_minor,
        valid_from=now,
        valid_until=valid_until(campaign, now, template.valid_days),
        issued_at=now,
        state=VoucherState.ISSUED,
        release=campaign.release,
        correlation=referral.correlation,
    )


def _issued(ports: Ports, voucher: Voucher, granted: Reward) -> Fact:
    return voucher_fact(
        ports,
        FactName.VOUCHER_ISSUED,
        voucher,
        template=voucher.template,
        holder=voucher.holder.value,
        rule=voucher.rule,
        rung=voucher.rung,
        value_minor=voucher.value_minor,
        release=voucher.release.value,
        order="yes" if granted.order_id else None,
        campaign_version=voucher.campaign_version,
        customers_version=granted.customers_version,
    )


def _take_back(ports: Ports, fact: Fact) -> list[str]:
    rewards = ports.repository.within(Reward, referral_id=fact.ids["referral"])
    concerned = [item for item in rewards if item.order_id == fact.ids["order"]]
    return [_withdraw(ports, item, fact) for item in concerned]


@retry_on_conflict
def _withdraw(ports: Ports, item: Reward, fact: Fact) -> str:
    stored = ports.repository.get(
        Reward, referral_id=item.referral_id, rule=item.rule, rung=item.rung
    )
    voucher = ports.repository.get(Voucher, code=item.code) if item.code else None
    if stored is None or voucher is None or voucher.revoked_at:
        return "taken_back_already"
    if voucher.state is VoucherState.REDEEMED:
        # It is spent; what is noted here takes it back if the redemption is rolled back.
        ports.repository.commit(Replace(withdrawn(voucher, ports.clock())))
        return "voucher_is_redeemed"
    if not is_live(voucher):
        return "voucher_is_" + voucher.state.value
    now = ports.clock()
    ports.repository.commit(
        Replace(withdrawn(voucher, now)),
        Replace(replace(stored, revoked_at=now)),
        facts=[taken_back(ports, voucher, fact.name)],
    )
    return "taken_back"


def taken_back(ports: Ports, voucher: Voucher, reason: str) -> Fact:
    """The fact that a granted voucher was taken back."""
    return voucher_fact(
        ports,
        FactName.REWARD_REVOKED,
        voucher,
        rule=voucher.rule,
        rung=voucher.rung,
        reason=reason,
    )
