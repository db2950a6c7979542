"""How much Tandem bears: the calls of the real code, replayed against AWS's published limits.

    loads.py ──► scene.py ──► recording.py ──► keys.py ──► simulation.py ──► rows.py
    stories      the real     units, items,    the next     work at a rate    a row for each
                 functions    processor time   like it      against limits    component

`limits.py` has every figure that is AWS's, with the page that it is from, and what is assumed;
`deployed.py` what the template gives each function. None of it was measured in a real account.
"""
