"""Read curl commands for POSIX shells, cmd and PowerShell, with the output pasted behind them."""

import re
from dataclasses import dataclass, replace

from oauth.exchange import Part, Request
from oauth.lenient_json import ParseError
from oauth.paste import json_body, raw_http
from oauth.paste.curl import options, trace, verbose
from oauth.paste.curl.request import CurlRequest, requests
from oauth.paste.curl.shells import Splitter, Words, cmd, posix, powershell
from oauth.paste.result import Pasted, check_count
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
_OUTPUT_READERS = (trace, verbose, raw_http, json_body)


@dataclass(frozen=True, slots=True)
class _Start:
    """The beginning of a command: with what stands in front of the word curl in its line, and the word itself."""

    start: int
    curl: int
    end: int


def confidence(text: str) -> float:
    """Return 0.95 when a line begins with the command, less when it stands inside a line."""
    if _at_line(text, 0):
        return 0.95
    return 0.8 if _inside(text, 0) else 0.0


def read(text: str) -> list[Pasted]:
    """Return each command as a request, with the responses behind it. Raises ``ParseError``."""
    search = _at_line
    items: list[Pasted] = []
    if first := _at_line(text, 0):
        items += _output(text[: first.start])
    else:
        search = _inside
    start = first or _inside(text, 0)
    while start is not None:
        following = search(text, start.end)
        command = _split(text, start, following.start if following else len(text))
        if following and following.start < command.end:  # the word stood inside the command
            following = search(text, command.end)
        built = [item for part in options.parse(command.words[1:]) for item in requests(part)]
        if not built:
            raise ParseError("the curl command has no address.", text, start.curl)
        output = _output(text[command.end : following.start if following else len(text)])
        items += _with_responses([_pasted(item, command.notes) for item in built], output)
        check_count(items)
        start = following
    return items


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
    return Pasted(
        built.request,
        step=step_of(built.request, None),
        repairs=tuple(dict.fromkeys((*notes, *built.notes))),
        source="curl command",
        unknown=frozenset() if built.body_known else frozenset({Part.REQUEST_BODY}),
    )


def _output(text: str) -> list[Pasted]:
    """Read the output of curl, where it was pasted too; other text between commands is ignored."""
    reader = max(_OUTPUT_READERS, key=lambda reader: reader.confidence(text))
    try:
        return reader.read(text) if reader.confidence(text) else []
    except ParseError:
        return []


def _with_responses(commands: list[Pasted], outputs: list[Pasted]) -> list[Pasted]:
    """Pair commands with their output. Where ``-v`` printed a request, its body comes from the command."""
    pairs = zip(commands, outputs, strict=False)
    paired = [_with_response(command, output) for command, output in pairs]
    return [*paired, *commands[len(paired) :], *outputs[len(paired) :]]


def _with_response(command: Pasted, output: Pasted) -> Pasted:
    request, printed = command.request, output.request
    if printed is None:
        printed = request
    elif request and not printed.body and _is_same(request, printed):
        printed = replace(printed, url=request.url, body=request.body)
    return replace(
        output,
        request=printed,
        step=step_of(printed, output.response),
        repairs=tuple(dict.fromkeys((*command.repairs, *output.repairs))),
        source="curl command and its output",
        unknown=command.unknown,
    )


def _is_same(request: Request, printed: Request) -> bool:
    return printed.method == request.method and path_of(printed.url) == path_of(request.url)
