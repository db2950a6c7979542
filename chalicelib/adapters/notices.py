"""The bucket, with an event for each file that is announced (domain/files/notices.py).

An event is sent once the file is there, whether this attempt has written it or one before, which
may have been killed in between: so at least once. One that EventBridge does not take is given up
after some attempts, by `on_failure`: no file waits for its notice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.s3 import BucketFiles
from chalicelib.domain.files.notices import Notice, notice_of

SOURCE = "tandem"


class NoticeNotSentError(Exception):
    """EventBridge has refused an event."""


class NotifyingFiles(BucketFiles):
    """`ports.Files` whose writers tell the client, on the event bus of that name."""

    def __init__(
        self,
        clients: Clients,
        bucket: str,
        bus: str,
        on_failure: Callable[[Exception], None],
        **options: Any,
    ) -> None:
        super().__init__(clients, bucket, **options)
        self._bus = bus
        self._on_failure = on_failure

    def write(self, path: str, content: bytes, *, content_type: str = "text/csv") -> None:
        super().write(path, content, content_type=content_type)
        self._announce(path, content)

    def write_once(self, path: str, content: bytes, *, content_type: str = "text/csv") -> bool:
        is_new = super().write_once(path, content, content_type=content_type)
        if notice_of(path, content):  # of what is there: another attempt may have written it
            self._announce(path, content if is_new else b"".join(self.read(path)))
        return is_new

    def _announce(self, path: str, content: bytes) -> None:
        notice = notice_of(path, content)
        if notice is None:
            return
        try:
            self._send(notice)
        except (BotoCoreError, ClientError, NoticeNotSentError) as error:
            self._on_failure(error)

    def _send(self, notice: Notice) -> None:
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": notice.kind.value,
            "Detail": notice.detail,
        }
        answer = self._clients.events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise NoticeNotSentError(answer["Entries"][0].get("ErrorCode", ""))
