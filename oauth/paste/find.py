"""Find everything in a text that can be read, each with its place, and put it together as exchanges.

Blocks come first: messages, commands and calls that only their own format explains. What stands between them is read
from start to end: bodies, addresses, statuses and times. Words of an error count where no block or body says the same.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any

from oauth import lenient_json
from oauth.catalogue import shapes
from oauth.exchange import Request
from oauth.lenient_json import CUT, ParseError
from oauth.paste import (
    address,
    envelopes,
    escaped,
    fetch_call,
    in_words,
    markup,
    okhttp,
    php_dump,
    powershell,
    raw_http,
)
from oauth.paste.assemble import Assembly, Event
from oauth.paste.body import read_value
from oauth.paste.curl import command, trace, verbose
from oauth.paste.literals import PRINTED, PRINTED_START
from oauth.paste.result import STATUS_UNKNOWN, Block, NothingFoundError, Pasted, check_count, check_number
from oauth.paste.step_guess import TOKEN_PATH, path_of
from oauth.paste.times import ACCESS_LOG, ISO, moment
from oauth.paste.wrappers import peel

_BLOCKS: tuple[Callable[[str], Iterator[Block]], ...] = (
    trace.find,
    verbose.find,
    okhttp.find,
    command.find,
    fetch_call.find,
    powershell.find,
    raw_http.find,
)
"""Readers of blocks; where two claim the same place, the first has it."""

_REASONS = "|".join(sorted({re.escape(status.phrase) for status in HTTPStatus if status >= 200}, key=len, reverse=True))
_STATUS = r"(?:4(?:0\d|1[0-8]|2[1-9]|31|51)|50[0-8]|51[01]|52[0-6])"
"""An error status, where a number alone could be a port or a line."""

_NAMES = "|".join(status.phrase.replace(" ", "") for status in HTTPStatus if status >= 400)
_BEGIN = r"[{\[\"<]|[1-5]\d\d\D|\d\d(?:/|\d\d-)|^|\b(?:[ _-][secrkсス]|[acdefghkmoprstwсス][acehinoóprstuтテ])"
"""The beginnings of parts: most places of a text are ruled out by this alone."""

_PARTS = (
    rf"(?P<body>\{{(?!\s*[{{\[])|\[(?=\s*\{{)|{escaped.START.pattern}|{PRINTED_START.pattern})"
    r"|(?P<page><!doctype\s+html|<html)\b"
    rf"|^[ \t]*(?P<line>{address.LINE.pattern})"
    r"|^[^\S\n]*(?:(?P<heading>\d{1,3}\.)[^\S\n]|(?P<alone>20[0-4]|30[12378]|4[0-5]\d|50[0-9])[ \t\r]*$)"
    r"|\b(?:"
    rf"(?P<time>{ISO.pattern}|{ACCESS_LOG.pattern})"
    r"|(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)[ \t]{1,9}(?P<target>(?:https?:/)?/[^\s'\"`<>]*)"
    r"(?:[ \t]HTTP/[\d.]{1,3}[\"']?)?"
    r"|(?P<url>https?://[^\s'\"`<>]+)"
    r"|(?:(?:HTTP)?[ _-]?(?:status|statut|estado|статус|ステータス|kod|código|rc|response)(?:[ _-]?(?:code|line|kod))?"
    r"|HTTP(?:[ /][\d.]{1,3})?(?: status)?(?: code| error)?|code|error|(?<=<)Response)"
    r"\]?[ \t]{0,4}(?:=>|[^\w\s]{1,3}|[ \t])[ \t]{0,4}[\"'`(\[]?"
    rf"(?P<status>{_STATUS}|20[0-4]|30[12378])(?![\d.]\d|\d)"
    r"|(?:answer(?:ed|s)?|got|gets?|return(?:ed|s)?|respond(?:ed|s)?|repl(?:ied|ies)|receiv(?:ed|es)|fail(?:ed|s)?"
    r"|resulted|throws?|with)\b(?:[ ](?:with|in|an?|the|code|kod|status|HTTP|error))*"
    rf"[ ][`'\"(\[]{{0,2}}(?P<verb>{_STATUS}|20[0-4]|30[12378])(?![\d.]\d|\d|%)"
    rf"|(?P<words_behind>{_STATUS})(?= (?:status|response|error|code|answer|reply)\b| \d{{1,9}} - - )"
    rf"|(?:http)?status(?:[ _-]?code)?[\"']?[ :=]{{1,4}}[\"']?(?P<named>{_NAMES})\b"
    rf"|(?<!\.)(?P<before>{_STATUS})[\])\"'`:,.;-]{{0,3}}\s{{0,3}}b?(?=[{{<\[]|\"[{{\[])"
    r"|(?<!\.)(?P<phrase>[1-5]\d\d)[\"')]?,?[ ]?(?:\(|\[|: |message=|-\s|'|\")*"
    rf"(?:{_REASONS}|Client Error|Server Error)\b)"
    rf"|(?<=[\[(])(?P<bracketed>{_STATUS})(?=[\])])"
)
_PART = re.compile(f"(?={_BEGIN})(?:{_PARTS})", re.MULTILINE | re.IGNORECASE)
_NUMBERS = ("status", "verb", "phrase", "alone", "before", "words_behind", "bracketed")
_STATUS_OF = {status.phrase.replace(" ", "").lower(): status.value for status in HTTPStatus}
_BEHIND = re.compile(r"[\"'`]?[)\]]?,[ ]?(?P<status>[1-5]\d\d)(?![\d.])")
"""A status behind a body, as languages print a pair of them."""

_ACCESS_STATUS = re.compile(r"[\"']?[ ](?:(?P<status>[1-5]\d\d)(?= (?:\d+\b|-|None))|\[(?P<bracketed>[1-5]\d\d)\])")
_AFTER_URL = ".,;:)]}"
_EXPLANATION = re.compile(
    r"https?://(?:(?:docs?|developers?|help|support|learn|wiki|community|forum|blog|github)\.|(?:www\.)?(?:httpstatuses|rfc-editor"
    r"|stackoverflow|github\.com/[\w.-]+/[\w.-]+/(?:issues|blob|pull|wiki))\b|tools\.ietf\.|datatracker\.)"
    r"|https?://[^?#\s]*(?:/(?:docs?|wiki|errors|guides?|blog|help|support|faqs?|kb|tickets?|issues?|browse|questions)(?:/[^?#]*)?(?:#[^=]*)?$|#[^=]*$)",
    re.IGNORECASE,
)
"""An address of a page that explains, which is no request of the flow."""

_NOT_SENT = re.compile(r"[\"']?: (?:\w{1,20}: )?oauth2: ")
"""Behind the address of a call that Go's oauth2 did not make, because it got no token for it."""

_FAILED_PASSES = 4
"""Passes over a text that may fail; past that, a bracket that opens nothing ends its line."""

_ALLOWANCE = 100_000
"""Characters that may be read in vain whatever the length of the text."""

_GOES_ON = re.compile(r"[{\[(,:][ \t\r]*\Z")
_WRAPPED = re.compile(rf"(?:\n(?!\s*(?:{ISO.pattern}|\d\d:\d\d|$))[^\n{{]{{1,300}}){{1,9}}")
"""The next lines of a value that was wrapped: without a time or a value of their own."""

_TOKEN = 40
_TOKEN_END = re.compile(
    r"(?<![\w.~+/-])(?=[\w.~+/-]*[A-Za-z])(?=[\w.~+/-]*\d)[\w.~+/-]{8,}\Z|^[\w.~+/-]{40}\Z", re.ASCII
)
_TOKEN_START = re.compile(r"[ \t]*(?=[\w.~+/-]{0,99}[A-Za-z])(?=[\w.~+/-]{0,99}\d)[\w.~+/-]{6,}", re.ASCII)
"""A word with letters and digits in which a line ends, and one with which the next line begins."""

_ANSWERS = re.compile(
    r"(?:^|response|answer|reply|body|content|return\w*|result|got|output|received|data|\d{3}|<|\])[^\w\n]*\Z",
    re.IGNORECASE | re.MULTILINE,
)
"""Words in front of a structure that may be an answer, although nothing in it says so."""

_HEADER_NAMES = {"Content-Type", "content-type", "Content-Length", "content-length", "Date", "User-Agent"}
_METRIC = re.compile(r"\b[a-z0-9]+_[a-z0-9_]*(?:total|count|sum|bucket|errors|requests|seconds)\Z")
"""The name of a metric in front of its labels."""

_STATUS_INSIDE = re.compile(
    rf"\b(?:Code|(?:http)?status_?code|status)[\"']?\s?(?:=|:|=>)\s?[\"']?(?:([45]\d\d)\b|({_NAMES})\b)", re.IGNORECASE
)
UNWRAPPED = "wrapped lines joined"

_SHORT = 100
"""Characters of a structure that is none: in braces of another meaning there may be a status."""

_DEEPEST = 4
"""Texts inside texts that are read, such as the message of a log record in a message of another one."""


def find(text: str, depth: int = 0) -> list[Block]:
    """Return the exchanges in the text with their places. Raises ``ParseError`` where there is none.

    ``depth`` counts the texts around this one.
    """
    scan = _Scan(text, depth)
    events = scan.events()
    blocks = Assembly(text, events).blocks()
    if not blocks and not depth:
        if scan.failure is not None:
            raise scan.failure
        raise NothingFoundError("neither JSON nor an HTTP message, curl command, address or known message was found.")
    return blocks


def _is_schema(value: dict[str, Any]) -> bool:
    """Return whether a structure describes a value, as OpenAPI does, and is none itself."""
    kinds = ("string", "object", "array", "integer", "number", "boolean")
    described = {"example", "examples", "enum", "properties", "format", "items", "description"}
    return value.get("type") in kinds and bool(value.keys() & described)


def _joined(line: str, wrapped: str) -> str:
    """Join the lines of a value: a mail program removes the blank at which it wraps, a terminal does not.

    Nor was there a blank where a token goes over two lines.
    """
    has_blanks = line.endswith(" ") or " \n" in wrapped
    before, *lines = [line, *wrapped.replace("\r", "").split("\n")[1:]]
    parts = []
    for after in lines:
        is_token = _TOKEN_END.search(before.rstrip("\r")[-_TOKEN:]) and _TOKEN_START.match(after)
        parts += ["" if has_blanks or is_token else " ", after.lstrip() if is_token else after]
        before = after
    return "".join(parts)


def inside(text: str, depth: int) -> list[Pasted]:
    """Return the exchanges in a text that stands inside a structure; none where it has no sign of one."""
    if depth >= _DEEPEST:
        return []
    items = (item for block in find(peel(text).text, depth + 1) for item in block.items)
    return [item for item in items if item.request or (item.response and (item.response.body or item.response.headers))]


@dataclass
class _Scan:
    """The search of a text for its parts."""

    text: str
    depth: int
    failure: ParseError | None = None
    failed: int = 0
    values: int = 0
    line_start: int = 0
    line: str | None = None

    def events(self) -> list[Event]:
        """Return what stands in the text, in its order."""
        events: list[Event] = []
        position = 0
        for block in [*self._blocks(), None]:
            stop = block.start if block else len(self.text)
            while position < stop and (part := _PART.search(self.text, position, stop)):
                event, position = self._read(part, stop)
                events += event
                check_count(events)
            if block is not None:
                events.append(Event(block.start, block.end, "items", tuple(map(self._mended, block.items))))
                position = max(position, block.end)
        words = in_words.events(self.text, events)
        others = [event for event in events if event.kind != "status" or not in_words.has_status(event, words)]
        return sorted([*others, *words], key=lambda event: event.start)

    def _blocks(self) -> list[Block]:
        """Return the blocks, which do not overlap."""
        blocks: list[Block] = []
        for reader in (*_BLOCKS, self._dumps, self._markup):
            taken = sorted((block.start, block.end) for block in blocks)
            place = 0
            try:
                for block in reader(self.text):
                    while place < len(taken) and taken[place][1] <= block.start:
                        place += 1
                    if place == len(taken) or block.end <= taken[place][0]:
                        blocks.append(block)
                        check_count(blocks)
            except ParseError as error:
                self.failure = self.failure or error
            check_count(blocks)
        return sorted(blocks, key=lambda block: block.start)

    def _mended(self, item: Pasted) -> Pasted:
        """Return a message with the answer that stands somewhere in its body, where other text is around it."""
        response = item.response
        if response is None or response.body[:1] in (b"", b"{", b"[", b"<") or b"{" not in response.body:
            return item
        answers = inside(response.body.decode("utf-8", "replace"), self.depth)
        body = next((answer.response.body for answer in answers if answer.response), None)
        return replace(item, response=replace(response, body=body)) if body else item

    def _dumps(self, text: str) -> Iterator[Block]:
        for value, start, end in php_dump.values(text):
            items = self._exchanges(value, ("read as the output of PHP",), None)
            if items:
                yield Block(start, end, tuple(items))

    def _markup(self, text: str) -> Iterator[Block]:
        """Yield XML that tells an error."""
        for start, end, value in markup.elements(text):
            if shapes.error_in(value) is not None:
                yield Block(start, end, (envelopes.bare(text[start:end], text=text[start:end]),))

    def _exchanges(self, value: object, repairs: tuple[str, ...], written: str | None) -> list[Pasted]:
        read = partial(inside, depth=self.depth)
        return envelopes.exchanges(value, repairs=repairs, text=written, inside=read)

    def _with_status(self, items: list[Pasted], start: int, end: int) -> list[Pasted]:
        """Give an answer that was read out of an object in memory the status that stands elsewhere in it."""
        if len(items) == 1 and PRINTED in items[0].repairs and (code := _STATUS_INSIDE.search(self.text, start, end)):
            return [envelopes.with_status(items[0], int(code[1] or _STATUS_OF[code[2].lower()]))]
        return items

    def _read(self, part: re.Match[str], stop: int) -> tuple[list[Event], int]:
        """Return what one part is, and the position to continue at."""
        start, end = part.span()
        if part["body"]:
            return self._body(start, stop)
        if part["page"]:
            end = markup.page_end(self.text, start, stop)
            page = envelopes.bare(
                "", source="web page", text=self.text[start:end], status=markup.status(self.text, start, end)
            )
            return [Event(start, end, "other", (page,))], end
        if part["line"]:
            return [Event(part.start("line"), end, "items", (address.read(part["line"]),))], end
        if part["heading"]:
            return [Event(start, end, "heading")], end
        if part["time"]:
            at = moment(part["time"])
            return ([Event(start, end, "time", at=at)] if at else []), end
        if part["method"] or part["url"]:
            return self._address(part)
        number = next((int(part[name]) for name in _NUMBERS if part[name]), None)
        status = number or _STATUS_OF[part["named"].lower()]
        is_sentence = part["verb"] or part["words_behind"] or part["bracketed"]
        is_certain = not is_sentence or "status" in part[0].lower()
        return [Event(start, end, "status", status=status, is_certain=is_certain)], end

    def _address(self, part: re.Match[str]) -> tuple[list[Event], int]:
        url = (part["target"] or part["url"]).rstrip(_AFTER_URL)
        if _EXPLANATION.match(url) or (part["url"] and self.text.endswith("](", 0, part.start())):  # a Markdown link
            return [], part.end()
        method = (part["method"] or "").upper() or ("POST" if TOKEN_PATH.search(path_of(url)) else "GET")
        end = part.start("target" if part["target"] else "url") + len(url)
        if _NOT_SENT.match(self.text, end):
            return [Event(part.start(), end, "attempt")], part.end()
        access = _ACCESS_STATUS.match(self.text, part.end())
        status = int(access["status"] or access["bracketed"]) if access else STATUS_UNKNOWN
        event = Event(
            part.start(), end, "address", request=Request(method, url), status=status, is_complete=access is not None
        )
        return [event], access.end() if access else part.end()

    def _body(self, start: int, stop: int) -> tuple[list[Event], int]:
        """Read the value at ``start``: within its line, or over several when the line ends inside a value."""
        line = self._line(start)
        line_end = self.line_start + len(line)
        is_over = self.failed > _FAILED_PASSES * len(self.text) + _ALLOWANCE
        goes_on = (
            line_end < stop and not is_over and _GOES_ON.search(line, max(start - self.line_start, len(line) - 200))
        )
        text, offset = (self.text, 0) if goes_on and stop == len(self.text) else (line, self.line_start)
        if goes_on and stop < len(self.text):
            text, offset = self.text[start:stop], start
        try:
            value, end, repairs = self._value(text, offset, start)
        except ParseError as error:
            stopped = error.position + offset
            self.failure = self.failure or ParseError(error.reason, self.text, stopped)
            self.failed += len(text) - (start - offset)
            return [], line_end if is_over else start + 1
        self.values += 1
        check_number(self.values)
        if isinstance(value, dict) and (value.keys() & _HEADER_NAMES or _is_schema(value)):
            return [], end
        if _METRIC.search(self.text, max(start - 80, 0), start):
            return [], end
        written = self.text[start:end]
        items = self._with_status(self._exchanges(value, repairs, written), start, end)
        end = max(end, start + 1)
        behind = _BEHIND.match(self.text, end)
        after = [Event(behind.start(), behind.end(), "status", status=int(behind["status"]))] if behind else []
        if items:
            return [Event(start, end, "items", tuple(items)), *after], behind.end() if behind else end
        if not value or not isinstance(value, dict):
            return [], end
        if options := envelopes.options(value):
            return [Event(start, end, "address", request=options)], end
        self._line(start)
        if not _ANSWERS.search(self.text, max(start - 60, self.line_start), start):
            is_phrase = end - start <= _SHORT and "://" not in written
            return [], start + 1 if is_phrase else end
        return [Event(start, end, "other", (envelopes.bare(value, repairs=repairs, text=written),))], end

    def _value(self, text: str, offset: int, start: int) -> tuple[Any, int, tuple[str, ...]]:
        """Return the value at ``start``, its end and the repairs. ``text`` is the part of the whole at ``offset``.

        A value that its line cuts off may go on in the next lines, where a mail program wrapped it.
        """
        value, end, repairs = escaped.read(text, start - offset) or read_value(text, start - offset)
        wrapped = _WRAPPED.match(self.text, offset + len(text)) if CUT in repairs else None
        if wrapped is not None:
            with contextlib.suppress(ParseError):
                whole = lenient_json.read(text[start - offset :].rstrip("\r") + _joined(text, wrapped[0]))
                return whole.value, start + whole.end, (*whole.repairs, UNWRAPPED)
        return value, end + offset, repairs

    def _line(self, position: int) -> str:
        """Return the line of a position; the same one is not cut out again for each of its bodies."""
        if self.line is None or not self.line_start <= position <= self.line_start + len(self.line):
            self.line_start = self.text.rfind("\n", 0, position) + 1
            end = self.text.find("\n", position)
            self.line = self.text[self.line_start : end if end >= 0 else len(self.text)]
        return self.line
