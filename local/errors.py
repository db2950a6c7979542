"""The one error of the local stack: a sentence for a person, saying what to do."""


class StackError(RuntimeError):
    """The local stack cannot start or go on; the message is one line."""
