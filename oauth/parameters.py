"""What a request says, as the server reads it, and as it was perhaps meant.

Works on live and on redacted requests alike: a placeholder is a value like any other.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from oauth.catalogue import answers
from oauth.exchange import Exchange, Request, Response, header
from oauth.redaction import quoted
from oauth.redaction.placeholders import PLACEHOLDER

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class Shape(StrEnum):
    """What a body is: by its ``Content-Type``, or by its own look."""

    JSON = "json"
    FORM = "form"
    EMPTY = "empty"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Sent:
    """One parameter and the place it stands in, for example ``request body``."""

    name: str
    value: str = field(repr=False)
    place: str


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic credentials (RFC 7617), as decoded and before any form-decoding; ``problem`` when they are none."""

    id: str = ""
    secret: str = field(default="", repr=False)
    problem: str = ""
    hidden: bool = False


BODY = "request body"
QUERY = "query of the address"


@dataclass(frozen=True, slots=True)
class Reading:
    """A request's parameters.

    ``body`` is what the ``Content-Type`` says, ``look`` what the bytes look like; ``parameters`` are read as ``body``,
    ``meant`` as ``look``. ``problem`` says where a body of the right look stops being readable. ``mixed`` are those of
    a JSON object that stands among the pairs of a form, where a server reads one odd name.
    """

    parameters: tuple[Sent, ...]
    meant: tuple[Sent, ...]
    query: tuple[Sent, ...]
    body: Shape
    look: Shape
    content_type: str
    problem: str = ""
    body_known: bool = True
    mixed: tuple[Sent, ...] = ()

    def get(self, name: str) -> Sent | None:
        """The parameter as the server finds it: in the body of a POST, in the query otherwise."""
        return next((item for item in self.parameters if item.name == name), None)

    def value(self, name: str) -> str:
        """Its value, an empty text when it is not there."""
        found = self.get(name)
        return found.value if found else ""


def read(request: Request) -> Reading:
    """Read a request's parameters."""
    query = tuple(Sent(name, value, QUERY) for name, value in query_of(request.url))
    content_type = (header(request.headers, "Content-Type") or "").split(";")[0].strip().lower()
    text = request.body.decode("utf-8", "replace")
    look, problem = _look(text)
    declared = {JSON: Shape.JSON, FORM: Shape.FORM}.get(content_type, Shape.OTHER)
    if not request.body:
        declared = Shape.EMPTY
    meant = tuple(_parameters(text, look))
    mixed = tuple(_json_in_a_form(meant)) if look is Shape.FORM else ()
    length = header(request.headers, "Content-Length") or "0"
    in_body = meant if declared is look else tuple(_parameters(text, declared))
    return Reading(
        parameters=in_body if request.method.upper() not in ("GET", "HEAD") else query,
        meant=(*meant, *mixed),
        mixed=mixed,
        query=query,
        body=declared,
        look=look,
        content_type=content_type,
        problem=problem,
        body_known=bool(request.body) or not length.isdecimal() or int(length) == 0,
    )


def of_query(pairs: Iterable[tuple[str, str]]) -> Reading:
    """A request that has nothing but these parameters in its query."""
    query = tuple(Sent(name, value, QUERY) for name, value in pairs)
    return Reading(query, (), query, Shape.EMPTY, Shape.EMPTY, "")


def query_of(url: str) -> list[tuple[str, str]]:
    """The parameters in an address's query, repeated ones as often as they stand there."""
    try:
        parts = urlsplit(quoted(url))
    except ValueError:  # a malformed host
        return []
    return parse_qsl(parts.query, keep_blank_values=True, errors="replace")


def authorization(request: Request) -> tuple[str, str]:
    """Scheme and credentials of the ``Authorization`` header, both empty without one."""
    scheme, _, credentials = (header(request.headers, "Authorization") or "").strip().partition(" ")
    return scheme, credentials.strip()


def basic(request: Request) -> Basic | None:
    """The HTTP Basic credentials, ``None`` when the request has none."""
    scheme, credentials = authorization(request)
    if scheme.lower() != "basic":
        return None
    if PLACEHOLDER.search(credentials):
        # Redaction writes the pair in the open, with the id as it was sent.
        client_id, _, secret = credentials.partition(":")
        return Basic(client_id, secret) if PLACEHOLDER.fullmatch(secret) else Basic(hidden=True)
    try:
        pair = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return Basic(problem="what follows Basic cannot be decoded as base64")
    client_id, colon, secret = pair.partition(":")
    if not colon:
        return Basic(client_id, problem="what follows Basic has no colon between id and secret once it is decoded")
    return Basic(client_id, secret)


def answer(response: Response | None) -> dict[str, Any]:
    """The members of a JSON response, without a ``data`` wrapper; empty when it is none."""
    if response is None:
        return {}
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    return body["data"] if isinstance(body.get("data"), dict) else body


def member(response: Response | None, name: str) -> str:
    """One text member of a JSON response, or an empty text."""
    found = answer(response).get(name)
    return found if isinstance(found, str) else ""


def succeeded(exchange: Exchange) -> bool:
    """Whether the server answered that all is well."""
    return exchange.response is not None and 200 <= exchange.response.status < 300


def unanswered(exchange: Exchange) -> bool:
    """Whether the request may have had an effect that nobody was told of: it went out, and no answer came."""
    if exchange.failure is None:
        return exchange.response is None
    entry = answers().get(exchange.failure.kind)
    return entry is None or entry.sent != "no"


def grant_of(exchange: Exchange) -> str:
    """The grant a token request asked by, or an empty text."""
    return read(exchange.request).value("grant_type")


def client_of(exchange: Exchange) -> str:
    """The client that a request names, in its body, query or Basic credentials, or else the row's."""
    reading = read(exchange.request)
    credentials = basic(exchange.request)
    return reading.value("client_id") or (credentials.id if credentials else "") or exchange.client_id


def _look(text: str) -> tuple[Shape, str]:
    stripped = text.strip()
    if not stripped:
        return Shape.EMPTY, ""
    if stripped[0] in "{[":
        try:
            found = json.loads(stripped)
        except RecursionError:
            return Shape.OTHER, "it is nested too deeply"
        except json.JSONDecodeError as error:
            return Shape.JSON, f"line {error.lineno}, column {error.colno}: {error.msg}"
        return (Shape.JSON if isinstance(found, dict) else Shape.OTHER), ""
    return (Shape.FORM if "=" in stripped else Shape.OTHER), ""


class _Pairs(list[tuple[str, Any]]):
    """A JSON object that still knows what was there twice."""


def _json_in_a_form(pairs: Iterable[Sent]) -> Iterator[Sent]:
    """The members of every JSON object among the pairs; ``curl -d a=b -d '{"c": "d"}'`` sends such a body."""
    for pair in pairs:
        if pair.name.lstrip().startswith("{"):
            yield from _parameters(f"{pair.name}={pair.value}" if pair.value else pair.name, Shape.JSON)


def _parameters(text: str, shape: Shape) -> Iterator[Sent]:
    if shape is Shape.FORM:
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            yield Sent(name, value, BODY)
    elif shape is Shape.JSON:
        try:
            found = json.loads(text, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError):
            return
        for name, value in found if isinstance(found, _Pairs) else ():
            plain = "" if value is None else value if isinstance(value, str) else json.dumps(value)
            yield Sent(name, plain, BODY)
