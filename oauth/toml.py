"""Read TOML from outside: what takes ``tomllib`` more time than its length, or raises, is refused first."""

import re
import tomllib
from typing import Any

DEEPEST = 16
"""Maximum parts of a dotted key, and levels of nesting; the console's own files have four."""

_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+(?:"""|\Z)'
    "|'''.*?(?:'''|\\Z)"
    # Without its end, a string goes to the end of the line: else each quote in it would be tried as a beginning.
    r'|"(?:[^"\\\n]|\\[^\n])*+"?|\'[^\'\n]*+\'?|#[^\n]*+',
    re.DOTALL,
)
_DOTTED = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{DEEPEST},}}")
_BRACKET = re.compile(r"[\[{]|([\]}])")


def outline(text: str) -> str:
    """Return a document of the same length in which strings are ``s``, also across lines, and comments are blank."""
    return _STRING.sub(lambda match: (" " if match[0].startswith("#") else "s") * len(match[0]), text)


def loads(text: str) -> dict[str, Any]:
    """Parse a TOML document. Raises ``tomllib.TOMLDecodeError``, also where ``tomllib`` itself raises another error."""
    outlined = _STRING.sub(lambda match: "" if match[0].startswith("#") else "s", text)
    if _DOTTED.search(outlined):
        raise tomllib.TOMLDecodeError(f"a key has more than {DEEPEST} parts between dots")
    depth = 0
    for bracket in _BRACKET.finditer(outlined):
        depth = max(0, depth - 1) if bracket[1] else depth + 1
        if depth > DEEPEST:
            raise tomllib.TOMLDecodeError(f"values are nested deeper than {DEEPEST} levels")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:  # a number of more digits than Python reads
        raise tomllib.TOMLDecodeError(f"a value cannot be read: {error}") from error
