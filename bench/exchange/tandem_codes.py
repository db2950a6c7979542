"""Voucher codes as the functions make them: `python -m bench.exchange.tandem_codes COUNT HOW`.

`HOW` is `together`, or `singly` as a function issues them. Prints its own time; what is checked
afterwards takes no part in it.
"""

from __future__ import annotations

import json
import sys
import time

from chalicelib.adapters.codes import SecureCodes
from chalicelib.domain.codes import is_valid


def main() -> None:
    """Make them, time it, check them."""
    count, how = int(sys.argv[1]), sys.argv[2]
    source = SecureCodes()
    began = time.perf_counter()
    if how == "together":
        codes = source.voucher_codes(count)
    else:
        codes = [source.voucher_code() for _ in range(count)]
    seconds = time.perf_counter() - began
    valid = sum(map(is_valid, codes))
    print(json.dumps({"seconds": seconds, "distinct": len(set(codes)), "valid": valid}))


if __name__ == "__main__":
    main()
