"""The credentials of the client's systems, and boto3, which only a check of AWS needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cli.errors import CommandError

if TYPE_CHECKING:
    import boto3

_OF_API = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")


def session_of(region: str | None, url: str | None = None) -> boto3.Session:
    """A session with credentials and a region, which an address of the API tells too.

    Raises CommandError.
    """
    try:
        import boto3
    except ImportError as error:
        raise CommandError(
            "to ask the bucket or the API, boto3 is needed: pip install 'tandem-client[check]'"
        ) from error
    from botocore.exceptions import BotoCoreError

    found = _OF_API.search(url or "")
    try:
        session = boto3.Session(region_name=region or (found[1] if found else None))
        credentials = session.get_credentials()
    except BotoCoreError as error:  # a profile that is not there, a role that may not be taken on
        raise CommandError(str(error)) from error
    if credentials is None:
        raise CommandError(
            "no AWS credentials: take on the role that you got from us, or set AWS_PROFILE"
        )
    if session.region_name is None:
        raise CommandError("no region: say --region, for example --region eu-west-3")
    return session
