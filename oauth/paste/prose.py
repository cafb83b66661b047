"""Read exchanges in other text: a log, an exception with its trace, a page of documentation, a mail.

The text is read once, from start to end. A status or an address in front of a body counts as the body's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus

from oauth.exchange import Part, Request, Response, Step
from oauth.lenient_json import ParseError
from oauth.paste import address, error_text
from oauth.paste.body import read_value
from oauth.paste.envelopes import exchanges
from oauth.paste.literals import PRINTED_START
from oauth.paste.result import STATUS_UNKNOWN, Pasted, check_count
from oauth.paste.step_guess import TOKEN_PATH, path_of, step_of
from oauth.paste.times import ACCESS_LOG, ISO, moment

NO_BODY = "the body of the response is not in the text"

_REASONS = "|".join(sorted({re.escape(status.phrase) for status in HTTPStatus if status >= 200}, key=len, reverse=True))
_PART = re.compile(
    rf"(?P<body>\{{(?!\s*[{{\[])|\[(?=\s*\{{)|{PRINTED_START.pattern})"
    r"|^[^\S\n]*(?P<heading>\d{1,3}\.)[^\S\n]"
    rf"|(?P<time>{ISO.pattern}|{ACCESS_LOG.pattern})"
    r"|\b(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)[ \t]{1,9}(?P<target>(?:https?:/)?/[^\s'\"`<>]*)"
    r"(?:[ \t]HTTP/[\d.]{1,3}[\"']?)?"
    r"|(?P<url>\bhttps?://[^\s'\"`<>]+)"
    r"|(?:\b(?:HTTP(?:[ /][\d.]{1,3})?(?: status)?(?: code| error)?|status(?:[ _-]?code)?|response code"
    r"|responded with(?: a)?|returned(?: a)?|code|error)|<Response)"
    r"\]?[ :=\t\[]{1,8}[\"'`(]?(?P<status>[1-5]\d\d)(?![\d.]\d|\d)"
    r"|(?<![\d.])(?P<phrase>[1-5]\d\d)[\"')]?,?[ ]?(?:\(|\[|: |message=|-\s|'|\")*"
    rf"(?:{_REASONS}|Client Error|Server Error)\b",
    re.MULTILINE | re.IGNORECASE,
)
_MARKS = re.compile(
    r"\b(?:HTTP (?:Status|Error|Code)|Status Code|exception|Traceback|\w+Error|Solution):?", re.IGNORECASE
)
_ACCESS_STATUS = re.compile(r"[\"']?[ ](?P<status>[1-5]\d\d)(?= (?:\d+|-)\b)")
_AFTER_URL = ".,;:)]}"
_EXPLANATIONS = (
    "https://developer.mozilla.org/",
    "https://httpstatuses.",
    "https://www.rfc-editor.org/",
    "https://tools.ietf.org/",
)
_FAILED_PASSES = 4
"""Passes over a text that may fail; past that, a bracket that opens nothing ends its line."""

_GOES_ON = re.compile(r"[{\[(,:][ \t\r]*\Z")


def confidence(text: str) -> float:
    """Return the confidence that the text has a body and a mark of its exchange; low when it has only a part."""
    part = next(_parts(text), None)
    if part is None:
        return 0.0
    if text.lstrip().startswith("["):
        return 0.3
    return 0.65 if part.lastgroup != "body" or _MARKS.search(text[:100_000]) else 0.2


def read(text: str) -> list[Pasted]:
    """Return the exchanges in the text. Raises ``ParseError`` where there is none."""
    reading = _Reading(text)
    position = 0
    while part := _PART.search(text, position):
        position = reading.take(part)
        check_count(reading.items)
    reading.finish()
    if len(reading.items) > 1 or any(item.response is None or item.response.body for item in reading.items):
        return reading.items
    messages = error_text.read(text, reading.status) if len(text) < error_text.LONGEST else []
    if messages and reading.items:
        return [_with_message(reading.items[0], messages[0])]
    if messages or reading.items:
        return messages or reading.items
    if reading.failure is not None:
        raise reading.failure
    if reading.status:
        return [reading.without_body()]
    raise ParseError("nothing readable was found.", text, 0)


def _with_message(item: Pasted, message: Pasted) -> Pasted:
    """Give an exchange without a body the message that stands beside it."""
    if item.response is None or message.response is None:
        return item
    response = replace(item.response, body=message.response.body)
    return replace(item, response=response, repairs=message.repairs, unknown=item.unknown - {Part.RESPONSE_BODY})


def _parts(text: str) -> Iterator[re.Match[str]]:
    return (part for part in _PART.finditer(text) if part.lastgroup != "time")


@dataclass
class _Reading:
    text: str
    items: list[Pasted] = field(default_factory=list)
    failure: ParseError | None = None
    at: datetime | None = None
    request: Request | None = None
    status: int = STATUS_UNKNOWN
    failed: int = 0
    line_start: int = 0
    line: str | None = None

    def take(self, part: re.Match[str]) -> int:
        """Read one part and return the position to continue at."""
        if part["body"]:
            return self.body(part.start())
        if part["heading"]:
            self.finish()
        elif part["time"]:
            self.at = moment(part["time"]) or self.at
        elif part["method"] or part["url"]:
            return self.address(part)
        else:
            self.status = int(part["status"] or part["phrase"])
        return part.end()

    def address(self, part: re.Match[str]) -> int:
        url = (part["target"] or part["url"]).rstrip(_AFTER_URL)
        if url.startswith(_EXPLANATIONS):
            return part.end()
        if self.request is not None:
            self.finish()
        method = (part["method"] or "").upper() or ("POST" if TOKEN_PATH.search(path_of(url)) else "GET")
        self.request = Request(method, url)
        if access := _ACCESS_STATUS.match(self.text, part.end()):
            self.status = int(access["status"])
            self.finish()
            return access.end()
        return part.end()

    def body(self, start: int) -> int:
        """Read the value at ``start``: within its line, or over several when the line ends inside a value."""
        line = self._line(start)
        line_end = self.line_start + len(line)
        is_over = self.failed > _FAILED_PASSES * len(self.text) + error_text.LONGEST
        goes_on = (
            line_end < len(self.text)
            and not is_over
            and _GOES_ON.search(line, max(start - self.line_start, len(line) - 200))
        )
        text, offset = (self.text, 0) if goes_on else (line, self.line_start)
        try:
            value, end, repairs = read_value(text, start - offset)
            end += offset
        except ParseError as error:
            stopped = error.position + offset
            self.failure = self.failure or ParseError(error.reason, self.text, stopped)
            self.failed += len(text) - (start - offset)
            if is_over:
                return line_end
            return max(start + 1, stopped)
        items = exchanges(value, source="text", repairs=repairs, text=self.text[start:end])
        self.items += [self._with_context(item) if place == 0 else item for place, item in enumerate(items)]
        if any(item.response for item in items):
            self.request, self.status = None, STATUS_UNKNOWN
        return max(end, start + 1)

    def _line(self, position: int) -> str:
        """Return the line of a position; the same one is not cut out again for each of its bodies."""
        if self.line is None or not self.line_start <= position <= self.line_start + len(self.line):
            self.line_start = self.text.rfind("\n", 0, position) + 1
            end = self.text.find("\n", position)
            self.line = self.text[self.line_start : end if end >= 0 else len(self.text)]
        return self.line

    def _with_context(self, item: Pasted) -> Pasted:
        response = item.response
        if response is None:
            return replace(item, started_at=item.started_at or self.at)
        if response.status == STATUS_UNKNOWN:
            response = replace(response, status=self.status)
        request = item.request or self.request
        step = step_of(request, response)
        return replace(item, request=request, response=response, step=step, started_at=item.started_at or self.at)

    def finish(self) -> None:
        """Keep an address that is an exchange by itself: with a status, or as part of an authorization."""
        if self.request is not None:
            step = step_of(self.request, None)
            if self.status:
                self.items.append(self.without_body())
            elif step in (Step.AUTHORIZE, Step.CALLBACK):
                self.items.append(replace(address.exchange(self.request.method, self.request.url), started_at=self.at))
            self.request, self.status = None, STATUS_UNKNOWN

    def without_body(self) -> Pasted:
        return Pasted(
            self.request,
            Response(self.status),
            step_of(self.request, None) if self.request else None,
            self.at,
            repairs=(NO_BODY,),
            source="text",
            unknown=frozenset({Part.RESPONSE_BODY}),
        )
