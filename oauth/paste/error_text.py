"""Read an error in words as the body that it comes in."""

from collections.abc import Iterator

from oauth.catalogue import words
from oauth.catalogue.words import Words
from oauth.exchange import Part, Response
from oauth.lenient_json import CUT
from oauth.paste.body import as_json
from oauth.paste.envelopes import WORDS
from oauth.paste.result import STATUS_UNKNOWN, Pasted
from oauth.paste.step_guess import step_of

READ_AS = "message without JSON read as error_description"
CODE_ALONE = "error code without JSON read as error"


def find(text: str, start: int, end: int) -> Iterator[tuple[int, int, Pasted]]:
    """Yield the errors in words between two places of the text, each with its own."""
    for error in words.find(text, start, end):
        yield error.start, error.end, _pasted(error)


def _pasted(error: Words) -> Pasted:
    members = {
        "error": error.error,
        "error_description": error.description,
        "error_human_title": error.human_title,
    }
    body = as_json({name: text for name, text in members.items() if text})
    response = Response(error.status or STATUS_UNKNOWN, body=body)
    return Pasted(
        response=response,
        step=step_of(None, response),
        repairs=(READ_AS if error.description else CODE_ALONE, *((CUT,) if error.is_cut else ())),
        source=WORDS,
        unknown=frozenset({Part.RESPONSE_HEADERS}),
    )
