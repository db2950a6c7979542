"""Building segments of lists of any size in bounded memory: `ports.ListBuilder`, with numpy.

    bytes → tokens → spill (256 parts on disk) → sorting, part by part → builder → ../segment

The only package that imports numpy; only the ingest function imports it, when a list is dropped. It
decides nothing: what a line means is defined in domain/files/digests.py, the format of a segment in
../segment.py.
"""

from chalicelib.adapters.lists.building.builder import SegmentBuilder

__all__ = ["SegmentBuilder"]
