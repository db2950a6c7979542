"""Sponsors, referees and the retailer: what they do, by seed, through the API and the bucket.

Few addresses, so that they meet. Who gets no answer, or an error that passes, asks again with the
same key, as a page and a careful client do.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from chalicelib.services.campaigns.put import put_campaign
from tests.api.gateway import Answer, Request
from tests.api.world import BUCKET, CAMPAIGN, campaign_like_demo, posting, put_list
from tests.simulation.cloud import Cloud
from tests.simulation.machine import Machine
from tests.simulation.office import CLIENT, MAILS, Office
from tests.simulation.scheduler import Worker

REFEREES = 4
AMOUNT = "80.00"


@dataclass
class People:
    """See the module."""

    cloud: Cloud
    machine: Machine
    chance: Random
    sponsors: int = 3
    referees: int = REFEREES
    changes: bool = True  # whether lists, the campaign and keys change, and people object
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        addresses = [self.referee(number) for number in range(self.referees)]
        self.office = Office(self.cloud, self.machine, self.chance, addresses)

    def begin(self) -> None:
        """The campaign, the lists, and the sponsors' sessions: without faults."""
        ports = self.cloud.aside.ports
        put_campaign(ports, campaign_like_demo(**MAILS))
        put_list(ports, "customers", [CLIENT])
        put_list(ports, "vips", [self.sponsor(n) for n in range(self.sponsors)])
        for number in range(self.sponsors):
            self.sessions.append(self._signed_in(self.sponsor(number)))

    def sponsor(self, number: int) -> str:
        """The address of a sponsor."""
        return f"sponsor{number}@vip.test"

    def referee(self, number: int) -> str:
        """The address of a referee."""
        return f"referee{number}@mail.test"

    def invite(self, address: str, sponsor: int = 0) -> None:
        """A sponsor invites somebody, without faults."""
        authorised = {"Authorization": f"Bearer {self.sessions[sponsor]}"}
        request = posting(
            "/v1/sponsor/invitations", {"referees": [{"email": address}]}, **authorised
        )
        assert self.cloud.aside.gateway.call(request).status == 202

    def settle(self) -> None:
        """Let the machinery work until nothing is left, without faults."""
        while ready := self.machine.ready():
            ready[0]()
            for worker in list(self.cloud.scheduler.workers):
                self.machine.settle(self.cloud.scheduler.finish(worker))

    def actions(self) -> list[Callable[[], None]]:
        """What somebody may do now."""
        return [
            self._invite, self._invite, self._respond, self._respond, self._order, self._order,
            self._redeem, self._acknowledge, *([self._now_and_then()] if self.changes else []),
        ]  # fmt: skip

    def _now_and_then(self) -> Callable[[], None]:
        """What happens less often."""
        return self.chance.choice([self._object, *self.office.actions()])

    # --- actions ---------------------------------------------------------------------------------

    def _invite(self) -> None:
        session = self.chance.choice(self.sessions)
        address = self.referee(self.chance.randrange(self.referees))
        body = {"referees": [{"email": address, "first_name": "Jeanne"}]}
        self._ask("invite", posting("/v1/sponsor/invitations", body,
                                    Authorization=f"Bearer {session}",
                                    Idempotency_Key=f"key-{self.chance.random()}"))  # fmt: skip

    def _respond(self) -> None:
        address = self.referee(self.chance.randrange(self.referees))
        tokens = self.cloud.tokens_mailed_to(address)
        if not tokens:
            return
        path = f"/v1/invitations/{self.chance.choice(tokens)}"
        if self.chance.random() < 0.15:
            self._ask("decline", posting(f"{path}/decline"))
        else:
            body = {"terms_version": "2026-01", "marketing_consent": False}
            self._ask("confirm", posting(f"{path}/confirmation", body))

    def _order(self) -> None:
        code = self._any_code()
        order = {
            "order_id": f"A{self.chance.randrange(6)}",
            "ordered_at": self.cloud.now.isoformat(),
            "amount": AMOUNT,
            "currency": "EUR",
            "status": self.chance.choice(("placed", "kept", "kept", "returned", "cancelled")),
            "email_digest": self.office.digest(
                self.referee(self.chance.randrange(self.referees))
            ),
        } | ({"voucher_code": code} if code and self.chance.random() < 0.6 else {})  # fmt: skip
        self._ask("order", posting("/v1/client/orders", {"orders": [order]}))

    def _redeem(self) -> None:
        code = self._any_code()
        if not code:
            return
        order_id = f"B{self.chance.randrange(4)}"
        path = f"/v1/client/vouchers/{code}/redemptions"
        if self.chance.random() < 0.3:
            self._ask("roll back", Request("DELETE", f"{path}/{order_id}"))
            return
        body = {"order_id": order_id, "ordered_at": self.cloud.now.isoformat(),
                "amount": AMOUNT, "currency": "EUR"}  # fmt: skip
        self._ask("redeem", posting(path, body))

    def _acknowledge(self) -> None:
        """The retailer loads an export that it finds, and now and then refuses one of its codes."""
        s3, folder = self.cloud.clients.s3, f"out/{CAMPAIGN}/vouchers/"
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=folder).get("Contents", [])
        exports = [one["Key"] for one in found if one["Key"].endswith(".csv.gz")]
        if not exports:
            return
        export = self.chance.choice(exports)
        rows = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=export)["Body"].read()).decode()
        code = self.chance.choice(list(csv.DictReader(io.StringIO(rows))))["code"]
        refusal = f"code,reason\n{code},unknown\n" if self.chance.random() < 0.3 else ""
        name = export.removeprefix(folder).removesuffix(".csv.gz")
        path = f"in/{CAMPAIGN}/acks/{name}.ack"
        s3.put_object(Bucket=BUCKET, Key=path, Body=refusal.encode())
        self.machine.drop(path)

    def _object(self) -> None:
        """Somebody follows the link of a mail that stops all others."""
        address = self.referee(self.chance.randrange(self.referees))
        links = self.cloud.links_mailed_to(address, "/unsubscribe/")
        if links:
            typed = {"Content-Type": "application/x-www-form-urlencoded"}
            body = b"List-Unsubscribe=One-Click"
            path = f"/v1/unsubscribe/{self.chance.choice(links)}"
            self._ask("object", Request("POST", path, body, typed))

    # --- asking ----------------------------------------------------------------------------------

    def _ask(self, name: str, request: Request, attempt: int = 1) -> None:
        def at_end(worker: Worker) -> None:
            answer = worker.outcome
            if isinstance(answer, Answer):
                self.answers.append((name, answer))
                if answer.status < 500:
                    return
            if attempt < 4:
                self._ask(name, request, attempt + 1)

        def work() -> object:
            worker = self.cloud.scheduler.current()
            assert worker is not None
            return worker.context.gateway.call(request)

        self.machine.begin(name, work, at_end)

    def _signed_in(self, address: str) -> str:
        gateway = self.cloud.aside.gateway
        path = f"/v1/campaigns/{CAMPAIGN}"
        assert gateway.call(posting(f"{path}/sign-in", {"email": address})).status == 202
        while not (tokens := self.cloud.tokens_mailed_to(address)):
            ready = self.machine.ready()
            assert ready, "no sign-in mail was sent"
            ready[0]()
            for worker in list(self.cloud.scheduler.workers):
                self.machine.settle(self.cloud.scheduler.finish(worker))
        answer = gateway.call(posting(f"{path}/sessions", {"token": tokens[0], "first_name": "S"}))
        session: str = answer.json()["session"]
        return session

    def _any_code(self) -> str | None:
        codes = sorted(
            item["printed"]["S"]
            for item in self.cloud.table.items.values()
            if item.get("kind") == {"S": "VOUCHER"}
        )
        return self.chance.choice(codes) if codes else None
