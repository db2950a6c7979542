"""Digest lists as immutable segments: `segment` writes and describes one, `reader` looks up in it.

Which segment is in force is a pointer's business, kept beside this package by whoever owns S3 and
the table; whether a list may come in force is judged in domain/lists.py.
"""
