"""Find the error in a response, in any of its places and shapes (``shapes``), and match its text with the catalogue.

Every text comes from a provider, so nothing here raises, whatever was sent.
"""

import html
import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from oauth import challenges, lenient_json
from oauth.catalogue import shapes, words
from oauth.catalogue.entries import DocumentedError, Endpoint, RegisteredError, documented, registered, registered_for
from oauth.catalogue.folding import clean, fold, plain_quotes
from oauth.catalogue.shapes import ShapeError
from oauth.catalogue.words import Words
from oauth.exchange import Headers, Step, header
from oauth.lenient_json import ParseError
from oauth.redaction import quoted

ENDPOINTS_OF: Mapping[Step, tuple[Endpoint, ...]] = {
    Step.AUTHORIZE: ("authorization",),
    Step.CALLBACK: ("authorization",),
    Step.TOKEN: ("token",),
    Step.REFRESH: ("token",),
    Step.API: ("resource",),
    # RFC 9126 §2.3: it checks an authorization request, and authenticates the client as the token endpoint does.
    Step.PAR: ("pushed_authorization", "authorization", "token"),
    # RFC 8628 §3.2 and RFC 7009 §2.2.1 return the codes of the token endpoint (RFC 6749 §5.2).
    Step.DEVICE: ("token",),
    Step.REVOKE: ("revocation", "token"),
    # RFC 7662 §2.3: the caller may authenticate as a client or with an access token.
    Step.INTROSPECT: ("token", "resource"),
    Step.USERINFO: ("resource",),
    Step.JWKS: ("resource",),
    Step.DISCOVERY: (),
    # A page of the login may send the authorization response, or its error (RFC 6749 §4.1.2).
    Step.PAGE: ("authorization",),
    # RFC 7591 §3: an initial access token authorizes the request.
    Step.REGISTER: ("registration", "resource"),
}
"""Endpoints whose error codes an endpoint returns, its own first."""

_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CUT_MARK = re.compile(
    r"(?:(?:\.{3,}|…)\s*+)?(?:\.{3,}|…|[(\[<]?(?:\.{3}|…)?\s?truncated\b[^\n\"]{0,60}|\[…\])\s*\Z", re.IGNORECASE
)
"""The mark of a logger at the place where it cut a text off."""
_MARK_LENGTH = 200
_LONGEST_TEXT = 4096
"""Characters of a text that may be a documented one."""
SHORTEST_CUT = 20
"""Characters of a documented text that must be left of it where it was cut off."""


How = Literal["exact", "folded", "cut"]
"""The way in which a text is that of a documented error."""


class Where(StrEnum):
    """The place in a response that holds the error."""

    BODY = "JSON body"
    DATA = "JSON body, under data"
    WRAPPED = "JSON body, inside another value"
    FORM = "form in the body"
    XML = "XML body"
    CHALLENGE = "WWW-Authenticate header"
    LOCATION = "Location header"
    ADDRESS = "callback address"


@dataclass(frozen=True, slots=True)
class Match:
    """An error that a response carries.

    ``documented`` is the documented error with the same text, and ``how`` says whether the texts are equal exactly or
    after folding case, whitespace, typographic quotes, entities and the full stop, or whether the text was cut off and
    can be the beginning of this one only; without one both are ``None`` and ``registered`` is the code's meaning by
    its specification. ``status_as_documented`` is ``None`` where either status is unknown.

    ``error``, ``description``, ``human_title`` and ``request_id`` are the provider's, empty when absent, the
    description without HTML entities and signs without a width;
    ``stated_status`` is the HTTP status that the body itself names. ``matched_text`` is the recognised part of body,
    header or address, verbatim. ``shape`` is the name of the body's shape, ``texts`` are the other texts beside the
    error, and ``numbers`` its numbers in members of their own.
    """

    where: Where
    error: str
    description: str
    human_title: str = ""
    stated_status: int | None = None
    matched_text: str = ""
    documented: DocumentedError | None = None
    how: How | None = None
    status_as_documented: bool | None = None
    registered: RegisteredError | None = None
    request_id: str = ""
    shape: str = ""
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Error:
    """An error in one place of a response; ``source`` is the text of that place."""

    where: Where
    source: str
    content: ShapeError
    is_cut: bool = False
    may_be_cut: bool = False


_UNREAD = object()


def match(
    status: int | None,
    headers: Headers,
    body: bytes,
    *,
    value: Any = _UNREAD,
    address: str = "",
    step: Step | None = None,
    cut: bool = False,
    elsewhere: bool = False,
) -> Match | None:
    """Find the error in a response; ``None`` without one.

    ``value`` is what ``read_json`` made of the body, if it was read already. A body that is not JSON is read as a form
    or as XML. ``address`` is the callback URL with its query and fragment; ``step`` chooses among the meanings of a
    code; ``cut`` says that the body was cut off, so that its last text may be the beginning of a documented one;
    ``elsewhere`` says that another provider sent it, whose errors have no number. Among several places the one with a
    documented text counts, then the first of body, ``WWW-Authenticate``, ``Location`` and ``address``.
    """
    value = read_json(body) if value is _UNREAD else value
    errors = list(_errors(status, headers, body, value, address, cut))
    for error in errors if not elsewhere else ():
        if documented_match := _documented(error):
            return _match(error, status, *documented_match, step)
    # A gateway's own body stands beside the challenge that has the code of OAuth.
    first = next((error for error in errors if _code(error) in registered()), errors[0] if errors else None)
    return _match(first, status, None, None, step) if first else None


def read_json(body: bytes) -> Any:
    """Parse a JSON body leniently; ``None`` when it cannot be parsed."""
    text = _decoded(body)
    try:
        return lenient_json.loads(text)
    except (ValueError, RecursionError):
        pass
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return lenient_json.read(text).value
    except ParseError:
        return None


def address_parameters(address: str) -> dict[str, str]:
    """Return the parameters in the query and the fragment of a URL; the first of each name counts."""
    if not address:
        return {}
    try:
        parts = urlsplit(quoted(address))  # placeholders of a redacted URL contain delimiters
        pairs = [pair for text in (parts.query, parts.fragment) for pair in parse_qsl(text, keep_blank_values=True)]
    except ValueError:  # a malformed host, or more parameters than Python reads
        return {}
    return dict(reversed(pairs))


def _match(
    error: _Error,
    status: int | None,
    entry: DocumentedError | None,
    how: How | None,
    step: Step | None,
) -> Match:
    content = error.content
    has_status = entry is not None and entry.status is not None and status is not None
    is_spelling = entry is not None and _is_spelling(content.description, entry)
    return Match(
        where=error.where,
        error=_code(error),
        description=entry.description if entry and is_spelling else clean(content.description),
        human_title=content.human_title,
        stated_status=content.status,
        matched_text=_verbatim(error),
        documented=entry,
        how=how,
        status_as_documented=status == entry.status if entry is not None and has_status else None,
        registered=registered_for(_code(error), *_endpoints(error, step)) if entry is None else None,
        request_id=content.request_id,
        shape=content.shape,
        texts=content.texts,
        numbers=content.numbers,
    )


def _is_spelling(text: str, entry: DocumentedError) -> bool:
    """Return whether a text is the documented one but for what copying made of its quotes and spaces."""
    return " ".join(plain_quotes(clean(text)).split()) == entry.description


def _documented(error: _Error) -> tuple[DocumentedError, How] | None:
    """Return the documented error with this text. A different code rules it out; a missing one does not, since
    the API's own error format has no code."""
    entries, content = list(documented().values()), error.content
    if content.error and not shapes.is_phrase(content.error):  # the reason phrase of a status is no code
        code = shapes.canonical_code(content.error)
        entries = [entry for entry in entries if entry.error in ("", code)]
    texts = tuple(dict.fromkeys((content.description, *content.texts)))
    for text in texts:
        if not error.is_cut and (entry := next((entry for entry in entries if entry.description == text), None)):
            return entry, "exact"
    by_text = {_bare_description(entry.number): entry for entry in entries}
    for text in texts:
        if not error.is_cut and len(text) < _LONGEST_TEXT and (entry := by_text.get(shapes.bare(text))):
            return entry, "folded"
    return (entry, "cut") if (entry := _documented_beginning(error, entries)) else None


def _documented_beginning(error: _Error, entries: list[DocumentedError]) -> DocumentedError | None:
    """Return the documented error that a text cut off by a logger can only be; another known text may rule it out."""
    description = error.content.description
    if len(description) > _LONGEST_TEXT:
        return None
    mark = _CUT_MARK.search(description, max(0, len(description) - _MARK_LENGTH))
    if not mark and not error.is_cut and not error.may_be_cut:
        return None
    start = fold(clean(description[: mark.start()] if mark else description))
    candidates = [text for text in shapes.known_texts() if text.startswith(start)] if len(start) >= SHORTEST_CUT else []
    return next((it for it in entries if candidates == [_bare_description(it.number)]), None)


@cache
def _bare_description(number: int) -> str:
    return shapes.bare(documented()[number].description)


def _code(error: _Error) -> str:
    """Return the code as the registry spells it, where it has it: ``InvalidGrant`` is ``invalid_grant``."""
    canonical = shapes.canonical_code(error.content.error)
    return canonical if canonical in registered() else error.content.error


def _endpoints(error: _Error, step: Step | None) -> tuple[Endpoint, ...]:
    if step is not None:
        return ENDPOINTS_OF[step]
    match error.where:
        case Where.CHALLENGE:
            return ("resource",)
        case Where.LOCATION | Where.ADDRESS:
            return ("authorization",)
        case _:
            return ("token",)


def _errors(status: int | None, headers: Headers, body: bytes, value: Any, address: str, cut: bool) -> Iterator[_Error]:
    if in_body := _body_error(status, body, value, cut):
        yield in_body
    location = header(headers, "location")
    if header(headers, "www-authenticate") is not None:
        for text in (text for name, text in headers if name.lower() == "www-authenticate"):
            for challenge in challenges.parse(text):
                code = challenge.parameters.get("error", "")
                description = challenge.parameters.get("error_description", "")
                if code or description:
                    yield _Error(Where.CHALLENGE, text, ShapeError("", code, description))
    for where, url in ((Where.LOCATION, location or ""), (Where.ADDRESS, address)):
        parameters = address_parameters(url) if url else {}
        if parameters.get("error"):
            error = ShapeError("", parameters["error"], parameters.get("error_description", ""))
            yield _Error(where, url, error)


def _body_error(status: int | None, body: bytes, value: Any, cut: bool) -> _Error | None:
    """Return the error in a body: of the authorization layer (RFC 6749 §5.2), or of an API, in any shape."""
    where, is_cut, text = Where.BODY, False, ""
    if value is None:
        text = _decoded(body)
        value, where, is_cut = _read_otherwise(text)
    error = shapes.error_in(value, status)
    if error is None:
        return None
    text = text or _decoded(body)
    if error.error not in registered() and (inner := _printed(error.description)):
        error = replace(error, error=inner.error, description=inner.description)
    if error.path and where is Where.BODY:
        where = Where.DATA if error.path[0] == "data" else Where.WRAPPED
    if is_cut:
        # Only a text that goes on to the end was cut; one that is closed before it is whole.
        end = _without_mark(text)
        if not error.description and end.endswith(error.error) and error.error not in registered():
            return None
        is_cut = bool(error.description) and end.endswith(error.description[-10:])
    return _Error(where, text, error, is_cut, may_be_cut=cut)


def _printed(description: str) -> Words | None:
    """Return the error of another server that a description quotes, with its code and its words."""
    printed = words.find(description) if len(description) <= _LONGEST_TEXT else ()
    return next(
        (item for item in printed if item.error and item.description and not item.form.startswith("known")), None
    )


def _read_otherwise(text: str) -> tuple[Any, Where, bool]:
    """Read a body that is not JSON: a form, XML, or JSON that was cut off; the last says whether it was."""
    value, kind = shapes.read_body(text)
    if value is not None:
        return value, {"form": Where.FORM, "xml": Where.XML}.get(kind, Where.BODY), False
    if text.lstrip().startswith(("{", "[")):
        try:
            return lenient_json.read(_without_mark(text), cut=True).value, Where.BODY, True
        except ParseError:
            pass
    return None, Where.BODY, False


def _without_mark(text: str) -> str:
    """Return a text without the mark of a logger that cut it off."""
    mark = _CUT_MARK.search(text, max(0, len(text) - _MARK_LENGTH))
    return (text[: mark.start()] if mark else text).rstrip()


def _verbatim(error: _Error) -> str:
    """Return the recognised text verbatim, with its quotes and escapes, so that it can be highlighted in the source."""
    for text in (error.content.description, error.content.error):
        if not text:
            continue
        if error.where in (Where.LOCATION, Where.ADDRESS, Where.FORM):
            parts = re.split(r"[?#&]", error.source)
            if part := next((part for part in parts if unquote_plus(part.partition("=")[2]) == text), ""):
                return part
        elif (literal := json.dumps(text, ensure_ascii=False)) in error.source:
            return literal
        elif text in error.source:
            return text
        elif (escaped := html.escape(text, quote=False)) in error.source:
            return escaped
        else:
            for candidate in _JSON_TEXT.finditer(error.source):
                if _unquoted(candidate[0]) == text:
                    return candidate[0]
    return ""


def _decoded(body: bytes) -> str:
    """Decode a body, without its byte order mark."""
    return body.removeprefix(BOM_UTF8).decode("utf-8", "replace")


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        return ""
