"""Making segments of lists of any size in flat memory: `ports.ListBuilder`, with numpy.

    bytes → tokens → spill (256 parts on disk) → sorting, part by part → builder → ../segment

The only package that imports numpy, and imported by the ingest function alone, when a list is
dropped. It decides nothing: what a line means is said in domain/files/digests.py, what a segment
is in ../segment.py.
"""

from chalicelib.adapters.lists.building.builder import SegmentBuilder

__all__ = ["SegmentBuilder"]
