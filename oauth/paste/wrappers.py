"""Peel what mail programs, terminals, loggers and web pages put around a text, and keep where each part stood."""

import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os.path import commonprefix

from oauth.paste.http_messages import HEADERS
from oauth.paste.times import ACCESS_LOG, ISO, moment

_MOST_ROUNDS = 4
"""Wrappers around wrappers that are peeled: each round goes over the whole text."""

_ZERO_WIDTH = re.compile("[\u200b\u2060\ufeff\u00ad]+")
_PRINTABLE = re.compile(r"=(?:\r?\n|([0-7][0-9A-F]))")
_MISREAD_SIGNS = {"™": "'", "˜": "'", "œ": '"', "\x9d": '"', "“": "-", "”": "-"}
_MISREAD = re.compile("â€([™˜œ\x9d“”])")
_DOTTED = re.compile(
    r"^[ \t]*(?:HTTP/\d\.\d \d{3}[^\n]*|(?:GET|POST|PUT|PATCH|DELETE) \S+ HTTP/\d\.\d)\.\n(?:[\w-]+: [^\n]*\.\n)*\.$",
    re.MULTILINE,
)
_DOT = re.compile(r"\.(?=\n|\Z)")
_ANSI = re.compile(r"(?:\x1b|\\x1b|\\u001b|\\033|\\e|\^\[|␛)\[[0-9;]{0,20}[mK]", re.IGNORECASE)
_ANSI_REST = re.compile(r"\[(?:\d{1,3}(?:;\d{1,3}){0,4})?m(?!\w)")
_RESET = "[0m"
_FENCE = re.compile(
    r"^[ \t]*(?:`{3,}|~{3,})[ \t]*[\w.+-]{0,30}[ \t\r]*$|```(?:(?:json|http|text|bash|sh)\b)?", re.MULTILINE
)
_QUOTED_LINE = re.compile(r"^[ \t]{0,3}(?:[>|][ \t]?){1,9}", re.MULTILINE)
_CURL_SIGN = re.compile(r"^[ \t]*(?:> ?[A-Z]{3,10} \S+ HTTP/\d|< ?HTTP/\d)", re.MULTILINE)
_QUOTED_STATUS = re.compile(r"^[ \t]*> ?HTTP/\d", re.MULTILINE)
_LOST_SIGN = re.compile(
    r"^[ \t]*(?=HTTP/\d(?:\.\d)? \d{3}[^\n]*\n(?:\* [^\n]*\n){0,9}[ \t]*<(?: [\w-]{1,60}:|[ \t\r]*\n))", re.MULTILINE
)
_ENTITY_SYNTAX = re.compile(r"[{\[,]\s{0,9}&(?:quot|#34|#x22);|&lt;/?[A-Za-z]\w{0,60}(?:&gt;|\s)", re.IGNORECASE)
_IN_STRING = re.compile(r"\":\s?\"[^\"]*\Z")
_ENTITY = re.compile(r"&(?:quot|apos|amp|lt|gt|nbsp|#\d{1,6}|#x[0-9a-f]{1,5});", re.IGNORECASE)
_APOSTROPHE = re.compile(r"&(?:#0?39|#x0?27|apos|rsquo|#8217);", re.IGNORECASE)
_SINGLE_QUOTED = re.compile(r"[{,]\s{0,9}'[\w-]{1,60}'\s{0,3}(?::|=>)")
_BYTES = re.compile(r"""(?<![\w\\"'])b(?P<quote>['"])(?=\s{0,9}(?:\\?["{\[<]|HTTP/|error=|\\n))""")
_BYTES_END = {quote: re.compile(rf"(?:[^\\{quote}]+|\\.)*+", re.DOTALL) for quote in "'\""}
_ESCAPE = re.compile(r"\\(?:x(?P<octet>[0-9a-fA-F]{2})|(?P<sign>.))", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_CELL = re.compile(r'(?:^|(?<=[,;\t]))"(?P<inner>(?:[^"]+|"")*+)"(?=[,;\t\r\n]|\Z)', re.MULTILINE)
_TIME = (
    rf"(?:{ISO.pattern}|{ACCESS_LOG.pattern}|[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d|\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}}"
    r"|\d\d:\d\d:\d\d(?:[.,]\d{1,6})?)"
)
_GUTTER = re.compile(r"^(?P<name>[\w.@/-]{1,40}(?:\|[\w.@/-]{1,40})?)[ \t]{0,20}\|(?:[ \t]|$)", re.MULTILINE)
_FAR = 2_000
"""Characters between two lines that are no neighbours."""
_TIMED_LINE = re.compile(rf"^\[?(?P<time>{_TIME})(?P<rest>[^\n]*)", re.MULTILINE)
RECORD = re.compile(rf"^(?:<\d{{1,3}}>|\[)?{_TIME}", re.MULTILINE)
"""The beginning of a record of a log."""

_TAIL = re.compile(r"[^\n{}\"<>=]{0,160}(?:[:\]|]|[-–])[ \t]{1,4}")
_METHODS = "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS"
_CONTINUES = re.compile(rf"[ \t]*(?:\"[\w.$@-]{{1,60}}\"\s{{0,3}}:|[}}\]]|{HEADERS}:[ ]|\r?$)", re.MULTILINE)
"""The beginning of a line that goes on with a message or a structure."""

_PREFIX = re.compile(
    rf"^(?:<\d{{1,3}}>)?(?:[\w.-]{{1,60}}[ \t]{{1,9}}\|[ \t])?"
    rf"(?:\[?(?P<time>(?>{_TIME}))\]?(?:[^\S\n]{{1,3}}|[^\n{{}}\"<>=]{{0,160}}?(?:[:\]|][ \t]|[-–] |[FP] ))"
    r"|[VDIWEF]/[^\n:(]{1,60}(?:\([ \d]{1,8}\))?:[ ]"
    r"|(?:DEBUG|INFO|WARN(?:ING)?|ERROR|TRACE)[:|\]][\w. \t-]{0,60}[:|\]][ \t]?"
    r"|[\w.-]{1,60}[ \t]{1,9}\|[ \t])"
    rf"(?=[ \t]*(?:\"[\w.$@-]{{1,60}}\"\s{{0,3}}:|[}}\]]|[{{\[][ \t\r]*$|HTTP/\d|(?-i:{_METHODS}) \S{{1,999}} HTTP/\d"
    rf"|{HEADERS}:[ ]|-->|<--|[<>] ))"
    r"|^[^\n]{0,200}?\bOkHttp[\w.$]{0,80}[^:\n]{0,60}:[ ]?",
    re.MULTILINE | re.IGNORECASE,
)
_BEGINS = re.compile(rf"[ \t]*(?:HTTP/\d|(?:{_METHODS}) \S|-->|[<>] )")

Edit = tuple[int, int, str]
"""From and to, and what stands there instead."""


@dataclass(frozen=True, slots=True)
class Peeled:
    """A text without its wrappers. ``pieces`` are places in it and in the text that was pasted, both in order.

    ``notes`` describe what was taken away, each once.
    """

    text: str
    pieces: tuple[tuple[int, int], ...] = ((0, 0),)
    notes: tuple[str, ...] = ()

    def origin(self, position: int) -> int:
        """Return the place in the pasted text of a place in this one."""
        start, origin = self.pieces[bisect_right(self.pieces, position, key=lambda piece: piece[0]) - 1]
        return origin + position - start

    def edited(self, edits: Iterator[Edit], note: str) -> "Peeled":
        """Return the text with these edits, which are in order and do not overlap."""
        parts: list[str] = []
        pieces: list[tuple[int, int]] = [(0, 0)]
        length = end = 0
        for start, stop, text in edits:
            parts += [self.text[end:start], text]
            length += start - end
            pieces += [(length, start), (length + len(text), stop)]
            length, end = length + len(text), stop
        if not parts:
            return self
        parts.append(self.text[end:])
        return Peeled("".join(parts), tuple(self._through(pieces)), tuple(dict.fromkeys((*self.notes, note))))

    def _through(self, pieces: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield the pieces of an edit with their places in the pasted text."""
        own, at = self.pieces, 0
        for number, (start, middle) in enumerate(pieces):
            stop = pieces[number + 1][0] if number + 1 < len(pieces) else float("inf")
            while at + 1 < len(own) and own[at + 1][0] <= middle:
                at += 1
            yield start, own[at][1] + middle - own[at][0]
            inner = at + 1
            while inner < len(own) and start + own[inner][0] - middle < stop:
                yield start + own[inner][0] - middle, own[inner][1]
                inner += 1


def peel(text: str) -> Peeled:
    """Peel the wrappers around a text and around its lines."""
    peeled = Peeled(text)
    for _ in range(_MOST_ROUNDS):
        before = peeled.text
        for signs, wrapper in _WRAPPERS:
            if any(map(peeled.text.__contains__, signs)):
                peeled = wrapper(peeled)
        if peeled.text == before:
            break
    return peeled


def _replaced(
    peeled: Peeled, pattern: re.Pattern[str], note: str, by: Callable[[re.Match[str]], str] = lambda _: ""
) -> Peeled:
    matches = pattern.finditer(peeled.text)
    return peeled.edited(((match.start(), match.end(), by(match)) for match in matches if match[0]), note)


def _printable(peeled: Peeled) -> Peeled:
    """Decode the quoted-printable source of a mail (RFC 2045 §6.7)."""
    note = "quoted-printable mail decoded"
    return _replaced(peeled, _PRINTABLE, note, lambda match: chr(int(match[1], 16)) if match[1] else "")


def _mojibake(peeled: Peeled) -> Peeled:
    """Restore the quotes of UTF-8 that was read as Windows-1252."""
    return _replaced(peeled, _MISREAD, "wrongly decoded quotes restored", lambda match: _MISREAD_SIGNS[match[1]])


def _dots(peeled: Peeled) -> Peeled:
    """Remove the dots that programs which record packets print for a carriage return."""
    if not _DOTTED.search(peeled.text):
        return peeled
    return _replaced(peeled, _DOT, "dots for line breaks removed")


def _zero_width(peeled: Peeled) -> Peeled:
    return peeled if peeled.text.isascii() else _replaced(peeled, _ZERO_WIDTH, "zero-width characters removed")


def _colours(peeled: Peeled) -> Peeled:
    note = "terminal colours removed"
    peeled = _replaced(peeled, _ANSI, note)
    # The escape character itself is often lost on the way.
    return _replaced(peeled, _ANSI_REST, note) if _RESET in peeled.text else peeled


def _fences(peeled: Peeled) -> Peeled:
    return _replaced(peeled, _FENCE, "code fences removed")


def _lost_signs(peeled: Peeled) -> Peeled:
    """Restore the first sign of a response that ``curl -v`` printed, which a selection by mouse leaves out."""
    lines = _LOST_SIGN.finditer(peeled.text)
    return peeled.edited(((line.start(), line.end(), "< ") for line in lines), "sign of curl -v restored")


def _quotes(peeled: Peeled) -> Peeled:
    """Remove the signs of a quoted mail, with which ``curl -v`` begins its lines too."""
    is_curl = _CURL_SIGN.search(peeled.text) and not _QUOTED_STATUS.search(peeled.text)
    if is_curl or not _QUOTED_LINE.search(peeled.text):
        return peeled
    return _replaced(peeled, _QUOTED_LINE, "quote signs of a mail removed")


def _entities(peeled: Peeled) -> Peeled:
    note = "HTML entities decoded"
    syntax = _ENTITY_SYNTAX.search(peeled.text)
    # Inside a string of JSON they belong to the text in it, which is read by itself.
    if syntax and not _IN_STRING.search(peeled.text, peeled.text.rfind("\n", 0, syntax.start()) + 1, syntax.start()):
        return _replaced(peeled, _ENTITY, note, lambda match: html.unescape(match[0]).replace("\xa0", " "))
    # Within single quotes a plain apostrophe would end the text.
    apostrophe = "\u2019" if _SINGLE_QUOTED.search(peeled.text) else "'"
    return _replaced(peeled, _APOSTROPHE, note, lambda _: apostrophe)


def _cells(peeled: Peeled) -> Peeled:
    return peeled.edited(_cell_edits(peeled.text), "cell of a CSV file read")


def _cell_edits(text: str) -> Iterator[Edit]:
    for cell in _CELL.finditer(text):
        if '""' in cell["inner"]:
            yield cell.start("inner") - 1, cell.start("inner"), ""
            yield from ((at, at + 2, '"') for at in _every('""', text, cell.start("inner"), cell.end("inner")))
            yield cell.end("inner"), cell.end("inner") + 1, ""


def _every(sign: str, text: str, start: int, end: int) -> Iterator[int]:
    while (start := text.find(sign, start, end)) >= 0:
        yield start
        start += len(sign)


def _octets(peeled: Peeled) -> Peeled:
    return peeled.edited(_octet_edits(peeled.text), "bytes of Python read")


def _octet_edits(text: str) -> Iterator[Edit]:
    position = 0
    while opened := _BYTES.search(text, position):
        inner = _BYTES_END[opened["quote"]].match(text, opened.end())
        position = inner.end() if inner else opened.end()
        if not text.startswith(opened["quote"], position):
            return
        yield opened.start(), opened.end(), ""
        for escape in _ESCAPE.finditer(text, opened.end(), position):
            octet, sign = escape["octet"], escape["sign"]
            # Octets above 127 are a part of a character, which is no part of any known text.
            yield escape.start(), escape.end(), chr(int(octet, 16)) if octet else _ESCAPES.get(sign, sign)
        yield position, position + 1, ""
        position += 1


def _gutters(peeled: Peeled) -> Peeled:
    return peeled.edited(_gutter_edits(peeled.text), "names of services in front of the lines removed")


def _gutter_edits(text: str) -> Iterator[Edit]:
    """Remove a name and a bar that several lines in a row begin with."""
    lines = list(_GUTTER.finditer(text))
    for number, line in enumerate(lines):
        beside = (*lines[max(number - 1, 0) : number], *lines[number + 1 : number + 2])
        if any(line["name"] == other["name"] and abs(line.start() - other.start()) < _FAR for other in beside):
            yield line.start(), line.end(), ""


def _repeated_prefixes(peeled: Peeled) -> Peeled:
    return peeled.edited(_repeated_prefix_edits(peeled.text), "prefixes of a log removed")


def _repeated_prefix_edits(text: str) -> Iterator[Edit]:
    """Remove what a logger put in front of the lines of one message; each new time stays, on a line of its own."""
    for lines, tail in _runs(text):
        ends = [min(line.start("rest") + len(tail), line.end()) for line in lines]
        if not any(_CONTINUES.match(text, end) for end in ends):
            continue  # every line is a record of its own
        time = ""
        for line, end in zip(lines, ends, strict=True):
            is_new = line["time"][:19] != time and not _CONTINUES.match(text, end) and moment(line["time"]) is not None
            yield line.start(), end, f"{line['time']}\n" if is_new else ""
            time = line["time"][:19]


def _runs(text: str) -> Iterator[tuple[list[re.Match[str]], str]]:
    """Yield the lines in a row that begin with a time and the same words behind it, and those words."""
    run: list[re.Match[str]] = []
    tail = ""
    for line in _TIMED_LINE.finditer(text):
        is_next = bool(run) and run[-1].end() + 1 >= line.start()
        if is_next and len(run) == 1:
            tail = _common_tail(run[0]["rest"], line["rest"])
        if is_next and tail and (line["rest"].startswith(tail) or line["rest"].rstrip() == tail.rstrip()):
            run.append(line)
            continue
        if len(run) > 1:
            yield run, tail
        run = [line]
    if len(run) > 1:
        yield run, tail


def _common_tail(one: str, other: str) -> str:
    """Return the beginning that two lines share behind their time, up to the last sign that ends a prefix."""
    tail = _TAIL.match(commonprefix([f"{one} ", f"{other} "]))  # noqa: RUF071 - characters are meant, no paths
    return tail[0] if tail else ""


def _prefixes(peeled: Peeled) -> Peeled:
    return peeled.edited(_prefix_edits(peeled.text), "prefixes of a log removed")


def _prefix_edits(text: str) -> Iterator[Edit]:
    """Remove the prefixes of lines that are parts of a message; the time of its first line stays, above it."""
    last = -1
    for prefix in _PREFIX.finditer(text):
        is_first = text.rfind("\n", 0, max(prefix.start() - 1, 0)) + 1 != last
        last = prefix.start()
        time = prefix["time"] if is_first and _BEGINS.match(text, prefix.end()) else None
        yield prefix.start(), prefix.end(), f"{time}\n" if time else ""


_WRAPPERS: tuple[tuple[tuple[str, ...], Callable[[Peeled], Peeled]], ...] = (
    (("=3D",), _printable),
    (("â€",), _mojibake),
    (("HTTP/",), _dots),
    (("",), _zero_width),
    (("[",), _colours),
    (("```", "~~~"), _fences),
    (("\n<", "\n <"), _lost_signs),
    ((">", "|"), _quotes),
    (("&",), _entities),
    (('""',), _cells),
    (("b'", 'b"'), _octets),
    (("|",), _gutters),
    (("",), _repeated_prefixes),
    (("",), _prefixes),
)
"""The wrappers in the order in which they are peeled, each behind signs of which it has one."""
