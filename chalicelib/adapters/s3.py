"""The bucket as `ports.Files`, and as the store of digest-list segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.lists.reader import SegmentGoneError
from chalicelib.domain.files.ends import locked_until
from chalicelib.services.file_ports import FileMissingError, Written

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CopySourceTypeDef

CHUNK = 1 << 20
PART = 8 << 20  # bytes; S3 requires 5 MB of every part but the last, and allows 10,000 parts
WRITE_ATTEMPTS = 3
MAX_RECONNECTS = 3  # in a row, after a broken connection
READ_AT_ONCE = 8  # small files; botocore keeps 10 connections
COPIED_AT_ONCE = 256 << 20  # bytes that S3 copies well within our time-out; its limit is 5 GB
_SEGMENT = "application/octet-stream"
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_CHANGED = frozenset({"PreconditionFailed", *_MISSING})


class _Version(TypedDict, total=False):
    VersionId: str


class _UploadRef(TypedDict):
    Bucket: str
    Key: str
    UploadId: str


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


class _Lock(TypedDict, total=False):
    ObjectLockMode: Literal["GOVERNANCE"]
    ObjectLockRetainUntilDate: datetime
    ChecksumAlgorithm: Literal["CRC32"]  # S3 asks for one with a lock


class BucketFiles:
    """`ports.Files` on one S3 bucket. Where it is `locked`, what is written once stays as long as
    `domain.files.ends` says (governance mode: only a principal with a right of its own can remove
    it before).
    """

    def __init__(
        self,
        clients: Clients,
        bucket: str,
        *,
        copied_at_once: int = COPIED_AT_ONCE,
        is_locked: bool = False,
    ) -> None:
        self._clients = clients
        self._bucket = bucket
        self._copied_at_once = copied_at_once
        self._is_locked = is_locked

    def read(self, path: str, version: str | None = None) -> Iterator[bytes]:
        """The file in chunks, as it was in `version`. `FileMissingError` when there is none."""
        try:
            return _Download(self._clients.s3, self._bucket, path, _version_argument(version))
        except ClientError as error:
            if _code(error) in _MISSING:
                raise FileMissingError from error
            raise

    def read_all(self, paths: Iterable[str]) -> Iterator[bytes | None]:
        """The whole of each file, in their order; None for one that is not there."""
        with ThreadPoolExecutor(READ_AT_ONCE) as readers:
            yield from readers.map(self._whole, paths)

    def _whole(self, path: str) -> bytes | None:
        try:
            return b"".join(self.read(path))
        except FileMissingError:
            return None

    def paths(self, folder: str) -> list[str]:
        """The paths of all files under a folder, in the order of their names."""
        pages = self._clients.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=folder
        )
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def written_since(self, folder: str, since: datetime) -> list[Written]:
        """Each kept version of the files under a folder that was written since, oldest first."""
        pages = self._clients.s3.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=folder
        )
        return sorted(
            Written(found["LastModified"], found["Key"], found["VersionId"])
            for page in pages
            for found in page.get("Versions", ())
            if found["LastModified"] >= since
        )

    def versions(self, path: str) -> list[str]:
        """The versions of a file, the newest first, at most a thousand."""
        answer = self._clients.s3.list_object_versions(Bucket=self._bucket, Prefix=path)
        return [found["VersionId"] for found in answer.get("Versions", ()) if found["Key"] == path]

    def write(self, path: str, content: bytes, *, content_type: str = "text/csv") -> None:
        self._clients.s3.put_object(
            Bucket=self._bucket, Key=path, Body=content, ContentType=content_type
        )

    def write_once(self, path: str, content: bytes, *, content_type: str = "text/csv") -> bool:
        for attempt in range(1, WRITE_ATTEMPTS + 1):
            try:
                # Law 5: the second writer finds the file and does not replace it.
                self._clients.s3.put_object(
                    Bucket=self._bucket,
                    Key=path,
                    Body=content,
                    ContentType=content_type,
                    IfNoneMatch="*",
                    **self._lock(path),
                )
            except ClientError as error:
                if _code(error) == "PreconditionFailed":
                    return False
                # Another writer was at it: its file is there at the next attempt, or it failed.
                if _code(error) != "ConditionalRequestConflict" or attempt == WRITE_ATTEMPTS:
                    raise
            else:
                return True
        raise AssertionError("the last attempt returns or raises")

    def lock_again(self, path: str) -> None:
        """Who may set a lock may lengthen it; shortening one is a right that nobody of ours has."""
        until = self._locked_until(path)
        if until is None:
            return
        try:
            self._clients.s3.put_object_retention(
                Bucket=self._bucket,
                Key=path,
                Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
            )
        except ClientError as error:
            if _code(error) not in _MISSING:
                raise

    def _locked_until(self, path: str) -> datetime | None:
        # The time that S3 knows, whatever a process takes for now.
        return locked_until(path, datetime.now(UTC)) if self._is_locked else None

    def _lock(self, path: str) -> _Lock:
        until = self._locked_until(path)
        if until is None:
            return {}
        return {
            "ObjectLockMode": "GOVERNANCE",
            "ObjectLockRetainUntilDate": until,
            "ChecksumAlgorithm": "CRC32",
        }

    def remove(self, path: str) -> None:
        """In the versioned bucket it stays a while as a former version."""
        self._clients.s3.delete_object(Bucket=self._bucket, Key=path)

    def erase(self, written: Written) -> None:
        """The version itself is deleted: without naming it, it would stay as a former one."""
        self._clients.s3.delete_object(
            Bucket=self._bucket, Key=written.path, **_version_argument(written.version)
        )

    def move(self, path: str, to: str, version: str | None = None) -> None:
        """Move a file, its current version or `version`, so that nothing of it remains.

        It is copied, then deleted: after a kill between the two, it is moved again. A missing file
        was moved before.
        """
        s3 = self._clients.s3
        try:
            found = s3.head_object(Bucket=self._bucket, Key=path, **_version_argument(version))
        except ClientError as error:
            if _code(error) in _MISSING:
                return
            raise
        # In a versioned bucket, deleting a file without naming a version only hides it.
        version = version or found.get("VersionId")
        source: CopySourceTypeDef = {
            "Bucket": self._bucket,
            "Key": path,
            **_version_argument(version),
        }
        if found["ContentLength"] <= self._copied_at_once:
            # Without its tags: reading those would need another permission.
            s3.copy_object(
                Bucket=self._bucket, Key=to, CopySource=source, TaggingDirective="REPLACE"
            )
        else:
            self._copy_in_parts(source, to, found["ContentLength"])
        s3.delete_object(Bucket=self._bucket, Key=path, **_version_argument(version))

    def _copy_in_parts(self, source: CopySourceTypeDef, to: str, size: int) -> None:
        with _MultipartUpload(self._clients.s3, self._bucket, to, "text/csv") as upload:
            for number, start in enumerate(range(0, size, self._copied_at_once), 1):
                end = min(start + self._copied_at_once, size)
                upload.copy(number, source, f"bytes={start}-{end - 1}")
            upload.complete()


class _Download:
    """A file in chunks, from a connection that is restored where it breaks.

    A hundred million digests take minutes; one lost packet must not mean reading the file again.
    Iterating after an error gives the rest of the file or another error, never a premature end.
    """

    def __init__(self, s3: S3Client, bucket: str, path: str, version: _Version) -> None:
        self._open = partial(s3.get_object, Bucket=bucket, Key=path, **version)
        answer = self._open()
        self._etag = answer["ETag"]
        self._left = answer["ContentLength"]
        self._read = 0
        self._body = answer["Body"]

    def __iter__(self) -> _Download:
        return self

    def __next__(self) -> bytes:
        chunk = self._chunk()
        if not chunk:
            raise StopIteration
        self._read += len(chunk)
        self._left -= len(chunk)
        return chunk

    def _chunk(self) -> bytes:
        for _ in range(MAX_RECONNECTS):
            try:
                return self._body.read(CHUNK)
            except (HTTPClientError, IncompleteReadError):
                if not self._left:  # only the end of the answer was lost
                    return b""
            answer = self._open(Range=f"bytes={self._read}-", IfMatch=self._etag)
            self._body = answer["Body"]
        return self._body.read(CHUNK)


class BucketSegments:
    """Segments of digest lists: written once, read by ranges of the object with a known ETag."""

    def __init__(self, clients: Clients, bucket: str, *, part: int = PART) -> None:
        self._clients = clients
        self._bucket = bucket
        self._part = part

    def put(self, key: str, content: bytes) -> str:
        """Store a segment; returns its ETag."""
        answer = self._clients.s3.put_object(
            Bucket=self._bucket, Key=key, Body=content, ContentType=_SEGMENT
        )
        return answer["ETag"]

    @contextmanager
    def upload(self, key: str) -> Iterator[SegmentUpload]:
        """Start storing a segment; without `finish`, nothing of it remains."""
        with _MultipartUpload(self._clients.s3, self._bucket, key, _SEGMENT) as parts:
            yield SegmentUpload(parts, self._part, lambda content: self.put(key, content))

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


class SegmentUpload:
    """A segment being uploaded. The first part waits, because its header is known last.

    A segment of one part is stored by a single put.
    """

    def __init__(self, parts: _MultipartUpload, size: int, put: Callable[[bytes], str]) -> None:
        self._parts = parts
        self._size = size
        self._put = put
        self._first = b""
        self._next = 2
        self._held = bytearray()

    def write(self, content: bytes | memoryview) -> None:
        """Append to the body, which follows the header. The last part of it is never empty."""
        self._held += content
        while len(self._held) > self._size:
            with memoryview(self._held) as held:
                part = bytes(held[: self._size])
            del self._held[: self._size]
            if self._first:
                self._upload(part)
            else:
                self._first = part

    def finish(self, header: bytes) -> str:
        """Put the header before the body and make the segment visible; returns its ETag."""
        if not self._first:
            return self._put(header + self._held)
        self._upload(bytes(self._held))
        self._parts.upload(1, header + self._first)
        return self._parts.complete()

    def _upload(self, part: bytes) -> None:
        self._parts.upload(self._next, part)
        self._next += 1


class _MultipartUpload:
    """An object in numbered parts, started with the first one; aborted unless completed.

    Each part is sent and stored with its CRC-32.
    """

    def __init__(self, s3: S3Client, bucket: str, key: str, content_type: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._key = key
        self._content_type = content_type
        self._id = ""
        self._stored: dict[int, CompletedPartTypeDef] = {}

    def __enter__(self) -> _MultipartUpload:
        return self

    def __exit__(self, *_: object) -> None:
        if self._id:
            # The error that ended this matters more; the lifecycle also ends incomplete uploads.
            with suppress(ClientError, BotoCoreError):
                self._s3.abort_multipart_upload(**self._ref())

    def upload(self, number: int, content: bytes) -> None:
        """Store a part: at least 5 MB but for the last one."""
        answer = self._s3.upload_part(
            **self._started(), PartNumber=number, Body=content, ChecksumAlgorithm="CRC32"
        )
        self._store(number, answer)

    def copy(self, number: int, source: CopySourceTypeDef, byte_range: str) -> None:
        """Have a range of another object stored as a part."""
        answer = self._s3.upload_part_copy(
            **self._started(), PartNumber=number, CopySource=source, CopySourceRange=byte_range
        )
        self._store(number, answer["CopyPartResult"])

    def complete(self) -> str:
        """Make the object visible; returns its ETag."""
        parts = [self._stored[number] for number in sorted(self._stored)]
        answer = self._s3.complete_multipart_upload(**self._ref(), MultipartUpload={"Parts": parts})
        self._id = ""
        return answer["ETag"]

    def _store(self, number: int, answer: Mapping[str, Any]) -> None:
        checks = {name: answer[name] for name in ("ETag", "ChecksumCRC32") if name in answer}
        self._stored[number] = cast("CompletedPartTypeDef", {"PartNumber": number, **checks})

    def _started(self) -> _UploadRef:
        if not self._id:
            answer = self._s3.create_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                ContentType=self._content_type,
                ChecksumAlgorithm="CRC32",
            )
            self._id = answer["UploadId"]
        return self._ref()

    def _ref(self) -> _UploadRef:
        return {"Bucket": self._bucket, "Key": self._key, "UploadId": self._id}


def _version_argument(version: str | None) -> _Version:
    return {"VersionId": version} if version else {}
