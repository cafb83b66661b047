"""Find the errors in words between the structures of a text, each as the body that it comes in."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from oauth.catalogue import words as catalogue
from oauth.catalogue.words import Words
from oauth.exchange import Part, Response
from oauth.lenient_json import CUT
from oauth.paste.assemble import Event, Known
from oauth.paste.body import as_json
from oauth.paste.envelopes import WORDS, with_status
from oauth.paste.result import STATUS_UNKNOWN, Pasted
from oauth.paste.step_guess import step_of

READ_AS = "message without JSON read as error_description"
_MEMBERS = ("error", "error_description", "error_human_title")

CODE_ALONE = "error code without JSON read as error"


_OPTION = re.compile(r"\A(?:Some|Just|Optional)\s?[(\"]{1,2}(.*?)[)\"]{0,2}\Z")
"""A value that may be missing, as Rust, Scala, Haskell and Swift print it."""

_SOURCE_BEHIND = re.compile(r"['\"`]?\s*(?:===?|!==?|=>|\|\||&&|\.\w+\(|::)|['\"],\s*$|,\s*$", re.MULTILINE)

_SOURCE_BEFORE = re.compile(
    r"(?:===?|!==?|::|\b(?:throw|case|new|return|const|enum|static))\s*[('\"]*\Z"
    r"|[a-z0-9]_(?:\w*_)?(?:total|count|sum|bucket|errors|requests|seconds)\{[^{}\n]*\Z"
)
"""What stands beside a code in the source of a program."""

_SENTENCE = re.compile(
    r"[\"'`]?[ \t\r]*\n[ \t\"'`-]{0,8}(?P<words>[A-Z][\w]*(?:[ ,]+[\w'’()\"-]+){2,40}\.?)[ \t\r\"'`]*(?=\n|\Z)"
)

_BEGINNING = 12
"""Characters of an error in words, such as "error 401: ...", in which a status is its own."""

_CLOSE = 300
"""Characters between a code and its description at most."""


def events(text: str, structures: list[Event]) -> list[Event]:
    """Return the errors in words between the structures, but for those that only repeat one of them."""
    words: list[Event] = []
    known: Known | None = None
    position = 0
    covered = [event for event in structures if event.kind == "items" or event.is_complete or event.is_callback]
    for stop, following in [*((event.start, event.end) for event in covered), (len(text), len(text))]:
        for start, end, item in _find(text, position, stop):
            known = known or Known.of(structures)
            is_introduction = end <= stop < len(text) and "\n" not in text[end:stop]
            if known.is_new(item) and not (is_introduction and known.codes):
                words.append(Event(start, end, "words", (item,)))
        position = max(position, following)
    return list(_without_lists(text, [_with_next_line(text, event) for event in _together(text, words)]))


def _with_next_line(text: str, event: Event) -> Event:
    """Give a code that is a line by itself the sentence in the next line."""
    if not _code_alone(event.items[0]):
        return event
    start = text.rfind("\n", 0, event.start) + 1
    sentence = _SENTENCE.match(text, event.end)
    if sentence is None or text[start : event.start].strip(" \t-*>'\"`"):
        return event
    item = _described(event.items[0], sentence["words"])
    return Event(event.start, sentence.end(), "words", (item,))


def _without_lists(text: str, words: list[Event]) -> Iterator[Event]:
    """Yield the words; codes alone that stand in a list of codes, or in the source of a program, tell no error."""
    codes = {_code_alone(event.items[0]) for event in words} - {""}
    for event in words:
        is_alone = bool(_code_alone(event.items[0]))
        before = text[max(event.start - 60, 0) : event.start]
        is_source = _SOURCE_BEHIND.match(text, event.end) or _SOURCE_BEFORE.search(before)
        is_compared = "===" in text[event.start : event.end]
        if not is_compared and (not is_alone or (len(codes) == 1 and not is_source)):
            yield event


def _together(text: str, words: list[Event]) -> Iterator[Event]:
    """Yield the words; a code and a description that stand close together are one error."""
    before: Event | None = None
    for event in words:
        joined = _joined(before.items[0], event.items[0]) if before else None
        if before and joined and event.start - before.end < _CLOSE and "\n\n" not in text[before.end : event.start]:
            before = Event(before.start, event.end, "words", (joined,))
            continue
        if before:
            yield before
        before = event
    if before:
        yield before


def has_status(event: Event, words: list[Event]) -> bool:
    """Return whether a status stands in the words of an error, which are in order; at their beginning it is theirs."""
    place = bisect_right(words, event.start, key=lambda other: other.start) - 1
    if place < 0 or words[place].end < event.end:
        return False
    error = words[place]
    if event.start - error.start < _BEGINNING:
        words[place] = replace(error, items=(with_status(error.items[0], event.status),))
    return True


def _find(text: str, start: int, end: int) -> Iterator[tuple[int, int, Pasted]]:
    """Yield the errors in words between two places of the text, each with its own."""
    for error in catalogue.find(text, start, end):
        yield error.start, error.end, _pasted(error)


def _code_alone(item: Pasted) -> str:
    """Return the code of an error in words without a description, an empty text for another."""
    code: str = json.loads(item.response.body)["error"] if CODE_ALONE in item.repairs and item.response else ""
    return code


def _described(item: Pasted, words: str) -> Pasted:
    """Return an error in words with its description."""
    body = {**json.loads(item.response.body), "error_description": words} if item.response else {}
    response = Response(item.status or STATUS_UNKNOWN, body=as_json(body))
    return replace(item, response=response, repairs=(READ_AS,))


def _joined(first: Pasted, second: Pasted) -> Pasted | None:
    """Return the error of two that were read in words, if one has only the code and the other only the description."""
    one, two = (json.loads(item.response.body) if item.response else {} for item in (first, second))
    if not one or not two or one.keys() & two.keys():
        return None
    body = {name: text for name in _MEMBERS if (text := one.get(name) or two.get(name))}
    statuses = [item.response.status for item in (first, second) if item.response and item.response.status]
    response = Response(statuses[0] if statuses else STATUS_UNKNOWN, body=as_json(body))
    repairs = tuple(dict.fromkeys((READ_AS, *(note for note in first.repairs + second.repairs if note != CODE_ALONE))))
    return replace(first, response=response, step=step_of(None, response), repairs=repairs)


def _pasted(error: Words) -> Pasted:
    description = _OPTION.sub(r"\1", error.description)
    texts = zip(_MEMBERS, (error.error, description, error.human_title), strict=True)
    body = as_json({name: text for name, text in texts if text})
    response = Response(error.status or STATUS_UNKNOWN, body=body)
    return Pasted(
        response=response,
        step=step_of(None, response),
        repairs=(READ_AS if error.description else CODE_ALONE, *((CUT,) if error.is_cut else ())),
        source=WORDS,
        unknown=frozenset({Part.RESPONSE_HEADERS}),
    )
