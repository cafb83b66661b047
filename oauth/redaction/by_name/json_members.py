"""Members of JSON objects, also in literals of other languages and in malformed JSON."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from oauth.redaction.by_name.lines import MANIFEST_DATA, SECRET_MANIFEST
from oauth.redaction.by_name.quotes import STRING_ENDS, string_end
from oauth.redaction.by_name.values import find_in_value
from oauth.redaction.decodings import unescape_json
from oauth.redaction.names import secret_kind
from oauth.redaction.occurrences import QUOTES, Occurrence
from oauth.redaction.placeholders import PATTERN

_KEY = re.compile(r"""(["'])([^"'\s{},]{1,100}+)(?<!\\)\1\s{0,99}:\s{0,99}""")
_KEY_IN_DOUBLE = re.compile(r"""(")([^"'\s{},]{1,100}+)(?<!\\)"\s{0,99}:\s{0,99}""")
"""The same for text without single quotes: a pattern that begins with a fixed character is fast."""

_TOKEN = re.compile(rf"""["'{{}}\[\]]|(?:{PATTERN}|[^\s"'{{}}\[\],:])+""")
_SCALARS = (
    r"""(?:,\s{0,99}["'][\w-]{1,50}["']\s{0,99}:\s{0,99}"""
    r"""(?:"[^"\\]{0,200}"|'[^'\\]{0,200}'|[\w.-]{1,50}|\{[^{}]{0,300}\})\s{0,99}){0,5}?"""
)
"""Members that may stand between a name and its value, such as ``"type": "text"``."""

_VALUE_KEY = re.compile(
    rf"""["']?\s{{0,99}}{_SCALARS},\s{{0,99}}["'](?:output|parameter)?value["']\s{{0,99}}:\s{{0,99}}""", re.IGNORECASE
)
_NAME_AFTER = re.compile(
    rf"""["']?\s{{0,99}}{_SCALARS},\s{{0,99}}["'](?:name|(?:output|parameter)?key)["']\s{{0,99}}:\s{{0,99}}["']([^"'\\]{{1,100}})["']""",
    re.IGNORECASE,
)
_JWK_SIGN = re.compile(r"""[{}]|["']kty["']\s{0,9}:""")
_JWK_SECRETS = ("d", "k", "p", "q", "dp", "dq", "qi", "oth")
_SIMPLE_STRING = re.compile(rf'"([^"\\«]*)"(?={STRING_ENDS.pattern})')
_ENCODED_QUOTE = re.compile(r"\\|%(?:25)*2[27]|&(?:amp;)*(?:quot|apos|#)")
_CONSTANTS = {"null", "true", "false", "None", "True", "False", "undefined", "protected", "private"}

_NAME_OR_VALUE = ("name", "key", "value", "outputkey", "outputvalue", "parameterkey", "parametervalue")
"""Members of a pair of a name and a value; CloudFormation has its own."""

_JWK = "?jwk"
"""Stands in for the private members of a key, which are none elsewhere."""

_NAMED = "?name"
"""Stands in for a kind that the member's value names, as in ``{"name": "code", "value": "..."}``."""


def find_json_members(text: str) -> Iterator[Occurrence]:
    """Yield the values of members with a secret's name, and of name and value pairs as HAR has them."""
    done = 0
    single = "'" in text
    named = _NAMED if "value" in text.lower() else None
    keys = _key_objects(text) if "kty" in text else []
    # Each distinct name is classified once: in a list of objects names repeat.
    kinds: dict[str, str | None] = dict.fromkeys(_JWK_SECRETS, _JWK) if keys else {}
    if "Secret" in text and SECRET_MANIFEST.search(text):
        kinds |= dict.fromkeys(MANIFEST_DATA, "secret")
    for key in (_KEY if single else _KEY_IN_DOUBLE).finditer(text):
        name = key[2]
        if name not in kinds:
            kinds[name] = _kind(unescape_json(name), named)
        kind = kinds[name]
        if kind is None or key.start() < done:
            continue
        at = key.end()
        if kind == _JWK:
            if not any(start < at < end for start, end in keys[bisect_left(keys, (at, 0)) - 1 :][:1]):
                continue
            kind = "private_key"
        if kind == _NAMED and name.lower().endswith("value"):
            named_kind = _kind_after(text, at)
            if named_kind is None:
                continue
            kind = named_kind
        elif kind == _NAMED:
            if text[at : at + 1] not in QUOTES:
                continue
            name_end = string_end(text, at)
            value_key = _VALUE_KEY.match(text, name_end)
            kind = secret_kind(unescape_json(text[at + 1 : name_end])) if value_key else None
            if kind is None or value_key is None:
                continue
            at = value_key.end()
        occurrences, done = _find_in_member(text, at, kind)
        yield from occurrences


def _kind(name: str, named: str | None) -> str | None:
    return secret_kind(name) or (named if name.lower() in _NAME_OR_VALUE else None)


def _kind_after(text: str, at: int) -> str | None:
    """Return the kind that a ``name`` behind the value at ``at`` says."""
    if text[at : at + 1] not in QUOTES:
        return None
    name = _NAME_AFTER.match(text, string_end(text, at))
    return secret_kind(name[1]) if name else None


def _key_objects(text: str) -> list[tuple[int, int]]:
    """Return the spans of the objects with a ``kty``, which are keys (RFC 7517 §4.1), without those inside others."""
    spans: list[tuple[int, int]] = []
    opened: list[list[int]] = []  # start, and whether it is a key
    for sign in _JWK_SIGN.finditer(text):
        if sign[0] == "{":
            opened.append([sign.start(), 0])
        elif sign[0] != "}":
            if opened:
                opened[-1][1] = 1
        elif opened:
            start, is_key = opened.pop()
            if is_key:
                spans.append((start, sign.end()))
    spans += [(start, len(text)) for start, is_key in opened if is_key]
    outer: list[tuple[int, int]] = []
    for span in sorted(spans):
        if not outer or span[0] > outer[-1][1]:
            outer.append(span)
    return outer


def _find_in_member(text: str, at: int, kind: str) -> tuple[list[Occurrence], int]:
    """Return the secrets in the value at ``at``, and its end. In an object or a list every leaf is a secret."""
    occurrences: list[Occurrence] = []
    if _ENCODED_QUOTE.match(text, at):  # a further view has the value
        return occurrences, at
    if simple := _SIMPLE_STRING.match(text, at):
        return list(find_in_value(kind, text, at + 1, simple.end(1), (simple[1],))), simple.end()
    depth, leaf_kind = 0, kind
    while token := _TOKEN.search(text, at):
        start, at = token.span()
        sign = token[0]
        if sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
        elif sign == '"' or (sign == "'" and text[max(0, start - 99) : start].rstrip()[-1:] in ("", *"{[,:")):
            end = string_end(text, start)
            at = min(end + 1, len(text))
            raw = text[start + 1 : end]
            if depth and _KEY.match(text, start):
                leaf_kind = secret_kind(unescape_json(raw)) or kind
            else:
                occurrences += find_in_value(leaf_kind, text, start + 1, end, (unescape_json(raw),))
        elif sign not in _CONSTANTS and any(map(str.isalnum, sign)):
            occurrences += find_in_value(leaf_kind, text, start, at, (sign,), number=True)
        if depth <= 0:
            break
    return occurrences, at
