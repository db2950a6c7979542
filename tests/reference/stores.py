"""A store of segments in memory: what S3 does, with a count of what it was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.adapters.lists.reader import SegmentGoneError


class MemoryUpload:
    """An object under way; it is one once it is finished."""

    def __init__(self, store: MemoryStore, key: str) -> None:
        self._store = store
        self._key = key
        self._body = bytearray()

    def write(self, content: bytes | memoryview) -> None:
        """Add to what comes after the header."""
        self._body += content

    def finish(self, header: bytes) -> str:
        """Make it visible; returns its ETag."""
        return self._store.put(self._key, header + self._body)


class MemoryStore:
    """Objects by key. `largest` is the widest range that was asked for, in bytes, of `fetches`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self._etags: dict[str, str] = {}
        self.largest = 0
        self.fetches = 0

    def put(self, key: str, content: bytes) -> str:
        """Store an object; returns its ETag."""
        self.objects[key] = content
        self._etags[key] = hashlib.sha256(content).hexdigest()
        return self._etags[key]

    def fetch(self, key: str, start: int, end: int, etag: str) -> bytes:
        """A range of an object, if it still is the one with that ETag."""
        content = self.objects.get(key)
        if content is None or self._etags[key] != etag:
            raise SegmentGoneError(key)
        self.fetches += 1
        self.largest = max(self.largest, end - start)
        return content[start:end]

    @contextmanager
    def upload(self, key: str) -> Iterator[MemoryUpload]:
        """Begin to store an object."""
        yield MemoryUpload(self, key)
