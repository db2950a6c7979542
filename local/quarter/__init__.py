"""A quarter that has passed before the demo begins, so that its dashboard has something to show.

    plan.py ─► play.py, by a clock of its own ─► a table aside ─► carry.py ─► the stack's table
               the product's own use cases       aside.py                     stream, projector

What people, the client and time do is drawn from a seed (`plan.py`). It is played in the past by
the use cases themselves, on a table and a bucket that no function watches (`aside.py`), and then
carried into the stack's (`carry.py`), the facts last and uncounted: counts, journal and figures are
made of them by the deployed projector. `history.py` does all of it. Why so: docs/decisions/0067.
"""

from __future__ import annotations

CAMPAIGN = "demo-quarter"
