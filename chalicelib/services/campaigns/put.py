"""Put a campaign file in force, as the next version of its campaign.

A version is inserted and never changed; only the pointer to the current one moves, on condition
that nobody else moved it. A file equal to the current version makes no new version. The file was
validated when it became a `Campaign`.
"""

from __future__ import annotations

from chalicelib.domain.campaign.file import NOTED, Campaign
from chalicelib.domain.campaign.lists import DigestKeys
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign, next_version
from chalicelib.domain.fact_bodies import CampaignPut
from chalicelib.services.errors import FieldProblem, InvalidError
from chalicelib.services.facts import new_fact
from chalicelib.services.ports import Change, CommandPorts, Insert, Replace
from chalicelib.services.retry import retry_on_conflict

# What campaigns of earlier versions may lack.
REQUIRED_OF_NEW = ("controller", "privacy")
RECORDS_ENDED = "records_have_ended"


@retry_on_conflict
def put_campaign(ports: CommandPorts, campaign: Campaign) -> CurrentCampaign:
    """The version in force afterwards: a new one, or the current one if nothing differs.

    `InvalidError` when the algorithm changes under the same key id: people on lists made with the
    former algorithm would not be found; when a new campaign does not say who is responsible for the
    addresses, and where its privacy notice is; or when the records of the campaign have ended:
    nobody knows any more who was invited in it (law 2). `ContentionError` when concurrent calls
    kept putting versions of the same campaign.
    """
    current = ports.repository.get(CurrentCampaign, campaign=campaign.id)
    if current and _changes_algorithm(campaign.digests, current.document.digests):
        raise InvalidError([FieldProblem("digests.algorithm", "changes_under_the_same_key_id")])
    missing = [name for name in REQUIRED_OF_NEW if getattr(campaign, name) is None]
    if missing and current is None:
        raise InvalidError([FieldProblem(name, "required_of_a_new_campaign") for name in missing])
    if current and ports.clock() > current.document.records_end_at():
        raise InvalidError([FieldProblem("campaign", RECORDS_ENDED)])
    if current and current.document == _with_assigned(campaign, current):
        return current
    versions = list(ports.repository.within(CampaignVersion, campaign=campaign.id))
    following = next_version(campaign, current, versions, ports.clock())
    pointer: Change = Replace(following) if current else Insert(following)
    fact = new_fact(
        ports,
        CampaignPut(version=following.version),
        campaign=following.campaign,
        subject=following.campaign,
        correlation=ports.codes.identifier(),
    )
    ports.repository.commit(Insert(_version_of(following)), pointer, facts=[fact])
    return following


def _changes_algorithm(digests: DigestKeys, before: DigestKeys) -> bool:
    shared = set(digests.key_ids) & set(before.key_ids)
    return bool(shared) and digests.algorithm != before.algorithm


def _with_assigned(campaign: Campaign, current: CurrentCampaign) -> Campaign:
    return campaign.model_copy(update={name: getattr(current.document, name) for name in NOTED})


def _version_of(put: CurrentCampaign) -> CampaignVersion:
    return CampaignVersion(
        campaign=put.campaign, version=put.version, put_at=put.put_at, document=put.document
    )
