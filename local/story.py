"""The demo's story, from an empty stack to rewards, through the public surfaces alone.

Two VIPs sign in and invite; some of the invited may not be; the others answer; vouchers go to the
client and come back acknowledged, one of them refused and replaced; orders redeem them; kept orders
climb the ladder, and what must earn nothing earns nothing. What the story must give is written down
in local/demo/expected.py and compared at the end with what the dashboard counts and the files hold.
"""

from __future__ import annotations

import os
import subprocess  # nosec B404
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from httpx import HTTPError

from local.demo import lists
from local.demo.expected import CHANGES, EXPECTED
from local.demo.orders import order, order_file, order_item
from local.emulator import GRACE_S
from local.errors import StackError
from local.narration import Narrator, StoryError
from local.running import Stack
from local.surfaces import Surfaces, exported

if TYPE_CHECKING:
    from local.quarter.history import History

SPONSORS = {"vip1@demo.test": "Jeanne", "vip2@demo.test": "Paul"}
INVITED_BY_JEANNE = (
    *(f"new{number}@demo.test" for number in range(1, 7)),
    "customer7@demo.test",
    "vip1@demo.test",
    "noreply@demo.test",
    "bounce1@demo.test",
)
INVITED_BY_PAUL = ("new1@demo.test", "new7@demo.test")
CAME_BY_LINK = ("new8@demo.test", "customer9@demo.test")
CONFIRMING = tuple(f"new{number}@demo.test" for number in (1, 2, 3, 4, 7, 8))
BUYING = CONFIRMING[:4]
REFUSED = "new8@demo.test"  # the client refuses the first code of this referee


def play(stack: Stack, narrator: Narrator | None = None, history: History | None = None) -> bool:
    """Play the story, and then give the stack its history; True when every check held. Raises
    StackError when the stack has ended.
    """
    teller = narrator or Narrator(stack)
    story = Story(stack, teller)
    try:
        story.play()
        teller.table(EXPECTED, story.counts())
        if history:
            history.join(teller)
    except StackError:
        raise
    except Exception as error:
        # Without an emulator anything may follow: an answer without the expected member, a trace
        # of the AWS client. Its end is the reason then, and the only one worth a line.
        if (end := stack.end(GRACE_S)) is not None:
            raise StackError(end) from None
        if not isinstance(error, StoryError | HTTPError | BotoCoreError | ClientError):
            raise
        teller.check(str(error), False)
    finally:
        story.world.close()
    return teller.verdict()


class Story:
    """The story on one stack. `addresses` are all that occur in it."""

    addresses = frozenset((*SPONSORS, *INVITED_BY_JEANNE, *INVITED_BY_PAUL, *CAME_BY_LINK))

    def __init__(self, stack: Stack, narrator: Narrator) -> None:
        self.world = Surfaces(stack, lists.CAMPAIGN)
        self._port = stack.url.rsplit(":", 1)[1]
        self._log = narrator
        self._file_patience_s = stack.patience.file_s
        self._sessions: dict[str, str] = {}
        self._started = datetime.now(UTC)
        self._acknowledged: set[str] = set()

    @property
    def sessions(self) -> set[str]:
        """The bearer tokens of the sponsors' sessions."""
        return set(self._sessions.values())

    def play(self) -> None:
        """All of it, in order."""
        self.lists()
        self.sign_in()
        self.invite()
        self.answer()
        self.first_vouchers()
        self.orders()
        self.rewards()
        self.unearned()
        self.files()

    def counts(self) -> dict[str, int]:
        """What the dashboard and the files say, by the names of `EXPECTED`."""
        shown = self.world.dashboard()
        refused = {f"refused: {name}": n for name, n in shown["refused_by_reason"].items()}
        bought = {f"orders by buyer: {name}": n for name, n in shown["orders_by_buyer"].items()}
        changes = Counter(row["change"] for rows in self.world.changes().values() for row in rows)
        files = {
            "vouchers in files": exported(self.world.exports()),
            **{f"changes: {kind}": count for kind, count in changes.items()},
            "referrals in the table": len(self.world.referrals()),
        }
        return {**shown["funnel"], **refused, **bought, **files}

    def lists(self) -> None:
        """The campaign file, and the client's two lists."""
        self._log.chapter("1. The campaign, the customer list and the VIP list")
        tandem = Path(sys.executable).with_name("tandem")
        command = [str(tandem), "campaign", "put", str(lists.CAMPAIGN_FILE)]
        environment = {**os.environ, "TANDEM_PORT": self._port}
        put = subprocess.run(  # nosec B603
            command, env=environment, capture_output=True, text=True, check=False
        )
        if put.returncode:
            raise StoryError(f"tandem campaign put: {put.stderr.strip()}")
        self._log.step(f"tandem campaign put: {put.stdout.strip()}")
        for made in (lists.customer_list(), lists.vip_list()):
            path = made.path.removeprefix(f"in/{lists.CAMPAIGN}/")
            manifest = made.manifest_path.removeprefix(f"in/{lists.CAMPAIGN}/")
            self.world.drop(manifest, made.manifest(self._started))
            self.world.drop(path, made.content)
            receipt = self._receipt(path)
            self._log.check(
                f"receipt for {path}: {receipt['status']}, {receipt['rows']:,} rows",
                receipt["status"] == "accepted" and receipt["rows"] == made.rows,
            )

    def sign_in(self) -> None:
        """Two VIPs, a customer who is none, and a stranger ask for a sign-in link."""
        self._log.chapter("2. Sign-in: the same answer for everybody, a mail for VIPs")
        asking = [*SPONSORS, "customer3@demo.test", "stranger@demo.test"]
        answers = [
            self.world.call("POST", f"/campaigns/{lists.CAMPAIGN}/sign-in", {"email": address})
            for address in asking
        ]
        alike = {(answer.status_code, answer.content) for answer in answers}
        self._log.check(f"{len(asking)} requests, all answered alike", len(alike) == 1)
        self._log.wait("sign-in mails", lambda: self._letters_to(asking), len(SPONSORS))
        for address, name in SPONSORS.items():
            token = self.world.token_for(address, "sponsor")
            body = {"token": token, "first_name": name}
            path = f"/campaigns/{lists.CAMPAIGN}/sessions"
            answer = self.world.call("POST", path, body)
            self._log.check(f"{name} signs in with the mailed link", answer.status_code == 201)
            self._sessions[address] = answer.json().get("session", "")
            again = self.world.call("POST", path, body)
            self._log.check("the link works once", again.status_code == 401)

    def invite(self) -> None:
        """By e-mail and by shared link."""
        self._log.chapter("3. Invitations: only newcomers get a mail, and no answer says why")
        self._post_invitations("vip1@demo.test", INVITED_BY_JEANNE)
        self._log.wait("Jeanne's invitations decided", self._decided, len(INVITED_BY_JEANNE))
        self._post_invitations("vip2@demo.test", INVITED_BY_PAUL)
        link = self._sponsor("vip2@demo.test")["link"]["code"]
        shared = self.world.page(f"/p/{link}")
        self._log.check(
            "Paul's shared link is the sign-up, with a card for messengers",
            shared.status_code == 200
            and 'property="og:title" content="Paul vous invite chez' in shared.text
            and "/assets/" in shared.text,
        )
        for address in CAME_BY_LINK:
            answer = self.world.call(
                "POST", f"/campaigns/{lists.CAMPAIGN}/links/{link}/sign-up", {"email": address}
            )
            self._log.check("sign-up by Paul's shared link", answer.status_code == 202)
        self._log.wait("all invitations decided", self._decided, EXPECTED["invited"])
        self._log.wait("bounces", lambda: self.world.funnel("bounced"), EXPECTED["bounced"])
        states = {one["state"] for one in self._sponsor("vip1@demo.test")["invitations"]}
        self._log.check("Jeanne's page shows all of them alike", states == {"pending"})

    def answer(self) -> None:
        """Referees look, confirm, decline, unsubscribe."""
        self._log.chapter("4. Answers: looking changes nothing, a yes counts once")
        for address in CONFIRMING:
            self._confirm(address)
        declining = self.world.token_for("new5@demo.test", "referee")
        answers = [
            self.world.call("POST", f"/invitations/{declining}/decline").status_code
            for _ in range(2)
        ]
        self._log.check("new5 declines, twice", answers == [204, 204])
        self._unsubscribe("new6@demo.test")
        self._log.wait("confirmed", lambda: self.world.funnel("confirmed"), EXPECTED["confirmed"])
        self._log.wait("declined", lambda: self.world.funnel("declined"), EXPECTED["declined"])

    def first_vouchers(self) -> None:
        """The first export; one code is refused, the mails of the others leave."""
        self._log.chapter("5. Vouchers: to the client first, then to their holders")
        self._wait_for_exports(len(CONFIRMING))
        early = [code for address in CONFIRMING for code in self.world.codes_for(address)]
        self._log.check("no code was mailed before the client knows it", not early)
        refused = self.world.exported_codes(lists.digest_of(REFUSED))[0]
        self._acknowledge({refused: "unknown card programme"})
        self._wait_for_codes(CONFIRMING, len(CONFIRMING) - 1)

    def orders(self) -> None:
        """Vouchers used on orders, in a file and at the till."""
        self._log.chapter("6. Orders: a voucher is used once")
        rows = [
            order(address, f"A-{at}", "placed", self._first_code(address))
            for at, address in enumerate(BUYING, start=1)
        ]
        content = order_file(rows) + b"A-9,yesterday,,,12.00,EUR,placed\n"
        self.world.drop("orders/first.csv", content)
        receipt = self._receipt("orders/first.csv")
        rejected = [(error["line"], error["reason"]) for error in receipt["errors"]]
        self._log.check(
            f"receipt: {receipt['status']}, {receipt['accepted']} orders, wrong: {rejected}",
            receipt["status"] == "partial" and receipt["accepted"] == len(BUYING),
        )
        self._till(self.world.codes_for("new7@demo.test")[0])
        self._log.wait("redeemed", lambda: self.world.funnel("vouchers_redeemed"), 5)

    def rewards(self) -> None:
        """Kept orders climb the ladder and reward the sponsor; a cancelled one spends nothing."""
        self._log.chapter("7. Kept orders: rewards for the sponsor and the next rung of the ladder")
        kept = [order(address, f"A-{at}", "kept") for at, address in enumerate(BUYING[:3], start=1)]
        content = order_file([*kept, order(BUYING[3], "A-4", "cancelled")])
        self.world.drop("orders/second.csv", content)
        self._receipt("orders/second.csv")
        self._log.wait("orders kept", lambda: self.world.funnel("orders_kept"), 3)
        self.world.drop("orders/second-again.csv", content)
        again = self._receipt("orders/second-again.csv")
        self._log.check(
            f"the same file under another name: {again['status']}, no second effect",
            again["status"] == "accepted" and self.world.funnel("orders_kept") == 3,
        )
        answer = self.world.as_client("GET", f"/vouchers/{self._first_code(BUYING[3])}").json()
        self._log.check("A-4 is cancelled: its voucher is good again", answer["acceptable"])
        self._order_by_api("B-2", "PROMO2026", "unknown")
        self._log.wait("orders kept", lambda: self.world.funnel("orders_kept"), 4)
        self._order_by_api("B-3")
        self._log.wait("orders kept", lambda: self.world.funnel("orders_kept"), 5)
        self._log.wait("rewards", lambda: self.world.funnel("rewards"), EXPECTED["rewards"])
        self._later_vouchers()

    def unearned(self) -> None:
        """A returned order takes its rung back; a sponsor's own order earns nothing."""
        self._log.chapter("8. What earns nothing: a returned order, and a sponsor's own")
        returned = order(BUYING[2], "A-3", "returned")
        own = order("vip1@demo.test", "S-1", "kept", self._first_code(BUYING[3]))
        self.world.drop("orders/third.csv", order_file([returned, own]))
        receipt = self._receipt("orders/third.csv")
        self._log.check(
            f"Jeanne uses the voucher of her own referee; receipt: {receipt['effects']}",
            receipt["effects"] == {"recorded": 1, "redeemed": 1},
        )
        self._log.wait("taken back", lambda: self.world.funnel("rewards_taken_back"), 2)
        code = self.world.codes_for(BUYING[2])[0]
        answer = self.world.as_client("GET", f"/vouchers/{code}").json()
        self._log.check("the till refuses its voucher: revoked", answer.get("reason") == "revoked")

    def files(self) -> None:
        """What became of the vouchers, for the client; the day's table."""
        self._log.chapter("9. Files for the client: what became of its vouchers, who invited whom")
        self._log.wait(
            "changes in files (every minute)", lambda: exported(self.world.changes()), CHANGES
        )
        for number, rows in self.world.changes().items():
            kinds = Counter(row["change"] for row in rows)
            counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
            self._log.step(f"out/{lists.CAMPAIGN}/changes/{number}.csv.gz: {counts}")
        self._log.wait(
            "referrals in the table",
            lambda: len(self.world.referrals()),
            EXPECTED["referrals in the table"],
        )

    def _later_vouchers(self) -> None:
        """The exports of the rewards, and of the voucher that replaces the refused one."""
        self._wait_for_exports(EXPECTED["vouchers_issued"])
        self._acknowledge()
        holders = ("vip1@demo.test", *CONFIRMING)
        self._wait_for_codes(holders, EXPECTED["vouchers_acknowledged"])
        refused, good = self.world.exported_codes(lists.digest_of(REFUSED))
        self._log.check(
            "the refused code was never mailed, the one that replaces it was",
            refused != good and self.world.codes_for(REFUSED) == [good],
        )

    def _post_invitations(self, sponsor: str, addresses: Sequence[str]) -> None:
        answer = self.world.call(
            "POST",
            "/sponsor/invitations",
            {"referees": [{"email": address} for address in addresses]},
            bearer=self._sessions[sponsor],
            headers={"Idempotency-Key": f"demo-{sponsor}"},
        )
        states = {one["state"] for one in answer.json().get("invitations", [])}
        self._log.check(
            f"{SPONSORS[sponsor]} invites {len(addresses)} people: all {', '.join(states)}",
            answer.status_code == 202 and states == {"received"},
        )

    def _letters_to(self, addresses: Sequence[str]) -> int:
        return sum(len(self.world.letters(address)) for address in addresses)

    def _decided(self) -> int:
        funnel = self.world.dashboard()["funnel"]
        return int(funnel["refused"] + funnel["sent"])

    def _sponsor(self, address: str) -> dict[str, Any]:
        answer = self.world.call("GET", "/sponsor", bearer=self._sessions[address])
        return dict(answer.raise_for_status().json())

    def _confirm(self, address: str) -> None:
        token = self.world.token_for(address, "referee")
        offer = self.world.call("GET", f"/invitations/{token}").json()
        body = {"terms_version": offer["terms"]["version"], "marketing_consent": False}
        path = f"/invitations/{token}/confirmation"
        first, again = (self.world.call("POST", path, body) for _ in range(2))
        self._log.check(
            f"{address.split('@')[0]}, invited by {offer['sponsor']['first_name']}, confirms",
            (first.status_code, again.status_code) == (201, 200) and first.content == again.content,
        )

    def _unsubscribe(self, address: str) -> None:
        message = self.world.mail(self.world.letters(address)[0])
        path = message["List-Unsubscribe"].strip("<>").split("/v1", 1)[1]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.world.call("POST", path, headers=form)
        self._log.check("new6 unsubscribes with one click", answer.status_code == 200)

    def _till(self, code: str) -> None:
        first, other = (
            {
                "order_id": order,
                "ordered_at": datetime.now(UTC).isoformat(),
                "amount": "61.20",
                "currency": "EUR",
            }
            for order in ("TILL-1", "TILL-2")
        )
        path = f"/vouchers/{code}/redemptions"
        before = self.world.as_client("GET", f"/vouchers/{code.lower()}").json()["acceptable"]
        statuses = [
            self.world.as_client("POST", path, first).status_code,
            self.world.as_client("POST", path, first).status_code,
            self.world.as_client("POST", path, other).status_code,
            self.world.as_client("DELETE", f"{path}/TILL-1").status_code,
            self.world.as_client("DELETE", f"{path}/TILL-1").status_code,
            self.world.as_client("POST", path, other).status_code,
        ]
        self._log.check(
            f"at the till: redeem, repeat, another order, roll back twice, redeem: {statuses}",
            before and statuses == [201, 200, 409, 204, 204, 201],
        )

    def _wait_for_exports(self, rows: int) -> None:
        self._log.wait(
            "vouchers in exports (every minute)", lambda: exported(self.world.exports()), rows
        )

    def _acknowledge(self, refusing: Mapping[str, str] | None = None) -> None:
        """Acknowledge the new exports, but for some codes, each with its reason."""
        refusing = refusing or {}
        exports = self.world.exports()
        for number in sorted(exports.keys() - self._acknowledged):
            codes = {row["code"] for row in exports[number]}
            lines = [f"{code},{refusing[code]}" for code in sorted(codes & refusing.keys())]
            content = "\n".join(["code,reason", *lines, ""]) if lines else ""
            self.world.drop(f"acks/{number}.ack", content.encode())
            receipt = self._receipt(f"acks/{number}.ack")
            self._log.check(
                f"export {number} acknowledged: {receipt['effects']}",
                receipt["status"] == "accepted"
                and receipt["effects"].get("refused", 0) == len(lines),
            )
            self._acknowledged.add(number)

    def _first_code(self, holder: str) -> str:
        return self.world.codes_for(holder)[-1]

    def _wait_for_codes(self, holders: Sequence[str], count: int) -> None:
        def mailed() -> int:
            return sum(len(self.world.codes_for(holder)) for holder in holders)

        self._log.wait("vouchers mailed", mailed, count)

    def _receipt(self, path: str) -> dict[str, Any]:
        self._log.wait(
            f"receipt for {path}",
            lambda: int(bool(self.world.receipt(path))),
            1,
            self._file_patience_s,
        )
        return self.world.receipt(path) or {}

    def _order_by_api(
        self, order_id: str, code: str | None = None, problem: str | None = None
    ) -> None:
        """A kept order of the first referee, with a code that has this problem."""
        row = order(BUYING[0], order_id, "kept", code)
        answer = self.world.as_client("POST", "/orders", {"orders": [order_item(row)]})
        (result,) = answer.json()["results"]
        about = f" with the code {code}: {problem}" if code else ""
        self._log.check(
            f"order {order_id} of {BUYING[0]} by the API{about}",
            (answer.status_code, result["status"]) == (207, 200)
            and result.get("voucher") == problem,
        )
