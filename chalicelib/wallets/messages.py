"""What the API asks the function `wallet` to sign, as it passes between them: JSON.

The API makes a pass and cannot sign it; the function signs whatever it is asked to and reads
nothing but its keys. Nobody but the API has the right to call it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, repr=False)
class ApplePass:
    """What a pass is made of: `content` of pass.json without whose it is, and the other files."""

    content: Mapping[str, Any]
    files: Mapping[str, bytes]

    def message(self) -> dict[str, Any]:
        """The pass as it is sent to be signed."""
        files = {name: b64encode(each).decode() for name, each in self.files.items()}
        return {"content": dict(self.content), "files": files}

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> ApplePass:
        """The pass in a message."""
        files = {name: b64decode(each) for name, each in message["files"].items()}
        return cls(message["content"], files)


@dataclass(frozen=True, repr=False)
class GooglePass:
    """A class and an object without whose they are, and the origin that offers them."""

    offer_class: Mapping[str, Any]
    offer_object: Mapping[str, Any]
    origin: str

    def message(self) -> dict[str, Any]:
        """The pass as it is sent to be signed."""
        return {
            "class": dict(self.offer_class),
            "object": dict(self.offer_object),
            "origin": self.origin,
        }

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> GooglePass:
        """The pass in a message."""
        return cls(message["class"], message["object"], message["origin"])
