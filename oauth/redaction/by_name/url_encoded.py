"""Queries and fragments of URLs, their user information, and forms."""

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from oauth.redaction.by_name.values import find_in_value
from oauth.redaction.names import opaque_kind, secret_kind
from oauth.redaction.occurrences import Occurrence
from oauth.redaction.placeholders import PATTERN

_URL_NAME = re.compile(r"(?<=[?&#])([^=&#?\s]{1,200})=")
_URL_VALUE = re.compile(rf"(?:{PATTERN}|[^&#])*")
_FORM_NAME = re.compile(r"(?:^|(?<=&))([^=&]{1,200})=")
_FORM_VALUE = re.compile(r"[^&]*")
_FORM_START = re.compile(r"\s*[\w.%\[\]$-]{1,200}=")
_USERINFO = re.compile(r"""(?<=//)([^\s/?#"'<>\\@:]*)(?::([^\s/?#"'<>\\]*))?@""")

_LONGEST_OPAQUE = 6

starts_form = _FORM_START.match


def find_url_fields(url: str) -> Iterator[Occurrence]:
    """Yield the secrets in the query and the fragment of a URL, absolute or relative."""
    return _find_fields(url, _URL_NAME, _URL_VALUE)


def find_form_fields(text: str) -> Iterator[Occurrence]:
    """Yield the secrets in a text that is a whole form."""
    return _find_fields(text, _FORM_NAME, _FORM_VALUE)


def find_userinfo(text: str) -> Iterator[Occurrence]:
    """Yield each password of ``//user:password@host``, or the user without a password (RFC 3986 §3.2.1)."""
    for info in _USERINFO.finditer(text):
        kind, group = ("password", 2) if info[2] else ("userinfo", 1)
        if info[group]:
            readings = tuple(dict.fromkeys((unquote(info[group]), info[group])))
            yield Occurrence(*info.span(group), kind, readings)


def _find_fields(text: str, names: re.Pattern[str], values: re.Pattern[str]) -> Iterator[Occurrence]:
    done = 0
    for name in names.finditer(text):
        if name.start() < done:
            continue
        spelled = unquote_plus(name[1])
        kind = secret_kind(spelled)
        is_maybe = kind is None and len(spelled) <= _LONGEST_OPAQUE
        value = values.match(text, name.end()) if kind or is_maybe else None
        if is_maybe and value is not None:
            kind = opaque_kind(spelled, unquote_plus(value[0]))
        if kind is not None and value is not None:
            done = value.end()
            yield from find_in_value(kind, text, *value.span(), (unquote_plus(value[0]), unquote(value[0])))
