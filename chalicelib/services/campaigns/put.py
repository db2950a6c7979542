"""Put a campaign file in force, as the next version of its campaign.

A version is inserted and never changed; only the pointer to the current one moves, on condition
that nobody else moved it. A file equal to the current version makes no new version. The file was
validated when it became a `Campaign`.
"""

from __future__ import annotations

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import DigestKeys
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.fact_bodies import CampaignPut
from chalicelib.services.errors import FieldProblem, InvalidError
from chalicelib.services.facts import new_fact
from chalicelib.services.ports import Change, CommandPorts, Insert, Replace
from chalicelib.services.retry import retry_on_conflict


@retry_on_conflict
def put_campaign(ports: CommandPorts, campaign: Campaign) -> CurrentCampaign:
    """The version in force afterwards: a new one, or the current one if nothing differs.

    `InvalidError` when the algorithm changes under the same key id: people on lists made with the
    former algorithm would not be found. `ContentionError` when concurrent calls kept putting
    versions of the same campaign.
    """
    current = ports.repository.get(CurrentCampaign, campaign=campaign.id)
    if current and _changes_algorithm(campaign.digests, current.document.digests):
        raise InvalidError([FieldProblem("digests.algorithm", "changes_under_the_same_key_id")])
    if current and current.document == _numbered(campaign, current.version):
        return current
    version = current.version + 1 if current else 1
    put = CurrentCampaign(
        revision=current.revision if current else 0,
        campaign=campaign.id,
        version=version,
        put_at=ports.clock(),
        document=_numbered(campaign, version),
        rekeyed_for=current.rekeyed_for if current else (),
    )
    pointer: Change = Replace(put) if current else Insert(put)
    body = CampaignPut(version=version)
    fact = new_fact(
        ports,
        body,
        campaign=put.campaign,
        subject=put.campaign,
        correlation=ports.codes.identifier(),
    )
    ports.repository.commit(Insert(_version_of(put)), pointer, facts=[fact])
    return put


def _changes_algorithm(digests: DigestKeys, before: DigestKeys) -> bool:
    shared = set(digests.key_ids) & set(before.key_ids)
    return bool(shared) and digests.algorithm != before.algorithm


def _numbered(campaign: Campaign, version: int) -> Campaign:
    return campaign.model_copy(update={"version": version})


def _version_of(put: CurrentCampaign) -> CampaignVersion:
    return CampaignVersion(
        campaign=put.campaign, version=put.version, put_at=put.put_at, document=put.document
    )
