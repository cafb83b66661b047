"""Find the error in a response, in any of its places and shapes, and match its text with the catalogue.

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
from oauth.catalogue.entries import DocumentedError, Endpoint, RegisteredError, documented, registered_for
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
}
"""Endpoints whose error codes an endpoint returns, its own first."""

_TYPOGRAPHIC = str.maketrans(dict.fromkeys("‘’‚‛′", "'") | dict.fromkeys("“”„‟″«»", '"'))
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_WRAPPERS = 5
"""Levels of nested ``data`` objects that are searched."""


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

    ``documented`` is the documented error with the same text, and ``how`` says whether the texts are equal exactly or
    after folding case, whitespace and typographic quotes; without one both are ``None`` and ``registered`` is the
    code's meaning by its specification. ``status_as_documented`` is ``None`` where either status is unknown.

    ``error``, ``description`` and ``human_title`` are the provider's, empty when absent; ``stated_status`` is the HTTP
    status that the body itself names. ``matched_text`` is the recognised part of body, header or address, verbatim.
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
class _Error:
    where: Where
    source: str
    error: str
    description: str
    human_title: str = ""
    stated_status: int | None = None


def match(
    status: int | None, headers: Headers, body: bytes, *, address: str = "", step: Step | None = None
) -> Match | None:
    """Find the error in a response; ``None`` without one. The parameters are those of ``match_value``."""
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
    """Find the error in a response whose body parses as ``value`` (``read_json``); ``None`` without one.

    ``address`` is the callback URL with its query and fragment; ``step`` chooses among the meanings of a code. Among
    several places the one with a documented text counts, then the first of body, ``WWW-Authenticate``, ``Location``
    and ``address``.
    """
    errors = list(_errors(headers, body, value, address))
    for error in errors:
        for how in ("exact", "folded"):
            if entry := _documented(error, folded=how == "folded"):
                return _match(error, status, entry, "folded" if how == "folded" else "exact", step)
    return _match(errors[0], status, None, None, step) if errors else None


def fold(text: str) -> str:
    """Fold the differences that copying makes: letter case, whitespace, typographic quotes."""
    return " ".join(text.translate(_TYPOGRAPHIC).casefold().split())


def read_json(body: bytes) -> Any:
    """Parse a JSON body leniently; ``None`` when it cannot be parsed."""
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
    how: Literal["exact", "folded"] | None,
    step: Step | None,
) -> Match:
    known = entry is not None and entry.status is not None and status is not None
    return Match(
        where=error.where,
        error=error.error,
        description=error.description,
        human_title=error.human_title,
        stated_status=error.stated_status,
        matched_text=_verbatim(error),
        documented=entry,
        how=how,
        status_as_documented=status == entry.status if entry is not None and known else None,
        registered=registered_for(error.error, *_endpoints(error, step)) if entry is None else None,
    )


def _documented(error: _Error, *, folded: bool) -> DocumentedError | None:
    """Return the documented error with this text. A different code rules it out; a missing one does not, since
    the API's own error format has no code."""
    normal = fold if folded else str
    for entry in documented().values():
        if normal(entry.description) == normal(error.description) and (
            not entry.error or not error.error or normal(entry.error) == normal(error.error)
        ):
            return entry
    return None


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


def _errors(headers: Headers, body: bytes, value: Any, address: str) -> Iterator[_Error]:
    yield from _body_errors(body, value)
    for name, value in headers:
        if name.lower() == "www-authenticate":
            for challenge in challenges.parse(value):
                error = challenge.parameters.get("error", "")
                description = challenge.parameters.get("error_description", "")
                if error or description:
                    yield _Error(Where.CHALLENGE, value, error, description)
    for where, url in ((Where.LOCATION, header(headers, "location") or ""), (Where.ADDRESS, address)):
        parameters = address_parameters(url)
        if parameters.get("error"):
            yield _Error(where, url, parameters["error"], parameters.get("error_description", ""))


def _body_errors(body: bytes, value: Any) -> Iterator[_Error]:
    where = Where.BODY
    for _ in range(_WRAPPERS):
        if not isinstance(value, dict):
            return
        if error := _body_error(value, where, body):
            yield error
            return
        value, where = value.get("data"), Where.DATA


def _body_error(members: dict[str, Any], where: Where, body: bytes) -> _Error | None:
    """Return the error in one JSON object: of the authorization layer (RFC 6749 §5.2), or of the API itself."""
    error = members.get("error")
    if isinstance(error, dict):
        stated = error.get("status")
        stated = stated if isinstance(stated, int) and not isinstance(stated, bool) else None
        description = _text(error.get("detail")) or _text(error.get("title"))
        is_error = description or stated
        return _Error(where, _decoded(body), "", description, stated_status=stated) if is_error else None
    description = _text(members.get("error_description"))
    if _text(error) or description:
        return _Error(where, _decoded(body), _text(error), description, _text(members.get("error_human_title")))
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _verbatim(error: _Error) -> str:
    """Return the recognised text verbatim, with its quotes and escapes, so that it can be highlighted in the source."""
    for text in (error.description, error.error):
        if not text:
            continue
        if error.where in (Where.LOCATION, Where.ADDRESS):
            parts = re.split(r"[?#&]", error.source)
            if part := next((part for part in parts if unquote_plus(part.partition("=")[2]) == text), ""):
                return part
        elif (literal := json.dumps(text, ensure_ascii=False)) in error.source:
            return literal
        elif text in error.source:
            return text
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
        return _text(json.loads(text, strict=False))
    except ValueError:
        return ""
