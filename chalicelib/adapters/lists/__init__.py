"""Digest lists as immutable segments: `segment` describes one, `building` makes it, `reader` looks
up in it, and `in_force` knows which one the pointer names.

Whether a list may come in force is judged in domain/lists.py.
"""
