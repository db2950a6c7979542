"""One S3 bucket in memory: what the adapters ask of it, as strict as AWS and deterministic.

The bucket is versioned, as the template makes it: a deletion without a version only hides the file.
Version ids count up, so that a seed replays them. Only the operations that the functions use are
answered; multipart uploads are not, because no list of a simulation has 5 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest

from tests.simulation.failure import AwsError

PAGE = 1000  # keys a listing answers with
_CHUNKED = "aws-chunked"


@dataclass(frozen=True)
class Version:
    """A version of a file; `content` is None for a mark that it was deleted."""

    version_id: str
    content: bytes | None
    at: datetime = field(compare=False)

    @property
    def etag(self) -> str:
        """As S3 computes it for a single put."""
        return f'"{md5(self.content or b"", usedforsecurity=False).hexdigest()}"'


@dataclass(frozen=True)
class S3Answer:
    """What S3 answers: status, headers and body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass(frozen=True)
class _Asked:
    """A request, taken apart."""

    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Bucket:
    """The versions of each file by its key, the newest last."""

    files: dict[str, tuple[Version, ...]] = field(default_factory=dict)
    drawn: count[int] = field(default_factory=lambda: count(1))
    clock: Callable[[], datetime] = lambda: datetime(2026, 3, 2, 9, tzinfo=UTC)

    def call(self, operation: str, request: AWSPreparedRequest) -> S3Answer:
        """Carry out one call; `AwsError` for what S3 refuses."""
        operations: Mapping[str, Callable[[_Asked], S3Answer]] = {
            "CreateBucket": lambda _: S3Answer(),
            # No function deletes a version of a root, so there is nothing for a lock to refuse.
            "PutObjectLockConfiguration": lambda _: S3Answer(),
            "PutObject": self._put_object,
            "GetObject": self._get_object,
            "HeadObject": self._head_object,
            "CopyObject": self._copy_object,
            "DeleteObject": self._delete_object,
            "ListObjectsV2": self._list_objects,
            "ListObjectVersions": self._list_versions,
        }
        if operation not in operations:
            raise AwsError("NotImplemented", operation)
        return operations[operation](_asked(request))

    def put(self, key: str, content: bytes) -> str:
        """Store a file, as the client does; returns its version."""
        return self._store(key, content).version_id

    def read(self, key: str) -> bytes | None:
        """The content of a file, None when there is none."""
        newest = self._newest(key)
        return newest.content if newest else None

    def under(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The files under a prefix, in the order of their names."""
        for key in sorted(self.files):
            content = self.read(key) if key.startswith(prefix) else None
            if content is not None:
                yield key, content

    def copy(self) -> Bucket:
        """The same files; versions are never changed, so they are shared."""
        drawn = next(self.drawn)
        self.drawn = count(drawn)
        return Bucket(dict(self.files), count(drawn), self.clock)

    def _newest(self, key: str) -> Version | None:
        kept = self.files.get(key)
        return kept[-1] if kept and kept[-1].content is not None else None

    def _store(self, key: str, content: bytes | None) -> Version:
        version = Version(f"version-{next(self.drawn):08}", content, self.clock())
        self.files[key] = (*self.files.get(key, ()), version)
        return version

    def _put_object(self, asked: _Asked) -> S3Answer:
        condition = asked.headers.get("if-none-match")
        if condition is not None:
            if condition != "*":
                raise AwsError("NotImplemented", "If-None-Match")
            if self._newest(asked.key):
                raise AwsError("PreconditionFailed")
        return S3Answer(headers=_named(self._store(asked.key, asked.body)))

    def _get_object(self, asked: _Asked) -> S3Answer:
        found = self._asked_for(asked)
        content = found.content or b""
        given = asked.headers.get("range")
        if given is None:
            return S3Answer(200, _named(found), content)
        first, _, last = given.removeprefix("bytes=").partition("-")
        if int(first) >= len(content):
            raise AwsError("InvalidRange")
        end = min(int(last) + 1, len(content)) if last else len(content)
        part = f"bytes {first}-{end - 1}/{len(content)}"
        return S3Answer(206, _named(found) | {"content-range": part}, content[int(first) : end])

    def _head_object(self, asked: _Asked) -> S3Answer:
        found = self._asked_for(asked)
        return S3Answer(200, _named(found) | {"content-length": str(len(found.content or b""))})

    def _asked_for(self, asked: _Asked) -> Version:
        found = self._version(asked.key, asked.query.get("versionId"))
        if "if-match" in asked.headers and asked.headers["if-match"].strip('"') != found.etag[1:-1]:
            raise AwsError("PreconditionFailed")
        return found

    def _version(self, key: str, version: str | None) -> Version:
        if version is None:
            newest = self._newest(key)
            if newest is None:
                raise AwsError("NoSuchKey")
            return newest
        kept = (one for one in self.files.get(key, ()) if one.version_id == version)
        found = next(kept, None)
        if found is None:
            raise AwsError("NoSuchVersion")
        if found.content is None:
            raise AwsError("MethodNotAllowed")
        return found

    def _copy_object(self, asked: _Asked) -> S3Answer:
        path, _, version = asked.headers["x-amz-copy-source"].partition("?versionId=")
        key = unquote(path).lstrip("/").partition("/")[2]
        copied = self._store(asked.key, self._version(key, version or None).content)
        body = f"<CopyObjectResult><ETag>{escape(copied.etag)}</ETag></CopyObjectResult>"
        return S3Answer(200, {"x-amz-version-id": copied.version_id}, body.encode())

    def _delete_object(self, asked: _Asked) -> S3Answer:
        version = asked.query.get("versionId")
        if version is None:
            return S3Answer(204, {"x-amz-version-id": self._store(asked.key, None).version_id})
        left = tuple(one for one in self.files.get(asked.key, ()) if one.version_id != version)
        self.files[asked.key] = left
        if not left:
            del self.files[asked.key]
        return S3Answer(204)

    def _list_objects(self, asked: _Asked) -> S3Answer:
        after = asked.query.get("continuation-token", "")
        found = [one for one in self.under(asked.query.get("prefix", "")) if one[0] > after]
        shown = found[: min(PAGE, int(asked.query.get("max-keys", PAGE)))]
        more = len(found) > len(shown)
        body = [
            f"<IsTruncated>{str(more).lower()}</IsTruncated><EncodingType>url</EncodingType>",
            *(
                f"<Contents><Key>{quote(key)}</Key><Size>{len(content)}</Size></Contents>"
                for key, content in shown
            ),
        ]
        if more:
            body.append(f"<NextContinuationToken>{shown[-1][0]}</NextContinuationToken>")
        return S3Answer(200, {}, _document("ListBucketResult", body))

    def _list_versions(self, asked: _Asked) -> S3Answer:
        prefix = asked.query.get("prefix", "")
        found = [
            (key, version)
            for key in sorted(one for one in self.files if one.startswith(prefix))
            for version in reversed(self.files[key])
        ]
        marker = asked.query.get("key-marker"), asked.query.get("version-id-marker")
        named = [(key, version.version_id) for key, version in found]
        start = named.index(marker) + 1 if marker in named else 0
        shown, more = found[start : start + PAGE], len(found) > start + PAGE
        body = [f"<IsTruncated>{str(more).lower()}</IsTruncated><EncodingType>url</EncodingType>"]
        if more:
            key, version = shown[-1]
            body.append(f"<NextKeyMarker>{quote(key)}</NextKeyMarker>")
            body.append(f"<NextVersionIdMarker>{version.version_id}</NextVersionIdMarker>")
        for key, version in shown:
            kind = "DeleteMarker" if version.content is None else "Version"
            body.append(
                f"<{kind}><Key>{quote(key)}</Key><VersionId>{version.version_id}</VersionId>"
                f"<LastModified>{version.at:%Y-%m-%dT%H:%M:%S}.000Z</LastModified></{kind}>"
            )
        return S3Answer(200, {}, _document("ListVersionsResult", body))


def _named(version: Version) -> dict[str, str]:
    return {"etag": version.etag, "x-amz-version-id": version.version_id}


def _document(name: str, body: list[str]) -> bytes:
    return f"<{name}>{''.join(body)}</{name}>".encode()


def _asked(request: AWSPreparedRequest) -> _Asked:
    url = urlsplit(request.url)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    return _Asked(
        key=unquote(url.path).lstrip("/").partition("/")[2],
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers=headers,
        body=_content_of(request.body, _CHUNKED in headers.get("content-encoding", "")),
    )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _content_of(body: Any, chunked: bool) -> bytes:
    """The content of a body, which botocore sends in chunks with a checksum behind them."""
    if body is None:
        return b""
    raw = bytes(body if isinstance(body, bytes | bytearray) else body.read())
    if not chunked:
        return raw
    content = b""
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        content += raw[:length]
        raw = raw[length + 2 :]
    return content
