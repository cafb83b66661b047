"""Lines such as ``name: value``: headers of a message, YAML, logs; and ``{name: 'value'}`` of a script."""

import re
import string
from collections.abc import Iterator

from oauth.redaction.by_name.quotes import quoted_end, string_end
from oauth.redaction.by_name.values import find_in_value
from oauth.redaction.names import NAME_CHARACTER, secret_kind
from oauth.redaction.occurrences import QUOTES, Occurrence

_NAME_CHARACTERS = f"{string.ascii_letters}{string.digits}_.$[]-"
_COLON_AFTER_NAME = re.compile(rf":(?<={NAME_CHARACTER}:|[ \t]:)")
_LINE = re.compile(
    rf"""(?m)(^[ \t]*(?:[<>*$-][ \t]+)?|[{{,]\s{{0,99}}|["'])({NAME_CHARACTER}{{1,100}})[ \t]{{0,9}}:[ \t]{{0,9}}"""
)
_LINE_END = re.compile(r"[\r\n]|\Z")
_HEADER_LIKE = {"authorization", "proxy_authorization", "cookie", "set_cookie", "dpop"}


def names_secret_line(text: str) -> bool:
    """Return whether a colon in a text follows the name of a secret."""
    for colon in _COLON_AFTER_NAME.finditer(text):
        before = text[max(0, colon.start() - 200) : colon.start()].rstrip(" \t")
        if secret_kind(before[len(before.rstrip(_NAME_CHARACTERS)) :]) is not None:
            return True
    return False


def find_lines(text: str) -> Iterator[Occurrence]:
    """Yield the values of lines with a secret's name."""
    done = 0
    for line in _LINE.finditer(text):
        kind = secret_kind(line[2])
        if kind is None or line.start() < done:
            continue
        at, anchor = line.end(), line[1].strip()
        if anchor in QUOTES:
            if kind not in _HEADER_LIKE and "-" not in line[2]:
                continue
            end = quoted_end(text, line.start(1))
        elif text[at : at + 1] in QUOTES:
            end = string_end(text, at)
            at += 1
        elif anchor in ("{", ","):
            continue
        else:
            stop = _LINE_END.search(text, at)
            end = stop.start() if stop else len(text)
        done = end
        yield from find_in_value(kind, text, at, end, ())
