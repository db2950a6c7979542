"""The digest-list engine beside what else could do its work, in turns, in one run.

    making        random lists, samples and addresses, from a seed
    processes     one measured child process; rounds: contestants in turns, medians, ratios
    contestants/  the child processes themselves, ours among them; segments: local files as S3
    building, looking_up, hashing    the three contests, each with its exactness checks
    cost          what a day costs on AWS, from counted calls at stated prices
    figures       the shape of all results; bars, table, drawing, page: how they are told

Never shipped. The fairness of each contest is argued in docs/performance.md.
"""
