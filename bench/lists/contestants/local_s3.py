"""A folder that answers as S3 does, for the adapter that the builder writes through.

So parts are cut and held in memory exactly as they are on AWS. What is missing is the network:
HTTP, TLS and the waiting. The CRC-32 that the client computes for each part is computed here.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.lists.segment import HEADER_SIZE
from chalicelib.adapters.s3 import PART, BucketSegments

Answer = Mapping[str, Any]


def segments_in(folder: Path) -> BucketSegments:
    """The store of segments that the functions use, over a folder."""
    return BucketSegments(cast(Clients, SimpleNamespace(s3=LocalS3(folder))), "bench")


def etag_of(file: Path) -> str:
    """A file that has changed has another one."""
    status = file.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


class LocalS3:
    """As much of an S3 client as segments need."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_object(self, **request: Any) -> Answer:
        """A range of an object; ValueError if the object has changed."""
        path = self._folder / request["Key"]
        if etag_of(path) != request["IfMatch"]:
            raise ValueError("another object")
        first, last = map(int, request["Range"].removeprefix("bytes=").split("-"))
        with path.open("rb", buffering=0) as content:
            content.seek(first)
            return {"Body": io.BytesIO(content.read(last - first + 1))}

    def put_object(self, **request: Any) -> Answer:
        """Write a whole object."""
        path = self._folder / request["Key"]
        path.write_bytes(request["Body"])
        return {"ETag": etag_of(path)}

    def create_multipart_upload(self, **request: Any) -> Answer:
        """Begin an object that is invisible until it is complete."""
        self._unfinished(request).touch()
        return {"UploadId": "bench"}

    def upload_part(self, **request: Any) -> Answer:
        """Parts come in any order; the first one also has the header, the last one may be short."""
        number, body = request["PartNumber"], request["Body"]
        zlib.crc32(body)
        with self._unfinished(request).open("r+b", buffering=0) as parts:
            parts.seek(0 if number == 1 else HEADER_SIZE + (number - 1) * PART)
            parts.write(body)
        return {"ETag": str(number)}

    def complete_multipart_upload(self, **request: Any) -> Answer:
        """Make the object visible."""
        path = self._folder / request["Key"]
        self._unfinished(request).replace(path)
        return {"ETag": etag_of(path)}

    def abort_multipart_upload(self, **request: Any) -> Answer:
        """Remove the parts."""
        self._unfinished(request).unlink()
        return {}

    def _unfinished(self, request: Answer) -> Path:
        return self._folder / f"{request['Key']}.parts"
