"""Issuing a voucher: chooses a code, and writes the voucher, its reward and the fact in one
transaction.

The caller decides who has earned what and passes the reward to store; here the reward is only
completed with its voucher (law 4). A voucher that the client refused is replaced in the same way:
another one is issued for its reward, in the transaction that revokes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain import rewards
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Rule
from chalicelib.domain.campaign.templates import VoucherTemplate
from chalicelib.domain.campaign.versions import CampaignVersion
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.fact_bodies import VoucherIssued
from chalicelib.domain.facts import Fact
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import (
    MOST_REFUSALS,
    Voucher,
    awaits_replacement,
    new_voucher,
    replaced,
    replacement_of,
    valid_until,
)
from chalicelib.services.chosen_codes import code_for
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.facts import voucher_fact
from chalicelib.services.ports import Change, CommandPorts, Insert, Ports, Replace


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
    template = campaign.templates[rule.issue]
    chosen = code_for(ports, campaign.id, rule.issue, template)
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
    fact = voucher_fact(ports, voucher, VoucherIssued.of(voucher, granted))
    ports.repository.commit(decided, Insert(voucher), *chosen.changes, *changes, facts=[fact])


class ReplacementOutcome(StrEnum):
    """What became of the attempt to replace a refused voucher."""

    REPLACED = "replaced"
    NOT_OWED = "not_owed"  # its reward was revoked, it has ended, or it is replaced already
    WAITS_FOR_CODES = "waits_for_codes"
    REFUSED_REPEATEDLY = "refused_repeatedly"


@dataclass(frozen=True)
class Replacement:
    """The refused voucher afterwards, to be committed by the caller, with what is committed beside
    it; `refusals` counts the holder's refused codes.
    """

    outcome: ReplacementOutcome
    refused: Voucher
    refusals: int = 0
    changes: Sequence[Change] = field(default=())
    facts: Sequence[Fact] = field(default=())


def replace_voucher(
    ports: CommandPorts, campaign: Campaign, refused: Voucher, *, by: str | None = None
) -> Replacement:
    """The replacement of a voucher whose code the client refused, as far as there can be one now.

    One that waits for a code, or is refused too often, stays on the agenda of refused vouchers.
    `by` is who has decided that it is replaced however often codes were refused.
    """
    stored = ports.repository.get(
        Reward, referral_id=refused.referral_id, rule=refused.rule, rung=refused.rung
    )
    # A voucher is revoked with its reward, so one that is live is still owed.
    if stored is None or not awaits_replacement(refused):
        return Replacement(ReplacementOutcome.NOT_OWED, refused)
    refusals = _refusals(ports, refused)
    if refusals >= MOST_REFUSALS and by is None:
        return Replacement(ReplacementOutcome.REFUSED_REPEATEDLY, refused, refusals)
    try:
        return _replacement(ports, campaign, refused, stored, by)
    except RetryLaterError:
        return Replacement(ReplacementOutcome.WAITS_FOR_CODES, refused, refusals)


def _refusals(ports: CommandPorts, refused: Voucher) -> int:
    """How many of the holder's codes were refused. The index may lag, so one refused a moment ago
    may be missing: a limit against endless replacing may be late by one.
    """
    held = ports.repository.held_by(refused.holder_id)
    others = (one for one in held if one.code_key != refused.code_key)
    return 1 + sum(one.refused_reason is not None for one in others)


def _replacement(
    ports: CommandPorts, campaign: Campaign, refused: Voucher, reward: Reward, by: str | None
) -> Replacement:
    template = _template_of(ports, campaign, refused)
    chosen = code_for(ports, campaign.id, refused.template, template)
    now = ports.clock()
    issued = replacement_of(
        refused,
        voucher_id=ports.codes.identifier(),
        code_key=chosen.key,
        code=chosen.code,
        ends=valid_until(campaign, now, template.valid_days),
        now=now,
    )
    revoked, change = with_change(
        replaced(refused, issued.voucher_id, now), ChangeKind.REPLACED, now
    )
    granted_at = reward.granted_at or now
    moved = rewards.granted(reward, issued.code_key, issued.value_minor, granted_at)
    body = VoucherIssued.of(issued, moved, replaced=refused, by=by)
    return Replacement(
        ReplacementOutcome.REPLACED,
        revoked,
        changes=(Insert(change), Insert(issued), Replace(moved), *chosen.changes),
        facts=(voucher_fact(ports, issued, body),),
    )


def _template_of(ports: CommandPorts, campaign: Campaign, voucher: Voucher) -> VoucherTemplate:
    """The template in force, or the one it was issued with where that is gone."""
    if voucher.template in campaign.templates:
        return campaign.templates[voucher.template]
    version = ports.repository.get(
        CampaignVersion, campaign=campaign.id, version=voucher.campaign_version
    )
    if version is None:
        raise LookupError(f"version {voucher.campaign_version} of {campaign.id} is not there")
    return version.document.templates[voucher.template]
