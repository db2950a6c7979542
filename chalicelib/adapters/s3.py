"""The bucket as `ports.Files`, and ranged reads for the digest lists."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.lists.reader import SegmentGoneError
from chalicelib.services.ports import FileMissingError

CHUNK = 1 << 20
_MISSING = frozenset({"NoSuchKey", "404"})
_CHANGED = frozenset({"PreconditionFailed", "412", *_MISSING})


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


class BucketFiles:
    """`ports.Files` on one S3 bucket."""

    def __init__(self, clients: Clients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    def read(self, path: str) -> Iterator[bytes]:
        try:
            answer = self._clients.s3.get_object(Bucket=self._bucket, Key=path)
        except ClientError as error:
            if _code(error) in _MISSING:
                raise FileMissingError from error
            raise
        return answer["Body"].iter_chunks(CHUNK)

    def write(self, path: str, content: bytes, *, content_type: str = "text/csv") -> None:
        self._clients.s3.put_object(
            Bucket=self._bucket, Key=path, Body=content, ContentType=content_type
        )

    def write_once(self, path: str, content: bytes, *, content_type: str = "text/csv") -> bool:
        try:
            # Law 5: whoever comes second finds the file there and leaves it.
            self._clients.s3.put_object(
                Bucket=self._bucket,
                Key=path,
                Body=content,
                ContentType=content_type,
                IfNoneMatch="*",
            )
        except ClientError as error:
            if _code(error) == "PreconditionFailed":
                return False
            raise
        return True


class BucketSegments:
    """Segments of digest lists: written whole, read by ranges of the version they were."""

    def __init__(self, clients: Clients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    def put(self, key: str, content: bytes) -> str:
        """Store a segment; returns its ETag."""
        answer = self._clients.s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=content,
            ContentType="application/octet-stream",
        )
        return answer["ETag"]

    def fetch(self, key: str, start: int, end: int, etag: str) -> bytes:
        """Bytes `start` to `end` (exclusive). `SegmentGoneError` when it is another object."""
        try:
            answer = self._clients.s3.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes={start}-{end - 1}", IfMatch=etag
            )
        except ClientError as error:
            if _code(error) in _CHANGED:
                raise SegmentGoneError(_code(error)) from error
            raise
        return answer["Body"].read()
