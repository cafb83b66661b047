"""Pairs of ``name=value`` anywhere in a text: URLs inside it, header parameters, attributes."""

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from oauth.redaction.by_name.quotes import quoted_end
from oauth.redaction.by_name.values import find_in_value
from oauth.redaction.names import NAME_CHARACTER, secret_kind
from oauth.redaction.occurrences import QUOTES, Occurrence
from oauth.redaction.placeholders import PATTERN

_PAIR = re.compile(rf"(?<!{NAME_CHARACTER})(?<!»)({NAME_CHARACTER}{{1,100}})\s{{0,3}}=(?!=)>?[^\S\n]{{0,3}}")
_BARE = re.compile(rf"""(?:(?:Bearer|DPoP|Basic)[ \t]+)?(?:{PATTERN}|[^\s&"'<>\\]|\\(?!["'/\\bfnrtu]))+""")
_BARE_IN_URL = re.compile(rf"""(?:{PATTERN}|[^\s&#"'<>\\]|\\(?!["'/\\bfnrtu]))+""")


def find_pairs(text: str) -> Iterator[Occurrence]:
    """Yield the values of pairs with a secret's name."""
    done = 0
    for pair in _PAIR.finditer(text):
        kind = secret_kind(pair[1])
        if kind is None or pair.start() < done:
            continue
        at, before = pair.end(), text[max(0, pair.start() - 1) : pair.start()]
        in_url = before in ("?", "&", "#")
        quote = text[at : at + 1]
        if quote in QUOTES and quote != before and not in_url:
            end = quoted_end(text, at)
            at += 1
        else:
            bare = (_BARE_IN_URL if in_url else _BARE).match(text, at)
            end = at + len(bare[0].rstrip(",;)]}")) if bare else at
            if not any(map(str.isalnum, text[at:end])):
                continue
        raw = text[at:end]
        yield from find_in_value(kind, text, at, end, (unquote_plus(raw), unquote(raw)))
        done = end
