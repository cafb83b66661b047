"""Which error a response carries: found in any of its places and shapes, and matched with the catalogue by text.

Every text comes from a provider, so nothing here raises, whatever was sent.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from oauth import lenient_json
from oauth.catalogue import challenges
from oauth.catalogue.entries import (
    AUTHORIZATION,
    PUSHED_AUTHORIZATION,
    RESOURCE,
    REVOCATION,
    TOKEN,
    DocumentedError,
    RegisteredError,
    documented,
    registered_for,
)
from oauth.exchange import Headers, Step, header
from oauth.lenient_json import ParseError
from oauth.redaction import quoted

ENDPOINTS_OF: Mapping[Step, tuple[str, ...]] = {
    Step.AUTHORIZE: (AUTHORIZATION,),
    Step.CALLBACK: (AUTHORIZATION,),
    Step.TOKEN: (TOKEN,),
    Step.REFRESH: (TOKEN,),
    Step.API: (RESOURCE,),
    # RFC 9126 §2.3: it judges an authorization request, and authenticates the client as the token endpoint does.
    Step.PAR: (PUSHED_AUTHORIZATION, AUTHORIZATION, TOKEN),
    # RFC 8628 §3.2 and RFC 7009 §2.2.1 answer with the codes of the token endpoint (RFC 6749 §5.2).
    Step.DEVICE: (TOKEN,),
    Step.REVOKE: (REVOCATION, TOKEN),
    # RFC 7662 §2.3: the one who asks may authenticate as a client or with an access token.
    Step.INTROSPECT: (TOKEN, RESOURCE),
    Step.USERINFO: (RESOURCE,),
    Step.JWKS: (RESOURCE,),
    Step.DISCOVERY: (),
}
"""Whose error codes an endpoint answers with, its own first."""

_TYPOGRAPHIC = str.maketrans(dict.fromkeys("‘’‚‛′", "'") | dict.fromkeys("“”„‟″«»", '"'))
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_WRAPPERS = 5
"""Levels of ``data`` that are looked into."""


class Where(StrEnum):
    """The place in a response that holds the error."""

    BODY = "JSON body"
    DATA = "JSON body, under data"
    CHALLENGE = "WWW-Authenticate header"
    LOCATION = "Location header"
    ADDRESS = "callback address"


@dataclass(frozen=True, slots=True)
class Match:
    """An error that a response carries.

    ``documented`` is the documented error whose text it has, and ``how`` whether the text is equal to the letter or
    after folding case, white space and typographic quotes; without one both are ``None`` and ``registered`` is what
    the code means by its specification. ``status_as_documented`` is ``None`` where one of the two is not known.

    ``error``, ``description`` and ``human_title`` are as found, empty when absent; ``stated_status`` is the HTTP status
    that the body itself names. ``matched_text`` is the part of body, header or address that was recognised, as it
    stands there.
    """

    where: Where
    error: str
    description: str
    human_title: str = ""
    stated_status: int | None = None
    matched_text: str = ""
    documented: DocumentedError | None = None
    how: Literal["exact", "folded"] | None = None
    status_as_documented: bool | None = None
    registered: RegisteredError | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    where: Where
    source: str
    error: str
    description: str
    human_title: str = ""
    stated_status: int | None = None


def match(
    status: int | None, headers: Headers, body: bytes, *, address: str = "", step: Step | None = None
) -> Match | None:
    """The error in a response, or ``None`` when there is none in it. The rest is as with ``match_value``."""
    return match_value(status, headers, body, read_json(body), address=address, step=step)


def match_value(
    status: int | None,
    headers: Headers,
    body: bytes,
    value: Any,
    *,
    address: str = "",
    step: Step | None = None,
) -> Match | None:
    """The error in a response whose body reads as ``value`` (``read_json``), or ``None`` when there is none in it.

    ``address`` is the callback address with its query and fragment; ``step`` chooses among the meanings of a code. Of
    several places the one with a documented text counts, then the first of body, ``WWW-Authenticate``, ``Location``
    and ``address``.
    """
    found = list(_errors(headers, body, value, address))
    for error in found:
        for how in ("exact", "folded"):
            if entry := _documented(error, folded=how == "folded"):
                return _match(error, status, entry, "folded" if how == "folded" else "exact", step)
    return _match(found[0], status, None, None, step) if found else None


def fold(text: str) -> str:
    """A text without the differences that copying makes: letter case, white space, typographic quotes."""
    return " ".join(text.translate(_TYPOGRAPHIC).casefold().split())


def read_json(body: bytes) -> Any:
    """The value of a JSON body, tolerantly, or ``None`` when it cannot be read."""
    text = _decoded(body)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return lenient_json.read(text).value
    except ParseError:
        return None


def address_parameters(address: str) -> dict[str, str]:
    """The parameters of an address, of its query and then of its fragment; the first of one name counts."""
    if not address:
        return {}
    try:
        parts = urlsplit(quoted(address))  # a redacted address has placeholders, with signs that would cut it
        pairs = [pair for text in (parts.query, parts.fragment) for pair in parse_qsl(text, keep_blank_values=True)]
    except ValueError:  # a malformed host, or more parameters than Python reads
        return {}
    return dict(reversed(pairs))


def _match(
    found: _Found,
    status: int | None,
    entry: DocumentedError | None,
    how: Literal["exact", "folded"] | None,
    step: Step | None,
) -> Match:
    known = entry is not None and entry.status is not None and status is not None
    return Match(
        where=found.where,
        error=found.error,
        description=found.description,
        human_title=found.human_title,
        stated_status=found.stated_status,
        matched_text=_as_it_stands(found),
        documented=entry,
        how=how,
        status_as_documented=status == entry.status if entry is not None and known else None,
        registered=registered_for(found.error, *_endpoints(found, step)) if entry is None else None,
    )


def _documented(found: _Found, *, folded: bool) -> DocumentedError | None:
    """The documented error with this text. A code that contradicts it rules it out; a missing one does not, since
    the API's own shape has no place for a code."""
    alike = fold if folded else str
    for entry in documented().values():
        if alike(entry.description) == alike(found.description) and (
            not entry.error or not found.error or alike(entry.error) == alike(found.error)
        ):
            return entry
    return None


def _endpoints(found: _Found, step: Step | None) -> tuple[str, ...]:
    if step is not None:
        return ENDPOINTS_OF[step]
    by_place = {Where.CHALLENGE: RESOURCE, Where.LOCATION: AUTHORIZATION, Where.ADDRESS: AUTHORIZATION}
    return (by_place.get(found.where, TOKEN),)


def _errors(headers: Headers, body: bytes, value: Any, address: str) -> Iterator[_Found]:
    yield from _body_errors(body, value)
    for name, value in headers:
        if name.lower() == "www-authenticate":
            for challenge in challenges.parse(value):
                error = challenge.parameters.get("error", "")
                description = challenge.parameters.get("error_description", "")
                if error or description:
                    yield _Found(Where.CHALLENGE, value, error, description)
    for where, url in ((Where.LOCATION, header(headers, "location") or ""), (Where.ADDRESS, address)):
        parameters = address_parameters(url)
        if parameters.get("error"):
            yield _Found(where, url, parameters["error"], parameters.get("error_description", ""))


def _body_errors(body: bytes, value: Any) -> Iterator[_Found]:
    where = Where.BODY
    for _ in range(_WRAPPERS):
        if not isinstance(value, dict):
            return
        if found := _body_error(value, where, body):
            yield found
            return
        value, where = value.get("data"), Where.DATA


def _body_error(members: dict[str, Any], where: Where, body: bytes) -> _Found | None:
    """The error of one JSON object: of the authorization layer (RFC 6749 §5.2), or of the API itself."""
    error = members.get("error")
    if isinstance(error, dict):
        stated = error.get("status")
        stated = stated if isinstance(stated, int) and not isinstance(stated, bool) else None
        description = _text(error.get("detail")) or _text(error.get("title"))
        found = description or stated
        return _Found(where, _decoded(body), "", description, stated_status=stated) if found else None
    description = _text(members.get("error_description"))
    if _text(error) or description:
        return _Found(where, _decoded(body), _text(error), description, _text(members.get("error_human_title")))
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _as_it_stands(found: _Found) -> str:
    """The recognised text as the source writes it: with its quotes and escapes, so that it can be marked there."""
    for wanted in (found.description, found.error):
        if not wanted:
            continue
        if found.where in (Where.LOCATION, Where.ADDRESS):
            parts = re.split(r"[?#&]", found.source)
            if part := next((part for part in parts if unquote_plus(part.partition("=")[2]) == wanted), ""):
                return part
        elif (plain := json.dumps(wanted, ensure_ascii=False)) in found.source:
            return plain
        elif wanted in found.source:
            return wanted
        else:
            for text in _JSON_TEXT.finditer(found.source):
                if _unquoted(text[0]) == wanted:
                    return text[0]
    return ""


def _decoded(body: bytes) -> str:
    """A body as text, without a byte order mark."""
    return body.removeprefix(BOM_UTF8).decode("utf-8", "replace")


def _unquoted(text: str) -> str:
    try:
        return _text(json.loads(text, strict=False))
    except ValueError:
        return ""
