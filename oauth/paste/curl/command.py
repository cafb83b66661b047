"""Read curl commands for POSIX shells, cmd and PowerShell, with the output pasted behind them."""

import re
from dataclasses import replace

from oauth.exchange import Request
from oauth.lenient_json import ParseError
from oauth.paste import json_body, raw_http
from oauth.paste.curl import options, trace, verbose
from oauth.paste.curl.request import CurlRequest, requests
from oauth.paste.curl.shells import Splitter, Words, cmd, posix, powershell
from oauth.paste.result import Pasted
from oauth.paste.step_guess import path_of, step_of

_PROMPT = r"(?:[$#%>❯]|PS[^>\n]{0,200}>|[A-Za-z]:\\[^>\n]{0,200}>|[\w.-]+@[\w.-]+[^\n$#]{0,100}[$#])"
_AT_LINE = re.compile(
    rf"(?:^|(?<=[;&|]))[ \t]*(?:{_PROMPT}[ \t]*)?"
    r"(?:\w+=\S*[ \t]+|sudo[ \t]+|time[ \t]+)*(?P<curl>curl(?:\.exe)?)(?=[ \t^`\\])",
    re.MULTILINE,
)
_INSIDE = re.compile(r"""(?<![\w/.-])(?P<curl>curl(?:\.exe)?)[ \t]+(?=-{1,2}[A-Za-z]|['"]?https?://|\^")""")
_CMD = re.compile(r"\^[ \t]*\r?\n|\^[\"&%]")
_POWERSHELL = re.compile(r"`[ \t]*\r?\n|`\"|@'|\A[ \t]*PS[ >]")
_OUTPUT_READERS = (trace, verbose, raw_http, json_body)


def confidence(text: str) -> float:
    """Return 0.95 when a line begins with the command, less when it stands inside a line."""
    if _AT_LINE.search(text):
        return 0.95
    return 0.8 if _INSIDE.search(text) else 0.0


def read(text: str) -> list[Pasted]:
    """Return each command as a request, with the responses behind it. Raises ``ParseError``."""
    pattern = _AT_LINE if _AT_LINE.search(text) else _INSIDE
    items: list[Pasted] = []
    if (first := pattern.search(text)) and pattern is _AT_LINE:
        items += _output(text[: first.start()])
    start = first
    while start is not None:
        following = pattern.search(text, start.end())
        command = _split(text, start, following.start() if following else len(text))
        if following and following.start() < command.end:  # the word stood inside the command
            following = pattern.search(text, command.end)
        built = [item for part in options.parse(command.words[1:]) for item in requests(part)]
        if not built:
            raise ParseError("the curl command has no address.", text, start.start("curl"))
        output = _output(text[command.end : following.start() if following else len(text)])
        items += _with_responses([_pasted(item, command.notes) for item in built], output)
        start = following
    return items


def _split(text: str, start: re.Match[str], end: int) -> Words:
    """Split the command into words, as the shell does that its first paragraph was written for."""
    blank = text.find("\n\n", start.start(), end)
    head = text[start.start() : blank if blank >= 0 else end]
    shell: Splitter = cmd if _CMD.search(head) else powershell if _POWERSHELL.search(head) else posix
    return shell(text, start.start("curl"))


def _pasted(built: CurlRequest, notes: list[str]) -> Pasted:
    return Pasted(
        built.request,
        step=step_of(built.request, None),
        repairs=tuple(dict.fromkeys((*notes, *built.notes))),
        source="curl command",
        request_body_known=built.body_known,
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
        request_body_known=command.request_body_known,
    )


def _is_same(request: Request, printed: Request) -> bool:
    return printed.method == request.method and path_of(printed.url) == path_of(request.url)
