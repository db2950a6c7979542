"""What else is mailed about a voucher: that it ends soon, is not valid any more, has another code;
and that a confirmation was received. Each once, to who wants it, and only where it is true.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain import mails
from chalicelib.domain.entity import IllegalMoveError
from chalicelib.domain.fact_bodies import RewardRevoked, VoucherEndsSoon, body_as
from chalicelib.domain.facts import FactName
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.people import Contact, OppositionScope
from chalicelib.domain.vouchers import Voucher, VoucherState, next_due_at, redeemed, reminded
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.mail_grounds import reminder_ground, revocation_ground
from chalicelib.services.mails.resend import ResendOutcome, resend
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.expire import end_due
from chalicelib.services.ports import Key, Remove, Replace
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.due import expire
from tests.fakes.ports import SentMail
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_replacement import by_state

NEWCOMER = "jeanne@example.fr"
ENDS_SOON = "se termine bientôt"
REVOKED = "n’est plus valable"


def invited(**changes: Any) -> World:
    world = new_world(**changes)
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    return world


def confirmed(*, news: bool = True, **changes: Any) -> World:
    world = invited(**changes)
    confirm(world.ports, world.token_of(NEWCOMER), "1", news)
    world.run()
    return world


def mailed(world: World) -> World:
    """The referee's first voucher is exported, acknowledged and mailed."""
    world.export()
    world.acknowledge(1)
    world.run()
    return world


def pass_days(world: World, days: float) -> None:
    world.clock.advance(days=days)
    expire(world.ports)
    world.run()


def subjects(world: World, words: str, to: str = NEWCOMER) -> list[SentMail]:
    return [mail for mail in world.mailer.to(to) if words in str(mail.message["Subject"])]


# --- a voucher that ends soon --------------------------------------------------------------------


def test_a_holder_who_agreed_to_news_is_told_once_so_many_days_before_the_end() -> None:
    world = mailed(confirmed(ends_soon_days=7))
    pass_days(world, 52)
    assert subjects(world, ENDS_SOON) == []
    pass_days(world, 1)
    [mail] = subjects(world, ENDS_SOON)
    assert by_state(world, VoucherState.ACKNOWLEDGED).code in mail.text
    pass_days(world, 1)
    assert len(subjects(world, ENDS_SOON)) == 1
    assert len(world.facts(FactName.VOUCHER_ENDS_SOON)) == 1


def test_the_voucher_still_ends_on_its_day() -> None:
    world = mailed(confirmed(ends_soon_days=7))
    pass_days(world, 54)
    pass_days(world, 20)
    assert len(world.facts(FactName.VOUCHER_EXPIRED)) == 1


def test_nobody_is_told_where_the_campaign_does_not_say_so() -> None:
    world = mailed(confirmed())
    pass_days(world, 54)
    assert world.facts(FactName.VOUCHER_ENDS_SOON) == []
    assert subjects(world, ENDS_SOON) == []


def test_a_campaign_that_tells_nobody_any_more_tells_nobody() -> None:
    world = mailed(confirmed(ends_soon_days=7))
    put_campaign(world.ports, campaign())
    world.clock.advance(minutes=1)  # longer than a campaign is remembered
    pass_days(world, 54)
    assert subjects(world, ENDS_SOON) == []


def test_who_did_not_agree_to_news_is_not_told() -> None:
    world = mailed(confirmed(news=False, ends_soon_days=7))
    pass_days(world, 54)
    assert len(world.facts(FactName.VOUCHER_ENDS_SOON)) == 1
    assert subjects(world, ENDS_SOON) == []


@pytest.mark.parametrize("scope", OppositionScope)
def test_who_objected_since_is_not_told(scope: OppositionScope) -> None:
    world = mailed(confirmed(ends_soon_days=7))
    unsubscribe(world.ports, world.mailer.to(NEWCOMER)[1].tokens[0], scope)
    pass_days(world, 54)
    assert subjects(world, ENDS_SOON) == []


def test_who_has_used_her_voucher_is_not_told() -> None:
    world = mailed(confirmed(ends_soon_days=7))
    code = world.exported(1)[0]["code"]
    world.drop_orders(world.order("A1", "placed", of=NEWCOMER, code=code))
    world.run()
    pass_days(world, 54)
    assert world.facts(FactName.VOUCHER_ENDS_SOON) == []
    assert subjects(world, ENDS_SOON) == []


def test_who_was_never_mailed_a_code_is_not_told_of_its_end() -> None:
    world = confirmed(ends_soon_days=7)
    world.export()
    pass_days(world, 54)
    assert subjects(world, ENDS_SOON) == []


def test_a_voucher_that_is_issued_too_late_for_a_reminder_has_none() -> None:
    rule = {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"}
    short = {"welcome": {"prefix": "WE", "value": "10.00", "valid_days": 20}}
    world = confirmed(ends_soon_days=30, templates=short, rules=[rule])
    voucher = by_state(world, VoucherState.ISSUED)
    assert voucher.reminds_at is None
    assert next_due_at(voucher) == voucher.valid_until


def test_a_reminder_is_on_the_morning_of_a_local_day() -> None:
    voucher = by_state(confirmed(ends_soon_days=7), VoucherState.ISSUED)
    assert voucher.reminds_at is not None
    local = voucher.reminds_at.astimezone(new_world().campaign.zone)
    ends = voucher.valid_until.astimezone(new_world().campaign.zone)
    assert (ends.date() - local.date()).days == 7
    assert (local.hour, local.minute) == (9, 0)


def test_a_reminder_is_never_sent_again_by_ops() -> None:
    world = mailed(confirmed(ends_soon_days=7))
    pass_days(world, 54)
    mail_id = mails.ends_soon_mail(by_state(world, VoucherState.ACKNOWLEDGED).voucher_id)
    asked = resend(world.ports, CAMPAIGN, mail_id, "ops")
    assert asked is ResendOutcome.NOT_A_VOUCHERS


# --- a voucher that is not valid any more --------------------------------------------------------


def rewarded() -> World:
    """The order of a referee was kept, and both were mailed what it earned."""
    world = mailed(confirmed())
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    world.export()
    world.acknowledge(2)
    world.run()
    return world


def returned(world: World) -> None:
    world.drop_orders(world.order("A1", "returned", of=NEWCOMER), file="returned")
    world.run()


def test_who_was_mailed_a_voucher_is_told_that_it_is_revoked_and_why() -> None:
    world = rewarded()
    returned(world)
    [to_referee], [to_sponsor] = subjects(world, REVOKED), subjects(world, REVOKED, VIPS[0])
    assert "retournée ou annulée" in to_referee.text
    assert "que vous avez invitée" in to_sponsor.text
    world.deliver_stream(world.facts(FactName.REWARD_REVOKED))
    world.run()
    assert len(subjects(world, REVOKED)) == 1


def test_who_was_not_mailed_a_voucher_is_not_told_that_it_is_revoked() -> None:
    world = mailed(confirmed())
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    returned(world)
    assert world.facts(FactName.REWARD_REVOKED)
    assert subjects(world, REVOKED) == subjects(world, REVOKED, VIPS[0]) == []


def test_who_wants_no_mail_at_all_is_not_told_of_a_revoked_voucher() -> None:
    world = rewarded()
    unsubscribe(world.ports, world.mailer.to(NEWCOMER)[1].tokens[0], OppositionScope.ALL)
    returned(world)
    assert subjects(world, REVOKED) == []
    assert len(subjects(world, REVOKED, VIPS[0])) == 1


def test_a_voucher_whose_mail_failed_is_not_spoken_of_again() -> None:
    world = rewarded()
    referral_id = world.facts(FactName.REFERRAL_CONFIRMED)[0].ids["referral"]
    [voucher] = [one for one in world.repository.held_by(referral_id) if one.rung == 1]
    mail = world.repository.get(Mail, mail_id=mails.voucher_mail(voucher.voucher_id))
    assert mail is not None
    world.repository.commit(Replace(replace(mail, state=MailState.FAILED)))
    returned(world)
    assert subjects(world, REVOKED) == []


# --- a confirmation ------------------------------------------------------------------------------


def test_who_confirms_is_mailed_that_we_know_it_and_what_waits() -> None:
    world = confirmed(mail_confirmations=True)
    [_, mail] = world.mailer.to(NEWCOMER)
    assert "C’est confirmé" in str(mail.message["Subject"])
    assert "en route vers les caisses" in mail.text
    assert str(mail.message["List-Unsubscribe"]).startswith("<https://")


def test_it_says_of_no_voucher_where_no_rule_grants_one() -> None:
    ladder = {"id": "ladder", "when": "order_kept", "if": {"order": 1}, "issue": "second-order",
              "to": "referee"}  # fmt: skip
    world = confirmed(mail_confirmations=True, rules=[ladder])
    assert "bon d’achat" not in world.mailer.to(NEWCOMER)[1].text


def test_the_mail_of_a_first_voucher_that_leaves_at_once_says_it_alone() -> None:
    world = confirmed(mail_confirmations=True, release="at_once")
    [_, mail] = world.mailer.to(NEWCOMER)
    assert "Bienvenue" in str(mail.message["Subject"])


def test_law_2_nothing_but_the_invitation_comes_before_a_confirmation() -> None:
    world = invited(mail_confirmations=True, ends_soon_days=7)
    pass_days(world, 13)
    assert len(world.mailer.to(NEWCOMER)) == 1


def test_who_was_erased_meanwhile_is_mailed_nothing() -> None:
    world = invited(mail_confirmations=True)
    referral = confirm(world.ports, world.token_of(NEWCOMER), "1", False)[0]
    contact = world.repository.get(Contact, contact_id=referral.contact_id)
    assert contact is not None
    world.repository.commit(Remove(contact))
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 1


# --- what each guard keeps out -------------------------------------------------------------------


def test_a_voucher_is_reminded_of_once() -> None:
    voucher = by_state(confirmed(), VoucherState.ISSUED)
    with pytest.raises(IllegalMoveError):
        reminded(voucher)


def test_time_that_comes_too_early_notes_nothing() -> None:
    world = mailed(confirmed(ends_soon_days=7))
    voucher = by_state(world, VoucherState.ACKNOWLEDGED)
    assert end_due(world.ports, Key.of(Voucher, code_key=voucher.code_key)) is False
    assert world.facts(FactName.VOUCHER_ENDS_SOON) == []


def test_who_uses_her_voucher_before_the_reminder_leaves_gets_none() -> None:
    world = mailed(confirmed(ends_soon_days=7))
    world.clock.advance(days=54)
    expire(world.ports)
    voucher = by_state(world, VoucherState.ACKNOWLEDGED)
    world.repository.commit(Replace(redeemed(voucher, "A1")))
    world.run()
    assert subjects(world, ENDS_SOON) == []


def test_a_mail_that_may_have_left_counts_as_one() -> None:
    world = rewarded()
    referral_id = world.facts(FactName.REFERRAL_CONFIRMED)[0].ids["referral"]
    [voucher] = [one for one in world.repository.held_by(referral_id) if one.rung == 1]
    mail = world.repository.get(Mail, mail_id=mails.voucher_mail(voucher.voucher_id))
    assert mail is not None
    world.repository.commit(Replace(replace(mail, state=MailState.LEASED)))
    returned(world)
    assert len(subjects(world, REVOKED)) == 1


def test_who_objects_before_the_mail_of_her_confirmation_leaves_gets_none() -> None:
    world = invited(mail_confirmations=True)
    confirm(world.ports, world.token_of(NEWCOMER), "1", False)
    unsubscribe(world.ports, world.mailer.to(NEWCOMER)[0].tokens[1], OppositionScope.ALL)
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 1


def test_without_a_first_voucher_the_confirmation_is_mailed_at_once_too() -> None:
    ladder = {"id": "ladder", "when": "order_kept", "if": {"order": 1}, "issue": "second-order",
              "to": "referee"}  # fmt: skip
    world = confirmed(mail_confirmations=True, release="at_once", rules=[ladder])
    assert "C’est confirmé" in str(world.mailer.to(NEWCOMER)[1].message["Subject"])


def test_a_used_voucher_is_not_called_invalid_when_its_order_is_returned() -> None:
    world = rewarded()
    referral_id = world.facts(FactName.REFERRAL_CONFIRMED)[0].ids["referral"]
    [voucher] = [one for one in world.repository.held_by(referral_id) if one.rung == 1]
    world.repository.commit(Replace(redeemed(voucher, "B1")))
    returned(world)
    assert world.facts(FactName.REWARD_REVOKED)
    assert subjects(world, REVOKED) == []
    assert len(subjects(world, REVOKED, VIPS[0])) == 1


def test_a_mail_is_about_the_voucher_of_its_fact_and_no_other_of_the_same_reward() -> None:
    world = rewarded()
    returned(world)
    for fact in world.facts(FactName.REWARD_REVOKED):
        body = body_as(fact, RewardRevoked)
        assert revocation_ground(world.ports, body)
        assert revocation_ground(world.ports, replace(body, voucher_id="another")) is None

    world = mailed(confirmed(ends_soon_days=7))
    world.clock.advance(days=54)
    expire(world.ports)
    [fact] = world.facts(FactName.VOUCHER_ENDS_SOON)
    reminder = body_as(fact, VoucherEndsSoon)
    assert reminder_ground(world.ports, reminder)
    assert reminder_ground(world.ports, replace(reminder, voucher_id="another")) is None
