"""Read an error in words as the body that it comes in."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from oauth.catalogue import words
from oauth.catalogue.words import Words
from oauth.exchange import Part, Response
from oauth.lenient_json import CUT
from oauth.paste.body import as_json
from oauth.paste.envelopes import WORDS
from oauth.paste.result import STATUS_UNKNOWN, Pasted
from oauth.paste.step_guess import step_of

READ_AS = "message without JSON read as error_description"
_MEMBERS = ("error", "error_description", "error_human_title")

CODE_ALONE = "error code without JSON read as error"


_OPTION = re.compile(r"\A(?:Some|Just|Optional)\s?[(\"]{1,2}(.*?)[)\"]{0,2}\Z")
"""A value that may be missing, as Rust, Scala, Haskell and Swift print it."""


def find(text: str, start: int, end: int) -> Iterator[tuple[int, int, Pasted]]:
    """Yield the errors in words between two places of the text, each with its own."""
    for error in words.find(text, start, end):
        yield error.start, error.end, _pasted(error)


def code_alone(item: Pasted) -> str:
    """Return the code of an error in words without a description, an empty text for another."""
    code: str = json.loads(item.response.body)["error"] if CODE_ALONE in item.repairs and item.response else ""
    return code


def described(item: Pasted, words: str) -> Pasted:
    """Return an error in words with its description."""
    body = {**json.loads(item.response.body), "error_description": words} if item.response else {}
    response = Response(item.status or STATUS_UNKNOWN, body=as_json(body))
    return replace(item, response=response, repairs=(READ_AS,))


def joined(first: Pasted, second: Pasted) -> Pasted | None:
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
