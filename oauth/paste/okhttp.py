"""Read the log of OkHttp's interceptor: ``-->`` a request, ``<--`` its response."""

import re

from oauth.paste.http_messages import messages_in, paired
from oauth.paste.result import Pasted

_TAG = re.compile(r"^[^\n]*?\b(?:okhttp3?[\w.$]*|OkHttp\w*)\b[^:\n]{0,60}:[ ]?", re.MULTILINE | re.IGNORECASE)
_START = re.compile(
    r"^[ \t]*(?:--> (?P<method>(?!END )[A-Z]{3,10}) (?P<target>\S+)[^\n]*"
    r"|<-- (?P<status>\d{3})(?: (?P<reason>[^\n]*?))??(?: https?://\S+)?[ \t]*(?:\(\d+ ?ms[^\n]*\))?[ \t\r]*)(?:\n|\Z)",
    re.MULTILINE,
)
_END = re.compile(r"^[ \t]*(?:-->|<--) END\b[^\n]*|^[ \t]*<-- HTTP FAILED[^\n]*", re.MULTILINE)


def confidence(text: str) -> float:
    """Return the confidence that a line begins with one of the arrows, with or without the log's tag."""
    return 0.92 if _START.search(_TAG.sub("", text) if "http" in text[:2000].lower() else text) else 0.0


def read(text: str) -> list[Pasted]:
    """Return the requests with their responses."""
    return paired(messages_in(_TAG.sub("", text), _START, _END), "OkHttp log")
