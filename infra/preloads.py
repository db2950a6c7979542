"""What a page will ask for at once, so that a browser asks before it has the page's script.

A page fetches the texts of one language and its campaign. Both follow from its address and from
what the browser says of its reader, so the edge names them in a header of the page's answer
(`Link`). What there is to name is a line of the page's own (`preloads_of`), which S3 keeps as
metadata. The function `WebPreloads` of resources.yaml does at CloudFront what `link_header` does
for the local front and the tests of the pages; tests/infra/test_web_preloads.py compares them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from chalicelib.domain.locales import wished_languages

METADATA: Final = "preloads"  # S3 hands it over as x-amz-meta-preloads
_TEXTS: Final = re.compile(r'data-language="([a-z]{2})"\s+data-texts="(/assets/[0-9a-f]+\.json)"')
_CAMPAIGN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def preloads_of(page: str) -> str | None:
    """What a page may ask for: `campaign`, where it shows its brand, and each language's texts;
    None for what is no page.
    """
    texts = [f"{language}={address}" for language, address in _TEXTS.findall(page)]
    branded = ["campaign"] if "data-branded" in page else []
    return " ".join([*branded, *texts]) or None


def link_header(preloads: str | None, query: str, headers: Mapping[str, str]) -> str | None:
    """The header of an answer to this query; None without anything to name."""
    named = dict(one.partition("=")[::2] for one in (preloads or "").split(" "))
    texts = {name: address for name, address in named.items() if address}
    if not texts:
        return None
    asked = parse_qs(query)
    chosen = asked.get("lang", [""])[0][:2].lower()
    wanted = [chosen, *wished_languages(headers.get("accept-language", ""))]
    language = next((one for one in wanted if one in texts), next(iter(texts)))
    addresses = [texts[language]]
    campaign = asked.get("campaign", [""])[0]
    if "campaign" in named and _CAMPAIGN.fullmatch(campaign):
        addresses.append(f"/v1/campaigns/{campaign}")
    return ", ".join(f"<{one}>; rel=preload; as=fetch; crossorigin" for one in addresses)
