"""The client's digest lists, without any I/O.

names   domain/campaign/lists.py, with the limits of each list
model   what is stored of a list
drops   a dropped file, and its position among all drops of its list
rules   whether a list may be trusted, and which deltas apply to it
plan    what a drop does to a list, as frozen data that services/lists executes

The digests themselves are parsed in files/digests.py, and stored and looked up in adapters/lists.
"""
