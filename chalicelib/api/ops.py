"""The routes of ops and marketing: the dashboard, and what a review holds. A screen with a wall
link sees the dashboard too.
"""

from __future__ import annotations

from collections.abc import Callable

from chalice.app import Blueprint

from chalicelib.api import operations, ops_models
from chalicelib.api.dashboards import dashboard_answer, wall_answer
from chalicelib.api.edge import Call, Edge, Reply, not_handled
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.money import decimal_text
from chalicelib.services.errors import UnknownError
from chalicelib.services.lookups import current_campaign
from chalicelib.services.operations.dashboard import (
    campaigns_to_show,
    view_dashboard,
)
from chalicelib.services.operations.wall_links import require_wall_link
from chalicelib.services.ports import Ports
from chalicelib.services.vouchers.review_rewards import (
    HeldReward,
    held_rewards,
    refuse_reward,
    release_reward,
)


def ops_routes(ports: Callable[[], Ports]) -> Blueprint:
    """The blueprint of the ops routes."""
    edge = Edge(Blueprint(__name__), ports)

    @edge.serves(operations.LIST_CAMPAIGNS)
    def campaigns(call: Call) -> Reply:
        return ops_models.CampaignsAnswer(
            campaigns=[_campaign(each) for each in campaigns_to_show(call.ports, not_handled)]
        )

    @edge.serves(operations.GET_DASHBOARD)
    def dashboard(call: Call, campaign: str) -> Reply:
        return dashboard_answer(view_dashboard(call.ports, campaign, not_handled))

    @edge.serves(operations.LIST_HELD_REWARDS)
    def get_held_rewards(call: Call, campaign: str) -> Reply:
        found = current_campaign(call.ports, campaign)
        held = held_rewards(call.ports, found.id, not_handled)
        return ops_models.HeldRewardsAnswer(held=[_held(found, each) for each in held])

    @edge.serves(operations.RELEASE_REWARD)
    def post_release(call: Call, campaign: str, reward: str) -> Reply:
        release_reward(call.ports, campaign, _key(reward), by=call.account())
        return None

    @edge.serves(operations.REFUSE_REWARD)
    def post_refusal(call: Call, campaign: str, reward: str) -> Reply:
        refuse_reward(call.ports, campaign, _key(reward), by=call.account())
        return None

    return edge.blueprint


def wall_routes(ports: Callable[[], Ports], origin_key: Callable[[], str]) -> Blueprint:
    """The blueprint of the one route that a wall link opens."""
    edge = Edge(Blueprint(__name__), ports, origin_key)

    @edge.serves(operations.GET_WALL)
    def wall(call: Call, campaign: str) -> Reply:
        require_wall_link(call.ports, campaign, call.bearer())
        return wall_answer(view_dashboard(call.ports, campaign, not_handled))

    return edge.blueprint


def _campaign(campaign: Campaign) -> ops_models.CampaignLineAnswer:
    return ops_models.CampaignLineAnswer(
        campaign=campaign.id,
        title=campaign.title,
        brand=campaign.brand.name,
        country=campaign.country,
        starts_on=campaign.starts_on.isoformat(),
        ends_on=campaign.ends_on.isoformat(),
    )


def _key(text: str) -> RewardKey:
    try:
        return RewardKey.parse(text)
    except ValueError:
        raise UnknownError("held reward") from None


def _held(campaign: Campaign, each: HeldReward) -> ops_models.HeldRewardAnswer:
    reward, hold = each.reward, each.hold
    return ops_models.HeldRewardAnswer(
        reward=str(RewardKey.of(reward)),
        referral=reward.referral_id,
        rule=reward.rule,
        rung=reward.rung,
        holder=str(reward.to),
        value=decimal_text(reward.value_minor),
        currency=campaign.currency,
        score=hold.score,
        signals=[ops_models.SignalAnswer(**vars(one)) for one in hold.signals],
        held_at=hold.held_at.isoformat(),
        ends_at=hold.ends_at.isoformat(),
    )
