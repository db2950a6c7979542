"""Signing in: why a link is mailed or not."""

from __future__ import annotations

from enum import StrEnum


class SignInReason(StrEnum):
    """The outcome of a request to sign in. The values are stored."""

    ON_VIP_LIST = "on_vip_list"
    NOT_ON_VIP_LIST = "not_on_vip_list"
    LIST_UNAVAILABLE = "list_unavailable"
    TOO_MANY_SIGN_IN_MAILS = "too_many_sign_in_mails"
