"""The settings of the functions, from the environment: read once, an error if one is missing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.effects import Queue


class MissingSettingError(RuntimeError):
    """An environment variable that the template should have set."""


@dataclass(frozen=True)
class Settings:
    """The environment of a function. URLs and paths as set by the template."""

    stage: str
    table: str
    bucket: str
    roots_bucket: str
    queues: Mapping[str, str]
    origin: str
    sender: str
    configuration_set: str
    keys_path: str
    mail_rate: int = 0  # mails a second, of `domain.sending.RATES`
    is_bucket_locked: bool = False  # whether it takes locks on files
    origin_key: str = ""  # what CloudFront adds to a call; the API's alone
    pages_bucket: str = ""  # where the pages are published; the API's alone
    notices_bus: str = (
        ""  # the client's; of those who write files for it; empty: nothing is announced
    )
    wallets: tuple[str, ...] = ()  # that passes are offered for, of `domain.wallets.Wallet`
    google_issuer: str = ""  # whose passes of Google Wallet are
    wallet_function: str = ""  # which signs them
    wallets_path: str = ""  # of what it signs with, in the parameter store; that function's alone
    pgp_key: str = ""  # the parameter with our own PGP key; of those who write or read what has one
    resolver: str = ""  # of the DNS, as `host:port`; empty means the system's own

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """`MissingSettingError` names the first variable that is not set."""

        def value(name: str) -> str:
            if not environment.get(name):
                raise MissingSettingError(f"environment variable {name} is not set")
            return environment[name]

        return cls(
            stage=value("TANDEM_STAGE"),
            table=value("TANDEM_TABLE"),
            bucket=value("TANDEM_BUCKET"),
            roots_bucket=value("TANDEM_ROOTS_BUCKET"),
            queues={queue.value: value(f"TANDEM_QUEUE_{queue.name}") for queue in Queue},
            origin=value("TANDEM_ORIGIN").rstrip("/"),
            sender=value("TANDEM_SENDER"),
            configuration_set=value("TANDEM_CONFIGURATION_SET"),
            keys_path=value("TANDEM_KEYS_PATH"),
            mail_rate=int(environment.get("TANDEM_MAIL_RATE", "0")),
            is_bucket_locked=environment.get("TANDEM_BUCKET_LOCKED") == "yes",
            origin_key=environment.get("TANDEM_ORIGIN_KEY", ""),
            pages_bucket=environment.get("TANDEM_PAGES_BUCKET", ""),
            pgp_key=environment.get("TANDEM_PGP_KEY", ""),
            notices_bus=environment.get("TANDEM_NOTICES_BUS", ""),
            wallets=_wallets(environment),
            google_issuer=environment.get("TANDEM_GOOGLE_ISSUER", ""),
            wallet_function=environment.get("TANDEM_WALLET_FUNCTION", ""),
            wallets_path=environment.get("TANDEM_WALLETS_PATH", ""),
            resolver=environment.get("TANDEM_RESOLVER", ""),
        )


def _wallets(environment: Mapping[str, str]) -> tuple[str, ...]:
    offered = {
        "apple": environment.get("TANDEM_APPLE_WALLET") == "yes",
        "google": bool(environment.get("TANDEM_GOOGLE_ISSUER")),
    }
    return tuple(name for name, is_offered in offered.items() if is_offered)
