"""Errors that several rooms raise."""


class InputError(ValueError):
    """A value that a person entered cannot be used; the text says which one, and what to enter instead."""
