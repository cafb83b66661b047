"""Texts to paste: every literal in the tests of the readers, of the diagnosis and of the command that can be read."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from oauth import paste
from oauth.catalogue import documented
from tests.benchmarks.paste import har, short_har

TESTS = Path(__file__).parents[1]
DOCUMENTATION = TESTS / "catalogue" / "documentation.txt"
FILES = (
    *sorted(set((TESTS / "paste").rglob("test_*.py")) - {TESTS / "paste" / "curl" / "test_conformance.py"}),
    TESTS / "diagnosis" / "test_pasted.py",
    TESTS / "cli" / "test_main.py",
    TESTS / "pages" / "test_diagnose.py",
)
"""Without the curl commands that differ only in the bytes that they send."""


@cache
def samples() -> tuple[str, ...]:
    """The samples, each once."""
    return tuple(dict.fromkeys(text for text in _texts() if _is_readable(text)))


def _texts() -> Iterator[str]:
    yield DOCUMENTATION.read_text("utf-8")
    yield har(18)
    yield short_har(18)
    for entry in documented().values():
        yield from filter(None, (entry.example, entry.example_request))
        if entry.example_request:
            yield f"{entry.example_request}\n\n{entry.example}"
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _is_readable(text: str) -> bool:
    try:
        text.encode("utf-8")
        return bool(paste.read(text))
    except (paste.ParseError, UnicodeEncodeError):  # no browser sends half a surrogate pair
        return False
