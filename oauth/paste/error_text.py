"""Read the bare message of an error, alone or in a sentence, with its code when that stands beside it."""

import re
from collections.abc import Iterator
from functools import cache

from oauth.catalogue.entries import answers, documented, registered
from oauth.exchange import Response
from oauth.paste.body import as_json
from oauth.paste.envelopes import WORDS
from oauth.paste.result import STATUS_UNKNOWN, Pasted
from oauth.paste.step_guess import step_of

READ_AS = "message without JSON read as error_description"
CODE_ALONE = "error code without JSON read as error"

_SIBLINGS = (
    'Missing parameter: "?[\\w]+"? is required',
    "The authorization code has expired",
    "The redirect URI is missing or do(?:es)? not match",
    "Missing required 'Version' header!?",
)
_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛′`", "'") | dict.fromkeys("“”„‟″", '"'))
LONGEST = 100_000


def find(text: str, start: int, end: int) -> Iterator[tuple[int, int, Pasted]]:
    """Yield the messages between two places of the text, each with its own, as the bodies that they come in."""
    for match in _pattern().finditer(text.translate(_QUOTES), start, end):
        yield match.start(), match.end(), _pasted(match)


def _pasted(match: re.Match[str]) -> Pasted:
    body: dict[str, str] = {}
    code = match["code"] or match["alone"]
    if code:
        body["error"] = code.lower()
    if match["text"]:
        body["error_description"] = match["text"]
    if match["title"]:
        body["error_human_title"] = match["title"]
        body.setdefault("error", _codes_of_titles()[_folded(match["title"])])
    response = Response(STATUS_UNKNOWN, body=as_json(body))
    repairs = (CODE_ALONE,) if match["alone"] else (READ_AS,)
    return Pasted(response=response, step=step_of(None, response), repairs=repairs, source=WORDS)


@cache
def _pattern() -> re.Pattern[str]:
    entries = documented().values()
    known = [entry.text for entry in answers().values() if entry.text] + [entry.description for entry in entries]
    texts = [_spaced(text.rstrip(".")) for text in known if " " in text] + [
        text.replace(" ", r"\s+") for text in _SIBLINGS
    ]
    titles = [_spaced(entry.human_title.rstrip(".")) for entry in entries if entry.human_title]
    codes = "|".join(sorted((re.escape(code) for code in registered() if "_" in code), key=len, reverse=True))
    return re.compile(
        rf"(?:(?<!\w)(?P<code>{codes})\W{{1,6}}(?:(?:error_)?description\W{{1,4}})?)?"
        rf"(?:(?P<text>{'|'.join(_longest_first(texts))})|(?P<title>{'|'.join(_longest_first(titles))}))"
        rf"|(?<![\w/-])(?P<alone>{codes})(?![\w/-])",
        re.IGNORECASE,
    )


@cache
def _codes_of_titles() -> dict[str, str]:
    return {_folded(entry.human_title): entry.error for entry in documented().values() if entry.human_title}


def _spaced(text: str) -> str:
    return r"\s+".join(re.escape(word) for word in text.translate(_QUOTES).split())


def _folded(text: str) -> str:
    return " ".join(text.casefold().rstrip(".").split())


def _longest_first(patterns: list[str]) -> list[str]:
    return sorted(set(patterns), key=len, reverse=True)
