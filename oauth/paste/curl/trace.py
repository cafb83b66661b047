"""Read the output of ``curl --trace-ascii`` and ``--trace``: every message with its body.

The first prints 64 characters a line behind their place, the second 16 octets in hexadecimal before their characters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from oauth.paste.curl.verbose import in_remarks
from oauth.paste.http_messages import Message, head_and_body, message_of, paired
from oauth.paste.result import Block

SOURCE = "curl --trace output"
DOTS = "curl prints line breaks and non-ASCII characters as dots; dots between the parts of JSON were read as breaks"

_EVENT = re.compile(
    r"(?:\d\d:\d\d:\d\d\.\d+ )?(?:\[[\w-]+\] )?"  # --trace-time, --trace-ids
    r"(?:(?:=>|<=) (?P<way>Send|Recv) (?P<part>header|data|SSL data), (?P<size>\d{1,12}) bytes \(0x[0-9a-f]+\)"
    r"|== Info: )"
)
_LINE = re.compile(r"(?P<place>[0-9a-f]{4,10}): ?(?P<text>.*)")
_LINES = re.compile(rf"^(?:{_EVENT.pattern}[^\n]*|{_LINE.pattern})", re.MULTILINE)
_OCTETS = re.compile(r"(?:[0-9a-f]{2} ){1,16}")
_REQUEST = re.compile(r"(?P<method>[A-Z]{3,10}) (?P<target>\S+) HTTP/\d(?:\.\d)?\r?\n")
_STATUS = re.compile(r"(?P<version>HTTP/\d(?:\.\d)?) (?P<status>\d{3})(?: (?P<reason>[^\r\n]*))?\r?\n")
_TLS = re.compile(r"\bSSL\b|\bTLS|ALPN|port 443")
_STRING_OR_DOT = re.compile(r'"(?:[^"\\]|\\.)*"|\d\.\d|\.', re.DOTALL)


def find(text: str) -> Iterator[Block]:
    """Yield the output in one block, hop by hop, with the bodies of requests."""
    lines = [line for line in _LINES.finditer(text) if line["way"] or line["place"]]
    events = [line for line in lines if line["part"] in ("header", "data")]
    if not events:
        return
    start, end = lines[0].start(), lines[-1].end()
    is_tls = "SSL data, " in text or in_remarks(_TLS, text, "== Info: ")
    scheme = "http" if "== Info: " in text and not is_tls else "https"
    messages = (message for part in _parts(text[start:end]) if (message := part.message(scheme)))
    yield Block(start, end, tuple(paired(messages, SOURCE)))


@dataclass
class _Part:
    """A message that is being put together from its parts."""

    way: str
    head: str = ""
    body: str = ""
    exact: bool = False  # octets were printed; each stands as the character of its number
    lines: list[re.Match[str]] = field(default_factory=list)

    def take(self, part: str, size: int) -> None:
        """Add the lines of one event to the message."""
        octets = b"".join(bytes.fromhex(match[0]) for line in self.lines if (match := _OCTETS.match(line["text"])))
        self.exact = bool(octets) and len(octets) == size
        text = octets.decode("latin-1") if self.exact else _of_characters(self.lines, size)
        self.lines = []
        if part == "header":
            self.head += text
        else:
            self.body += text

    def message(self, scheme: str) -> Message | None:
        """Return the message, ``None`` where its beginning was not pasted."""
        start = (_REQUEST if self.way == "Send" else _STATUS).match(self.head)
        if start is None:
            return None
        headers, _ = head_and_body(self.head[start.end() :].replace("\r\n", "\n"))
        body = self.body.encode("latin-1").decode("utf-8", "replace") if self.exact else _with_breaks(self.body)
        message, repairs = message_of(start, headers, body, scheme=scheme)
        return message, repairs if self.exact or "." not in self.body else (DOTS, *repairs)


def _of_characters(lines: list[re.Match[str]], size: int) -> str:
    """Return the text that ``--trace-ascii`` printed for ``size`` octets."""
    text, at = "", 0
    for line in lines:
        place = int(line["place"], 16)
        text += _between(at, place) + line["text"]
        at = place + len(line["text"])
    return text + _between(at, size)


def _between(end: int, place: int) -> str:
    """Return what curl omits between two lines: a line break, unless the paste lost a space at the end of one."""
    return "" if place <= end else " " if place == end + 1 else "\r\n"


def _parts(text: str) -> list[_Part]:
    parts: list[_Part] = []
    event: re.Match[str] | None = None

    def finish() -> None:
        if event is not None and parts and event["part"] in ("header", "data"):
            parts[-1].take(event["part"], int(event["size"]))

    for line in text.split("\n"):
        line = line.rstrip("\r")
        if opened := _EVENT.match(line):
            finish()
            event = opened
            if opened["part"] == "header" and _begins(parts, opened["way"]):
                parts.append(_Part(opened["way"]))
        elif event is not None and event["part"] in ("header", "data") and parts and (printed := _LINE.match(line)):
            parts[-1].lines.append(printed)
    finish()
    return parts


def _begins(parts: list[_Part], way: str) -> bool:
    """Return whether a header begins a new message: in the other direction, or behind a complete head."""
    return not parts or parts[-1].way != way or parts[-1].head.endswith("\r\n\r\n")


def _with_breaks(body: str) -> str:
    """Replace the dots in JSON that can only be whitespace by line breaks."""
    if not body.startswith(("{", "[")):
        return body
    return _STRING_OR_DOT.sub(lambda match: "\n" if match[0] == "." else match[0], body)
