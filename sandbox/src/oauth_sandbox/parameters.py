"""Parameters of a request, from a query, a form or JSON (RFC 6749 §3.1, §3.2 and Appendix B)."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from oauth_sandbox.errors import InvalidRequest

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
GZIP = b"\x1f\x8b"
"""The first bytes of a compressed body (RFC 1952 §2.3.1)."""

Parameters = dict[str, str]


def collect(pairs: Sequence[tuple[str, str]]) -> tuple[Parameters, frozenset[str]]:
    """Return the parameters, and the names that were repeated.

    One without a value counts as omitted (RFC 6749 §3.1 and §3.2).
    """
    values = dict(pairs)
    if len(values) == len(pairs) and all(values.values()):
        return values, _NONE
    counts = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if value}, frozenset(name for name in counts if counts[name] > 1)


_NONE: frozenset[str] = frozenset()


def from_query(query: str) -> tuple[Parameters, frozenset[str]]:
    """Parse a query. Bytes that are not UTF-8 survive, so that ``state`` goes back unchanged."""
    return collect(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))


def from_body(body: bytes, content_type: str) -> Parameters:
    """Parse a form or a JSON object; an empty body has no parameters.

    Raises ``InvalidRequest`` when the body is neither, contradicts its ``Content-Type``, or repeats a parameter.
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
            content = f'"{content_type}"' if content_type else "missing"
            raise InvalidRequest(f"The body must be JSON or a form: Content-Type is {content}, send {JSON} or {FORM}")
    except (ValueError, RecursionError) as error:
        if body.startswith(GZIP):
            raise InvalidRequest("The body is compressed with gzip: send it uncompressed") from error
        raise InvalidRequest(f"The body is not valid {content_type}: check its syntax") from error
    parameters, repeated = collect(pairs)
    if repeated:
        raise InvalidRequest(f'Repeated parameter: "{min(repeated)}" must be sent once')
    return parameters


def _from_form(text: str) -> list[tuple[str, str]]:
    if "%" in text or "+" in text:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    # Nothing to decode, so that a faster split is enough.
    return [(name, value) for name, _, value in [pair.partition("=") for pair in text.split("&") if pair]]


class _Object(list[tuple[str, Any]]):
    """A JSON object that keeps repeated names."""


def _from_json(body: bytes) -> list[tuple[str, str]]:
    document = json.loads(body, object_pairs_hook=_Object)
    # A lone surrogate is valid JSON, but cannot be compared or sent back.
    json.dumps(document, ensure_ascii=False).encode()
    if not isinstance(document, _Object):
        raise InvalidRequest("The body must be a JSON object with the parameters as its members")
    return [(name, _text(name, value)) for name, value in document]


def _text(name: str, value: object) -> str:
    """Return a value as text: numbers as digits, since client ids are often numbers, and ``null`` as omitted."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidRequest(f'Parameter "{name}" must be a string')
