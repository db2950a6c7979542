"""What Lambda calls for each function of the template, by its name.

Tests that act for Lambda call these. `tests.architecture.test_functions` compares them with what
the template names.
"""

from __future__ import annotations

from chalicelib.functions.decide import decide
from chalicelib.functions.due import due
from chalicelib.functions.expire import expire
from chalicelib.functions.export import export
from chalicelib.functions.ingest import ingest
from chalicelib.functions.mail import mail
from chalicelib.functions.mail_events import mail_events
from chalicelib.functions.persons import persons
from chalicelib.functions.project import project
from chalicelib.functions.reconcile import reconcile
from chalicelib.functions.relay import relay
from chalicelib.functions.report import report
from chalicelib.functions.reward import reward
from chalicelib.functions.root import root
from chalicelib.functions.seal import seal
from chalicelib.functions.wallet import wallet

__all__ = [
    "decide",
    "due",
    "expire",
    "export",
    "ingest",
    "mail",
    "mail_events",
    "persons",
    "project",
    "reconcile",
    "relay",
    "report",
    "reward",
    "root",
    "seal",
    "wallet",
]
