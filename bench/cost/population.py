"""Whose invitations are billed: how many of a hundred are accepted, answered, and bought with.

The one place that states it. `life.py` plays a hundred invitations of this kind through the real
functions; what they take is taken ten thousand times for a million. A month of 30 days brings them,
evenly by day and by night: the dearest case, since the fewest facts share a batch of the stream.
"""

from __future__ import annotations

from datetime import date
from typing import Final

PLAYED: Final = 100  # invitations
BILLED: Final = 1_000_000
DAYS: Final = 30  # in which they come
MONTH_S: Final = DAYS * 86_400
SHARDS: Final = 4  # of the stream: a new on-demand table has four partitions

# Of a hundred invitations:
SPONSORS: Final = 20  # each signs in once and invites five people
A_CALL: Final = (3, 2)  # in two calls
SPONSOR_LOOKS: Final = 3  # how often a sponsor's page asks for its contents
STRANGERS: Final = 2  # who ask for a sign-in link and are on no list
CUSTOMERS: Final = 10  # of the invited, on the customer list: refused, without a mail
BOUNCES: Final = 1  # of the 90 mails
DECLINED: Final = 1
OPENED: Final = 40  # who look at the offer
CONFIRMED: Final = 18  # who accept it: a voucher each
# Looks at the page afterwards, at the confirmation and from the voucher's mail.
SEEN_AGAIN: Final = 36
# Who order with it and keep what they ordered: a voucher for them, one for the sponsor.
BUYERS: Final = 7

# 20 sign-in links, 90 invitations, 18 vouchers for a confirmation, 14 for an order.
MAILS: Final = 142

FIRST_DAY: Final = date(2026, 3, 2)  # of the invitations
LAST_DAY: Final = date(2026, 8, 31)  # of the campaign, half a year after it began
# How often a page of ours is opened: the landing page, the sponsor's, the referee's.
VISITS: Final = {
    "index.html": SPONSORS + STRANGERS,
    "sponsor/index.html": SPONSORS * SPONSOR_LOOKS,
    "referee/index.html": OPENED + SEEN_AGAIN,
}
# Of these, by a browser that has nothing of ours yet.
FIRST_VISITS: Final = {
    "index.html": SPONSORS + STRANGERS,
    "sponsor/index.html": SPONSORS,
    "referee/index.html": OPENED,
}
# These come from another page of ours, whose style and picture theirs are too.
FOLLOWING: Final = frozenset({"sponsor/index.html"})
