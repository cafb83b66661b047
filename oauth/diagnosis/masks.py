"""Leave out of a pasted request what only stands for a value: a mask, a variable, a formula, an ellipsis.

Nothing is known of such a value, so nothing is proven by it, and not by the field's absence either.
"""

import json
import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from oauth.exchange import Headers, Part, Request, header

_MASK = re.compile(
    r"""(?x)
      \A[^\w«»]+\Z | \*{2,} | [█▇■●•]{2,} | \.{3} | …                      # asterisks, blocks, dots
    | \A[xX]{3,}\Z | [xX]{6,}                                               # crossed out
    | \b(?:redacted|removed|hidden|masked|filtered|omitted|snip(?:ped)?)\b  # said so
    | \A<[^<>]*>\Z | \A\[[A-Za-z_ -]+\]\Z | \A\{\{?[^{}]*\}?\}\Z            # a name in brackets
    | \A\$\{?[A-Za-z_]\w*\}?\Z | \$\( | \A%\w+%\Z                           # variables of a shell
    | \A(?:your|my)[-_ ] | \bbase64\(                                       # a description of the value
    """,
    re.IGNORECASE,
)


def without_masks(request: Request) -> tuple[Request, frozenset[Part]]:
    """Return the request without the fields that are masked, and the parts that are therefore unknown."""
    unknown: set[Part] = set()
    headers = tuple(pair for pair in request.headers if not _is_masked_header(pair[1]))
    if len(headers) < len(request.headers):
        unknown.add(Part.REQUEST_HEADERS)
    body = _body(request.body, headers)
    if body != request.body:
        unknown.add(Part.REQUEST_BODY)
    return (replace(request, headers=headers, body=body) if unknown else request), frozenset(unknown)


def is_masked(value: str) -> bool:
    """Return whether a text only stands for a value."""
    return bool(value) and _MASK.search(value) is not None


def _is_masked_header(value: str) -> bool:
    if value.strip() == "*/*":  # the Accept header of most clients
        return False
    scheme, _, credentials = value.strip().partition(" ")
    return is_masked(value.strip()) or (scheme.isalpha() and is_masked(credentials.strip()))


def _body(body: bytes, headers: Headers) -> bytes:
    text = body.decode("utf-8", "replace")
    if is_masked(text.strip()) and "=" not in text and ":" not in text:
        return b""
    if text[:1] == "{":
        try:
            members = json.loads(text)
        except (ValueError, RecursionError):
            return body
        clear = {name: value for name, value in members.items() if not (isinstance(value, str) and is_masked(value))}
        return body if len(clear) == len(members) else json.dumps(clear).encode()
    if "multipart" in (header(headers, "content-type") or "") or "=" not in text:
        return body
    try:
        pairs = parse_qsl(text, keep_blank_values=True)
    except ValueError:
        return body
    clear_pairs = [(name, value) for name, value in pairs if not is_masked(value)]
    return body if len(clear_pairs) == len(pairs) else urlencode(clear_pairs, errors="replace").encode()
