"""Secrets with a shape of their own, whatever their name: JSON Web Tokens and private keys."""

import re
from collections.abc import Iterator

from oauth.redaction.decodings import unescape_json
from oauth.redaction.occurrences import Occurrence

# Three parts or five; with alg "dir" the second of five is empty (RFC 7518 §4.5); a cut token shows its claims already.
_JWT = re.compile(
    r"(?<![\w»-])eyJ[\w-]{8,}(?:\.[\w-]{2,}(?:\.[\w-]*){1,3}|\.\.[\w-]{8,}(?:\.[\w-]*){0,2}|\.eyJ[\w-]{2,})"
)

_KEY_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9 ]{1,40} )?PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"""[^"'<>{}&]*""")
_BOUNDARY = re.compile(r"-----(?:BEGIN|(END)) [A-Z0-9 ]{1,60}-----")


def find_tokens(text: str) -> Iterator[Occurrence]:
    """Yield signed and encrypted tokens (RFC 7519)."""
    for token in _JWT.finditer(text):
        yield Occurrence(*token.span(), "jwt", (token[0],))


def find_private_keys(text: str) -> Iterator[Occurrence]:
    """Yield PEM private keys (RFC 7468 §10 and §11, and the formats of OpenSSL and OpenPGP), whole or truncated."""
    done = 0
    for begin in _KEY_BEGIN.finditer(text):
        if begin.start() < done:
            continue
        boundary = _BOUNDARY.search(text, begin.end())
        if boundary is not None and boundary[1]:
            done = boundary.end()
        else:
            body = _KEY_BODY.match(text, begin.end(), boundary.start() if boundary else len(text))
            done = body.end() if body else begin.end()
        yield Occurrence(begin.start(), done, "private_key", (unescape_json(text[begin.start() : done]),))
