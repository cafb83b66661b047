"""Read the log of OkHttp's interceptor: ``-->`` a request, ``<--`` its response."""

import re
from collections.abc import Iterator

from oauth.paste.http_messages import blocks_in
from oauth.paste.result import Block

_START = re.compile(
    r"^[ \t]*(?:--> (?P<method>(?!END )[A-Z]{3,10}) (?P<target>\S+)[^\n]*"
    r"|<-- (?P<status>\d{3})(?: (?P<reason>[^\n]*?))??(?: https?://\S+)?[ \t]*(?:\(\d+ ?ms[^\n]*\))?[ \t\r]*)(?:\n|\Z)",
    re.MULTILINE,
)
_END = re.compile(r"^[ \t]*(?:-->|<--) END\b[^\n]*|^[ \t]*<-- HTTP FAILED[^\n]*", re.MULTILINE)


def find(text: str) -> Iterator[Block]:
    """Yield the messages in the log."""
    yield from blocks_in(text, _START, "OkHttp log", _END)
