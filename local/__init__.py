"""The embedded stack: an AWS emulator, one front, a post office. Never shipped.

stack.py starts and ends all of it and is what tests and `make demo` use; emulator.py is the
process, deployment.py puts the packaged template into it and does what it drops, front.py serves
the one address, post_office.py takes the mails in; environment.py makes the virtual environments.
"""
