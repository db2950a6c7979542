"""What the front answers by itself, in the API's own words."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response


def problem(status: int, name: str, title: str) -> Response:
    """An RFC 9457 answer."""
    return answered(
        status, {"type": f"urn:tandem:problem:{name}", "title": title, "status": status}
    )


def answered(status: int, body: Mapping[str, str | int]) -> Response:
    """An RFC 9457 answer with these members."""
    return Response(json.dumps(body), status, media_type="application/problem+json")
