"""The headers that CloudFront adds to an answer: by the packaged template, path by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from local.deployment import Template

EdgeHeaders = Callable[[str, Mapping[str, str]], dict[str, str]]
"""What is added to the answer to a path, which has these headers."""

_POLICY: Final = "Content-Security-Policy"


def edge_headers(template: Template) -> EdgeHeaders:
    """What the distribution's behaviours add. A content security policy that does not override
    leaves that of the answer.
    """
    resources = template["Resources"]
    config = resources["Distribution"]["Properties"]["DistributionConfig"]
    default = config["DefaultCacheBehavior"]
    policies = {
        name: one["Properties"]["ResponseHeadersPolicyConfig"]
        for name, one in resources.items()
        if one["Type"] == "AWS::CloudFront::ResponseHeadersPolicy"
    }

    def added(path: str, headers: Mapping[str, str]) -> dict[str, str]:
        behaviours = (
            one for one in config["CacheBehaviors"] if fnmatchcase(path, one["PathPattern"])
        )
        policy = policies[next(behaviours, default)["ResponseHeadersPolicyId"]["Ref"]]
        content = policy["SecurityHeadersConfig"]["ContentSecurityPolicy"]
        if content["Override"] or _POLICY not in headers:
            return {_POLICY: content["ContentSecurityPolicy"], **_others(policy)}
        return _others(policy)

    return added


def _others(policy: dict[str, Any]) -> dict[str, str]:
    security = policy["SecurityHeadersConfig"]
    transport = security["StrictTransportSecurity"]
    subdomains = "; includeSubDomains" if transport["IncludeSubdomains"] else ""
    return {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "Strict-Transport-Security": f"max-age={transport['AccessControlMaxAgeSec']}{subdomains}",
        **{item["Header"]: item["Value"] for item in policy["CustomHeadersConfig"]["Items"]},
    }
