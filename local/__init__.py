"""The embedded stack: an AWS emulator, one front, a post office, a name server. Never shipped.

`python -m local` (__main__.py) runs it; stack.py starts and ends all of it and is what tests use
too; running.py is a stack that runs. emulator.py is the process, deployment.py puts the packaged
template into it and does what it drops. front.py is the one address, on serving.py: upstream.py is
its way to the API, mailbox.py to the mails, which post_office.py keeps; resolver.py answers for
demo domains. story.py plays the demo through surfaces.py and narrates it with narration.py;
patience.py says how long to wait. environment.py and installing.py make the environments.
"""
