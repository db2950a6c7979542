"""`tandem campaign simulate`: what a campaign file would grant for the orders of a file.

    FILE.csv ─► history: who ordered, what happens when ─► play: rewards ─► outcome ─► show

No AWS takes part. Orders, rewards, vouchers and redemptions are judged by the functions of
`chalicelib.domain` that production uses. What production reads from its table and its lists, and an
order file cannot say, is assumed: who is a referee, who is whose sponsor, when an order was
reported (`history.py`).
"""
