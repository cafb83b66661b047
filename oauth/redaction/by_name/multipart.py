"""Parts of multipart/form-data (RFC 7578)."""

import re
from collections.abc import Iterator

from oauth.redaction.by_name.values import find_in_value
from oauth.redaction.names import secret_kind
from oauth.redaction.occurrences import Occurrence

_PART = re.compile(
    r"""(?i)content-disposition:[^\r\n]*?\bname=(?:"([^"\r\n]*)"|([^;\s"]+))[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n"""
)
_PART_END = re.compile(r"\r?\n--|\Z")


def find_parts(text: str) -> Iterator[Occurrence]:
    """Yield the contents of parts with a secret's name (RFC 7578 §4.2)."""
    done = 0
    for part in _PART.finditer(text):
        kind = secret_kind(part[1] or part[2] or "")
        end = _PART_END.search(text, part.end()) if kind is not None and part.start() >= done else None
        if kind is not None and end is not None:
            done = end.start()
            yield from find_in_value(kind, text, part.end(), done, ())
