r"""Secrets in words and in the dumps of programs, behind the name of a secret.

Such are ``Invalid refresh token: ...``, ``authorization code '...' has expired``, ``AccessToken("...")``,
``[code] => ...`` and ``<td>client_secret</td><td>...``: a name, a link, and the value. Behind a link that says that
the value follows, a word with a digit is a secret. Behind other links, and behind a name that is a plain word itself,
such as ``code``, the value must look random.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from oauth.redaction.names import KINDS, ROOTS, is_random, secret_kind
from oauth.redaction.occurrences import Occurrence
from oauth.redaction.placeholders import PATTERN

_NAME = re.compile(rf"(?:{ROOTS}|cred|pin|sid|wresult)[a-z0-9_-]*")
_KINDS = frozenset(KINDS)
_LONGEST_NAME = 60
_BEFORE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

_OTHER_SYNTAX = ('":"', "=")
"""Signs behind a name whose values other finders read."""

_OPAQUE = ("key", "keys", "auth")
"""Names that those finders do not take for one of a secret."""

_LINK = re.compile(
    r"""(?xi)
    /(?=[\w.~+-]) | (?:
        \s{1,40}+
      | "?:(?:protected|private)\b | ;?s:\d{1,7}: | \[\d\]
      | </?[a-z][a-z0-9]{0,9}(?:\s[^<>]{0,60}+)?>
      | [-=~]{1,2}> | [:=|*#"'`()\[{“”„‘’«「『]{1,9}+ | [\])}>]{1,3}+(?=[\s"'`:=>,|*<-]) | <(?=[<"']) | \\["']
      | (?<=["'`>\w]),(?=\s{0,3}["'`<\w])
      | (?:is|was|are|has|have|been|value|invalid|expired|revoked|unknown|used|received|provided|sent|given|with
          |rejected|malformed|wrong|incorrect|bad|returned|specified|supplied|equals|not|valid|found|string\(\d{1,7}\)
        )(?![\w.-])
      | (?:optional|some|just|list|array|vec|set|vector|string|str|secret|secretstr)\ ?(?=[(\["'])
      | (?=[bur]["'])[bur]
    ){1,12}+
    """
)
"""What may stand between a name and its value."""

_SAYING = re.compile(r"(?i)[:=|]|\b(?:is|was|equals)\b|^\([\"']|->|</t[dh]|</dt|\[\d\]")
"""Links that say that the value follows."""

_VALUE = re.compile(rf"""(?:[^\s"'`<>,;()\[\]{{}}…&\\“”„‘’«»」』]++|{PATTERN}|«)+""")
_EDGE = ".:!?|"
_REST_OF_ADDRESS = re.compile(r"[?#]")
"""What ends a value that stands in an address: no token has it, but a password may."""

_SHORTEST = 6
_MOST_JUDGED = 200
"""Characters of a value by which it is judged; all of it is replaced."""

_PLAIN_WORDS = "code codes key keys state session sid pin pass auth sig"
"""Names that are plain words in a sentence: the value must look random."""

_OTHER_THINGS = """
    error status country postal zip currency language lang exit reason result area product response http return source
    color colour bar qr bank sort sorting primary foreign partition row object issue cache routing public publishable
    idempotency group lookup translation config registry map dictionary hash method event unexpected unrecognized
    unrecognised challenge machine
"""
"""Words that make another thing of the plain word behind them."""

_PLAIN, _OTHERS = frozenset(_PLAIN_WORDS.split()), frozenset(_OTHER_THINGS.split())

_SHORT_CODE = re.compile(r"[0-9]{6,10}|[A-Z0-9]{3,5}-[A-Z0-9]{3,5}")
"""A code that a person types (RFC 8628 §6.1)."""

_HARD_PASSWORD = re.compile(r"(?=[^0-9]{0,99}[0-9])(?=[^A-Za-z]{0,99}[A-Za-z])(?!.*(?:://|\*{3}|[0-9]:[0-9])).{6,100}")
"""A password, which may have signs that tokens have not."""


def find_prose(text: str, ends: Mapping[int, int] = MappingProxyType({})) -> Iterator[Occurrence]:
    """Yield the values behind the names of secrets, of which each may be written in up to two words.

    ``ends`` has the ends of secrets that are known already, by their starts: they are not judged again.
    """
    done = run_end = 0
    lower = text.lower() if text.isascii() else text.replace("İ", "I").lower()
    for named in _NAME.finditer(lower):
        name_end = named.end()
        if name_end <= done or (text.startswith(_OTHER_SYNTAX, name_end) and named[0] not in _OPAQUE):
            continue
        if text[name_end - 1] in "-_":
            name_end -= len(named[0]) - len(named[0].rstrip("-_"))
        link = _LINK.match(text, name_end)
        if link is None or link.end() < done:
            continue
        start = link.end()
        if start >= run_end:  # a name inside a value that was no secret: its end is known
            value = _VALUE.match(text, start)
            if value is None:
                continue
            run_end = value.end()
        slash = text.find("/", start, run_end) if link[0] == "/" else -1  # a segment of a path
        end = slash if slash >= 0 else run_end
        if ends.get(start) == end and text[end - 1] not in _EDGE:
            continue
        judged = text[start : min(end, start + _MOST_JUDGED)].rstrip(_EDGE)
        if len(judged) < _SHORTEST:
            continue
        kind = _kind_of(text, named.start(), name_end, link[0], judged)
        if kind is None and (rest := _REST_OF_ADDRESS.search(judged, _SHORTEST)):
            end = start + rest.start()
            kind = _kind_of(text, named.start(), name_end, link[0], text[start:end])
        if kind is not None:
            secret = text[start:end].rstrip(_EDGE)
            done = start + len(secret)
            yield Occurrence(start, done, kind, (secret,))


def _kind_of(text: str, start: int, end: int, link: str, value: str) -> str | None:
    """Return the kind of secret that a value is behind a name and a link; ``None`` if it is none."""
    before = text[max(0, start - _LONGEST_NAME) : start]
    rest = before.rstrip(_BEFORE)
    name = before[len(rest) :] + text[start:end]
    word = rest[-_LONGEST_NAME:].rstrip(" ").rpartition(" ")[2].strip("\"'`([{,") if rest[-1:] == " " else ""
    both = secret_kind(f"{word}_{name}") if word and word[-1:].isalnum() else None
    is_plain = name.lower() in _PLAIN and not (both and word.lower() not in _OTHERS)
    if word.lower() in _OTHERS and (is_plain or word.lower().startswith("un")):
        return None
    kind = (both if both in _KINDS else None) or secret_kind(name) or both or (name.lower() if is_plain else None)
    if kind is None or (link == "/" and (is_plain or "key" in kind)):
        return None
    if "\n" in link and not _SAYING.search(link):
        return None
    is_said = not is_plain and (_SAYING.search(link) or name.startswith("--") or (name.isupper() and "_" in name))
    if not (is_random(value, 6, named=True) if is_said else is_random(value)) and not (
        (not is_plain and "code" in kind and kind != "authorization_code" and _SHORT_CODE.fullmatch(value))
        or (is_said and ("pass" in kind or "secret" in kind) and _HARD_PASSWORD.fullmatch(value))
    ):
        return None
    return kind
