"""A folder that answers as S3 does, for the builder's own adapter (`adapters/s3.py`) to talk to.

So parts are cut, held in memory and counted exactly as they are on AWS. What is missing is the
network: HTTP, TLS and the wait. The CRC-32 that the client takes of each part is taken here.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.lists.segments import etag_of
from chalicelib.adapters.lists.segment import HEADER_SIZE
from chalicelib.adapters.s3 import PART

Answer = Mapping[str, Any]


class LocalS3:
    """As much of an S3 client as segments need, over one folder, with its calls counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.gets = 0
        self.got_bytes = 0
        self.puts = 0
        self.put_bytes = 0

    def get_object(self, **asked: Any) -> Answer:
        """A range of an object, if it still is the one."""
        path = self._folder / asked["Key"]
        if etag_of(path) != asked["IfMatch"]:
            raise ValueError("another object")
        first, last = map(int, asked["Range"].removeprefix("bytes=").split("-"))
        with path.open("rb", buffering=0) as content:
            content.seek(first)
            body = content.read(last - first + 1)
        self.gets += 1
        self.got_bytes += len(body)
        return {"Body": io.BytesIO(body)}

    def put_object(self, **asked: Any) -> Answer:
        """A whole object."""
        path = self._folder / asked["Key"]
        path.write_bytes(asked["Body"])
        self._count(asked["Body"])
        return {"ETag": etag_of(path)}

    def create_multipart_upload(self, **asked: Any) -> Answer:
        """Nothing can be seen of the object before its end."""
        self._count(b"")
        self._unfinished(asked).touch()
        return {"UploadId": "bench"}

    def upload_part(self, **asked: Any) -> Answer:
        """Parts come in any order; the first has the header besides, the last may be short."""
        number, body = asked["PartNumber"], asked["Body"]
        zlib.crc32(body)
        self._count(body)
        with self._unfinished(asked).open("r+b", buffering=0) as parts:
            parts.seek(0 if number == 1 else HEADER_SIZE + (number - 1) * PART)
            parts.write(body)
        return {"ETag": str(number)}

    def complete_multipart_upload(self, **asked: Any) -> Answer:
        """The object is there."""
        self._count(b"")
        path = self._folder / asked["Key"]
        self._unfinished(asked).replace(path)
        return {"ETag": etag_of(path)}

    def abort_multipart_upload(self, **asked: Any) -> Answer:
        """Nothing was."""
        self._unfinished(asked).unlink()
        return {}

    def _unfinished(self, asked: Answer) -> Path:
        return self._folder / f"{asked['Key']}.parts"

    def _count(self, body: bytes) -> None:
        self.puts += 1
        self.put_bytes += len(body)
