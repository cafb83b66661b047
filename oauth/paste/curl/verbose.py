"""Read the output of ``curl -v``: ``>`` the request, ``<`` the response, ``*`` remarks, and bodies between them."""

import re
from collections.abc import Iterator

from oauth.paste.http_messages import Message, body_end, head_and_body, message_of, paired
from oauth.paste.result import Block

SOURCE = "curl -v output"

_REQUEST = re.compile(r"> ?(?P<method>[A-Z]{3,10}) (?P<target>\S+) HTTP/\d(?:\.\d)?\s*\Z")
_STATUS = re.compile(r"< ?(?P<version>HTTP/\d(?:\.\d)?) (?P<status>\d{3})(?: (?P<reason>.*))?\s*\Z")
_ANY = re.compile(r"^[ \t]*(?:> ?[A-Z]{3,10} \S+ HTTP/\d|< ?HTTP/\d(?:\.\d)? \d{3})", re.MULTILINE)
_TRANSFER = re.compile(
    r"(?:Preview|Timeline|Headers|Cookies)\s*\Z"
    r"|[{}] \[\d+ bytes data\]\s*\Z|\s*% Total +% Received|\s*Dload +Upload|\s*\d+ +\S+ +\d+ .*--:--:--"
)
_REMARK_BEHIND = re.compile(
    r"\* (?:Connection #\d+ to host|Closing connection|Curl_http_done|shutting down connection)[^\n]*\Z"
)
_SIGNED = re.compile(r"^[ \t]*(?:[<>](?: [^\n]*)?|[{}] \[\d+ bytes data\])[ \t\r]*(?:\n|\Z)", re.MULTILINE)
_REMARKS = re.compile(
    r"(?:\s*(?:\* [^\n]*|[{}] \[\d+ bytes data\]|% Total[^\n]*|Dload +Upload[^\n]*|[^\n]*--:--:--[^\n]*"
    r"|Preview|Timeline)(?:\n|\Z))+"
)
_OTHER_SCHEME = re.compile(r"\bport 80(?:80)?\b")
_TLS = re.compile(r"\bSSL\b|\bTLS|ALPN|port 443")


def find(text: str) -> Iterator[Block]:
    """Yield the output in one block, hop by hop. curl does not print the bodies of requests."""
    start = _ANY.search(text)
    if start is None:
        return
    head_end = max((sign.end() for sign in _SIGNED.finditer(text, start.start())), default=start.end())
    transfer = _REMARKS.match(text, head_end)
    end = body_end(text, transfer.end() if transfer else head_end, len(text))
    remark = _REMARKS.match(text, end)
    is_plain = in_remarks(_OTHER_SCHEME, text[:end], "* ") and not in_remarks(_TLS, text[:end], "* ")
    items = paired(_messages(text[start.start() : end], "http" if is_plain else "https"), SOURCE)
    yield Block(start.start(), remark.end() if remark else end, tuple(items))


def in_remarks(pattern: re.Pattern[str], text: str, sign: str) -> bool:
    """Return whether a pattern stands in a line behind a sign; each line is searched once."""
    return any(pattern.search(line, start + len(sign)) for line in text.split("\n") if (start := line.find(sign)) >= 0)


def _messages(text: str, scheme: str) -> list[Message]:
    messages: list[Message] = []
    start: re.Match[str] | None = None
    head: list[str] = []
    body: list[str] = []

    def finish() -> None:
        if start is not None:
            headers, rest = head_and_body("\n".join(head))
            content = "" if start.re is _REQUEST else "\n".join(body).strip("\n") or rest
            messages.append(message_of(start, headers, content, scheme=scheme))

    for line in text.split("\n"):
        line = line.rstrip("\r")
        stripped = line.lstrip()
        opened = _REQUEST.match(stripped) or _STATUS.match(stripped)
        if opened:
            finish()
            start, head, body = opened, [], []
        elif start is not None and (stripped[:2] in ("> ", "< ") or stripped in (">", "<")):
            head.append(stripped[2:])
        elif start is not None and not stripped.startswith("* ") and not _TRANSFER.match(stripped):
            body.append(_REMARK_BEHIND.sub("", line))
    finish()
    return messages
