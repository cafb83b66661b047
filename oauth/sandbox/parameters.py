"""Parameters of a request, from a query, a form or JSON (RFC 6749 §3.1, §3.2 and Appendix B)."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from oauth.sandbox.errors import InvalidRequest

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

Parameters = dict[str, str]


def collect(pairs: Sequence[tuple[str, str]]) -> tuple[Parameters, frozenset[str]]:
    """The parameters, and the names that were there more than once.

    One without a value counts as left out (RFC 6749 §3.1 and §3.2).
    """
    names = [name for name, _ in pairs]
    repeated = frozenset(name for name in names if names.count(name) > 1) if len(set(names)) < len(names) else _NONE
    return {name: value for name, value in pairs if value}, repeated


_NONE: frozenset[str] = frozenset()


def from_query(query: str) -> tuple[Parameters, frozenset[str]]:
    """As ``collect``. Bytes that are not UTF-8 survive, so that ``state`` goes back as it came."""
    return collect(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))


def from_body(body: bytes, content_type: str) -> Parameters:
    """The parameters of a form or a JSON object; an empty body has none.

    Raises ``InvalidRequest`` when the body is neither, is not what its ``Content-Type`` says, or has a parameter more
    than once.
    """
    content_type = content_type.split(";")[0].strip().lower()
    try:
        if not body:
            pairs = []
        elif content_type == JSON:
            pairs = _from_json(body)
        elif content_type == FORM:
            pairs = _from_form(body.decode())
        else:
            said = f'"{content_type}"' if content_type else "missing"
            raise InvalidRequest(f"The body must be JSON or a form: Content-Type is {said}, send {JSON} or {FORM}")
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"The body cannot be read as {content_type}: check how it is written") from error
    parameters, repeated = collect(pairs)
    if repeated:
        raise InvalidRequest(f'Repeated parameter: "{min(repeated)}" must be there once')
    return parameters


def _from_form(text: str) -> list[tuple[str, str]]:
    if "%" in text or "+" in text:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    # Nothing to decode, which is quicker than to find that out for each name and value.
    parts = [pair.partition("=") for pair in text.split("&") if pair]
    return [(name, value) for name, _, value in parts]


class _Object(list[tuple[str, Any]]):
    """A JSON object that still knows what was there twice."""


def _from_json(body: bytes) -> list[tuple[str, str]]:
    document = json.loads(body, object_pairs_hook=_Object)
    # An escaped half of a surrogate pair is JSON, but no text that could be compared or answered.
    json.dumps(document, ensure_ascii=False).encode()
    if not isinstance(document, _Object):
        raise InvalidRequest("The body must be a JSON object with the parameters as its members")
    return [(name, _text(name, value)) for name, value in document]


def _text(name: str, value: object) -> str:
    """A number stands for its digits, since client ids are often numbers; ``null`` counts as left out."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidRequest(f'Parameter "{name}" must be a text')
