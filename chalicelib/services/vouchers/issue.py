"""Issuing a voucher: chooses a code, and writes the voucher, its reward and the fact in one
transaction.

The caller decides who has earned what and passes the reward to store; here the reward is only
completed with its voucher (law 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from chalicelib.domain import rewards
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Rule
from chalicelib.domain.codes import canonical, format_code
from chalicelib.domain.fact_bodies import VoucherIssued
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import SpareCode, Voucher, new_voucher
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.facts import voucher_fact
from chalicelib.services.ports import Change, Insert, Ports, Remove, Replace

CODES_TO_CHOOSE_FROM = 25


@dataclass(frozen=True)
class _Code:
    """A code, the key it is found by, and the spare code used, if any."""

    key: str
    code: str
    spent: SpareCode | None = None


def issue_voucher(
    ports: Ports,
    campaign: Campaign,
    rule: Rule,
    referral: Referral,
    sponsor: Sponsor,
    reward: Reward,
    changes: Sequence[Change],
) -> None:
    """Issue what `rule` grants for `reward`, together with the caller's `changes`.

    `RetryLaterError` when the template has no code left.
    """
    chosen = _code_for(ports, campaign, rule, referral)
    voucher = new_voucher(
        campaign,
        rule,
        referral,
        sponsor,
        rung=reward.rung,
        voucher_id=ports.codes.identifier(),
        code_key=chosen.key,
        code=chosen.code,
        now=ports.clock(),
    )
    granted = rewards.granted(reward, chosen.key, voucher.value_minor, voucher.issued_at)
    # A rung that was refused or revoked before may be granted again.
    decided: Change = Replace(granted) if granted.revision else Insert(granted)
    spent = [Remove(chosen.spent)] if chosen.spent else []
    fact = voucher_fact(ports, voucher, VoucherIssued.of(voucher, granted))
    ports.repository.commit(decided, Insert(voucher), *spent, *changes, facts=[fact])


def _code_for(ports: Ports, campaign: Campaign, rule: Rule, referral: Referral) -> _Code:
    template = campaign.templates[rule.issue]
    if template.codes == "minted":
        key = ports.codes.voucher_code()
        return _Code(key, format_code(template.prefix, key))
    spares = ports.repository.within(SpareCode, campaign=campaign.id, template=rule.issue)
    # The client may have given one code for two templates: the voucher issued first keeps it.
    free = (code for code in spares if not ports.repository.get(Voucher, code_key=code.code_key))
    # Not always the first one: concurrent issues would conflict on the same code.
    choice = list(islice(free, CODES_TO_CHOOSE_FROM))
    if not choice:
        raise RetryLaterError(f"no codes left for template {rule.issue}")
    spare = choice[int(referral.referral_id[:8], 16) % len(choice)]
    return _Code(canonical(spare.code), spare.code, spare)
