"""Digest lists as immutable segments: `segment` defines the format, `building` writes segments,
`reader` looks digests up, and `current` follows the pointer to the current one.

Whether a list may be put in force is decided in domain/lists.
"""
