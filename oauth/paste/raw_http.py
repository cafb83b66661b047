"""Read raw HTTP/1 messages: requests, responses as ``curl -i`` prints them, or both, also several in a row."""

import re

from oauth.paste.http_messages import messages_in, paired
from oauth.paste.result import Pasted

_START = re.compile(
    r"^[ \t]*(?:(?P<version>HTTP/\d(?:\.\d)?)[ \t]+(?P<status>\d{3})(?:[ \t](?P<reason>[^\n]*))?"
    r"|(?P<method>[A-Z]{3,10})[ \t]+(?P<target>\S+)[ \t]+HTTP/\d(?:\.\d)?[ \t\r]*)(?:\n|\Z)",
    re.MULTILINE,
)


def confidence(text: str) -> float:
    """Return 1 when the text begins with a message, less when one stands further down."""
    start = _START.search(text)
    if start is None:
        return 0.0
    return 0.85 if text[: start.start()].strip("\ufeff \t\r\n") else 1.0


def read(text: str) -> list[Pasted]:
    """Return the messages in the text, each request with the response behind it."""
    return paired(messages_in(text, _START), "raw HTTP")
