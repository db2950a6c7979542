"""Held rewards and mailed links of restored tables that have what a transaction wrote and lack its
fact: nothing is done a second time, and nothing that came after it is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chalicelib.domain.facts import FactName
from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.people import Link, Sponsor
from chalicelib.domain.privacy import PrivacyLink, Wish
from chalicelib.services.mails.stop_links import resume_links, stop_links
from chalicelib.services.operations.project import project
from chalicelib.services.ports import Remove
from chalicelib.services.privacy.confirm import view_request
from chalicelib.services.sponsors.renew_link import renew_link
from chalicelib.services.vouchers.review_rewards import refuse_reward, release_reward
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import World, new_world
from tests.services import test_privacy_requests, test_sign_in_links
from tests.services.test_held_rewards import RULES
from tests.services.test_restored_held_rewards import CAPS, JEANNE, MARIE, OPS, PAUL, again, thanks
from tests.services.test_restored_rewards import ordered
from tests.services.test_restoring import Taken, bring_forward, restore, take
from tests.services.test_torn_restores import torn

# --- held rewards ---------------------------------------------------------------------------------


def test_what_became_of_a_held_reward_and_is_there_without_its_fact_is_so_once() -> None:
    world, table = torn(
        FactName.REWARD_HELD, FactName.REWARD_RELEASED, FactName.REWARD_REFUSED,
        FactName.REWARD_HOLD_ENDED,
        review={"hold_over": 0}, rules=RULES, caps=CAPS,
    )  # fmt: skip
    world.sponsor()
    keys = [thanks(world, who, name) for who, name in ((JEANNE, "A1"), (PAUL, "B1"), (MARIE, "C1"))]
    for each in keys:
        # The sponsor has rewards that stand beside those that are decided on.
        release_reward(world.ports, CAMPAIGN, RewardKey(each.referral_id, "welcome", 0), by=OPS)
    world.run()
    holds = table.torn[-4:]
    release_reward(world.ports, CAMPAIGN, keys[0], by=OPS)
    world.run()
    refuse_reward(world.ports, CAMPAIGN, keys[1], by=OPS)
    world.run()
    ordered(world, "C1", "returned", of=MARIE, amount="40.00")
    world.export()
    world.run()
    assert len(table.torn) > len(holds) + 3
    for taken in [*holds, *table.torn[-3:]]:
        again(world, taken)


# --- links ----------------------------------------------------------------------------------------


def brought_forward(world: World, taken: Taken) -> None:
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert done.without_state == []


def test_a_link_that_was_renewed_without_its_fact_is_not_renewed_once_more() -> None:
    world, table = torn(FactName.LINK_RENEWED)
    _, sponsor = renew_link(world.ports, world.sponsor())
    world.run()
    brought_forward(world, table.torn[-1])
    [stored] = world.memory.all(Sponsor)
    assert (stored.link_code, stored.links_made) == (sponsor.link_code, 1)


def test_a_link_that_had_replaced_another_ends_again() -> None:
    world, _ = torn()
    session = world.sponsor()
    renew_link(world.ports, session)
    world.run()
    taken, [former] = take(world), world.memory.all(Link)
    world.clock.advance(minutes=1)
    renew_link(world.ports, session)
    world.run()
    brought_forward(world, taken)
    [stored], [link] = world.memory.all(Sponsor), world.memory.all(Link)
    assert stored.links_made == 2
    assert link.link_code == stored.link_code != former.link_code


def resumed_and_mailed(world: World, ask: Callable[[World], None], stop: str) -> Taken:
    """Mails with links are stopped, let through again, and one is sent; the table then, without the
    fact that they were let through.
    """
    stop_links(world.ports, stop)
    world.run()
    world.projects = False
    resume_links(world.ports, stop)
    ask(world)
    taken = take(world)
    names = {FactName.SIGN_INS_RESUMED, FactName.PRIVACY_MAILS_RESUMED}
    kept = {place: fact for place, fact in taken.facts.items() if fact.name not in names}
    assert len(kept) == len(taken.facts) - 1
    world.projects = True
    project(world.ports, world.facts())
    return replace(taken, facts=kept)


def test_a_link_that_was_mailed_after_sign_ins_were_resumed_signs_in() -> None:
    world = new_world()
    test_sign_in_links.ask(world)
    test_sign_in_links.sign_in(world)
    stop = test_sign_in_links.stop_in(world)
    brought_forward(world, resumed_and_mailed(world, test_sign_in_links.ask, stop))
    test_sign_in_links.sign_in(world)


def test_a_link_to_ones_data_that_was_mailed_after_mails_were_resumed_is_good() -> None:
    world = new_world()
    world.referral(test_privacy_requests.REFEREE)
    test_privacy_requests.ask(world)
    stop = test_privacy_requests.stop_in(world)
    world.repository.commit(*map(Remove, world.memory.all(PrivacyLink)))
    brought_forward(world, resumed_and_mailed(world, test_privacy_requests.ask, stop))
    link = test_privacy_requests.link_in(world)
    assert view_request(world.ports, link).wish is Wish.EXPORT
