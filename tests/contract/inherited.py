"""The world that an earlier version stored, handled by this one.

In memory, where items come through the codec as they would from the table; or on AWS as moto has
it, where every transaction copies the whole table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.codec import entity_of, fact_from_json, fact_of
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.adapters.lists.building import SegmentBuilder
from chalicelib.adapters.lists.current import CurrentLists
from chalicelib.adapters.s3 import BucketFiles, BucketSegments
from chalicelib.domain.files.receipt import Receipt
from chalicelib.domain.lists.model import CurrentList
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.file_ports import Files
from chalicelib.services.ingest import Drop, ingest
from chalicelib.services.ports import Agenda, Repository
from tests.contract.aws import new_bucket
from tests.contract.kept import COUNT, FACT, KINDS, Item, KeptWorld, kind_of
from tests.fakes.aws_table import make_table
from tests.fakes.campaign import CAMPAIGN, digest, digests
from tests.fakes.ports import MemoryFiles
from tests.fakes.repository import MemoryRepository
from tests.fakes.world import World
from tests.reference.stores import MemoryStore

_numbers = count(1)


class Inherited(World):
    """The world of an earlier version, an hour later."""

    def __init__(
        self,
        before: KeptWorld,
        store: Repository,
        files: Files,
        segments: MemoryStore | BucketSegments,
    ) -> None:
        self.before = before
        super().__init__(store=store)
        self.clock.now = before.now + timedelta(hours=1)
        for _ in range(before.codes_drawn):
            self.ports.codes.identifier()
        self.ports = replace(
            self.ports,
            files=files,
            lists=CurrentLists(self.repository, segments, self.clock),
            list_builder=lambda: SegmentBuilder(segments),
        )
        # What the stream had still to deliver, from where that version stored it.
        waiting = map(fact_from_json, before.messages)
        self.repository.stream += [replace(fact, by_subject=True) for fact in waiting]

    def drop(self, path: str, content: bytes, campaign: str = CAMPAIGN) -> Receipt:
        self.clock.advance(seconds=1)
        one = Drop(campaign, path, self.clock(), "01")
        self.ports.files.write(one.key, content)
        receipt = ingest(self.ports, one)
        assert receipt
        return receipt

    def current(self, name: str = "customers") -> CurrentList:
        """The list in force."""
        found = self.repository.get(CurrentList, campaign=CAMPAIGN, name=name)
        assert found
        return found

    def found(self, address: str, name: str = "customers") -> str | None:
        """What the current list says of an address."""
        return self.ports.lists.find(name, CAMPAIGN, 30, digests(address)).found

    def vouchers(self) -> list[Voucher]:
        """Those of before and those issued since, of the campaign."""
        holders = {item["holder_id"]["S"] for item in self.before.items if "holder_id" in item}
        holders |= {fact.ids["holder"] for fact in self.repository.stream if "holder" in fact.ids}
        held = [voucher for holder in holders for voucher in self.repository.held_by(holder)]
        return [voucher for voucher in held if voucher.campaign == CAMPAIGN]

    def referral_of(self, address: str) -> Referral:
        """The referral of a referee, by their digest."""
        referrals = self.repository.agenda(Referral, Agenda.REFERRALS, CAMPAIGN)
        return next(one for one in referrals if one.referee_digest == digest(address))


class ItemRepository(MemoryRepository):
    """A repository that begins with stored items."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__()
        for item in items:
            key, kind = (item["pk"]["S"], item["sk"]["S"]), kind_of(item)
            if kind == FACT:
                self._facts[key] = fact_of(item)
            elif kind == COUNT:
                self._counts[key] = {
                    name: int(value["N"]) for name, value in item.items() if "N" in value
                }
            else:
                self._items[key] = entity_of(KINDS[kind], item)
                if "agenda_pk" in item:
                    self.former.add(key)


class InheritedStore(MemoryStore):
    """A store of segments that begins with stored objects, and has the ETags of S3."""

    def put(self, key: str, content: bytes) -> str:
        self.objects[key] = content
        # S3's own, of an object put at once.
        self._etags[key] = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        return self._etags[key]


def in_memory(before: KeptWorld) -> Inherited:
    """The world of `before` in memory."""
    files, store = MemoryFiles(), InheritedStore()
    for key, content in before.objects.items():
        files.put(key, content)
        store.put(key, content)
    world = Inherited(before, ItemRepository(before.items), files, store)
    world.files = files
    return world


def on_aws(before: KeptWorld, clients: Clients) -> Inherited:
    """The world of `before` in a table and a bucket of moto."""
    table, bucket = f"inherited-{next(_numbers)}", new_bucket(clients)
    make_table(clients.dynamodb, table)
    for item in before.items:
        clients.dynamodb.put_item(TableName=table, Item=item)
    for key, content in before.objects.items():
        clients.s3.put_object(Bucket=bucket, Key=key, Body=content)
    store = DynamoRepository(clients, table, lambda: before.now, pause=lambda _: None)
    return Inherited(before, store, BucketFiles(clients, bucket), BucketSegments(clients, bucket))
