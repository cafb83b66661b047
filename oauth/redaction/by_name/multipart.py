"""Parts of multipart/form-data (RFC 7578)."""

import re
from collections.abc import Iterator

from oauth.redaction.by_name.values import find_in_value
from oauth.redaction.names import secret_kind
from oauth.redaction.occurrences import Occurrence

_DISPOSITION = re.compile(r"(?i)content-disposition:[^\r\n]*")
_NAME = re.compile(r"""(?i)\bname=(?:"([^"\r\n]*)"|([^;\s"]+))""")
_BLANK_LINE = re.compile(r"\r?\n\r?\n")
_PART_END = re.compile(r"\r?\n--|\Z")


def find_parts(text: str) -> Iterator[Occurrence]:
    """Yield the contents of parts with a secret's name (RFC 7578 §4.2)."""
    done = 0
    blank_line: re.Match[str] | None = None
    for disposition in _DISPOSITION.finditer(text):
        name = _NAME.search(disposition[0])
        if name is None or disposition.start() < done:
            continue
        if blank_line is None or blank_line.start() < disposition.end():
            blank_line = _BLANK_LINE.search(text, disposition.end())
        if blank_line is None:
            return
        kind = secret_kind(name[1] or name[2] or "")
        end = _PART_END.search(text, blank_line.end()) if kind is not None else None
        if kind is not None and end is not None:
            done = end.start()
            yield from find_in_value(kind, text, blank_line.end(), done, ())
