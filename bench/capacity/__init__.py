"""How much Tandem bears: the calls of the real code, replayed against AWS's published limits.

`limits.py` has every figure that is AWS's, with the page that it is from; `simulation.py` plays
work at a rate against them. None of it was measured in a real account.
"""
