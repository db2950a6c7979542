"""`tandem hash`: a client's addresses to a list of digests, on the client's own machine.

    command    what is asked for on the command line, the files it writes, the summary
    blocks     the file of addresses, cut into blocks of whole rows
    digesting  one block of rows to one block of digests
    crew       blocks to worker processes and their answers back, in order; worker: one of them
    manifest   canaries, and what stands beside a list

A worker imports nothing but what it needs to digest: it has begun before a terminal is drawn.
No address is ever printed, logged or told in an error, by any of them.
"""
