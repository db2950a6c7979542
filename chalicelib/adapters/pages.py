"""The published pages as `page_ports.Pages`, from the bucket that CloudFront serves them from."""

from __future__ import annotations

from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.clients import Clients
from chalicelib.services.ports import Clock

REFEREE_PAGE = "referee/index.html"
KEPT_FOR = timedelta(minutes=1)  # so long a new release may go unnoticed


class PublishedPages:
    """`page_ports.Pages` on the bucket of the pages."""

    def __init__(self, clients: Clients, bucket: str, clock: Clock) -> None:
        self._clients = clients
        self._bucket = bucket
        self._clock = clock
        self._read_at: datetime | None = None
        self._page: str | None = None

    def referee_page(self) -> str | None:
        """The page; the one of before where the bucket does not answer."""
        now = self._clock()
        if self._read_at is None or now - self._read_at >= KEPT_FOR:
            self._read_at = now  # also if the bucket keeps this call until it ends
            self._page = self._read() or self._page
        return self._page

    def _read(self) -> str | None:
        try:
            found = self._clients.s3.get_object(Bucket=self._bucket, Key=REFEREE_PAGE)
            return found["Body"].read().decode()
        except (BotoCoreError, ClientError):
            return None  # The caller shows a page of its own.
