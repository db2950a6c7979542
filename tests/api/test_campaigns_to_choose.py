"""The list that a campaign is chosen from: each is one brand's in one country."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ports import Replace
from tests.api.world import CAMPAIGN, World
from tests.fakes.campaign import campaign

pytestmark = pytest.mark.slow


def test_the_campaigns_of_every_brand_and_country_can_be_chosen_from(world: World) -> None:
    brand = {"id": "autre", "name": "Autre", "colour": "#112233", "contact": "a@example.es"}
    other = campaign(campaign="other", brand=brand)
    abroad = campaign(campaign="abroad", brand=brand, country="ES")
    later = campaign(
        campaign="later", brand=brand, country="ES", title={"fr": "Suite", "en": "More"},
        starts_on=str(other.starts_on + timedelta(days=1)),
    )  # fmt: skip
    for one in (other, abroad, later):
        put_campaign(world.ports, one)
    answer = world.get("/v1/ops/campaigns").json()["campaigns"]
    assert [(one["brand"], one["country"], one["campaign"]) for one in answer] == [
        ("Autre", "ES", "later"),
        ("Autre", "ES", "abroad"),
        ("Autre", "FR", "other"),
        ("Maison Demo", "FR", CAMPAIGN),
    ]
    assert answer[0]["title"] == {"fr": "Suite", "en": "More"}


def test_a_campaign_whose_records_have_ended_has_no_dashboard_to_choose(world: World) -> None:
    [line] = world.get("/v1/ops/campaigns").json()["campaigns"]
    assert line["campaign"] == CAMPAIGN
    current = world.ports.repository.get(CurrentCampaign, campaign=CAMPAIGN)
    assert current
    ended = replace(current, records_ended_at=world.ports.clock())
    world.ports.repository.commit(Replace(ended))
    assert world.get("/v1/ops/campaigns").json() == {"campaigns": []}
