"""Tandem: a referral-and-voucher backend. Nothing happens at import but what `starting.py` says."""

from chalicelib import starting

starting.prepare()
