"""Files of a table that was taken back: their numbers are taken, and what is in them is known."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.changes_files import ChangesFile
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.files.exports import ReferralLine, referral_file, referral_rows
from chalicelib.domain.mails import Mail
from chalicelib.domain.orders import Order
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ingest import ingest
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.operations.report import report
from chalicelib.services.restoring.adopt import adopt
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.export import export_vouchers
from tests.fakes.campaign import CAMPAIGN, templates
from tests.fakes.fuse import Fuse, KilledError
from tests.fakes.till import Till
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_restored_mails import known as known_mails
from tests.services.test_restored_out_of_order import on_other_clocks
from tests.services.test_restored_people import known
from tests.services.test_restoring import (
    JEANNE,
    MARIE,
    PAUL,
    bring_forward,
    by_call,
    numbers,
    restore,
    take,
)

MANY = 105  # more than one transaction takes


def never_projected(name: FactName) -> Callable[[str, Fact], bool]:
    """What a projector loses of the facts of that name, from now on."""
    return lambda consumer, fact: consumer == "project" and fact.name == name


def killed_before_its_file(world: World) -> None:
    """An export is taken into parts and sealed, and its run is killed before it writes the file."""
    fuse = Fuse(1, after_the_effect=False)
    with suppress(KilledError):
        export_vouchers(replace(world.ports, files=fuse.on(world.ports).files), world.campaign)
    world.run()


def in_exports(world: World) -> dict[str, int | None]:
    return {one.voucher_id: one.export for one in world.memory.all(Voucher)}


def test_law_5_an_export_of_many_vouchers_is_taken_whole_from_its_file() -> None:
    till = Till(new_world())
    world = till.world
    for _ in range(MANY):
        till.issue()
    taken = take(world)
    world.loses = never_projected(FactName.VOUCHERS_EXPORTED)
    world.export()
    world.run()
    was = in_exports(world)
    restore(world, taken)
    adopt(world.ports, taken.at)
    assert in_exports(world) == was
    [export] = world.memory.all(Export)
    assert (export.state, export.rows) == (ExportState.WRITTEN, MANY)
    assert world.export() is None


def test_law_5_a_file_of_many_changes_is_taken_whole_and_again_changes_nothing() -> None:
    till = Till(new_world())
    world = till.world
    keys = [till.issue() for _ in range(MANY)]
    world.export()
    world.run()
    for number, key in enumerate(keys):
        till.redeem(key, f"A{number}")
    taken = take(world)
    write_changes(world.ports, world.campaign)
    world.run()
    restore(world, taken)
    adopt(world.ports, taken.at)
    [file] = world.memory.all(ChangesFile)
    assert (file.state, file.rows) == (ExportState.WRITTEN, MANY)
    assert world.memory.all(VoucherChange) == []
    assert write_changes(world.ports, world.campaign) == []
    items = dict(world.memory._items)
    adopt(world.ports, taken.at)
    assert world.memory.all(ChangesFile) == [file]
    assert world.memory._items.keys() == items.keys()


def test_law_5_changes_of_a_voucher_that_only_files_have_keep_their_number_taken() -> None:
    world = new_world()
    world.invite(world.sponsor(), JEANNE, PAUL)
    world.run()
    taken = take(world)
    world.projects = False
    world.confirm(JEANNE)
    world.run()
    world.export()
    by_call(world, "welcome", "T1")
    [file] = write_changes(world.ports, world.campaign)
    restore(world, taken)
    world.projects = True
    [done] = bring_forward(world, taken)
    assert (done.exports, done.changes) == ([1], [1])
    assert [one.acknowledged_at for one in world.memory.all(Export)] == [None]
    world.confirm(PAUL)
    world.run()
    for _ in range(2):
        world.export()
        world.run()
    [code] = [one["code"] for one in world.exported(2)]
    assert code
    by_call(world, "welcome", "T2")
    written = [one.number for one in write_changes(world.ports, world.campaign)]
    assert file.number == 1
    assert written[-1] == 2


def test_law_5_an_export_without_its_file_takes_no_voucher_of_another_one() -> None:
    till = Till(new_world())
    world = till.world
    for _ in range(9):
        till.issue()
    taken = take(world)
    world.loses = lambda consumer, fact: consumer == "project" and fact.details.get("export") == 1
    fuse = Fuse(5, after_the_effect=False)  # looked for, file, manifest; looked for, file
    ports = replace(world.ports, files=fuse.on(world.ports).files)
    with suppress(KilledError):
        export_vouchers(ports, world.campaign, file_rows=8)
    world.run()
    was = in_exports(world)
    assert sorted(filter(None, was.values())) == [*[1] * 8, 2]
    restore(world, taken)
    adopt(world.ports, taken.at)
    assert in_exports(world) == was


def test_law_5_an_export_without_its_file_waits_for_what_was_issued_by_another_clock() -> None:
    world = on_other_clocks()
    world.invite(world.sponsor(), JEANNE, PAUL)
    world.run()
    taken = take(world)
    world.confirm(JEANNE)
    world.confirm(PAUL)
    world.run()
    killed_before_its_file(world)
    was = in_exports(world)
    restore(world, taken)
    [done] = adopt(world.ports, taken.at)
    assert done.without_state == []
    assert in_exports(world) == was
    assert [one.rows for one in world.memory.all(Export)] == [2]


def test_law_5_a_file_that_was_noted_long_after_it_was_written_is_noted_once() -> None:
    world = new_world()
    world.referral(JEANNE)
    fuse = Fuse(3, after_the_effect=False)  # looked for, file, manifest
    with suppress(KilledError):
        export_vouchers(replace(world.ports, files=fuse.on(world.ports).files), world.campaign)
    world.run()
    assert numbers(world) == [1]
    world.clock.advance(hours=3)
    taken = take(world)
    world.export()
    world.run()
    was = known(world, Export)
    restore(world, taken)
    [done] = bring_forward(world, taken)
    world.export()
    world.run()
    assert known(world, Export) == was
    assert done.without_state == []


def test_only_files_of_the_time_since_are_read_and_named() -> None:
    world = new_world()
    world.referral(JEANNE)
    world.export()
    world.run()
    world.clock.advance(hours=3)
    taken = take(world)
    world.referral(PAUL, VIPS[1])
    world.export()
    world.run()
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert done.exports == [2]


def test_killed_anywhere_and_run_again_a_mail_of_an_exported_voucher_is_known() -> None:
    world = new_world(release="at_once")
    world.invite(world.sponsor(), JEANNE)
    world.run()
    taken = take(world)
    world.confirm(JEANNE)
    world.run()
    world.clock.advance(milliseconds=1)
    world.export()
    world.run()
    was, calls = known_mails(world), 0
    files = dict(world.files.content)
    while True:
        calls += 1
        restore(world, taken)
        world.files.content = dict(files)
        fuse = Fuse(calls, after_the_effect=False)
        with suppress(KilledError):
            adopt(fuse.on(world.ports), taken.at)
        if fuse.left > 0:
            break
        adopt(world.ports, taken.at)
        assert known_mails(world) == was
    assert calls > 20


def test_law_5_a_code_that_another_voucher_has_got_since_takes_that_one_into_no_export() -> None:
    world = new_world(templates=templates(welcome={"codes": "client"}))
    world.drop("codes/welcome/codes.csv", b"code\nRETAIL-000001\n")
    world.invite(world.sponsor(), JEANNE, PAUL)
    world.run()
    taken = take(world)
    world.projects = False
    world.confirm(JEANNE)
    world.run()
    world.export()
    [row] = world.exported(1)
    restore(world, taken)
    world.confirm(PAUL)
    world.run()
    [voucher] = world.memory.all(Voucher)
    assert (voucher.code, voucher.voucher_id != row["voucher"]) == (row["code"], True)
    [done] = adopt(world.ports, taken.at)
    assert done.unknown_vouchers == [row["voucher"]]
    assert in_exports(world) == {voucher.voucher_id: None}


# --- what else is outside the table ---------------------------------------------------------------


def test_an_order_file_dropped_before_the_moment_and_processed_after_it_gives_the_date() -> None:
    world = new_world()
    world.referral(JEANNE)
    world.clock.advance(hours=2)
    row = world.order("A1", of=JEANNE)
    lines = "\n".join([",".join(row), ",".join(row.values())])
    drop = world.put_file("orders/late.csv", lines.encode())
    world.clock.advance(minutes=30)
    taken = take(world)
    world.clock.advance(minutes=1)
    ingest(world.ports, drop)
    world.run()
    was = known(world, Order)
    restore(world, taken)
    adopt(world.ports, taken.at)
    assert known(world, Order) == was


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("orders/broken.csv", b"order_id\nA1\n"),
        ("orders/archive/old.csv", None),
    ],
)
def test_a_file_that_is_none_of_orders_says_nothing_of_dates(
    path: str, content: bytes | None
) -> None:
    world = new_world()
    world.referral(JEANNE)
    world.clock.advance(hours=1)
    taken = take(world)
    row = world.order("A1", of=JEANNE)
    earlier = row | {"ordered_at": "2026-01-02T09:00:00+00:00"}
    lines = "\n".join([",".join(earlier), ",".join(earlier.values())])
    world.put_file(path, content or lines.encode())
    world.drop_orders(row)
    world.run()
    was = known(world, Order)
    restore(world, taken)
    adopt(world.ports, taken.at)
    assert known(world, Order) == was


def test_a_fact_of_a_later_version_is_kept_and_changes_nothing() -> None:
    world = new_world()
    taken = take(world)
    world.referral(JEANNE)
    [fact] = world.facts(FactName.REFERRAL_CONFIRMED)
    later = replace(fact, fact_id="later", name="referral_praised")
    world.repository.commit(facts=[later])
    world.run()
    restore(world, taken)
    adopt(world.ports, taken.at)
    assert [one.name for one in world.repository.stored([later])] == ["referral_praised"]


def test_a_sponsor_of_whom_a_table_says_nothing_is_nobody_and_the_referee_stays() -> None:
    world = new_world()
    world.sponsor(VIPS[0])
    taken = take(world)
    world.referral(MARIE, VIPS[1])
    report(world.ports, world.campaign)
    [path] = world.files.under(f"out/{CAMPAIGN}/referrals/")
    [row] = [ReferralLine.parse(text) for text in referral_rows([world.files.content[path]])]
    erased = replace(row, sponsor_digest="")
    world.files.content[path] = referral_file([erased.text])
    restore(world, taken)
    [done] = adopt(world.ports, taken.at)
    [referral] = world.memory.all(Referral)
    assert referral.sponsor_digest == ""
    assert FactName.SIGN_IN_GRANTED in {fact.name for fact in done.without_state}


def test_law_4_a_voucher_issued_before_the_moment_and_mailed_after_it_was_mailed() -> None:
    world = new_world(release="at_once")
    world.invite(world.sponsor(), JEANNE)
    world.run()
    world.mailer.answers = [MailNotSentError("Throttling", final=False)] * 10
    world.confirm(JEANNE)
    world.run()
    world.clock.advance(minutes=10)
    taken, world.mailer.answers = take(world), []
    world.run()
    was = known_mails(world)
    assert len(was) == len(world.memory.all(Mail)) == 3
    restore(world, taken)
    bring_forward(world, taken)
    check_facts(world.ports)
    world.run()
    assert known_mails(world) == was
    assert len(world.mailer.to(JEANNE)) == 2
