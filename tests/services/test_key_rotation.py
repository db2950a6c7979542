"""A client changes its digest key: everybody stays known, nobody is invited twice, orders still
find their referral.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.addresses import OWN_KEY, OWN_KEY_ID, Address, AddressDigests, DigestKey
from chalicelib.domain.campaign.lists import DigestKeys
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import export_name
from chalicelib.domain.facts import FactName
from chalicelib.domain.people import Contact, Opposition, RefereeClaim, Sponsor, SponsorClaim
from chalicelib.domain.referrals import Referral
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import GoneError, UnavailableError
from chalicelib.services.ingest import Drop, ingest
from chalicelib.services.invitations.invite import Referee, invite
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.due import work_off
from chalicelib.services.operations.rekey import SETTLED_AFTER, RekeyProgress, rekey, rekey_referral
from chalicelib.services.operations.report import report
from chalicelib.services.ports import Entry, Key, Ports, Remove, Replace
from chalicelib.services.sponsors.sessions import open_session
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.due import must_not_fail, reconcile, work_off_all
from tests.fakes.fuse import killed_everywhere
from tests.fakes.ports import MemoryKeys
from tests.fakes.repository import ContestedRepository, RecordingRepository, _pair
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped

pytestmark = pytest.mark.slow

CONFIRMED, DECLINED, OPPOSED, PENDING = (
    f"{name}@gmail.com" for name in ("jeanne", "paul", "zoe", "lea")
)
NO_CANARY = {"customers": {"max_age_days": 30}, "vips": {"max_age_days": 90}}


def digest_under(key_id: str, address: str) -> str:
    [key] = MemoryKeys().in_force(DigestKeys(key_ids=(key_id,)))
    return AddressDigests.of(Address.parse(address), [key]).pairs[0].exact


def own_digests(address: str) -> tuple[str, ...]:
    return AddressDigests.of(Address.parse(address), [MemoryKeys().own()]).values


def put(world: World, *key_ids: str, **changes: Any) -> None:
    """A version of the campaign file with these keys, known to every function."""
    put_campaign(
        world.ports, campaign(digests={"key_ids": list(key_ids)}, lists=NO_CANARY, **changes)
    )
    world.clock.advance(minutes=1)


def drop_list(
    world: World, name: str, addresses: list[str], key_id: str, of: str = CAMPAIGN
) -> None:
    """A full list made with that key, and its manifest, of any campaign."""
    lines = ["digest", *(digest_under(key_id, address) for address in addresses)]
    content = "\n".join(lines).encode()
    manifest = {
        "rows": len(addresses),
        "sha256": hashlib.sha256(content).hexdigest(),
        "key_id": key_id,
        "generated_at": world.clock().isoformat(),
    }
    one = Drop(of, f"{name}/full/{key_id}.csv", world.clock())
    world.files.content[one.key] = content
    beside = one.key.replace(".csv", ".manifest.json")
    world.files.content[beside] = json.dumps(manifest).encode()
    receipt = ingest(world.ports, one)
    assert receipt
    assert receipt.status == "accepted", receipt
    world.run()


def drop_both_lists(world: World, key_id: str, of: str = CAMPAIGN) -> None:
    drop_list(world, "customers", [*CUSTOMERS, *VIPS], key_id, of)
    drop_list(world, "vips", VIPS, key_id, of)


def settle(world: World) -> dict[str, int]:
    """Let the functions forget the version before, and the schedule run."""
    world.clock.advance(minutes=SETTLED_AFTER.total_seconds() / 60)
    return reconcile(world.ports)


def answered_in_every_way(world: World) -> None:
    """Four referees of one sponsor: one confirms, one declines, one opposes, one waits."""
    session = world.sponsor()
    world.invite(session, CONFIRMED, DECLINED, OPPOSED, PENDING)
    world.run()
    world.confirm(CONFIRMED)
    decline(world.ports, world.token_of(DECLINED))
    oppose(world, OPPOSED)
    world.run()


def oppose(world: World, address: str) -> None:
    header = str(world.mailer.to(address)[0].message["List-Unsubscribe"])
    unsubscribe(world.ports, header.strip("<>").rsplit("/", 1)[1])


def report_order(world: World, order_id: str, address: str, key_id: str) -> None:
    row = world.order(order_id, "kept", email_digest=digest_under(key_id, address))
    assert world.drop_orders(row, file=order_id).status == "accepted"
    world.run()


def rewarded(world: World, address: str) -> list[int]:
    """The rungs of the ladder that were granted to the referee known by that address."""
    issued = world.facts(FactName.VOUCHER_ISSUED)
    referrals = {one.referral_id for one in world.memory.all(Referral) if is_of(one, address)}
    return sorted(
        int(fact.details["rung"] or 0)
        for fact in issued
        if fact.details["holder"] == "referee" and fact.ids["referral"] in referrals
    )


def is_of(referral: Referral, address: str) -> bool:
    return referral.referee.under(OWN_KEY_ID).exact == own_digests(address)[0]


def refused_to(world: World, sponsor: str, *addresses: str) -> list[object]:
    """Why each address is refused to another sponsor; no mail may have gone to any."""
    session = world.sponsor(sponsor)
    before = len(world.mailer.sent)
    world.invite(session, *addresses)
    world.run()
    assert len(world.mailer.sent) == before
    facts = world.facts(FactName.INVITATION_REFUSED)[-len(addresses) :]
    return [fact.details["reason"] for fact in facts]


def test_laws_1_and_2_a_whole_change_of_keys_forgets_nobody() -> None:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    put(world, "k2", "k1")
    found = settle(world)
    assert {name: value for name, value in found.items() if value} == {
        "referrals_to_rekey": 1, "campaigns_to_rekey": 1, "referrals_rekeyed": 1,
    }  # fmt: skip
    report_order(world, "A1", CONFIRMED, "k2")
    assert rewarded(world, CONFIRMED) == [0, 1]
    drop_both_lists(world, "k2")
    world.confirm(PENDING)
    report_order(world, "B1", PENDING, "k2")
    everybody = (CONFIRMED, DECLINED, OPPOSED, PENDING)
    assert refused_to(world, VIPS[1], *everybody) == ["already_invited"] * 4
    put(world, "k2")
    report_order(world, "A2", CONFIRMED, "k2")
    assert rewarded(world, CONFIRMED) == [0, 1, 2]
    assert rewarded(world, PENDING) == [0, 1]
    assert refused_to(world, VIPS[2], *everybody) == ["already_invited"] * 4
    assert [len(world.mailer.to(address)) for address in everybody] == [1] * 4
    assert len(world.memory.all(Sponsor)) == 3


def test_orders_of_a_new_key_are_strangers_while_nobody_is_rekeyed() -> None:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    put(world, "k2", "k1")
    report_order(world, "A1", CONFIRMED, "k2")
    assert rewarded(world, CONFIRMED) == [0]
    settle(world)
    # The same order dropped again once they are known: nothing was lost.
    row = world.order("A1", "kept", email_digest=digest_under("k2", CONFIRMED))
    world.drop_orders(row, file="again")
    world.run()
    assert rewarded(world, CONFIRMED) == [0, 1]


def test_laws_1_and_2_hold_when_the_keys_are_changed_without_an_overlap() -> None:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    put(world, "k2")
    drop_both_lists(world, "k2")
    everybody = (CONFIRMED, DECLINED, OPPOSED, PENDING)
    assert refused_to(world, VIPS[1], *everybody) == ["already_invited"] * 4
    assert len(world.memory.all(Sponsor)) == 2
    world.sponsor()
    assert len(world.memory.all(Sponsor)) == 2  # the one of before, known again


class ChangingOwnKey(MemoryKeys):
    """Keys of which ours is no better than the client's."""

    def __init__(self) -> None:
        self.drawn = b"first"

    def own(self) -> DigestKey:
        return DigestKey(OWN_KEY_ID, secret=self.drawn)


def test_law_2_breaks_when_our_own_key_changes_with_the_clients() -> None:
    world = new_world(lists=NO_CANARY)
    keys = ChangingOwnKey()
    world.ports = replace(world.ports, keys=keys)
    answered_in_every_way(world)
    keys.drawn = b"second"
    put(world, "k2")
    drop_both_lists(world, "k2")
    world.invite(world.sponsor(VIPS[1]), CONFIRMED)
    world.run()
    assert len(world.mailer.to(CONFIRMED)) == 2


def test_an_opposition_holds_in_a_campaign_of_the_brand_with_other_keys() -> None:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    other = campaign(campaign="demo-two", digests={"key_ids": ["k9"]}, lists=NO_CANARY)
    put_campaign(world.ports, other)
    drop_both_lists(world, "k9", of="demo-two")
    request_sign_in(world.ports, "demo-two", Address.parse(VIPS[1]))
    world.run()
    token = world.mailer.to(VIPS[1])[-1].tokens[0]
    _, session = open_session(world.ports, "demo-two", token, "Anne")
    mails = len(world.mailer.sent)
    invite(
        world.ports,
        session,
        [Referee(Address.parse(OPPOSED)), Referee(Address.parse("z.oe@gmail.com"))],
        None,
    )
    world.run()
    refused = world.facts(FactName.INVITATION_REFUSED)
    assert [fact.details["reason"] for fact in refused] == ["opposed", "opposed"]
    assert len(world.mailer.sent) == mails


def test_digests_under_our_own_key_never_leave() -> None:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    put(world, "k2", "k1")
    settle(world)
    report_order(world, "A1", CONFIRMED, "k2")
    world.export()
    world.run()
    report(world.ports, world.campaign)
    [referral] = world.memory.all(Referral)
    assert referral.referee_digest == digest_under("k2", CONFIRMED)
    assert referral.sponsor_digest == digest_under("k2", VIPS[0])
    holders = {row["holder_digest"] for row in world.exported(1)}
    assert holders <= {
        digest_under(key_id, one) for one in (CONFIRMED, VIPS[0]) for key_id in ("k1", "k2")
    }
    own = {digest for one in (CONFIRMED, *VIPS) for digest in own_digests(one)}
    written = repr(world.facts()) + repr(world.files.under("out/")) + repr(unpacked(world))
    assert not [digest for digest in own if digest in written]


def test_a_row_names_the_key_of_its_digest_not_the_campaigns_first() -> None:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    put(world, "k2", "k1")
    report_order(world, "A1", CONFIRMED, "k1")
    world.run()
    world.export()
    assert {row["key_id"] for row in world.exported(1)} == {"k1"}


def test_each_row_of_an_export_names_the_key_of_its_digest() -> None:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    put(world, "k2", "k1")
    settle(world)
    report_order(world, "A1", CONFIRMED, "k2")
    world.run()
    world.export()
    rows = world.exported(1)
    assert {row["key_id"] for row in rows} == {"k1", "k2"}
    for row in rows:
        holder = VIPS[0] if row["holder"] == "sponsor" else CONFIRMED
        assert row["holder_digest"] == digest_under(row["key_id"], holder)
    path = f"out/{CAMPAIGN}/vouchers/{export_name(1)}.manifest.json"
    assert json.loads(world.files.content[path])["key_id"] is None


def unpacked(world: World) -> list[dict[str, str]]:
    assert f"out/{CAMPAIGN}/vouchers/{export_name(1)}.csv.gz" in world.files.content
    return world.exported(1)


# --- what was stored before there was a key of our own --------------------------------------------


def as_before_our_own_key(world: World) -> None:
    """Remove every digest under our own key from the store, as if it had never existed."""
    own = {
        digest: digest_under("k1", address)
        for address in (CONFIRMED, DECLINED, OPPOSED, PENDING, *VIPS)
        for digest in own_digests(address)
    }
    for key, item in list(world.memory._items.items()):
        if isinstance(item, Opposition):
            del world.memory._items[key]
            earlier = replace(item, digest=own[item.digest])
            world.memory._items[_pair(schema.key_of(earlier))] = earlier
        elif getattr(item, "digest", None) in own:
            del world.memory._items[key]
        else:
            world.memory._items[key] = without_own(item)


def without_own(item: Entity) -> Entity:
    for name in ("digests", "referee"):
        known = getattr(item, name, None)
        if isinstance(known, AddressDigests):
            pairs = tuple(pair for pair in known.pairs if pair.key_id != OWN_KEY_ID)
            item = replace(item, **{name: AddressDigests(pairs)})  # type: ignore[arg-type]
    return item


def before_our_own_key() -> World:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    oppose(world, CONFIRMED)  # after confirming
    as_before_our_own_key(world)
    return world


def test_what_was_stored_before_our_own_key_is_found_under_the_clients() -> None:
    world = before_our_own_key()
    everybody = (CONFIRMED, DECLINED, OPPOSED, PENDING)
    assert refused_to(world, VIPS[1], *everybody) == ["already_invited"] * 4
    world.sponsor()
    assert len(world.memory.all(Sponsor)) == 2


def test_referrals_and_their_sponsors_of_before_are_rekeyed_with_their_oppositions() -> None:
    world = before_our_own_key()
    assert settle(world)["referrals_rekeyed"] == 1
    [referral] = world.memory.all(Referral)
    [sponsor] = world.memory.all(Sponsor)
    assert referral.referee.key_ids == sponsor.digests.key_ids == ("k1", OWN_KEY_ID)
    for kind, address in (
        (RefereeClaim, CONFIRMED), (Opposition, CONFIRMED), (SponsorClaim, VIPS[0]),
    ):  # fmt: skip
        stored = {one.digest for one in world.memory.all(kind)}  # type: ignore[attr-defined]
        assert set(own_digests(address)) <= stored, kind


def test_people_of_before_get_the_mailbox_form_though_no_key_of_the_client_changed() -> None:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    settle(world)
    for key, item in list(world.memory._items.items()):
        world.memory._items[key] = as_before_mailboxes(item)
    assert settle(world)["referrals_rekeyed"] == 1
    [referral] = world.memory.all(Referral)
    [sponsor] = world.memory.all(Sponsor)
    assert referral.referee.key_ids == sponsor.digests.key_ids == ("k1", OWN_KEY_ID, OWN_KEY)
    assert "referrals_rekeyed" not in settle(world)


def as_before_mailboxes(item: Entity) -> Entity:
    if isinstance(item, CurrentCampaign):
        assert item.rekeyed_for == ("k1", OWN_KEY_ID)
        return replace(item, rekeyed_for=("k1",))
    for name in ("digests", "referee"):
        known = getattr(item, name, None)
        if isinstance(known, AddressDigests):
            pairs = (
                replace(pair, key_id=OWN_KEY if pair.key_id == OWN_KEY_ID else pair.key_id)
                for pair in known.pairs
            )
            item = replace(item, **{name: AddressDigests(tuple(pairs))})  # type: ignore[arg-type]
    return item


def test_who_confirms_is_claimed_under_the_keys_in_force_by_then() -> None:
    world = before_our_own_key()
    put(world, "k2", "k1")
    world.confirm(PENDING)
    claimed = {one.digest for one in world.memory.all(RefereeClaim)}
    assert {digest_under("k2", PENDING), *own_digests(PENDING)} <= claimed
    [made] = [one for one in world.memory.all(Referral) if one.referee.key_ids[0] == "k2"]
    assert made.sponsor_digest == digest_under("k2", VIPS[0])
    [sponsor] = world.memory.all(Sponsor)
    assert sponsor.digests.key_ids == ("k2", "k1", OWN_KEY_ID)


def test_a_sponsor_who_signs_in_is_known_under_the_keys_in_force_by_then() -> None:
    world = before_our_own_key()
    put(world, "k2", "k1")
    world.sponsor()
    put(world, "k2")
    drop_both_lists(world, "k2")
    world.sponsor()
    [sponsor] = world.memory.all(Sponsor)
    assert sponsor.digests.key_ids == ("k2", "k1", OWN_KEY_ID)


def test_law_1_two_invitations_of_one_person_never_make_two_referrals() -> None:
    world = before_our_own_key()
    # Nothing of before is left to be found by: the worst that a change of keys can do.
    put(world, "k2")
    drop_both_lists(world, "k2")
    world.invite(world.sponsor(VIPS[1]), PENDING)
    world.run()
    first, second = (mail.tokens[0] for mail in world.mailer.to(PENDING))
    with pytest.raises(GoneError):
        confirm(world.ports, first, "1", False)
    assert confirm(world.ports, second, "1", False)[1]


# --- how the work is done -------------------------------------------------------------------------


def three_to_rekey() -> World:
    world = new_world(lists=NO_CANARY)
    session = world.sponsor()
    world.invite(session, CONFIRMED, DECLINED, PENDING)
    world.run()
    for address in (CONFIRMED, DECLINED, PENDING):
        world.confirm(address)
    world.run()
    put(world, "k2", "k1")
    return world


def listed(world: World) -> CurrentCampaign:
    found = world.repository.get(CurrentCampaign, campaign=CAMPAIGN)
    assert found
    return found


def known_by(world: World, key_id: str) -> int:
    return sum(key_id in one.referee.key_ids for one in world.memory.all(Referral))


def done(world: World, ports: Ports | None = None) -> dict[str, int]:
    """What a run of reconcile finds, and what is then done about it."""
    found = reconcile(ports or world.ports)
    return {
        name.removeprefix("referrals_"): found[name]
        for name in ("referrals_to_rekey", "referrals_rekeyed", "referrals_without_address")
        if found.get(name)
    }


def test_a_run_hands_out_what_is_left_and_the_next_one_finds_nothing() -> None:
    world = three_to_rekey()
    world.clock.advance(hours=1)
    assert rekey(world.ports, listed(world)) == RekeyProgress(left=3)
    assert {stretch.scope for stretch in world.queues.stretches} == {CAMPAIGN}
    assert known_by(world, "k2") == 0
    assert work_off_all(world.ports)["referrals_rekeyed"] == 3
    assert rekey(world.ports, listed(world)) == RekeyProgress(complete=True)
    assert rekey(world.ports, listed(world)) == RekeyProgress(complete=True)
    assert world.queues.stretches == []
    assert known_by(world, "k2") == 3


def test_nothing_is_looked_at_once_all_are_known() -> None:
    world = three_to_rekey()
    settle(world)
    settle(world)
    put(world, "k2", "k1", invitation_days=7)  # another version, the same keys
    ports = replace(world.ports, repository=NoReferrals(world.repository))
    assert rekey(ports, listed(world)) == RekeyProgress(complete=True)
    put(world, "k2")
    with pytest.raises(AssertionError):
        rekey(replace(world.ports, repository=NoReferrals(world.repository)), listed(world))


class NoReferrals(RecordingRepository):
    """A store whose agendas must not be read."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.agenda = self.stretches = self.entries = must_not_be_read


def must_not_be_read(*_: object, **__: object) -> Any:
    raise AssertionError("an agenda was read")


def test_what_is_complete_is_not_read_while_others_are_rekeyed() -> None:
    world = three_to_rekey()
    world.clock.advance(hours=1)
    rekey(world.ports, listed(world))
    [first, *_] = world.queues.stretches
    work_off(world.ports, first, must_not_fail)
    recorded = RecordingRepository(world.repository)
    ports = replace(world.ports, repository=recorded)
    assert work_off(ports, first, must_not_fail) == {}
    assert recorded.calls == []


def test_a_complete_referral_that_no_version_has_marked_is_marked() -> None:
    world = new_world(lists=NO_CANARY)
    referral = world.referral(CONFIRMED)
    key = Key.of(Referral, referral_id=referral.referral_id)
    before = world.repository.get(Referral, referral_id=referral.referral_id)
    assert before
    assert rekey_referral(world.ports, CAMPAIGN, Entry(key, "2026-03-02T09:00:00.000000Z")) is None
    [after] = world.memory.all(Referral)
    assert after == replace(before, revision=before.revision + 1)


def test_a_version_put_just_now_is_looked_at_again() -> None:
    world = three_to_rekey()
    assert done(world) == {"to_rekey": 3, "rekeyed": 3}
    assert not rekey(world.ports, listed(world)).complete
    # Confirmed by a function that still worked with the version before.
    late = world.memory.all(Referral)[0]
    pairs = (late.referee.under("k1"), late.referee.under(OWN_KEY_ID))
    world.repository.commit(Replace(replace(late, referee=AddressDigests(pairs))))
    world.clock.advance(hours=1)
    assert done(world) == {"to_rekey": 1, "rekeyed": 1}
    assert rekey(world.ports, listed(world)).complete
    assert known_by(world, "k2") == 3


def test_a_referral_whose_address_is_gone_keeps_its_digests_and_is_skipped() -> None:
    world = three_to_rekey()
    [contact] = [one for one in world.memory.all(Contact) if one.address.typed == DECLINED]
    world.repository.commit(Remove(contact))
    world.clock.advance(hours=1)
    assert done(world) == {"to_rekey": 3, "rekeyed": 2, "without_address": 1}
    assert known_by(world, "k2") == 2
    put(world, "k3", "k2")
    world.clock.advance(hours=1)
    assert done(world) == {"to_rekey": 2, "rekeyed": 2}
    assert rekey(world.ports, listed(world)).complete


def test_a_referral_without_an_address_is_counted_once_though_its_message_comes_twice() -> None:
    world = three_to_rekey()
    [contact] = [one for one in world.memory.all(Contact) if one.address.typed == DECLINED]
    world.repository.commit(Remove(contact))
    [referral] = [one for one in world.memory.all(Referral) if is_of(one, DECLINED)]
    entry = Entry(Key.of(Referral, referral_id=referral.referral_id), "")
    outcomes = [rekey_referral(world.ports, CAMPAIGN, entry) for _ in range(2)]
    assert outcomes == ["referrals_without_address", None]


def test_an_order_meanwhile_is_not_lost_and_the_referral_rekeyed_all_the_same() -> None:
    world = three_to_rekey()
    world.clock.advance(hours=1)

    def competitor() -> None:
        report_order(world, "A1", CONFIRMED, "k1")

    ports = wrapped(world, lambda inner: ContestedRepository(inner, competitor))
    done(world, ports)
    assert known_by(world, "k2") == 3
    [referral] = [one for one in world.memory.all(Referral) if is_of(one, CONFIRMED)]
    assert (referral.orders, referral.referee.key_ids) == (1, ("k2", "k1", OWN_KEY_ID))


def test_a_version_put_meanwhile_is_not_marked() -> None:
    world = three_to_rekey()
    world.clock.advance(hours=1)
    of_before = listed(world)
    assert done(world)["rekeyed"] == 3
    assert rekey(world.ports, of_before).complete
    put(world, "k3", "k2")
    stale = replace(of_before, revision=listed(world).revision - 1)
    assert not rekey(world.ports, stale).complete
    assert listed(world).rekeyed_for == ("k2", "k1", OWN_KEY_ID)


def test_killed_at_every_step_and_run_again_all_are_known() -> None:
    def begin() -> World:
        world = before_our_own_key()
        put(world, "k2", "k1")
        world.clock.advance(hours=1)
        return world

    def run(world: World, ports: Ports) -> None:
        rekey(ports, listed(world))
        work_off_all(ports, world.queues)
        rekey(ports, listed(world))

    worlds = killed_everywhere(begin, run, lambda world: world.ports)
    assert len(worlds) > 20
    for world in worlds:
        reconcile(world.ports)
        reconcile(world.ports)
        assert listed(world).rekeyed_for == ("k2", "k1", OWN_KEY_ID)
        assert known_by(world, "k2") == 1
        claimed = {one.digest for one in world.memory.all(RefereeClaim)}
        assert {digest_under("k2", CONFIRMED), *own_digests(CONFIRMED)} <= claimed


def test_the_sponsor_meanwhile_invites_and_is_not_set_back() -> None:
    world = three_to_rekey()
    session = world.sponsor()
    as_before = next(one for one in world.memory.all(Sponsor))
    world.repository.commit(
        Replace(replace(as_before, digests=AddressDigests((as_before.digests.under("k1"),))))
    )
    world.clock.advance(hours=1)

    def competitor() -> None:
        world.invite(session, "new@example.fr")

    ports = wrapped(world, lambda inner: ContestedRepository(inner, competitor))
    assert done(world, ports)["rekeyed"] == 3
    [sponsor] = world.memory.all(Sponsor)
    assert (sponsor.invited, sponsor.digests.key_ids[0]) == (4, "k2")


# --- each list is looked up with its own key
# ----------------------------------------------------------


def test_two_lists_made_with_different_keys_are_each_asked_with_their_own() -> None:
    world = new_world(lists=NO_CANARY)
    put(world, "k2", "k1")
    drop_list(world, "customers", [*CUSTOMERS, *VIPS], "k2")  # the VIPs are still under k1
    session = world.sponsor()
    world.invite(session, CUSTOMERS[0], CONFIRMED)
    world.run()
    [refused] = world.facts(FactName.INVITATION_REFUSED)
    assert refused.details["reason"] == "customer"
    assert len(world.mailer.to(CONFIRMED)) == 1


def test_a_list_of_two_keys_ago_still_shows_who_was_a_newcomer_at_the_first_order() -> None:
    world = new_world(lists=NO_CANARY)
    world.referral(CONFIRMED)
    ordered = world.order("A1", "kept", email_digest=digest_under("k3", CONFIRMED))
    for key_ids in (("k2", "k1"), ("k3", "k2")):
        put(world, *key_ids)
        settle(world)
        drop_both_lists(world, key_ids[0])
    world.drop_orders(ordered)
    world.run()
    assert rewarded(world, CONFIRMED) == [0, 1]
    [referral] = world.memory.all(Referral)
    assert referral.newcomer_list_version == 1


def test_law_3_a_list_made_with_a_key_that_is_gone_answers_nothing() -> None:
    world = new_world(lists=NO_CANARY)
    world.invite(world.sponsor(), CONFIRMED)
    world.run()
    put(world, "k2")
    session = world.sponsor  # nobody signs in: the VIP list cannot be asked
    with pytest.raises(IndexError):
        session(VIPS[1])
    refused = world.facts(FactName.SIGN_IN_REFUSED)[-1]
    assert refused.details["reason"] == "list_unavailable"
    with pytest.raises(UnavailableError):
        world.confirm(CONFIRMED)
    drop_list(world, "customers", [*CUSTOMERS, *VIPS], "k2")
    assert world.confirm(CONFIRMED).customers_version == 2
