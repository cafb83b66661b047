"""The part of a request that an error speaks of, by its words: the subject, and the name of a missing parameter."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from itertools import chain
from pathlib import Path

from msgspec import Struct

from oauth import toml
from oauth.conversion import convert


class Subject(StrEnum):
    """Parts of a request that an error may be about."""

    CODE = "code"
    REDIRECT_URI = "redirect_uri"
    VERIFIER = "verifier"
    REFRESH_TOKEN = "refresh_token"
    DEVICE_CODE = "device_code"
    GRANT = "grant"
    CLIENT = "client"
    SCOPE = "scope"
    RESPONSE_TYPE = "response_type"
    USER = "user"
    ASSERTION = "assertion"
    ACCESS_TOKEN = "access_token"
    BODY = "body"
    METHOD = "method"
    TOKEN = "token"
    OTHER = "other"


LONGEST = 2048
"""Characters at the start of a text that are searched for words."""

_MOST_SUBJECTS = 2
"""Subjects of a sentence that says something. One with more is a list of all that can be wrong."""

_NEAR = 60
"""Characters between a parameter's name and the words that say it is missing."""

_SENTENCE = re.compile(r"[.;!]\s+|\bplease\b", re.IGNORECASE)
"""The end of a statement; what comes after may be advice, which names other parts."""

_ABSORBED: Mapping[Subject, frozenset[Subject]] = {
    # The code is what a verifier and a redirect URI belong to, and a grant type has the name of a credential.
    Subject.VERIFIER: frozenset({Subject.CODE}),
    Subject.REDIRECT_URI: frozenset({Subject.CODE}),
    Subject.GRANT: frozenset({Subject.CODE, Subject.REFRESH_TOKEN, Subject.DEVICE_CODE}),
    Subject.SCOPE: frozenset({Subject.REFRESH_TOKEN, Subject.CODE, Subject.ACCESS_TOKEN, Subject.CLIENT}),
}
"""Subjects that are only mentioned beside another one."""


class _Words(Struct, frozen=True, forbid_unknown_fields=True):
    name: Subject
    words: tuple[str, ...] = ()
    parameters: dict[str, tuple[str, ...]] = {}


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    subject: tuple[_Words, ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]


class _Reader:
    """The patterns of ``subjects.toml``, and the meaning of the words that they find."""

    def __init__(self) -> None:
        file = Path(__file__).with_name("subjects.toml")
        tables = convert(toml.loads(file.read_text("utf-8")), _File)
        self.subjects: dict[str, Subject] = {}
        self.parameters: dict[str, str] = {}
        spellings = [*tables.ignored]
        for entry in tables.subject:
            for parameter, words in entry.parameters.items():
                self.parameters |= dict.fromkeys(map(_bare, words), parameter)
            named = [*entry.words, *chain.from_iterable(entry.parameters.values())]
            self.subjects |= dict.fromkeys(map(_bare, named), entry.name)
            spellings += named
        self.words = _pattern(spellings)
        self.missing = _pattern(tables.missing)


def subject_of(description: str) -> Subject | None:
    """Return the one part that a description speaks of; ``None`` when it names none, or several."""
    named = subjects(description)
    return next(iter(named)) if len(named) == 1 else None


def subjects(text: str) -> frozenset[Subject]:
    """Return what a text speaks of; empty when it names nothing, or lists everything that can be wrong."""
    sentences = _SENTENCE.split(text[:LONGEST])
    return next((named for sentence in sentences if 0 < len(named := _named(sentence)) <= _MOST_SUBJECTS), frozenset())


def missing_parameter(text: str) -> str:
    """Return the name of the parameter that a text says is missing; empty when it says so of none."""
    for sentence in _SENTENCE.split(text[:LONGEST]):
        gaps = [match.span() for match in _reader().missing.finditer(sentence)]
        near = [
            (distance, name)
            for match in _reader().words.finditer(sentence)
            if (name := _reader().parameters.get(_bare(match[0]), ""))
            and (distance := _distance(match.span(), gaps)) <= _NEAR
        ]
        named = _named(sentence)
        near = [(distance, name) for distance, name in near if subject_of_parameter(name) in named]
        if near and len(named) <= _MOST_SUBJECTS:
            return min(near, key=lambda pair: pair[0])[1]
    return ""


def subject_of_parameter(name: str) -> Subject | None:
    """Return the subject that a parameter belongs to; ``None`` for an unknown one."""
    return _reader().subjects.get(_bare(name))


@cache
def _reader() -> _Reader:
    return _Reader()


def _named(sentence: str) -> frozenset[Subject]:
    words = (_reader().subjects.get(_bare(match[0])) for match in _reader().words.finditer(sentence))
    named = frozenset(subject for subject in words if subject is not None)
    return named - frozenset(chain.from_iterable(_ABSORBED.get(subject, ()) for subject in named))


def _distance(span: tuple[int, int], others: list[tuple[int, int]]) -> int:
    """Return the number of characters between a span and the nearest of the others."""
    return min((max(start - span[1], span[0] - end, 0) for start, end in others), default=_NEAR + 1)


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    by_length = sorted(set(phrases), key=len, reverse=True)
    alternatives = "|".join(r"[ _-]?".join(map(re.escape, phrase.split(" "))) for phrase in by_length)
    return re.compile(rf"(?<![A-Za-z])(?:{alternatives})(?![A-Za-z]| by\b)", re.IGNORECASE)


def _bare(words: str) -> str:
    return re.sub(r"[ _-]", "", words).lower()
