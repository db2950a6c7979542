"""Invitations received, decided, refused with a reason, and kept waiting."""

from __future__ import annotations

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.people import Contact, Session
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import ClosedError, InvalidError, QuotaError, UnknownError
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.invite import Referee, invite, sign_up
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.sponsors.space import view_sponsor_space
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign
from tests.fakes.ports import SentMail
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world

NEWCOMER = "jeanne@example.fr"


@pytest.fixture
def session(world: World) -> Session:
    return world.sponsor()


def link_of(world: World, session: Session) -> str:
    return view_sponsor_space(world.ports, session).sponsor.link_code


def reason_for(world: World, session: Session, address: str) -> object:
    """Why an address was refused; no mail may have gone to it."""
    before = len(world.mailer.sent)
    world.invite(session, address)
    world.run()
    assert len(world.mailer.sent) == before
    return world.facts(FactName.INVITATION_REFUSED)[-1].details["reason"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("no-reply@example.fr", "role_address"),
        ("jeanne@yopmail.com", "disposable_address"),
        ("éléonore@example.fr", "undeliverable_address"),
        (VIPS[0], "sponsor_in_disguise"),
        (CUSTOMERS[0], "customer"),
        (CUSTOMERS[0].upper(), "customer"),
    ],
)
def test_law_3_who_is_not_eligible_gets_no_mail_and_the_reason_is_named(
    world: World, session: Session, address: str, reason: str
) -> None:
    assert reason_for(world, session, address) == reason
    assert len(world.memory.all(Contact)) == 1  # the sponsor's


def test_a_domain_that_certainly_takes_no_mail_is_refused(world: World, session: Session) -> None:
    world.mail_domains.answers = {"xn--bcher-kva.example": False}
    assert reason_for(world, session, "jeanne@Bücher.example") == "no_mail_domain"
    assert len(world.memory.all(Contact)) == 1


def test_a_domain_with_an_unknown_answer_gets_mails(world: World, session: Session) -> None:
    world.mail_domains.answers = {"example.fr": None}
    world.invite(session, NEWCOMER)
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 1


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        (NEWCOMER, ["example.fr"]),
        # The operator of a domain's DNS must not learn from queries who is a customer (law 8).
        (CUSTOMERS[0], ["demo.test"]),
        ("no-reply@example.fr", []),
        (VIPS[0], ["demo.test"]),
    ],
)
def test_law_8_the_dns_is_asked_whoever_a_deliverable_address_belongs_to(
    world: World, session: Session, address: str, asked: list[str]
) -> None:
    world.invite(session, address)
    world.run()
    assert world.mail_domains.asked == asked


def test_law_8_the_dns_is_asked_about_who_was_invited_before_or_has_opposed(
    world: World, session: Session
) -> None:
    world.invite(session, NEWCOMER)
    world.run()
    unsubscribe(world.ports, world.mailer.to(NEWCOMER)[0].tokens[1])
    for _ in range(2):
        world.mail_domains.asked.clear()
        world.invite(session, NEWCOMER)
        world.run()
        assert world.mail_domains.asked == ["example.fr"]


def test_an_alias_of_a_customer_has_a_reason_of_its_own(world: World, session: Session) -> None:
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, "jeanne@gmail.com"], file="more")
    assert reason_for(world, session, "j.eanne@gmail.com") == "customer_alias"


def test_law_1_and_3_hold_while_the_digest_keys_are_changed(world: World, session: Session) -> None:
    world.invite(session, NEWCOMER)
    world.run()
    other = world.sponsor(VIPS[1])
    put_campaign(world.ports, campaign(digests={"key_ids": ["k2", "k1"]}))
    world.clock.advance(seconds=20)
    assert reason_for(world, other, NEWCOMER) == "already_invited"
    assert reason_for(world, other, CUSTOMERS[0]) == "customer"
    assert reason_for(world, other, VIPS[1]) == "sponsor_in_disguise"


def test_a_sponsor_in_disguise_is_known_by_the_mailbox(world: World) -> None:
    world.drop_list("vips", [*VIPS, "vip@gmail.com"], file="more")
    session = world.sponsor("vip@gmail.com")
    assert reason_for(world, session, "v.i.p+two@googlemail.com") == "sponsor_in_disguise"


def test_law_2_nobody_is_invited_twice_in_a_campaign(world: World, session: Session) -> None:
    world.invite(session, NEWCOMER)
    world.run()
    for other in (session, world.sponsor(VIPS[1])):
        assert reason_for(world, other, NEWCOMER) == "already_invited"
    assert len(world.mailer.to(NEWCOMER)) == 1


def test_law_2_one_call_that_names_somebody_twice_sends_one_mail(
    world: World, session: Session
) -> None:
    world.invite(session, NEWCOMER, NEWCOMER.upper())
    world.run()
    assert [mail.recipient for mail in world.mailer.sent[1:]] == [NEWCOMER]


def test_a_person_who_opposed_gets_no_mail_in_any_campaign_of_the_brand(
    world: World, session: Session
) -> None:
    world.invite(session, "jeanne@gmail.com")
    world.run()
    [mail] = world.mailer.to("jeanne@gmail.com")
    unsubscribe(world.ports, unsubscribe_token(mail))
    [fact] = world.facts(FactName.OPPOSITION_RECORDED)
    assert fact.campaign == CAMPAIGN
    # Without the claim, the reason must be the opposition.
    world.memory._items = {
        key: item for key, item in world.memory._items.items() if "Claim" not in type(item).__name__
    }
    assert reason_for(world, session, "jean.ne+y@gmail.com") == "opposed"


def unsubscribe_token(mail: SentMail) -> str:
    return str(mail.message["List-Unsubscribe"]).strip("<>").rsplit("/", 1)[1]


def test_an_invitation_decided_after_the_last_day_is_refused(
    world: World, session: Session
) -> None:
    world.invite(session, NEWCOMER)
    world.clock.advance(days=365)
    world.run()
    assert world.facts(FactName.INVITATION_REFUSED)[-1].details["reason"] == "campaign_closed"


@pytest.mark.parametrize("why", ["no_list", "too_old", "key_not_in_force"])
def test_law_3_without_a_trustworthy_list_an_invitation_waits_for_one(
    world: World, session: Session, why: str
) -> None:
    world.lists.fails = why
    world.invite(session, NEWCOMER)
    world.run()
    assert world.mailer.to(NEWCOMER) == []
    world.lists.fails = None
    world.run()
    assert world.mailer.to(NEWCOMER) == []
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, "new@example.fr"], file="next")
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 1
    [invitation] = world.memory.all(Invitation)
    assert invitation.decision
    assert invitation.decision.customers_version == 2


def test_law_3_breaks_without_the_list_look_up(world: World, session: Session) -> None:
    world.lists.knows_nobody = True
    world.invite(session, CUSTOMERS[0])
    world.run()
    assert len(world.mailer.to(CUSTOMERS[0])) == 1


def test_a_failed_read_of_the_list_leaves_the_work_in_the_queue(
    world: World, session: Session
) -> None:
    world.lists.fails = "read_failed"
    world.invite(session, NEWCOMER)
    world.run()
    assert world.mailer.to(NEWCOMER) == []
    world.lists.fails = None
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 1


def test_an_invitation_is_decided_once(world: World, session: Session) -> None:
    world.invite(session, NEWCOMER)
    world.run()
    [received] = world.facts(FactName.INVITATION_RECEIVED)
    assert decide_invitation(world.ports, received) == "decided_already"
    assert len(world.facts(FactName.INVITATION_ACCEPTED)) == 1


def test_a_repeated_call_with_the_same_key_answers_the_same(world: World, session: Session) -> None:
    ids = world.invite(session, NEWCOMER, key="k")
    assert world.invite(session, NEWCOMER, key="k") == ids
    assert len(world.facts(FactName.INVITATION_RECEIVED)) == 1
    assert world.invite(session, "paul@example.fr", key="l") != ids


def test_a_key_used_for_another_request_is_refused(world: World, session: Session) -> None:
    world.invite(session, NEWCOMER, key="k")
    with pytest.raises(InvalidError, match="Idempotency-Key"):
        world.invite(session, "paul@example.fr", key="k")
    with pytest.raises(InvalidError, match="Idempotency-Key"):
        invite(world.ports, session, [Referee(Address.parse(NEWCOMER), "Jeanne")], "k")


def test_a_repeat_is_answered_even_when_the_quota_is_used_up() -> None:
    world = new_world(quotas={"invitations_per_sponsor": 2})
    session = world.sponsor()
    ids = world.invite(session, "a@example.fr", "b@example.fr", key="k")
    assert world.invite(session, "a@example.fr", "b@example.fr", key="k") == ids


def test_a_quota_is_all_or_nothing() -> None:
    world = new_world(quotas={"invitations_per_sponsor": 3, "referees_per_call": 2})
    session = world.sponsor()
    world.invite(session, "a@example.fr", "b@example.fr")
    with pytest.raises(QuotaError):
        world.invite(session, "c@example.fr", "d@example.fr")
    with pytest.raises(InvalidError, match="too_many"):
        world.invite(session, "c@example.fr", "d@example.fr", "e@example.fr")
    assert view_sponsor_space(world.ports, session).invitations_left == 1
    world.invite(session, "c@example.fr")
    assert view_sponsor_space(world.ports, session).invitations_left == 0


def test_the_biggest_call_fits_in_one_transaction() -> None:
    world = new_world(quotas={"invitations_per_sponsor": 20, "referees_per_call": 20})
    world.invite(world.sponsor(), *(f"p{number}@example.fr" for number in range(20)), key="k")
    world.run()
    assert world.funnel()["sent"] == 20


def test_a_referee_by_shared_link_confirms_from_the_mail(world: World, session: Session) -> None:
    sign_up(
        world.ports,
        CAMPAIGN,
        link_of(world, session),
        Referee(Address.parse(NEWCOMER), "Jeanne", "en"),
    )
    world.run()
    [mail] = world.mailer.to(NEWCOMER)
    assert mail.message["Content-Language"] == "en"
    assert world.facts(FactName.REFERRAL_CONFIRMED) == []
    assert world.confirm(NEWCOMER).sponsor_id == session.sponsor_id


def test_a_shared_link_is_good_where_it_belongs(world: World, session: Session) -> None:
    put_campaign(world.ports, campaign(campaign="another"))
    for elsewhere, link in ((CAMPAIGN, "unknown"), ("another", link_of(world, session))):
        with pytest.raises(UnknownError):
            sign_up(world.ports, elsewhere, link, Referee(Address.parse(NEWCOMER)))


def test_a_channel_the_campaign_does_not_have_is_closed() -> None:
    world = new_world(channels=["link"])
    session = world.sponsor()
    with pytest.raises(ClosedError):
        world.invite(session, NEWCOMER)
    world = new_world(channels=["email"])
    link = link_of(world, world.sponsor())
    with pytest.raises(ClosedError):
        sign_up(world.ports, CAMPAIGN, link, Referee(Address.parse(NEWCOMER)))


def test_no_invitation_is_received_once_the_campaign_is_closed(
    world: World, session: Session
) -> None:
    link = link_of(world, session)
    world.clock.advance(days=365)
    with pytest.raises(ClosedError):
        world.invite(session, NEWCOMER)
    with pytest.raises(ClosedError):
        sign_up(world.ports, CAMPAIGN, link, Referee(Address.parse(NEWCOMER)))


def test_refused_invitations_do_not_keep_the_address(world: World, session: Session) -> None:
    world.invite(session, CUSTOMERS[0])
    world.run()
    [invitation] = world.memory.all(Invitation)
    assert invitation.state is InvitationState.REFUSED
    assert [contact.address.typed for contact in world.memory.all(Contact)] == [VIPS[0]]
