"""What is raised where a person's input cannot be used."""


class FlowError(ValueError):
    """Something a person gave cannot be used; the text says what, and what to give instead."""
