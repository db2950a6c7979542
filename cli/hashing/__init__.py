"""`tandem hash`: from a client's addresses to a list of digests, on the client's own machine.

    command    the options, the files written, the summary
    blocks     the file of addresses, cut into blocks of whole rows
    digesting  one block of rows to one block of digests
    pool       blocks to worker processes and their answers back, in order; worker: one of them
    manifest   canaries, and the manifest of a list

A worker imports only what it needs for digesting, so that it starts fast. No module ever prints or
logs an address, or includes one in an error.
"""
