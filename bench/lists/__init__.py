"""The digest-list engine compared with what else could do its work, in turns, in one run.

    inputs        random lists, samples and addresses, from a seed
    processes     measured child processes, contestants in turns
    contestants/  what the child processes run; the only modules here that import chalicelib
    build, lookup, hashing    the three contests, each with its correctness checks
    results       ratios, bars and checks, and the rows of the table

Never shipped. Why each contest is fair: docs/performance.md.
"""
