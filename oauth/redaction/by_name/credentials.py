"""HTTP credentials: a scheme word and what follows it (RFC 9110 §11.4)."""

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from oauth.redaction.occurrences import Occurrence, trim, trim_span
from oauth.redaction.placeholders import PATTERN

SCHEMES = {"bearer", "basic", "dpop", "digest", "negotiate"}

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,29}[ \t]+(?=\S)")
_SCHEME_IN_TEXT = re.compile(
    r"""(?i)(?<![\w»])(?:Bearer|DPoP|Basic|XOAUTH2|OAUTHBEARER)[ \t]+(?=([^\s&"'<>,;\\]{8,}))"""
)
_BASIC_REDACTED = re.compile(rf"(?:{PATTERN}|[^\s:])*:{PATTERN}")
_BASIC_USER = re.compile(r"""[!#-%(-9;?-\[\]-~]*""")


_SASL, _SHORTEST_SASL = ("xo", "oa"), 32
"""How mechanisms of mail begin (RFC 7628), behind whose name in a list of mechanisms there may be another word."""

_USER_OPTION = re.compile(r"""(?:^|\s)(?:-u|--user|--proxy-user|-U)[ =]?(["']?)([^\s:"']{1,200}):([^\s"']{1,500})""")


def find_curl_user(text: str) -> Iterator[Occurrence]:
    """Yield the passwords of ``curl -u user:password``."""
    for option in _USER_OPTION.finditer(text):
        yield Occurrence(*option.span(3), "password", (option[3],))


_SCHEMES_IN_TEXT = tuple(
    scheme + blank for scheme in ("bearer", "dpop", "basic", "xoauth2", "oauthbearer") for blank in " \t"
)


def names_scheme(text: str) -> bool:
    """Return whether a text may contain the word of a credential scheme."""
    if not text.isascii():
        return True  # beyond ASCII, letters such as the long s match without being the same in lower case
    lower = text.lower()
    return any(map(lower.__contains__, _SCHEMES_IN_TEXT))


def find_credentials(text: str) -> Iterator[Occurrence]:
    """Yield the credentials behind a scheme word, anywhere in a text."""
    for scheme in _SCHEME_IN_TEXT.finditer(text):
        start, end = scheme.span(1)
        if scheme[0].lower().startswith("basic"):
            yield from _find_basic(text, start, end, certain=False)
        elif any(map(str.isdigit, scheme[1])) and (
            scheme[0][:2].lower() not in _SASL or len(scheme[1]) >= _SHORTEST_SASL
        ):
            yield Occurrence(start, end, "access_token", (scheme[1],))


def find_credential(kind: str, text: str, start: int, end: int, decoded: str) -> Iterator[Occurrence]:
    """Yield the credential in ``text[start:end]``, behind its scheme word if it has one.

    ``decoded`` is the whole span with its encoding removed.
    """
    scheme = _SCHEME.match(text, start, end)
    word, start = (scheme[0].strip().lower(), scheme.end()) if scheme else ("", start)
    if word == "basic":
        yield from _find_basic(text, start, end, certain=True)
        return
    decoded = decoded[len(scheme[0]) :] if scheme else decoded
    if word not in ("", "bearer", "dpop"):  # their quotes are part of them: Digest response="..."
        yield Occurrence(start, end, kind, (decoded,))
        return
    start, end = trim_span(text, start, end)
    yield Occurrence(start, end, "access_token" if word else kind, (trim(decoded),))


def _find_basic(text: str, start: int, end: int, *, certain: bool) -> Iterator[Occurrence]:
    """Yield the password of Basic credentials (RFC 7617 §2), form-encoded first as RFC 6749 §2.3.1 asks.

    Text that cannot be decoded is left alone, unless it is ``certain`` that it is a credential.
    """
    encoded = text[start:end]
    if _BASIC_REDACTED.fullmatch(encoded):
        return
    try:
        octets = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), b"-_", validate=True)
        user, colon, password = octets.decode().partition(":")
    except (binascii.Error, ValueError):
        user = colon = password = ""
    if colon and _BASIC_USER.fullmatch(user):
        if password:
            yield Occurrence(start, end, "client_secret", (unquote_plus(password), password), f"{user}:")
    elif certain:
        yield Occurrence(start, end, "basic", (encoded,))
