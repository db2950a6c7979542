"""What AWS answers in place of what it was asked for."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """What AWS answers instead: its code, and what its body holds beside the message."""

    def __init__(self, code: str, message: str = "", **body: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.body = {"message": message, **body}
