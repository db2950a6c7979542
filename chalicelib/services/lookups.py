"""Look-ups shared by use cases: campaigns, people by digest, membership of the client's lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.codes import candidates
from chalicelib.domain.consents import Consent, ends_in_withdrawal
from chalicelib.domain.fact_bodies import (
    RewardRevoked,
    VoucherAcknowledged,
    VoucherEndsSoon,
    VoucherIssued,
    body_of,
)
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.order_refs import lost_order_id
from chalicelib.domain.people import (
    Contact,
    Opposition,
    OppositionScope,
    RefereeClaim,
    Sponsor,
    SponsorClaim,
)
from chalicelib.domain.privacy import PrivacyLink
from chalicelib.domain.redemptions import (
    OrderUses,
    Purchase,
    Redemption,
    VoucherOnOrder,
    asks_for_newer_digests,
    with_holder,
)
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.errors import ClosedError, UnknownError
from chalicelib.services.facts import facts_around
from chalicelib.services.list_ports import Membership
from chalicelib.services.lost_orders import rename_use
from chalicelib.services.order_refs import reference_of
from chalicelib.services.ports import Agenda, CommandPorts, ConflictError, Key, OnFailure, Ports


def current_campaign(ports: Ports, campaign_id: str) -> Campaign:
    """The campaign in force; `UnknownError` when there is none."""
    campaign = ports.campaigns.get(campaign_id)
    if campaign is None:
        raise UnknownError("campaign")
    return campaign


def campaign_of_version(ports: Ports, campaign_id: str, version: int) -> Campaign:
    """A version of the campaign file; `UnknownError`."""
    current = current_campaign(ports, campaign_id)
    if current.version == version:
        return current
    stored = ports.repository.get(CampaignVersion, campaign=campaign_id, version=version)
    if stored is None:
        raise UnknownError("campaign")
    return stored.document


class CampaignVersions:
    """The versions of a campaign, each read once: use it for one piece of work. What happens
    meanwhile has a fact of its own, which is worked on with what was put by then.
    """

    def __init__(self, ports: Ports, campaign_id: str) -> None:
        self._ports, self._id = ports, campaign_id
        self._versions: dict[int, Campaign] = {}

    def of(self, version: int | None, at: datetime) -> Campaign:
        """The campaign file of a version; of the one in force at `at` where it is not stored."""
        if version is None:
            return self.at(at)
        if version not in self._versions:
            self._versions[version] = campaign_of_version(self._ports, self._id, version)
        return self._versions[version]

    def at(self, at: datetime) -> Campaign:
        """The campaign file in force at `at`, else the first one."""
        if self._current and self._current.put_at <= at:
            return self._current.document
        before = [version for version in self._all if version.put_at <= at]
        return (before or self._all[:1])[-1].document

    def every(self) -> list[Campaign]:
        """The campaign file of every version."""
        return [version.document for version in self._all]

    @cached_property
    def _current(self) -> CurrentCampaign | None:
        return self._ports.repository.get(CurrentCampaign, campaign=self._id)

    @cached_property
    def _all(self) -> list[CampaignVersion]:
        return list(self._ports.repository.within(CampaignVersion, campaign=self._id))


def all_campaigns(ports: Ports, on_failure: OnFailure | None = None) -> Iterator[Campaign]:
    """Every campaign in force. One that cannot be read goes to `on_failure`, or is an error."""
    campaigns = ports.repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS, on_failure=on_failure)
    for current in campaigns:
        yield current.document


def campaigns_of_brand(ports: Ports, brand: str) -> list[Campaign]:
    """Every campaign of a brand, also those that are over."""
    return [one for one in all_campaigns(ports) if one.brand.id == brand]


def open_campaign(ports: Ports, campaign_id: str) -> Campaign:
    """The campaign in force, open now; `UnknownError`, `ClosedError`."""
    campaign = current_campaign(ports, campaign_id)
    if not campaign.is_open(ports.clock()):
        raise ClosedError("campaign")
    return campaign


def campaign_with_channel(ports: Ports, campaign_id: str, channel: str) -> Campaign:
    """The campaign in force, open now and with that channel; `UnknownError`, `ClosedError`."""
    campaign = open_campaign(ports, campaign_id)
    if channel not in campaign.channels:
        raise ClosedError("channel")
    return campaign


def find_customer(ports: Ports, campaign: Campaign, digests: AddressDigests) -> Membership:
    """Whether the current customer list has a person. `ListUnavailableError` on any doubt."""
    return _find(ports, campaign, ListName.CUSTOMERS, digests)


def find_customer_as_of(
    ports: Ports, campaign: Campaign, digests: AddressDigests, at: datetime
) -> Membership:
    """Whether the customer list as of `at` had a person. `ListUnavailableError` on any doubt."""
    return ports.lists.find_as_of(ListName.CUSTOMERS, campaign.id, at, digests)


def find_vip(ports: Ports, campaign: Campaign, digests: AddressDigests) -> Membership:
    """Whether the current VIP list has a person. `ListUnavailableError` on any doubt."""
    return _find(ports, campaign, ListName.VIPS, digests)


def _find(ports: Ports, campaign: Campaign, name: ListName, digests: AddressDigests) -> Membership:
    return ports.lists.find(name, campaign.id, campaign.lists[name].max_age_days, digests)


def referee_of(ports: Ports, referral: Referral) -> AddressDigests:
    """The referee's digests, each with its algorithm, as look-ups in lists need them.

    0.1.0 did not store the algorithm: it is read from the campaign file of that time. Without that
    file the digests stay incomplete, and look-ups with them are refused.
    """
    if all(pair.algorithm for pair in referral.referee.pairs):
        return referral.referee
    version = ports.repository.get(
        CampaignVersion, campaign=referral.campaign, version=referral.campaign_version
    )
    if version is None:
        return referral.referee
    return referral.referee.with_algorithm(version.document.digests.algorithm)


def claim_on(ports: Ports, campaign: str, digest: str) -> RefereeClaim | None:
    """The claim of the one invitation that has the referee with this digest in the campaign."""
    return ports.repository.get(RefereeClaim, campaign=campaign, digest=digest)


def claims_on(ports: Ports, campaign: str, digests: Iterable[str]) -> list[RefereeClaim]:
    """The claims on a referee in the campaign, one for each of the digests that is claimed."""
    keys = [{"campaign": campaign, "digest": digest} for digest in digests]
    return ports.repository.get_many(RefereeClaim, keys)


def sponsor_claims_on(ports: Ports, campaign: str, digests: Iterable[str]) -> list[SponsorClaim]:
    """The claims of a sponsor in the campaign, one for each of the digests that is claimed."""
    keys = [{"campaign": campaign, "digest": digest} for digest in digests]
    return ports.repository.get_many(SponsorClaim, keys)


def oppositions_to(ports: CommandPorts, brand: str, digests: Iterable[str]) -> list[Opposition]:
    """A person's oppositions to a brand, one for each of the digests it is recorded under."""
    keys = [{"brand": brand, "digest": digest} for digest in digests]
    return ports.repository.get_many(Opposition, keys)


def privacy_link(ports: Ports, campaign: Campaign, digest: str) -> PrivacyLink | None:
    """The link to her data that a person was last mailed, by the digest of her mailbox."""
    return ports.repository.get(PrivacyLink, brand=campaign.brand.id, digest=digest)


def consents_of(ports: CommandPorts, campaign: Campaign, digests: Iterable[str]) -> list[Consent]:
    """What is known of consents to the brand's news under these digests."""
    keys = [{"brand": campaign.brand.id, "digest": digest} for digest in digests]
    return ports.repository.get_many(Consent, keys)


def is_opposed(ports: Ports, campaign: Campaign, digests: Iterable[str]) -> bool:
    """Whether a person must not be invited: she has objected to the brand's mails, or the word that
    counts about its news is a withdrawal, which the client may have reported.
    """
    brand, known = campaign.brand.id, list(digests)
    objections = [Key.of(Opposition, brand=brand, digest=digest) for digest in known]
    consents = [Key.of(Consent, brand=brand, digest=digest) for digest in known]
    found = ports.repository.read(*objections, *consents)
    if any(map(found.get, objections)):
        return True
    return ends_in_withdrawal(filter(None, map(found.get, consents)))


def find_voucher(ports: Ports, typed: str) -> Voucher:
    """The voucher of a code as typed, in one read. `UnknownError`."""
    keys = [Key.of(Voucher, code_key=code_key) for code_key in candidates(typed)]
    found = ports.repository.read(*keys) if keys else None
    voucher = next(filter(None, map(found.get, keys)), None) if found else None
    if voucher is None:
        raise UnknownError("voucher")
    return voucher


def find_voucher_for(ports: Ports, typed: str, purchase: Purchase) -> VoucherOnOrder:
    """The voucher of a code as typed, to be used on `purchase`, as `find_voucher_on_named_order`.

    A voucher bound to its holder knows the digests of its issue. One more read finds those made
    since, while the client replaces its key; the redemption then stores them with the voucher.
    """
    found = find_voucher_on_named_order(ports, typed, purchase.order_id)
    if not asks_for_newer_digests(found.voucher, purchase.email_digest):
        return found
    holder = holder_of(ports, found.voucher)
    return with_holder(found, digests_of_holder(holder)) if holder else found


def holder_of(ports: CommandPorts, voucher: Voucher) -> Sponsor | Referral | None:
    """Whom a voucher was issued to; None when nobody is known by that id any more."""
    if voucher.holder is HolderRole.SPONSOR:
        return ports.repository.get(Sponsor, sponsor_id=voucher.holder_id)
    return ports.repository.get(Referral, referral_id=voucher.holder_id)


def digests_of_holder(holder: Sponsor | Referral) -> AddressDigests:
    """The digests of a sponsor, or of the referee of a referral."""
    return holder.digests if isinstance(holder, Sponsor) else holder.referee


def objects_to_all(ports: CommandPorts, campaign: Campaign, holder: Sponsor | Referral) -> bool:
    """Whether a holder wants no mail at all of the brand, not even those about vouchers."""
    digests = digests_of_holder(holder).values
    recorded = oppositions_to(ports, campaign.brand.id, digests)
    return any(one.scope is OppositionScope.ALL for one in recorded)


def find_voucher_on_order(ports: Ports, typed: str, order_id: str) -> VoucherOnOrder:
    """The voucher of a code as typed and its use on a stored order, in one read. `UnknownError`;
    `ConflictError` when a redemption or rollback was committed during the read.
    """
    return _find_on_order(ports, typed, order_id, order_id)


def find_voucher_on_named_order(ports: Ports, typed: str, order_id: str) -> VoucherOnOrder:
    """The same for an order that somebody outside names: one that a restore had lost is known
    again by that, which is a `ConflictError` too.
    """
    return _find_on_order(ports, typed, order_id, lost_order_id(reference_of(ports, order_id)))


def find_uses(ports: Ports, found: VoucherOnOrder) -> OrderUses | None:
    """What the order uses, as it is after the use that was found: the two are read together, but
    not at one instant.
    """
    if found.is_used and not found.is_noted:
        return ports.repository.get(OrderUses, order_id=found.order_id)
    return found.uses


def keys_on_named_order(ports: Ports, typed: str, order_id: str) -> list[Key[Any]]:
    """The keys that `find_voucher_on_named_order` reads."""
    keys = _keys_on_order(typed, order_id, lost_order_id(reference_of(ports, order_id)))
    return [Key.of(OrderUses, order_id=order_id), *(key for these in keys for key in these)]


def _keys_on_order(
    typed: str, order_id: str, lost: str
) -> list[tuple[Key[Voucher], Key[Redemption], Key[Redemption]]]:
    return [
        (
            Key.of(Voucher, code_key=code_key),
            Key.of(Redemption, code_key=code_key, order_id=order_id),
            Key.of(Redemption, code_key=code_key, order_id=lost),
        )
        for code_key in candidates(typed)
    ]


def _find_on_order(ports: Ports, typed: str, order_id: str, lost: str) -> VoucherOnOrder:
    uses = Key.of(OrderUses, order_id=order_id)
    keys = _keys_on_order(typed, order_id, lost)
    if not keys:
        raise UnknownError("voucher")
    asked: list[Key[Any]] = [uses, *(key for these in keys for key in these)]
    found = ports.repository.read(*dict.fromkeys(asked))
    for voucher_key, redemption_key, lost_key in keys:
        voucher = found.get(voucher_key)
        if voucher is None:
            continue
        on_order = VoucherOnOrder(
            voucher=voucher,
            order_id=order_id,
            redemption=found.get(redemption_key),
            uses=found.get(uses),
        )
        if not on_order.is_consistent:
            raise ConflictError("a commit during the read")
        if order_id != lost and (use := found.get(lost_key)):
            rename_use(ports, voucher, use, order_id)
            raise ConflictError("the order was lost, and is known again")
        return on_order
    raise UnknownError("voucher")


def known_sponsor(ports: CommandPorts, sponsor_id: str) -> Sponsor | None:
    """The sponsor; None when there is none any more, or she asked to be forgotten."""
    sponsor = ports.repository.get(Sponsor, sponsor_id=sponsor_id)
    return None if sponsor is None or sponsor.is_erased else sponsor


def sponsor_contact(ports: Ports, sponsor_id: str) -> Contact | None:
    """A sponsor's address and name; None when the sponsor is erased. Without a name the sponsor
    cannot invite: it is never made from the address.
    """
    sponsor = ports.repository.get(Sponsor, sponsor_id=sponsor_id)
    return contact_of(ports, sponsor) if sponsor else None


def contact_of(ports: Ports, sponsor: Sponsor) -> Contact | None:
    """A sponsor's address and name; None when they are erased."""
    return ports.repository.get(Contact, contact_id=sponsor.contact_id)


def has_name(ports: Ports, sponsor: Sponsor) -> bool:
    """Whether there is a name to sign the sponsor's invitations with."""
    contact = contact_of(ports, sponsor)
    return contact is not None and contact.first_name is not None


def invitation_in(ports: Ports, mail: Mail) -> Invitation | None:
    """The invitation a mail is about, None for any other mail."""
    if "invitation" not in mail.ids:
        return None
    return ports.repository.get(
        Invitation, sponsor_id=mail.ids["sponsor"], invitation_id=mail.ids["invitation"]
    )


def release_in(ports: CommandPorts, mail: Mail) -> VoucherIssued | VoucherAcknowledged:
    """What released the voucher that a mail is about. `UnknownError` when nothing did."""
    since = mail.caused_at or mail.leased_at
    for fact in facts_around(ports, mail.ids.get("voucher", ""), since):
        match body_of(fact):
            case VoucherIssued() | VoucherAcknowledged() as released:
                return released
            case _:
                continue
    raise UnknownError("voucher")


# What names a reward: a fact about its voucher.
OfReward = VoucherIssued | VoucherAcknowledged | VoucherEndsSoon | RewardRevoked


def voucher_of(ports: CommandPorts, fact: OfReward) -> Voucher | None:
    """The voucher that stands for the reward that `fact` is about, None when there is none."""
    reward = ports.repository.get(
        Reward, referral_id=fact.referral_id, rule=fact.rule, rung=fact.rung
    )
    key = reward.code_key if reward else None
    return ports.repository.get(Voucher, code_key=key) if key else None
