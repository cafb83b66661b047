"""Read curl commands for POSIX shells, cmd and PowerShell, with the output pasted behind them."""

import re
from dataclasses import replace

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
_ANSWERS = (trace, verbose, raw_http, json_body)


def sureness(text: str) -> float:
    """Return 0.95 when a line begins with the command, less when it stands inside a line."""
    if _AT_LINE.search(text):
        return 0.95
    return 0.8 if _INSIDE.search(text) else 0.0


def read(text: str) -> list[Pasted]:
    """Return each command as a request, with the responses behind it. Raises ``ParseError``."""
    pattern = _AT_LINE if _AT_LINE.search(text) else _INSIDE
    found: list[Pasted] = []
    if (first := pattern.search(text)) and pattern is _AT_LINE:
        found += _answers(text[: first.start()])
    start = first
    while start is not None:
        following = pattern.search(text, start.end())
        command = _split(text, start, following.start() if following else len(text))
        if following and following.start() < command.end:  # the word stood inside the command
            following = pattern.search(text, command.end)
        sent = [item for part in options.parse(command.words[1:]) for item in requests(part)]
        if not sent:
            raise ParseError("the curl command has no address.", text, start.start("curl"))
        answers = _answers(text[command.end : following.start() if following else len(text)])
        found += _with_answers([_pasted(item, command.notes) for item in sent], answers)
        start = following
    return found


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


def _answers(text: str) -> list[Pasted]:
    """Read the output of curl, where it was pasted too; other text between commands is ignored."""
    reader = max(_ANSWERS, key=lambda reader: reader.sureness(text))
    try:
        return reader.read(text) if reader.sureness(text) else []
    except ParseError:
        return []


def _with_answers(sent: list[Pasted], answers: list[Pasted]) -> list[Pasted]:
    """Pair requests with responses. Where ``-v`` printed a request, its body comes from the command."""
    for place, request in enumerate(sent):
        if not answers:
            break
        answer = answers.pop(0)
        if answer.request is None:
            answer = replace(answer, request=request.request)
        elif request.request and answer.request.method == request.request.method and not answer.request.body:
            same_path = path_of(answer.request.url) == path_of(request.request.url)
            body = request.request.body if same_path else b""
            answer = replace(
                answer,
                request=replace(
                    answer.request, url=request.request.url if same_path else answer.request.url, body=body
                ),
            )
        repairs = tuple(dict.fromkeys((*request.repairs, *answer.repairs)))
        step = step_of(answer.request, answer.response)
        sent[place] = replace(
            answer,
            step=step,
            repairs=repairs,
            source="curl command and its output",
            request_body_known=request.request_body_known,
        )
    return sent + answers
