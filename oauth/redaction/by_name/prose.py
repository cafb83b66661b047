"""Secrets in sentences and log lines: ``access token: ...``, ``the password is ...``."""

import re
from collections.abc import Iterator

from oauth.redaction.names import is_random, secret_kind, words_of
from oauth.redaction.occurrences import QUOTES, Occurrence
from oauth.redaction.placeholders import PATTERN

_SIGN = re.compile(r"(?<=[\w\])])(?:[ \t]{0,3}:[ \t]{0,9}|[ ](?:is|was)[ ]:?[ ]{0,3})")
_BEFORE = re.compile(r"[A-Za-z][\w.-]*(?: [A-Za-z][\w-]*){0,2}\Z")
_VALUE = re.compile(rf"""["'`]?((?:{PATTERN}|[^\s"'`<>,;()\[\]{{}}])+)""")
_SHORTEST = 6
_LONGEST_NAME = 60
_MOST_JUDGED = 1_000
"""Characters of a value by which it is judged; all of it is replaced."""

_UNCERTAIN = frozenset(
    ("code", "state", "session", "sid", "pin", "secret", "secrets", "pass", "credential", "credentials")
)
"""Names that are plain words in a sentence, unless another word makes them certain."""


def find_prose(text: str) -> Iterator[Occurrence]:
    """Yield the random words behind the name of a secret, of which each may be written in up to three words."""
    done = run_end = 0
    for sign in _SIGN.finditer(text):
        if sign.start() < done:
            continue
        before = text[max(0, sign.start() - _LONGEST_NAME) : sign.start()].rstrip("[])")
        name = _BEFORE.search(before)
        kind = _kind_of(name[0], is_certain=before[: name.start()][-1:] in QUOTES) if name else None
        if kind is None:
            continue
        start = sign.end()
        if start >= run_end:  # a sign inside a value that was no secret: its end is known
            value = _VALUE.match(text, start)
            if value is None:
                continue
            start, run_end = value.span(1)
        if is_random(text[start : min(run_end, start + _MOST_JUDGED)].rstrip(".:!?"), _SHORTEST):
            secret = text[start:run_end].rstrip(".:!?")
            done = start + len(secret)
            yield Occurrence(start, done, kind, (secret,))


def _kind_of(name: str, *, is_certain: bool) -> str | None:
    words = name.split()
    for start in range(len(words)):
        spelled = "_".join(words[start:])
        if start == len(words) - 1 and spelled.lower() in _UNCERTAIN and not is_certain:
            return None
        kind = secret_kind(spelled)
        if kind is not None:
            return secret_kind("_".join(words_of(spelled)[-2:])) or kind
    return None
