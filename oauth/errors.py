"""Errors that several rooms raise."""


class InputError(ValueError):
    """An unusable value that a person entered; the text names it, and says what to enter instead."""
