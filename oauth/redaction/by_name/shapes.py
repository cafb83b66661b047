"""Secrets with a shape of their own, whatever their name: JSON Web Tokens and private keys."""

import base64
import re
from collections.abc import Iterator

from oauth.redaction.by_name.json_members import find_json_members
from oauth.redaction.decodings import unescape_json
from oauth.redaction.occurrences import Occurrence

# Three parts or five; with alg "dir" the second of five is empty (RFC 7518 §4.5); a cut token shows its claims already.
_JWT = re.compile(
    r"(?<![\w»-])eyJ[\w-]{8,}(?:\.[\w-]{2,}(?:\.[\w-]*){1,3}|\.\.[\w-]{8,}(?:\.[\w-]*){0,2}|\.eyJ[\w-]{2,})"
)

_STANDARD = str.maketrans("-_", "+/")

_KEY_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9 ]{1,40} )?PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"""[^"'<>{}&]*""")
_BOUNDARY = re.compile(r"-----(?:BEGIN|(END)) [A-Z0-9 ]{1,60}-----")


_ENCODED_JSON = re.compile(r"(?<![\w+/=.»-])eyJ[\w+/-]{20,100000}+={0,2}(?![\w.+/-])", re.ASCII)
_GO_TOKEN = re.compile(
    r"(?i)\{([^\s{}«»]{8,8000}) (?:bearer|mac|dpop) ([^\s{}«»]{8,8000})? ?[0-9]{4}-[0-9]{2}-[0-9]{2} "
)


def find_printed_tokens(text: str) -> Iterator[Occurrence]:
    """Yield both tokens of an ``oauth2.Token`` that Go printed without the names of its fields."""
    for token in _GO_TOKEN.finditer(text):
        for number, kind in ((1, "access_token"), (2, "refresh_token")):
            if token[number]:
                yield Occurrence(*token.span(number), kind, (token[number],))


def find_tokens(text: str) -> Iterator[Occurrence]:
    """Yield signed and encrypted tokens (RFC 7519), and JSON in base64 that has a secret."""
    for token in _JWT.finditer(text):
        yield Occurrence(*token.span(), "jwt", (token[0],))
    for encoded in _ENCODED_JSON.finditer(text):
        digits = encoded[0].rstrip("=").translate(_STANDARD)
        octets = base64.b64decode(digits[: len(digits) // 4 * 4])
        secret = next(find_json_members(octets.decode("utf-8", "replace")), None)
        if secret is not None:
            yield Occurrence(*encoded.span(), secret.kind, (encoded[0],))


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
