"""The function that signs passes, as `wallet_ports.Wallets`: the API calls it and waits for it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.clients import Clients
from chalicelib.domain.wallets import Wallet
from chalicelib.services.wallet_ports import PassNotSignedError
from chalicelib.wallets.messages import ApplePass, GooglePass


class SigningFunction:
    """`wallet_ports.Wallets` by a call of the function of that name, which alone reads the keys."""

    def __init__(self, clients: Clients, function: str, offered: tuple[Wallet, ...]) -> None:
        self._clients = clients
        self._function = function
        self.offered = offered

    def sign_apple(self, unsigned: ApplePass) -> bytes:
        return b64decode(self._signed(Wallet.APPLE, unsigned.message()))

    def sign_google(self, unsigned: GooglePass) -> str:
        return self._signed(Wallet.GOOGLE, unsigned.message())

    def _signed(self, wallet: Wallet, asked: Mapping[str, Any]) -> str:
        event = json.dumps({"wallet": wallet.value, "pass": asked}).encode()
        try:
            answer = self._clients.functions.invoke(FunctionName=self._function, Payload=event)
            content = json.loads(answer["Payload"].read())
        except (BotoCoreError, ClientError) as error:
            raise PassNotSignedError(type(error).__name__) from error
        if "FunctionError" in answer:
            raise PassNotSignedError("the function failed")
        return str(content["signed"])
