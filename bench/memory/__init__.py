"""What each function takes of a processor and of memory, and the memory size that follows.

aws.py      the strict stores of `tests.simulation` behind TLS on this machine
execution.py one execution environment: a process on the unpacked zip, as Lambda starts it
inside.py   what runs in that process
loads.py    the events, typical and largest
sizes.py    the choice of a size, pure
__main__.py the table, and recorded.json, which the sizes of the template are compared with
"""
