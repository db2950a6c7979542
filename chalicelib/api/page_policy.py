"""What pages that run a script may do: the content security policy of each of them.

The digests are those of the small scripts that stand in the HTML of pages (web/early.js and its
neighbours). The same is in infra/resources.yaml, for CloudFront; tests/web/test_pages.py compares
them with the built pages.
"""

from __future__ import annotations

from typing import Final

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self' "
    "'sha256-yaVTyQp7Cs+4rzXFsM1d186j04LWZXQJJxLLBYcjLG0=' "
    "'sha256-rwxBXA/iHmj/DNXMduHdv4CKkjcQIgMPxLZVf/NQbys=' "
    "'sha256-OZEzQtCDbsTh39SR/uAvs+C8x9929A5Cb9Oi1w+q4EI=' "
    "'sha256-joRsXp6oSD8w5RE3NFi1HQ+l1GLbGJIxnPQJG83WlDo='; "
    "style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
