"""The credential that the words of an error speak of: one code, such as ``invalid_grant``, is about several."""

import re
from enum import StrEnum


class Subject(StrEnum):
    """Parts of a token request that an error may be about."""

    CODE = "code"
    REFRESH_TOKEN = "refresh_token"
    VERIFIER = "verifier"
    REDIRECT_URI = "redirect_uri"
    USER = "user"
    ASSERTION = "assertion"
    DEVICE_CODE = "device_code"


_WORDS = {
    Subject.REFRESH_TOKEN: re.compile(r"refresh[ _-]?token", re.IGNORECASE),
    Subject.VERIFIER: re.compile(r"code[ _-]?(?:verifier|challenge)|\bpkce\b", re.IGNORECASE),
    Subject.REDIRECT_URI: re.compile(r"redirect(?:ion)?[ _-]?ur[il]|\bcallback[ _-]?ur[il]", re.IGNORECASE),
    Subject.USER: re.compile(r"\bpassword|\busername\b|\b(?:user|owner) credentials", re.IGNORECASE),
    Subject.ASSERTION: re.compile(r"\bassertion\b|\bjwt\b", re.IGNORECASE),
    Subject.DEVICE_CODE: re.compile(r"\b(?:device|user)[ _-]?code\b", re.IGNORECASE),
}
_CODE = re.compile(r"(?<!error )(?<!status )\bcode\b|_code\b", re.IGNORECASE)
_LONGER = re.compile(r"(?:device|user)[ _-]?code|code[ _-]?(?:verifier|challenge)", re.IGNORECASE)
"""Names with the word ``code`` that are not the authorization code."""

_ADVICE = re.compile(r"\bplease\b|[.;]\s", re.IGNORECASE)
"""The end of what happened: advice and details after it may name another credential."""

_NARROWER = {Subject.VERIFIER, Subject.REDIRECT_URI}


def subject_of(description: str) -> Subject | None:
    """Return the one credential that a description speaks of; ``None`` when it names none, or several."""
    return _single(_ADVICE.split(description, maxsplit=1)[0]) or _single(description)


def _single(text: str) -> Subject | None:
    subjects = {subject for subject, words in _WORDS.items() if words.search(text)}
    if not subjects & _NARROWER and _CODE.search(_LONGER.sub("", text)):
        subjects.add(Subject.CODE)
    return subjects.pop() if len(subjects) == 1 else None
