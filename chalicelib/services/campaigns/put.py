"""Put a campaign file in force, as the next version of its campaign.

A version is inserted and never touched again; only the pointer to the one in force moves, on
condition that nobody moved it meanwhile. The file that is in force already makes no new version.
Whether the file is a good one was decided when it became a `Campaign`.
"""

from __future__ import annotations

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import DigestKeys
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.facts import FactName, fact
from chalicelib.services.errors import FieldProblem, InvalidError
from chalicelib.services.ports import Change, CommandPorts, Insert, Replace
from chalicelib.services.retry import retry_on_conflict


@retry_on_conflict
def put_campaign(ports: CommandPorts, campaign: Campaign) -> CurrentCampaign:
    """The version in force afterwards: a new one, or the one in force if it says the same.

    `InvalidError` when it makes digests of another kind under the same key id: whoever is on a list
    made with the former kind would not be found. `ContentionError` when others kept putting
    versions of the same campaign.
    """
    in_force = ports.repository.get(CurrentCampaign, campaign=campaign.id)
    if in_force and _means_another(campaign.digests, in_force.document.digests):
        raise InvalidError([FieldProblem("digests.algorithm", "changes_under_the_same_key_id")])
    if in_force and in_force.document == _numbered(campaign, in_force.version):
        return in_force
    version = in_force.version + 1 if in_force else 1
    put = CurrentCampaign(
        revision=in_force.revision if in_force else 0,
        campaign=campaign.id,
        version=version,
        put_at=ports.clock(),
        document=_numbered(campaign, version),
        rekeyed_for=in_force.rekeyed_for if in_force else (),
    )
    pointer: Change = Replace(put) if in_force else Insert(put)
    happened = fact(
        FactName.CAMPAIGN_PUT,
        fact_id=ports.codes.identifier(),
        campaign=put.campaign,
        subject=put.campaign,
        at=put.put_at,
        correlation=ports.codes.identifier(),
        version=version,
    )
    ports.repository.commit(Insert(_kept(put)), pointer, facts=[happened])
    return put


def _means_another(digests: DigestKeys, before: DigestKeys) -> bool:
    shared = set(digests.key_ids) & set(before.key_ids)
    return bool(shared) and digests.algorithm != before.algorithm


def _numbered(campaign: Campaign, version: int) -> Campaign:
    return campaign.model_copy(update={"version": version})


def _kept(put: CurrentCampaign) -> CampaignVersion:
    return CampaignVersion(
        campaign=put.campaign, version=put.version, put_at=put.put_at, document=put.document
    )
