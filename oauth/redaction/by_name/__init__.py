"""Secrets by name: fields of URLs, forms, JSON, markup, multipart bodies, cookies and credentials.

There is one module for each syntax. None trusts a content type or needs well-formed text: each looks for a name and
reads the value behind it, so bodies that are truncated, malformed, mislabelled or nested are read like any other.
Each runs in linear time and never starts over inside what it has read.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from oauth.redaction.by_name.calls import find_passed, passes_password
from oauth.redaction.by_name.credentials import find_credentials, find_curl_user, names_scheme
from oauth.redaction.by_name.json_members import find_json_members
from oauth.redaction.by_name.labels import find_labelled, has_label
from oauth.redaction.by_name.lines import find_lines, find_stacked, names_secret_line
from oauth.redaction.by_name.markup import find_markup
from oauth.redaction.by_name.multipart import find_parts
from oauth.redaction.by_name.pairs import find_pairs
from oauth.redaction.by_name.prefixes import find_prefixed
from oauth.redaction.by_name.prose import find_prose
from oauth.redaction.by_name.shapes import find_printed_tokens, find_private_keys, find_tokens
from oauth.redaction.by_name.source_code import find_in_code, names_password
from oauth.redaction.by_name.tables import (
    find_columns,
    find_inserts,
    find_parameters,
    find_ruled_columns,
    names_statement,
)
from oauth.redaction.by_name.url_encoded import find_form_fields, find_url_fields, find_userinfo, starts_form
from oauth.redaction.by_name.values import find_in_value
from oauth.redaction.decodings import View
from oauth.redaction.names import is_random, opaque_kind, secret_kind
from oauth.redaction.occurrences import Occurrence
from oauth.redaction.placeholders import PATTERN

__all__ = ["ERROR_CODE", "in_field", "in_text", "in_url"]

_Finder = Callable[[str], Iterator[Occurrence]]

_URL_HEADERS = {"location", "content-location", "referer"}
ERROR_CODE = re.compile(
    rf"-?(?:\d|{PATTERN}){{1,10}}|[a-z]{{3,24}}|[a-z]{{2,24}}(?:[_./-][a-z]{{1,24}}){{1,6}}|E[A-Z]{{4,15}}"
    r"|[A-Z]{2,24}(?:_[A-Z]{1,24}){1,6}|[A-Z]{1,8}[-_]?\d{1,7}"
    r"|(?:[A-Z][a-z]{2,24}){2,8}(?:\.(?:[A-Z][a-z]{2,24}){1,8}){0,4}"
)
"""An error code in the body of a response: 404, invalid_grant, ERR_NETWORK, ECONNRESET, AADSTS700082, BadMethod."""

_ERROR_WORDS = re.compile(
    r"-?\d{1,5}|[a-z]{2,24}(?:[_/][a-z]{2,24}){1,6}|(?:[A-Z][a-z]{2,20}){1,3}|E[A-Z]{4,15}"
    r"|[A-Z]{2,24}(?:_[A-Z0-9]{1,24}){1,6}|[A-Z]{1,8}[-_]?\d{1,7}"
)
"""An error code where a text may be anything: fewer words, since a code of a request may be one."""

_URL_FIELD = re.compile(r"""[?#][^\s?#"'<>]*\Z""")
_FORM_FIELD = re.compile(r"(?:\A|[?&#;])[\w.-]{1,40}=\Z")

_WRAPPED = re.compile(
    r"""\r?\n[ \t]{0,20}(?:>[ \t]?){0,9}(?!HTTP/)([\w.~+/-]{4,}+={0,2})(?=["'<>,;)&]|\s|\Z)""", re.ASCII
)
"""The next line with the rest of a value; a status line is none."""

_LINE_ENDS = ("\n", "\r")
_NARROWEST = 40
"""Characters of the narrowest line that a mail program wraps."""

in_url = find_url_fields


def in_text(
    views: Iterable[View], *, response: bool = False, words: bool = False, lines: bool = True
) -> list[Occurrence]:
    """Return the named secrets in the views of a text, with their places in the original text.

    In the body of a ``response``, and in ``words``, a ``code`` may be an error code and not a secret. With ``lines``,
    the text may be a whole form, and lines such as ``name: value`` are fields; that is right for a message and wrong
    for one field.
    """
    occurrences: list[Occurrence] = []
    for view in views:
        decoded = view.parent is not None
        for offset, end in view.leaves:
            text = view.text[offset:end]
            ends: dict[int, int] = {}
            for finder in _finders(text, lines=lines, decoded=decoded):
                done = 0
                for occurrence in find_prose(text, ends) if finder is find_prose else finder(text):
                    if occurrence.kind == "code" and _is_error_code(text, occurrence, response=response, words=words):
                        continue
                    ends[occurrence.start] = occurrence.end
                    if lines and text[occurrence.end : occurrence.end + 1] in _LINE_ENDS and occurrence.start >= done:
                        occurrence = _unwrapped(text, occurrence)
                        done = occurrence.end
                    if decoded:
                        left, right = view.origin(offset + occurrence.start, offset + occurrence.end)
                        occurrence = replace(occurrence, start=left, end=right, number=False)
                    occurrences.append(occurrence)
    return occurrences


def _is_error_code(text: str, occurrence: Occurrence, *, response: bool, words: bool) -> bool:
    if occurrence.number and not response:
        return False
    shape = ERROR_CODE if response else _ERROR_WORDS
    if not (response or words) or not shape.fullmatch(occurrence.readings[-1]):
        return False
    field = (_URL_FIELD if response else _FORM_FIELD).search(text[max(0, occurrence.start - 200) : occurrence.start])
    return field is None and (response or text[occurrence.end : occurrence.end + 1] != "&")


def _unwrapped(text: str, occurrence: Occurrence) -> Occurrence:
    """Extend a secret at the end of a long line by the rest of it, which a mail program put on the next lines."""
    start, end = occurrence.start, occurrence.end
    value = text[start:end]
    while end >= _NARROWEST and text.rfind("\n", end - _NARROWEST, end) < 0:
        rest = _WRAPPED.match(text, end)
        if rest is None or not is_random(rest[1], 4, named=True):
            break
        value, end = value + rest[1], rest.end()
    return occurrence if end == occurrence.end else Occurrence(start, end, occurrence.kind, (value,))


def in_field(name: str, value: str) -> Iterator[Occurrence]:
    """Yield the parts of one field or header that are secret because of its name."""
    kind = secret_kind(name) or opaque_kind(name, value.strip())
    if kind is not None:
        return find_in_value(kind, value, 0, len(value), (value,))
    return find_url_fields(value) if name.lower() in _URL_HEADERS else iter(())


def _finders(text: str, *, lines: bool, decoded: bool) -> list[_Finder]:
    """Return the finders of the syntaxes that may occur in a text.

    Most texts lack a character that a syntax cannot do without, and checking for it is much faster than the finder.
    The order counts: when two finders match the same span, the first one names its kind.
    """
    finders: list[_Finder] = [find_prefixed]
    colon, equals, line_break = ":" in text, "=" in text, "\n" in text
    if colon and ('"' in text or "'" in text):
        finders.append(find_json_members)
    if equals:
        finders.append(find_pairs)
    if "@" in text:
        finders.append(find_userinfo)
    if "<" in text:
        finders.append(find_markup)
    if colon and line_break:
        finders.append(find_parts)
    if names_scheme(text):
        finders += [find_credentials, find_printed_tokens]
    if "curl" in text:
        finders.append(find_curl_user)
    if "eyJ" in text:
        finders.append(find_tokens)
    if "PRIVATE KEY" in text:
        finders.append(find_private_keys)
    if lines and colon and (line_break or not decoded) and names_secret_line(text):
        finders.append(find_lines)
    is_form = lines and equals and not decoded and starts_form(text) is not None and "\n" not in text.strip()
    if not is_form or colon or " " in text or '"' in text:  # an encoded form has no words but in its decoded views
        finders.append(find_prose)
        if has_label(text):
            finders.append(find_labelled)
        if passes_password(text):
            finders.append(find_passed)
        if names_password(text):
            finders.append(find_in_code)
    if lines and line_break:
        finders += [find_columns, find_stacked]
        if "\n--" in text or "\n -" in text:
            finders.append(find_ruled_columns)
    if "(" in text and "values" in text.lower():
        finders.append(find_inserts)
    if names_statement(text):
        finders.append(find_parameters)
    if is_form:
        finders.append(find_form_fields)
    return finders
