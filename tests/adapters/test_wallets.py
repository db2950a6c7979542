"""The call of the function that signs: what it is asked, which of its answers is no signature."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.wallets import SigningFunction
from chalicelib.domain.wallets import Wallet
from chalicelib.services.wallet_ports import PassNotSignedError
from chalicelib.wallets.messages import ApplePass, GooglePass

APPLE = ApplePass({"serialNumber": "s"}, {"icon.png": b"\x89PNG"})
GOOGLE = GooglePass({"id": "c"}, {"id": "o"}, "https://tandem.test")


class _Lambda:
    """Lambda's answer, and what was asked."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer
        self.asked: list[tuple[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        self.asked.append((FunctionName, json.loads(Payload)))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def signing(answer: dict[str, Any] | Exception) -> tuple[SigningFunction, _Lambda]:
    clients, calls = Clients(), _Lambda(answer)
    clients.__dict__["functions"] = calls
    return SigningFunction(clients, "tandem-test-wallet", (Wallet.APPLE,)), calls


def signed(text: str, **more: str) -> dict[str, Any]:
    return {"Payload": BytesIO(json.dumps({"signed": text}).encode()), **more}


def test_what_is_asked_comes_back_signed() -> None:
    function, calls = signing(signed("UEs="))
    assert function.sign_apple(APPLE) == b"PK"
    [(name, event)] = calls.asked
    assert (name, event["wallet"]) == ("tandem-test-wallet", "apple")
    assert ApplePass.of(event["pass"]) == APPLE
    function, calls = signing(signed("https://pay.google.com/gp/v/save/a"))
    assert function.sign_google(GOOGLE) == "https://pay.google.com/gp/v/save/a"
    [(_, event)] = calls.asked
    assert (event["wallet"], GooglePass.of(event["pass"])) == ("google", GOOGLE)


@pytest.mark.parametrize(
    "answer",
    [
        signed("UEs=", FunctionError="Unhandled"),
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke"),
        EndpointConnectionError(endpoint_url="https://lambda.test"),
    ],
)
def test_a_call_that_failed_has_signed_nothing(answer: dict[str, Any] | Exception) -> None:
    with pytest.raises(PassNotSignedError):
        signing(answer)[0].sign_apple(APPLE)
