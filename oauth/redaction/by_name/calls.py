"""Passwords that source code passes or encodes beside the name of a user, without a name of their own."""

import re
from collections.abc import Iterator

from oauth.redaction.occurrences import Occurrence

_OPEN = r"""[bfru]{0,2}["'`]"""
_WORD = r"""[^\s"'`:«»]{1,200}"""
_VALUE = r"""(?P<value>[^\s"'`«»]{6,4000})["'`]"""
_JOINED = r"""(?:["'`]\s?[+.]\s?["'`])?"""

_SIGNS = (
    "auth(", "auth=(", "auth = (", 'auth "', "auth '", "credential(", "credentials(", "config.omniauth", "provider :",
    "64(", "64string(", "encode(", "encode64(", "encodetostring(", "btoa(", "userpwd,", "buffer.from(", "getbytes(",
    "securestring ",
)  # fmt: skip
"""Parts of the calls below in lower case."""

_CALLS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # auth=("user", "value"), HTTPBasicAuth("user", "value"), SetBasicAuth(user, "value")
        rf"(?:basic_?auth|\bauth|credentials?)(?:[ ]?=[ ]?\(|\(| (?=[\"'])){{1,2}}\s{{0,40}}"
        rf"(?:{_OPEN}{_WORD}[\"'`]|[\w.]{{1,60}}),\s{{0,40}}{_OPEN}{_VALUE}\s{{0,9}}[),\n]",
        # config.omniauth :github, "id", "value"
        rf"\b(?:config\.omniauth|provider)\s\(?:\w{{1,40}},\s{{0,40}}"
        rf"(?:{_OPEN}{_WORD}[\"'`]|[\w.]{{1,40}}(?:\[[^\[\]\n]{{1,60}}\])?),\s{{0,40}}{_OPEN}{_VALUE}",
        # base64_encode("user:value"), btoa("user" + ":" + "value"), curl_setopt($ch, CURLOPT_USERPWD, "user:value")
        rf"(?:64\w{{0,9}}|encode\w{{0,9}}|btoa|userpwd|buffer\.from|getbytes)[(,]\s{{0,9}}(?:\[\]byte\()?"
        rf"{_OPEN}{_WORD}{_JOINED}:{_JOINED}{_VALUE}",
        # ConvertTo-SecureString "value"
        rf"\bSecureString\s{{1,9}}(?:-String\s{{1,9}})?{_OPEN}{_VALUE}",
    )
)


def passes_password(text: str) -> bool:
    """Return whether a text may have one of the calls."""
    lower = text.lower()
    return any(map(lower.__contains__, _SIGNS))


def find_passed(text: str) -> Iterator[Occurrence]:
    """Yield the passwords in the calls."""
    for pattern in _CALLS:
        for call in pattern.finditer(text):
            yield Occurrence(*call.span("value"), "password", (call["value"],))
