"""SES as `ports.Mailer`: one attempt, our id as a tag, and an honest answer about what is unknown.

Botocore would retry a time-out and send twice, so the client is made with one attempt in all
(`adapters.clients`). A clear refusal is `MailNotTakenError`; whatever leaves doubt is
`MailUncertainError`.
"""

from __future__ import annotations

from http import HTTPStatus

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from chalicelib.adapters.clients import Clients
from chalicelib.services.ports import MailNotTakenError, MailUncertainError

MAIL_ID_TAG = "mail_id"
_FINAL = frozenset({"BadRequestException"})


class SesMailer:
    """`ports.Mailer` on SES v2."""

    def __init__(self, clients: Clients, sender: str, configuration_set: str) -> None:
        self._clients = clients
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
            raise MailNotTakenError(type(error).__name__, final=False) from error
        except BotoCoreError as error:
            raise MailUncertainError(type(error).__name__) from error
        return answer["MessageId"]


def _refusal(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    if code in _FINAL:
        return MailNotTakenError(code, final=True)
    if error.response["ResponseMetadata"]["HTTPStatusCode"] < HTTPStatus.INTERNAL_SERVER_ERROR:
        # Busy, paused or not allowed: the mail has not left, and ops may mend what stops it.
        return MailNotTakenError(code, final=False)
    return MailUncertainError(code)
