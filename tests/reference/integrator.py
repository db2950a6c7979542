"""A client of an integrator, generated from the published document, and its story with a till.

Run by the python of `.venv-client`; nothing of ours is imported. Standard input says where the API
and the generated package are, with which credentials to sign, and two codes that may be used. Each
line it writes is an act: its name, the status, and what the generated types have read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PURCHASE = {
    "order_id": "generated-1",
    "ordered_at": sys.argv[1],
    "amount": "80.00",
    "currency": "EUR",
}


class Signed(httpx.Auth):
    """AWS Signature Version 4, by the one who publishes it."""

    requires_request_body = True

    def __init__(self, key_id: str, secret: str, region: str) -> None:
        self._signer = SigV4Auth(Credentials(key_id, secret), "execute-api", region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign, send."""
        kept = {"host": request.headers["host"]}
        if "content-type" in request.headers:
            kept["content-type"] = request.headers["content-type"]
        signed = AWSRequest(request.method, str(request.url), kept, request.content)
        self._signer.add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request


def main() -> None:
    """Play."""
    given = json.load(sys.stdin)
    sys.path.insert(0, given["packages"])
    from generated.api.default import (  # type: ignore[import-not-found]
        get_voucher,
        post_orders,
        redeem_voucher,
        roll_back_redemption,
    )
    from generated.client import Client  # type: ignore[import-not-found]
    from generated.models import (  # type: ignore[import-not-found]
        OrderItem,
        OrdersRequest,
        RedemptionRequest,
    )

    def client(**credentials: str) -> Any:
        auth = Signed(**credentials) if credentials else None
        return Client(given["url"], httpx_args={"auth": auth, "trust_env": False}, timeout=60)

    def say(act: str, response: Any) -> None:
        read = response.parsed.to_dict() if response.parsed else None
        print(json.dumps([act, int(response.status_code), read, type(response.parsed).__name__]))

    mine = client(**given["credentials"])
    wrong = client(**{**given["credentials"], "secret": "another"})
    one, other = given["codes"]
    purchase = RedemptionRequest.from_dict(PURCHASE)
    dearer = RedemptionRequest.from_dict({**PURCHASE, "amount": "81.00"})
    elsewhere = RedemptionRequest.from_dict({**PURCHASE, "order_id": "generated-2"})

    def redeem(code: str, body: Any) -> Any:
        return redeem_voucher.sync_detailed(code, client=mine, body=body)

    def roll_back(code: str, order: str) -> Any:
        return roll_back_redemption.sync_detailed(code, order, client=mine)

    say("not signed", get_voucher.sync_detailed(one, client=client()))
    say("signed by nobody", get_voucher.sync_detailed(one, client=wrong))
    say("a typo", get_voucher.sync_detailed(one[:-1] + "?", client=mine))
    say("asked", get_voucher.sync_detailed(one, client=mine))
    say("redeemed", redeem(one, purchase))
    say("again", redeem(one, purchase))
    say("for more", redeem(one, dearer))
    say("elsewhere", redeem(one, elsewhere))
    say("asked again", get_voucher.sync_detailed(one, client=mine))
    say("rolled back elsewhere", roll_back(one, "generated-2"))
    say("rolled back", roll_back(one, "generated-1"))
    say("rolled back again", roll_back(one, "generated-1"))
    say("redeemed after that", redeem(one, purchase))
    item = {**PURCHASE, "status": "placed", "voucher_code": other, "order_id": "generated-3"}
    orders = [
        OrderItem.from_dict({**item, "order_id": "generated-4", "voucher_code": "NOT-OURS"}),
        OrderItem.from_dict({**item, "amount": "1,5"}),
        OrderItem.from_dict(item),
        OrderItem.from_dict({**item, "status": "cancelled"}),
    ]
    body = OrdersRequest(orders=orders)
    say("reported", post_orders.sync_detailed(client=mine, body=body))


if __name__ == "__main__":
    main()
