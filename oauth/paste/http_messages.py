"""Read heads and bodies of HTTP/1 messages as text, and pair requests with responses."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from oauth.exchange import Headers, Request, Response, header
from oauth.lenient_json import ParseError
from oauth.paste.body import encoded, first_sign, read_value, repaired
from oauth.paste.result import Block, Pasted, check_count
from oauth.paste.step_guess import step_of
from oauth.paste.times import date_header
from oauth.redaction.names import is_random, secret_kind

Message = tuple[Request | Response, tuple[str, ...]]
"""A request or a response, and the repairs that reading it took."""

HEADERS = (
    r"(?:(?:Content|Accept|Access|Cache|Transfer|WWW|Set|User|X|Strict|Proxy|If|Last|Sec|CF|Keep)-[\w-]{1,40}"
    r"|Host|Authorization|Cookie|Date|Server|Connection|Location|Pragma|Expires|Vary|ETag|Via|Origin|Referer|Version"
    r"|Allow|Age|Alt-Svc)"
)
"""A pattern for the names of usual headers."""

_PRINTED_HEADER = re.compile(rf"[ \t]*(?P<name>{HEADERS})=(?P<value>[^\n]*)(?:\n|\Z)", re.IGNORECASE)
_HEADER = re.compile(r"[ \t]*(?P<name>[!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:[ \t]*(?P<value>[^\n]*)(?:\n|\Z)")
_CONTINUATION = re.compile(r"[ \t]+(?P<value>[^\s{\[<][^\n]*)(?:\n|\Z)")
_WRAPPED = re.compile(
    r"[ \t]*(?!HTTP/\d|(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S)"
    r"(?P<value>(?P<token>[\w.~%+/&=;-]+)[ \t\r]*|[^\s{}\[<>\"'][^\n{}<>]*|-----END [^\n]*)(?:\n|\Z)",
    re.ASCII,
)
"""The next line of a value, which a mail program or an editor broke where there is no blank."""

_SCHEME_ALONE = re.compile(r"(?:Bearer|Basic|DPoP|Digest)?", re.IGNORECASE)
_NARROWEST = 40
"""Characters of the narrowest line that a mail program wraps."""

_BLANK = re.compile(r"[ \t\r]*\n")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n|\n(?:[-=~_*#]){8,}")
_SIZE_ALONE = re.compile(r"[0-9a-fA-F]{1,8}[ \t\r]*\n")
_LINE_BREAK = re.compile(rb"\r?\n")
_SIZE_LINE = re.compile(rb"^[0-9a-fA-F]{1,8}[ \t\r]*(?:\n|\Z)", re.MULTILINE)
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")


def head_and_body(text: str) -> tuple[Headers, str]:
    """Split a text into headers, folded lines joined (RFC 9112 §5.2), and the body behind the blank line."""
    position, headers = _head_end(text, 0, len(text))
    return headers, text[position:].strip("\r\n")


def _head_end(text: str, position: int, stop: int) -> tuple[int, Headers]:
    """Return the place behind a head and its blank line, and the headers."""
    headers: list[tuple[str, list[str]]] = []
    while match := (
        _HEADER.match(text, position, stop)
        or _PRINTED_HEADER.match(text, position, stop)
        or (_CONTINUATION.match(text, position, stop) if headers else None)
        or (_wrapped(text, position, stop, *headers[-1]) if headers else None)
    ):
        value = match["value"].rstrip()
        if match.re in (_HEADER, _PRINTED_HEADER):
            headers.append((match["name"], [value]))
        else:
            lines = headers[-1][1]
            is_token = match.re is _WRAPPED and match["token"] and not _goes_on_behind_blank(lines)
            lines += [value] if is_token or not any(lines) else [" ", value]
        position = match.end()
    if blank := _BLANK.match(text, position, stop):
        position = blank.end()
    return position, tuple((name, "".join(lines)) for name, lines in headers)


def _wrapped(text: str, position: int, stop: int, name: str, lines: list[str]) -> re.Match[str] | None:
    """Return the next line where it goes on with a header's value, of which these are the ``lines`` so far.

    A line that belongs to a secret is as secret as it.
    """
    line = _WRAPPED.match(text, position, stop)
    if line is None:
        return None
    if "-----BEGIN " in lines[0] and "-----END " not in lines[-1]:
        return line
    is_secret = secret_kind(name) is not None
    if line["token"] is None:
        return line if is_secret and ("=" in line["value"] or _goes_on_behind_blank(lines)) else None
    if is_secret and (
        line.end() >= stop or _HEADER.match(text, line.end(), stop) or _BLANK.match(text, line.end(), stop)
    ):
        return line
    is_long = len(name) + len(lines[-1]) >= _NARROWEST and not lines[-1].endswith((".", ";", ","))
    is_drawn = is_random(re.split("[&=;%]", line["token"], maxsplit=1)[0], 4, named=True)
    return line if is_drawn and (is_secret or is_long) else None


def _goes_on_behind_blank(lines: list[str]) -> bool:
    """Return whether the next line of a value is not the rest of a word: the line before ends between two."""
    return lines[-1].endswith((";", ",", "-----")) or (len(lines) == 1 and bool(_SCHEME_ALONE.fullmatch(lines[0])))


def message_of(start: re.Match[str], headers: Headers, body: str, *, scheme: str = "https") -> Message:
    """Return the message that begins with a request line or a status line.

    ``start`` has the groups ``method`` and ``target``, or ``status``, ``reason`` and perhaps ``version``. A request's
    URL is built from target and ``Host`` (RFC 9112 §3.2), and its body is unchanged. The chunk sizes of a response are
    removed, and its JSON is repaired.
    """
    line = {name.removeprefix("plain_"): text for name, text in start.groupdict().items() if text is not None}
    if method := line.get("method"):
        host, target = header(headers, "host") or "", line["target"]
        url = f"{scheme}://{host}{target}" if host and target.startswith("/") else target
        return Request(method, url, headers, encoded(body)), ()
    if not body and (printed := header(headers, "body")):
        body = printed  # a program's print of the parts, each with its name
    octets, repairs = repaired(_dechunked(headers, encoded(body)).decode("utf-8", "replace"))
    reason, version = (line.get("reason") or "").strip(), line.get("version") or "HTTP/1.1"
    return Response(int(line["status"]), reason, headers, octets, http_version=version), repairs


def blocks_in(text: str, start: re.Pattern[str], source: str, end: re.Pattern[str] | None = None) -> Iterator[Block]:
    """Yield the messages in a text, each from a ``start`` to the end of its body, which ``end`` may mark.

    Informational responses (1xx) have no exchanges: the request is still without its response.
    """
    starts = list(start.finditer(text))
    check_count(starts)
    ends = [following.start() for following in starts[1:]] + [len(text)]
    for line, following in zip(starts, ends, strict=False):
        marked = end.search(text, line.end(), following) if end else None
        body, _ = _head_end(text, line.end(), marked.start() if marked else following)
        stop = marked.start() if marked else body_end(text, body, following)
        message, repairs = message_of(line, *head_and_body(text[line.end() : stop]))
        items = paired([(message, repairs)], source)
        yield Block(line.start(), marked.end() if marked else stop, tuple(items))


def body_end(text: str, start: int, stop: int) -> int:
    """Return the end of the body that begins at ``start``, at most ``stop``: what stands behind it is no part of it."""
    start = min(first_sign(text, start), stop)
    if text.startswith(("{", "["), start):
        try:
            _, end, repairs = read_value(text[start:stop], 0)
        except ParseError:
            return stop
        return start + end if not repairs or text[start + end - 1] in "}]" else stop
    if text.startswith("<", start):
        closing = text.lower().rfind("</html>", start, stop) if "</html>" in text[start:stop].lower() else -1
        return closing + len("</html>") if closing >= 0 else stop
    blank = _BLANK_LINE.search(text, start, stop)
    return blank.start() if blank and not _SIZE_ALONE.match(text, start) else stop


def paired(messages: Iterable[Message], source: str) -> list[Pasted]:
    """Pair requests with the responses that follow them, without informational responses (1xx)."""
    items: list[Pasted] = []
    for message, repairs in messages:
        check_count(items)
        if isinstance(message, Request):
            items.append(Pasted(message, step=step_of(message, None), repairs=repairs, source=source))
            continue
        if 100 <= message.status < 200:
            continue
        before = items.pop() if items and items[-1].response is None else Pasted(source=source)
        date = header(message.headers, "date")
        items.append(
            replace(
                before,
                response=message,
                step=step_of(before.request, message),
                started_at=before.started_at or (date_header(date) if date else None),
                repairs=tuple(dict.fromkeys((*before.repairs, *repairs))),
            )
        )
    return items


def _dechunked(headers: Headers, body: bytes) -> bytes:
    """Remove chunk sizes from a body (RFC 9112 §7.1), where they were pasted too."""
    if "chunked" not in (header(headers, "transfer-encoding") or "").lower():
        return body
    content, position = bytearray(), 0
    while (size := _CHUNK_SIZE.match(body, position)) and (length := int(size[1], 16)):
        content += body[size.end() : size.end() + length]
        line_break = _LINE_BREAK.match(body, size.end() + length)
        position = line_break.end() if line_break else size.end() + length
    if content and position <= len(body) and body[position:].strip() in (b"", b"0"):
        return bytes(content)
    # The sizes do not add up, so the text was edited: remove the lines that have only a size.
    return _SIZE_LINE.sub(b"", body).strip() if _CHUNK_SIZE.match(body) else body
