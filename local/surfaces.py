"""What the world can reach of a running stack, and nothing else: pages' API, mailbox, bucket.

The demo and the end-to-end tests act through these alone, as a sponsor, a referee or the client
would.
"""

from __future__ import annotations

import csv
import email
import gzip
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey

from chalicelib.domain.exports import export_name
from chalicelib.domain.files.numbered import number_at
from local.emulator import REGION
from local.running import Stack
from local.signatures import SERVICE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CODE = re.compile(r"\b[A-Z]{2,4}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{4}\b")
_TOKEN = re.compile(r"#token=([\w-]+)")
TIMEOUT_S = 30


@dataclass(frozen=True)
class Letter:
    """A mail in the mailbox."""

    id: str
    to: str
    subject: str
    links: tuple[str, ...]


class Surfaces:
    """The public surfaces of one stack, for one campaign."""

    def __init__(self, stack: Stack, campaign: str, timeout_s: float | None = TIMEOUT_S) -> None:
        self.stack = stack
        self.campaign = campaign
        self._http = httpx.Client(base_url=stack.url, timeout=timeout_s, trust_env=False)
        self._s3: S3Client = stack.s3
        self._bucket = stack.bucket
        client = stack.deployment.client
        self._client_key = SigningKey(client.access_key_id, client.secret_access_key)

    def close(self) -> None:
        """End its connections."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """A call of the API; `path` after `/v1`."""
        sent = dict(headers or {})
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        if body is None:
            return self._http.request(method, f"/v1{path}", headers=sent)
        return self._http.request(method, f"/v1{path}", json=body, headers=sent)

    def page(self, path: str) -> httpx.Response:
        """A page, as a messenger's crawler or a browser without scripts asks for it."""
        return self._http.get(path, headers={"Accept": "text/html", "Accept-Language": "fr"})

    def as_client(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A call of the client's systems, signed as they sign it for AWS."""
        content = b"" if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if content else {}
        url = f"{self.stack.url}/v1/client{path}"
        signed = AWSRequest(method, url, data=content, headers=kind)
        SigV4Auth(self._client_key, SERVICE, REGION).add_auth(signed)
        return self._http.request(
            method, url, content=content, headers=dict(signed.headers.items())
        )

    def dashboard(self) -> dict[str, Any]:
        """The live numbers."""
        path = f"/ops/campaigns/{self.campaign}/dashboard"
        return dict(self.call("GET", path, bearer=self.stack.ops_token).raise_for_status().json())

    def funnel(self, name: str) -> int:
        """One number of the funnel."""
        return int(self.dashboard()["funnel"][name])

    def letters(self, to: str | None = None) -> list[Letter]:
        """The mails in the mailbox, newest first."""
        messages = self._http.get("/_local/mailbox.json").raise_for_status().json()
        return [
            Letter(one["id"], one["to"], one["subject"], tuple(one["links"]))
            for one in messages
            if to in {None, one["to"]}
        ]

    def mail(self, letter: Letter) -> EmailMessage:
        """A mail exactly as it would leave."""
        content = self._http.get(f"/_local/mailbox/{letter.id}.eml").raise_for_status().content
        return email.message_from_bytes(content, policy=default)

    def token_for(self, to: str, page: str) -> str:
        """The token in the newest link to `page` that was mailed to `to`."""
        for letter in self.letters(to):
            for link in letter.links:
                found = _TOKEN.search(link)
                if found and f"/{page}/" in link:
                    return found[1]
        raise LookupError(f"no link to {page} was mailed")

    def codes_for(self, to: str) -> list[str]:
        """The voucher codes mailed to `to`, newest first."""
        texts = (self.mail(letter).get_body(("plain",)) for letter in self.letters(to))
        return [code for text in texts if text for code in _CODE.findall(text.get_content())[:1]]

    def drop(self, path: str, content: bytes) -> None:
        """Put a file into `in/{campaign}/`."""
        self._s3.put_object(Bucket=self._bucket, Key=f"in/{self.campaign}/{path}", Body=content)

    def receipt(self, path: str) -> dict[str, Any] | None:
        """The receipt of a dropped file, None while there is none."""
        content = self.output_file(f"receipts/{path}.json")
        return json.loads(content) if content else None

    def output_file(self, path: str) -> bytes | None:
        """A file of `out/{campaign}/`, None while there is none."""
        key = f"out/{self.campaign}/{path}"
        if key not in self.output_keys(path):
            return None
        return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def output_keys(self, start: str) -> list[str]:
        """The keys under `out/{campaign}/` that begin with `start`."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"out/{self.campaign}/{start}"
        )
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def exports(self) -> dict[str, list[dict[str, str]]]:
        """The voucher files written so far: number and rows."""
        return self._numbered("vouchers")

    def exported_codes(self, holder_digest: str) -> list[str]:
        """The codes of one holder, in the order of the exports."""
        rows = (row for exported in self.exports().values() for row in exported)
        return [row["code"] for row in rows if row["holder_digest"] == holder_digest]

    def changes(self) -> dict[str, list[dict[str, str]]]:
        """The files of changes written so far: number and rows."""
        return self._numbered("changes")

    def consents(self) -> dict[str, list[dict[str, str]]]:
        """The files of consents written so far: number and rows."""
        return self._numbered("consents")

    def referrals(self) -> list[dict[str, str]]:
        """The newest sponsor–referee table."""
        files = self.output_keys("referrals/")
        newest = max(files, default="").rsplit("/", 1)[-1]
        return self._rows(f"referrals/{newest}") if newest else []

    def _numbered(self, folder: str) -> dict[str, list[dict[str, str]]]:
        paths = self.output_keys(f"{folder}/")
        numbers = sorted(export_name(number) for path in paths if (number := number_at(path)))
        return {number: self._rows(f"{folder}/{number}.csv.gz") for number in numbers}

    def _rows(self, path: str) -> list[dict[str, str]]:
        content = self.output_file(path)
        if content is None:
            return []
        return list(csv.DictReader(io.StringIO(gzip.decompress(content).decode())))


def exported(exports: Mapping[str, Sequence[object]]) -> int:
    """How many vouchers are in exports."""
    return sum(len(rows) for rows in exports.values())
