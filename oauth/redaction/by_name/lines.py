"""Lines such as ``name: value``: headers of a message, YAML, logs; and ``{name: 'value'}`` of a script."""

import re
import string
from collections.abc import Iterator

from oauth.redaction.by_name.credentials import SCHEMES
from oauth.redaction.by_name.quotes import quoted_end, string_end
from oauth.redaction.by_name.values import find_in_value
from oauth.redaction.names import NAME_CHARACTER, is_random, secret_kind
from oauth.redaction.occurrences import QUOTES, Occurrence

_NAME_CHARACTERS = f"{string.ascii_letters}{string.digits}_.$[]-"
_COLON_AFTER_NAME = re.compile(rf":(?<={NAME_CHARACTER}:|[ \t]:)(?![0-9]{{2}}(?![\w.-]))")  # and not of a time
_LINE = re.compile(
    rf"""(?m)(^[ \t]*(?:[<>*$-][ \t]+)?|[{{,]\s{{0,99}}|["'])({NAME_CHARACTER}{{1,100}})[ \t]{{0,9}}:[ \t]{{0,9}}"""
)
_LINE_END = re.compile(r"[\r\n]|\Z")
_SECOND_WORDS = ("key", "code")
"""Last words of secrets such as ``api key`` that are none alone."""

_HEADER_LIKE = {"authorization", "proxy_authorization", "cookie", "set_cookie", "dpop"}


_PLAIN_WORDS = {"code", "state", "session", "nonce"}
_ERROR_NAME = re.compile(r"(?i)(?:invalid|missing|expired|unknown|unsupported|revoked|bad|wrong)[_-]")
_SENTENCE = re.compile(r"[A-Za-z']+(?: [A-Za-z_',.:-]+){2,}")
_BLOCK = re.compile(r"[|>][+-]?[0-9]?[ \t]*(?:#[^\r\n]*)?|")
_BLOCK_LINE = re.compile(r"\r?\n([ \t]*)((?:-[ \t]+)*)((?:[\w.$-]{1,100}:[ \t]+)?)([^\r\n]*)")


SECRET_MANIFEST = re.compile(
    r"""(?m)(?:^[ \t]*|"|')kind["']?[ \t]{0,9}:[ \t]{0,9}["']?Secret["']?[ \t\r]*(?=[,}\n]|$)"""
)
"""The kind of a Kubernetes manifest whose data are secrets, whatever their names."""

MANIFEST_DATA = ("data", "stringData")

_STACKED = re.compile(rf"(?m)^[ \t]*({NAME_CHARACTER}{{2,60}}):?[ \t]*\r?\n[ \t]*([^\s:]\S{{11,4000}})[ \t]*\r?$")


def find_stacked(text: str) -> Iterator[Occurrence]:
    """Yield the random words in the line below the name of a secret, as browsers' tools copy headers and forms."""
    for lines in _STACKED.finditer(text):
        kind = secret_kind(lines[1])
        if kind is not None and is_random(lines[2], named=True):
            yield Occurrence(*lines.span(2), kind, (lines[2],))


def names_secret_line(text: str) -> bool:
    """Return whether a colon in a text follows the name of a secret, of one word or two."""
    for colon in _COLON_AFTER_NAME.finditer(text):
        before = text[max(0, colon.start() - 200) : colon.start()].rstrip(" \t")
        rest = before.rstrip(_NAME_CHARACTERS)
        name = before[len(rest) :]
        if secret_kind(name) is not None:
            return True
        if rest[-1:] == " " and name.lower() in _SECOND_WORDS:
            return True
    return SECRET_MANIFEST.search(text) is not None


def find_lines(text: str) -> Iterator[Occurrence]:
    """Yield the values of lines with a secret's name."""
    done = 0
    is_manifest = SECRET_MANIFEST.search(text) is not None
    for line in _LINE.finditer(text):
        kind = "secret" if is_manifest and line[2] in MANIFEST_DATA else secret_kind(line[2])
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
        is_line = anchor not in ("{", ",", *QUOTES)
        if is_line and (kind in _PLAIN_WORDS or _ERROR_NAME.match(line[2])) and _SENTENCE.fullmatch(text, at, end):
            continue
        if is_line and (_BLOCK.fullmatch(text, at, end) or text[at:end].strip().lower() in SCHEMES):
            for start, done in _block(text, line.start(1), end, text[at : at + 1] in ("|", ">")):
                yield from find_in_value(kind, text, start, done, ())
        else:
            yield from find_in_value(kind, text, at, end, ())


def _block(text: str, start: int, at: int, is_marked: bool) -> Iterator[tuple[int, int]]:
    """Yield the lines of a YAML block below the line at ``start``: those that are indented deeper.

    Without a ``|`` or ``>`` (``is_marked``) the block is a list or a map, whose values are single words.
    """
    indent = _indent(text, start)
    while line := _BLOCK_LINE.match(text, at):
        at = line.end()
        if not (line[2] or line[3] or line[4].strip()):
            continue
        is_item = bool(line[2]) and not is_marked
        if len(line[1]) < indent or (len(line[1]) == indent and not is_item):
            return
        if is_marked:
            yield line.start(2), at
        elif line[4].strip() and " " not in line[4].strip():
            yield line.start(4), at


def _indent(text: str, start: int) -> int:
    return len(text[start : start + 200]) - len(text[start : start + 200].lstrip(" \t"))
