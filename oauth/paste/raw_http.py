"""Read raw HTTP/1 messages: requests, responses as ``curl -i`` prints them, or both, also several in a row."""

import re
from collections.abc import Iterator

from oauth.paste.http_messages import HEADERS, blocks_in
from oauth.paste.result import Block

_START = re.compile(
    r"^[ \t]*(?:(?P<version>HTTP/\d(?:\.\d)?)[ \t]+(?P<status>\d{3})(?:[ \t](?P<reason>[^\n\"{<]{0,80}))?[ \t\r]*"
    r"|(?P<method>[A-Z]{3,10})[ \t]+(?P<target>(?:https?:/|/|\*|[\w.-]+:\d)\S*)[ \t]+HTTP/\d(?:\.\d)?[ \t\r]*)(?:\n|\Z)"
    # Programs and files of requests leave the version out; the header behind tells that it is a message.
    rf"|^[ \t]*(?:(?P<plain_method>GET|POST|PUT|PATCH|DELETE)[ \t]+(?P<plain_target>(?:https?:/)?/\S+)"
    rf"|(?P<plain_status>[1-5]\d\d)[ \t](?P<plain_reason>[A-Z][A-Za-z -]{{1,40}}))[ \t\r]*\n"
    rf"(?=[ \t]*(?:{HEADERS}[ \t]*[:=]|(?<=[a-z]\n){{\s*\"))",
    re.MULTILINE,
)


def find(text: str) -> Iterator[Block]:
    """Yield the messages in the text."""
    yield from blocks_in(text, _START, "raw HTTP")
