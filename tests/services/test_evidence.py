"""What is recorded of each eligibility decision, who is found on a later list, and lists that are
too old.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import Contact
from chalicelib.domain.referrals import Referral
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import GoneError, UnavailableError
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.invite import Referee, sign_up
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.sponsors.space import view_sponsor_space
from chalicelib.services.vouchers.reward import reward
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign
from tests.fakes.due import reconcile
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped

NEWCOMER, OTHER = "jeanne@example.fr", "paul@example.fr"
KNOWN = [*CUSTOMERS, *VIPS, CANARY]


def later_list(world: World, *more: str, file: str = "later") -> None:
    """The customer list again, an hour later, with more on it."""
    world.clock.advance(hours=1)
    assert world.drop_list("customers", [*KNOWN, *more], file=file).status == "accepted"
    world.run()


def keep(world: World, order_id: str, address: str = NEWCOMER) -> None:
    world.drop_orders(world.order(order_id, "kept", of=address), file=order_id)
    world.run()


def details_of(world: World, name: FactName) -> dict[str, Any]:
    return dict(world.facts(name)[-1].details)


def found(world: World) -> int:
    """How many were found on a later list, by the dashboard."""
    shown = view_dashboard(world.ports, CAMPAIGN)
    counted = shown.funnel["found_on_later_list"]
    assert counted == sum(day["found_on_later_list"] for day in shown.days.values())
    return counted


# --- the decision --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "name", "kept"),
    [
        (NEWCOMER, FactName.INVITATION_ACCEPTED, ("eligible", "eligible", 1)),
        (CUSTOMERS[0], FactName.INVITATION_REFUSED, ("refused", "customer", 1)),
        ("no-reply@example.fr", FactName.INVITATION_REFUSED, ("refused", "role_address", None)),
    ],
)
def test_law_3_a_decision_keeps_its_verdict_its_reason_and_the_list_it_was_made_with(
    world: World, address: str, name: FactName, kept: tuple[str, str, int | None]
) -> None:
    world.invite(world.sponsor(), address)
    world.run()
    [invitation] = world.memory.all(Invitation)
    decision = invitation.decision
    assert decision
    assert (decision.verdict, decision.reason, decision.customers_version) == kept
    details = details_of(world, name)
    assert (details["verdict"], details["reason"], details.get("customers_version")) == kept
    journaled = [one["details"] for one in world.journal() if one["name"] == name]
    assert journaled == [details]


def test_law_3_a_decision_reversed_before_the_mail_records_its_verdict_too(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    [received] = world.facts(FactName.INVITATION_RECEIVED)
    decide_invitation(world.ports, received)
    later_list(world, NEWCOMER)
    details = details_of(world, FactName.INVITATION_REFUSED)
    assert (details["verdict"], details["reason"]) == ("refused", "became_customer")
    assert details["customers_version"] == 2
    assert world.mailer.to(NEWCOMER) == []


def test_a_sign_in_keeps_its_verdict_its_reason_and_the_list_it_was_decided_with(
    world: World,
) -> None:
    world.sponsor()
    granted = details_of(world, FactName.SIGN_IN_GRANTED)
    assert granted.pop("is_first") == "yes"
    assert granted == {"verdict": "eligible", "reason": "on_vip_list", "list_version": 1}
    request_sign_in(world.ports, CAMPAIGN, Address.parse("stranger@example.fr"))
    world.run()
    refused = details_of(world, FactName.SIGN_IN_REFUSED)
    assert refused == {"verdict": "refused", "reason": "not_on_vip_list", "list_version": 1}
    for _ in range(5):
        request_sign_in(world.ports, CAMPAIGN, Address.parse(VIPS[0]))
        world.run()
    refused = details_of(world, FactName.SIGN_IN_REFUSED)
    assert (refused["reason"], refused["list_version"]) == ("link_unused", 1)
    world.lists.fails = "too_old"
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIPS[1]))
    world.run()
    refused = details_of(world, FactName.SIGN_IN_REFUSED)
    assert refused == {"verdict": "refused", "reason": "list_unavailable"}


# --- found on a later list ------------------------------------------------------------------------


def test_law_3_who_is_found_on_a_later_list_when_confirming_is_counted(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER, OTHER)
    world.run()
    later_list(world, NEWCOMER)
    with pytest.raises(GoneError):
        world.confirm(NEWCOMER)
    world.confirm(OTHER)
    world.run()
    assert found(world) == 1
    assert details_of(world, FactName.INVITATION_EXPIRED)["customers_version"] == 2
    assert details_of(world, FactName.REFERRAL_CONFIRMED)["verdict"] == "eligible"
    for again in range(2):
        with pytest.raises(GoneError):
            world.confirm(NEWCOMER)
        world.run()
        assert found(world) == 1, again


def test_law_3_who_is_found_before_the_first_order_gets_no_reward_and_counts_once(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    later_list(world, NEWCOMER)
    assert found(world) == 0  # nothing has asked yet
    for number in range(1, 4):
        keep(world, f"A{number}")
        assert found(world) == 1
    refused = world.facts(FactName.REWARD_REFUSED)
    assert sorted((one.details["rule"], one.details["rung"]) for one in refused) == [
        ("ladder-first", 1), ("ladder-second", 2), ("ladder-third", 3), ("sponsor-reward", 1),
    ]  # fmt: skip
    assert {
        (one.details["verdict"], one.details["reason"], one.details["customers_version"])
        for one in refused
    } == {("refused", "not_a_newcomer", 2)}
    assert world.funnel()["rewards_refused"] == 4
    assert world.funnel()["rewards"] == 1  # the confirmation's, before the later list


def test_each_referee_found_is_counted(world: World) -> None:
    world.referral(NEWCOMER)
    world.referral(OTHER, VIPS[1])
    later_list(world, NEWCOMER, OTHER)
    keep(world, "A1")
    keep(world, "B1", OTHER)
    assert found(world) == 2


def test_law_3_the_voucher_of_a_confirmation_names_the_list_it_was_confirmed_with(
    world: World,
) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    world.confirm(NEWCOMER)  # the work that follows has not begun
    later_list(world, NEWCOMER)
    [issued] = world.facts(FactName.VOUCHER_ISSUED)
    assert (issued.details["rule"], issued.details["customers_version"]) == ("welcome", 1)
    keep(world, "A1")
    refused = world.facts(FactName.REWARD_REFUSED)
    assert {fact.details["customers_version"] for fact in refused} == {2}
    assert found(world) == 1


def test_a_newcomer_on_every_list_after_the_first_order_is_not_counted(world: World) -> None:
    world.referral(NEWCOMER)
    keep(world, "A1")
    later_list(world, NEWCOMER)
    keep(world, "A2")
    assert found(world) == 0
    assert world.funnel()["rewards"] == 4


def test_a_reward_refused_for_another_reason_finds_nobody() -> None:
    world = new_world(caps={"sponsor_rewards": 1})
    for number, (address, sponsor) in enumerate(((NEWCOMER, VIPS[0]), (OTHER, VIPS[0]))):
        world.referral(address, sponsor)
        keep(world, f"A{number}", address)
    assert details_of(world, FactName.REWARD_REFUSED)["reason"] == "sponsor_cap"
    assert found(world) == 0


def test_two_rewards_refused_at_the_same_instant_count_the_person_once(world: World) -> None:
    world.referral(NEWCOMER)
    later_list(world, NEWCOMER)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    [kept] = world.facts(FactName.ORDER_KEPT)
    others: Callable[[], object] = world.run  # does all of it just before our first write
    ports = wrapped(world, lambda inner: ContestedRepository(inner, others))
    assert reward(ports, kept) == []
    world.run()
    assert len(world.facts(FactName.REWARD_REFUSED)) == 2
    assert found(world) == 1
    [referral] = world.memory.all(Referral)
    assert referral.found_on_later_list


# --- a list that has grown too old ----------------------------------------------------------------

SHORT = {"customers": {"max_age_days": 2, "canaries": []}, "vips": {"max_age_days": 90}}


def test_law_3_while_the_customer_list_is_too_old_all_waits_and_with_a_good_one_all_goes_on() -> (
    None
):
    world = new_world(lists=SHORT)
    sent, confirmed, accepted, invited, by_link = (
        f"{name}@example.fr" for name in ("sent", "confirmed", "accepted", "invited", "by-link")
    )
    session = world.sponsor()
    world.invite(session, sent, confirmed)
    world.run()
    world.invite(session, accepted)
    decide_invitation(world.ports, world.facts(FactName.INVITATION_RECEIVED)[-1])
    world.confirm(confirmed)  # its voucher has not been issued, nor the accepted one's mail sent
    mails = len(world.mailer.sent)
    world.clock.advance(days=3)

    assert reconcile(world.ports)["lists_too_old"] == 1
    session = world.sponsor()  # the VIP list may be older
    world.invite(session, invited)
    link = view_sponsor_space(world.ports, session).sponsor.link_code
    sign_up(world.ports, CAMPAIGN, link, Referee(Address.parse(by_link)))
    world.run()
    with pytest.raises(UnavailableError):
        world.confirm(sent)
    world.clock.advance(hours=1)
    assert reconcile(world.ports)["undecided"] == 2
    world.run()
    assert len(world.mailer.sent) == mails + 1  # the sign-in's
    assert len(world.facts(FactName.VOUCHER_ISSUED)) == 1  # it rests on the list of its day
    assert len(world.facts(FactName.INVITATION_REFUSED)) == 0

    world.drop_list("customers", KNOWN, file="good")
    world.run()
    assert reconcile(world.ports)["lists_too_old"] == 0
    assert [len(world.mailer.to(one)) for one in (accepted, invited, by_link)] == [1, 1, 1]
    assert len(world.facts(FactName.VOUCHER_ISSUED)) == 1
    assert confirm(world.ports, world.token_of(sent), "1", False)[1]


def test_law_3_a_list_one_second_too_old_holds_everything_back() -> None:
    world = new_world(lists=SHORT)
    world.clock.advance(days=2)
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 1
    world.clock.advance(seconds=1)
    world.invite(world.sponsor(), OTHER)
    world.run()
    assert world.mailer.to(OTHER) == []


def test_law_3_while_the_vip_list_is_too_old_nobody_signs_in_and_no_address_is_kept() -> None:
    world = new_world()
    world.clock.advance(days=91)
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIPS[0]))
    world.run()
    assert world.mailer.sent == []
    assert world.memory.all(Contact) == []
    assert reconcile(world.ports)["lists_too_old"] == 2
    world.drop_list("vips", [*VIPS, "new@example.fr"], file="good")
    world.sponsor()
    assert reconcile(world.ports)["lists_too_old"] == 1


def test_lists_that_were_never_dropped_are_reported_while_the_campaign_is_open() -> None:
    world = World()
    put_campaign(world.ports, campaign(starts_on="2026-03-03", ends_on="2026-03-04"))
    seen = []
    for _ in range(3):
        seen.append(reconcile(world.ports)["lists_too_old"])
        world.clock.advance(days=1.5)
    assert seen == [0, 2, 0]
