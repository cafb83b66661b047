"""Read curl commands for POSIX shells, cmd and PowerShell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from oauth.exchange import Part, Request
from oauth.lenient_json import ParseError
from oauth.paste.curl import options
from oauth.paste.curl.request import CurlRequest, requests
from oauth.paste.curl.shells import Splitter, Words, cmd, posix, powershell
from oauth.paste.curl.trace import SOURCE as TRACE
from oauth.paste.curl.verbose import SOURCE as VERBOSE
from oauth.paste.result import Block, Pasted, check_count
from oauth.paste.step_guess import path_of, step_of

_CURL = re.compile(r"curl(?:\.exe)?(?=[ \t^`\\])")
_PROMPT_END = "$#%>❯"
_LONGEST_PROMPT = 320
_PROMPT = re.compile(
    r"(?:^|(?<=[;&|]))[ \t]*(?:[$#%>❯]|PS[^>\n]{0,200}>|[A-Za-z]:\\[^>\n]{0,200}>"
    r"|[\w.-]{1,64}@[\w.-]{1,64}[^\n$#]{0,100}[$#])\Z",
    re.MULTILINE,
)
_ASSIGNMENT = re.compile(r"\w+=|(?:sudo|time)\Z")
_ASSIGNMENT_INSIDE = re.compile(r"(?<=[;&|])(?:\w+=|(?:sudo|time)\Z)")
_INSIDE = re.compile(r"""(?<![\w/.-])curl(?:\.exe)?[ \t]+(?=-{1,2}[A-Za-z]|['"]?https?://|\^")""")
_CMD = re.compile(r"\^[ \t]*\r?\n|\^[\"&%]")
_POWERSHELL = re.compile(r"`[ \t]*\r?\n|`\"|@'|\A[ \t]*PS[ >]")


@dataclass(frozen=True, slots=True)
class _Start:
    """The beginning of a command: with what stands in front of the word curl in its line, and the word itself."""

    start: int
    curl: int
    end: int


def find(text: str) -> Iterator[Block]:
    """Yield each command with its requests. Raises ``ParseError`` at the end where one has no address."""
    if "curl" not in text:
        return
    failure: ParseError | None = None
    search = _at_line
    start = _at_line(text, 0)
    if start is None:
        search = _inside
        start = _inside(text, 0)
    while start is not None:
        following = search(text, start.end)
        command = _split(text, start, following.start if following else len(text))
        if following and following.start < command.end:  # the word stood inside the command
            following = search(text, command.end)
        built = [item for part in options.parse(command.words[1:]) for item in requests(part)]
        check_count(built)
        if built:
            yield Block(start.start, command.end, tuple(_pasted(item, command.notes) for item in built))
        else:
            failure = failure or ParseError("the curl command has no address.", text, start.curl)
        start = following
    if failure is not None:
        raise failure


def _at_line(text: str, position: int) -> _Start | None:
    """Return the first command from ``position`` on that begins a line, or follows a separator in it."""
    for word in _CURL.finditer(text, position):
        start = _line_start(text, word.start(), position)
        if start is not None:
            return _Start(start, word.start(), word.end())
    return None


def _line_start(text: str, curl: int, least: int) -> int | None:
    """Return the beginning of the prompt and the assignments before the word, ``None`` where other text is there.

    The line is read backwards, a word at a time, so that the time of all searches is that of one pass over the text.
    """
    inside: int | None = None
    at = curl
    while True:
        blank = at
        while blank > least and text[blank - 1] in " \t":
            blank -= 1
        if blank == 0 or text[blank - 1] in "\n;&|":
            return blank
        if text[blank - 1] in _PROMPT_END and (
            prompt := _PROMPT.search(text, max(least, blank - _LONGEST_PROMPT), blank)
        ):
            return prompt.start()
        if blank in (at, least):
            return inside
        at = blank
        while at > least and not text[at - 1].isspace():
            at -= 1
        if separated := _ASSIGNMENT_INSIDE.search(text, at, blank):
            inside = separated.start()
        if not _ASSIGNMENT.match(text, at, blank):
            return inside


def _inside(text: str, position: int) -> _Start | None:
    """Return the first command from ``position`` on that stands inside a line."""
    word = _INSIDE.search(text, position)
    return _Start(word.start(), word.start(), word.end()) if word else None


def _split(text: str, start: _Start, end: int) -> Words:
    """Split the command into words, as the shell does that its first paragraph was written for."""
    blank = text.find("\n\n", start.start, end)
    head = text[start.start : blank if blank >= 0 else end]
    shell: Splitter = cmd if _CMD.search(head) else powershell if _POWERSHELL.search(head) else posix
    return shell(text, start.curl)


def _pasted(built: CurlRequest, notes: list[str]) -> Pasted:
    unknown = set() if built.headers_known else {Part.REQUEST_HEADERS}
    if not built.body_known:
        unknown.add(Part.REQUEST_BODY)
    return Pasted(
        built.request,
        step=step_of(built.request, None),
        repairs=tuple(dict.fromkeys((*notes, *built.notes))),
        source="curl command",
        unknown=frozenset(unknown),
    )


def is_printed(command: Pasted, printed: Pasted) -> bool:
    """Return whether an exchange is what curl printed for a command."""
    return command.source == "curl command" and printed.source in (VERBOSE, TRACE)


def merged(command: Pasted, printed: Pasted) -> Pasted:
    """Give an exchange that was printed what ``-v`` does not print of the command: its address and its body."""
    asked, request = command.request, printed.request
    if asked is not None and request is not None and not request.body and _is_same(asked, request):
        request = replace(request, url=asked.url, body=asked.body)
    return replace(
        printed,
        request=request or asked,
        step=step_of(request or asked, printed.response),
        repairs=tuple(dict.fromkeys((*command.repairs, *printed.repairs))),
        source="curl command and its output" if printed.response else command.source,
        unknown=command.unknown | printed.unknown - {Part.REQUEST_BODY},
    )


def _is_same(request: Request, printed: Request) -> bool:
    return printed.method == request.method and path_of(printed.url) == path_of(request.url)
