"""The one place that wires adapters to use cases. Nothing happens at import; everything is created
once, at first use.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.codes import SecureCodes
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.adapters.lists.current import CurrentLists
from chalicelib.adapters.mail_domains import DnsMailDomains
from chalicelib.adapters.pages import PublishedPages
from chalicelib.adapters.s3 import BucketFiles, BucketSegments
from chalicelib.adapters.ses import SesMailer
from chalicelib.adapters.sqs import WorkQueues
from chalicelib.adapters.ssm import ParameterKeys, SecretTexts
from chalicelib.adapters.wallets import SigningFunction
from chalicelib.domain import sending
from chalicelib.domain.wallets import Wallet
from chalicelib.observability import count, failed
from chalicelib.services.campaigns.cached import CachedCampaigns
from chalicelib.services.ports import Clock, Ports
from chalicelib.settings import MissingSettingError, Settings

if TYPE_CHECKING:
    from chalicelib.services.cipher_ports import Cipher
    from chalicelib.services.list_ports import ListBuilder
    from chalicelib.services.mails.draft import Sender


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings.from_environment()


def wire(settings: Settings, clients: Clients, clock: Clock | None = None) -> Ports:
    """The ports of a process with these settings."""
    clock = clock or now
    repository = DynamoRepository(clients, settings.table, clock)
    segments = BucketSegments(clients, settings.bucket)

    @cache
    def list_builder() -> ListBuilder:
        # It loads numpy, which only the ingest function has.
        from chalicelib.adapters.lists.building import SegmentBuilder

        return SegmentBuilder(segments)

    @cache
    def cipher() -> Cipher:
        # It loads Sequoia, which only the functions with the layer `pgp` have.
        from chalicelib.adapters.pgp import ParameterKey, SequoiaCipher

        return SequoiaCipher(ParameterKey(clients, settings.pgp_key), clock)

    return Ports(
        repository=repository,
        campaigns=CachedCampaigns(repository, clock),
        lists=CurrentLists(repository, segments, clock),
        list_builder=list_builder,
        cipher=cipher,
        keys=ParameterKeys(clients, settings.keys_path),
        mailer=SesMailer(clients, settings.sender, settings.configuration_set, now),
        mail_domains=DnsMailDomains(settings.resolver),
        files=_files(settings, clients),
        roots=BucketFiles(clients, settings.roots_bucket),
        pages=PublishedPages(clients, settings.pages_bucket, clock),
        queues=WorkQueues(clients, settings.queues),
        clock=clock,
        codes=SecureCodes(),
        wallets=SigningFunction(
            clients, settings.wallet_function, tuple(map(Wallet, settings.wallets))
        ),
    )


def _files(settings: Settings, clients: Clients) -> BucketFiles:
    if not settings.notices_bus:
        return BucketFiles(clients, settings.bucket, is_locked=settings.is_bucket_locked)
    from chalicelib.adapters.notices import NotifyingFiles  # of the few functions that have a bus

    return NotifyingFiles(
        clients,
        settings.bucket,
        settings.notices_bus,
        _not_noticed,
        is_locked=settings.is_bucket_locked,
    )


def _not_noticed(error: Exception) -> None:
    """A line and a metric: the client finds the file all the same, when it looks next."""
    failed(error, "notice not sent")
    count("NotHandled")


@cache
def ports() -> Ports:
    """The ports of this process."""
    return wire(settings(), Clients())


def origin() -> str:
    """Where the public pages are, without a trailing slash."""
    return settings().origin


def origin_key() -> str:
    """The secret that CloudFront adds to the calls it passes on.

    `MissingSettingError` when it is not set: otherwise anybody could call the API directly.
    """
    key = settings().origin_key
    if not key:
        raise MissingSettingError("environment variable TANDEM_ORIGIN_KEY is not set")
    return key


def wallet_secrets() -> SecretTexts:
    """What passes are signed with; the function that signs them may read it, and no other."""
    return SecretTexts(Clients(), settings().wallets_path)


def seconds_for_a_mail() -> float:
    """How long an execution stays with each mail that nobody waits for."""
    rate = settings().mail_rate
    return sending.seconds_for_a_mail(rate, ports().mailer.rate()) if rate else 0.0


@cache
def sender() -> Sender:
    """Where mails come from."""
    from chalicelib.services.mails import draft  # loads the mails and their templates

    return draft.Sender(address=settings().sender, origin=settings().origin)
