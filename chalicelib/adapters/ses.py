"""SES as `ports.Mailer`: one attempt, our id as a tag, and a clear distinction of unknown results.

Botocore would retry a time-out and send twice, so the client makes a single attempt
(`adapters.clients`). A clear refusal is `MailNotSentError`; any doubt is `MailUncertainError`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from chalicelib.adapters.clients import Clients
from chalicelib.services.mail_ports import MailNotSentError, MailUncertainError
from chalicelib.services.ports import Clock

MAIL_ID_TAG = "mail_id"
_FINAL = frozenset({"BadRequestException"})
_RATE_KEPT_FOR = timedelta(minutes=15)


class SesMailer:
    """`ports.Mailer` on SES v2."""

    def __init__(self, clients: Clients, sender: str, configuration_set: str, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._rate: float | None = None
        self._rate_ends_at: datetime | None = None
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, message: bytes, *, recipient: str, mail_id: str) -> str:
        try:
            answer = self._clients.ses.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [recipient]},
                Content={"Raw": {"Data": message}},
                EmailTags=[{"Name": MAIL_ID_TAG, "Value": mail_id}],
                ConfigurationSetName=self._configuration_set,
            )
        except ClientError as error:
            raise _refusal(error) from error
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            # Without a connection nothing was sent; a connection that breaks later leaves doubt.
            raise MailNotSentError(type(error).__name__, final=False) from error
        except BotoCoreError as error:
            raise MailUncertainError(type(error).__name__) from error
        return answer["MessageId"]

    def rate(self) -> float | None:
        now = self._clock()
        if self._rate_ends_at is None or now >= self._rate_ends_at:
            # Also after a failure: the last rate known holds, and nobody asks again for each mail.
            self._rate_ends_at = now + _RATE_KEPT_FOR
            self._rate = self._max_send_rate() or self._rate
        return self._rate

    def _max_send_rate(self) -> float | None:
        try:
            quota = self._clients.ses.get_account().get("SendQuota", {})
        except (ClientError, BotoCoreError):
            return None
        rate = quota.get("MaxSendRate", 0)
        return rate if rate > 0 else None


def _refusal(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    if code in _FINAL:
        return MailNotSentError(code, final=True)
    if error.response["ResponseMetadata"]["HTTPStatusCode"] < HTTPStatus.INTERNAL_SERVER_ERROR:
        # Throttled, paused or not allowed: the mail was not sent, and ops may fix the cause.
        return MailNotSentError(code, final=False)
    return MailUncertainError(code)
