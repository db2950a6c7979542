"""Digest lists as immutable segments: `segment` describes one, `building` makes it, `reader` looks
up in it, and `current` knows which one the pointer names.

Whether a list may become the current one is decided in domain/lists.
"""
