"""Hostile texts, each of a size in octets: what is short to write and long to read."""

import base64
from collections.abc import Callable, Mapping

Shape = Callable[[int], str]
"""A text of about this many octets, never more."""


def repeated(unit: str, before: str = "", after: str = "") -> Shape:
    """Return the shape of a unit repeated to the size, between two texts."""
    width = len(unit.encode("utf-8", "surrogatepass"))
    room = len((before + after).encode("utf-8", "surrogatepass"))
    return lambda size: f"{before}{unit * max(0, (size - room) // width)}{after}"


def _deep_xml(size: int) -> str:
    return f"<?xml version='1.0'?>{'<a>' * (size // 8)}{'</a>' * (size // 8)}"[:size]


def _mixed(size: int) -> str:
    """Return a part of every other shape, one after the other."""
    others = [shape for shape in SHAPES.values() if shape is not _mixed]
    return "\n".join(shape(size // len(others) - 1) for shape in others)


SHAPES: Mapping[str, Shape] = {
    "pairs": repeated("a=a&"),
    "codes": repeated("?code=x"),
    "cookie line": repeated("a=b; ", "Cookie: "),
    "open brackets": repeated("["),
    "open objects": repeated('{"a":'),
    "empty objects": repeated("{},", "[", "{}]"),
    "dotted keys": repeated("a.", after="a = 1"),
    "long numbers": repeated("9" * 5000 + ","),
    "open quotes": repeated("\"'", "a = "),
    "backslashes": repeated("\\"),
    "percent signs": repeated("%25%"),
    "base64": repeated(base64.b64encode(b"hostile text").decode()),
    "carriage returns": repeated("\r"),
    "entities": repeated("&amp;&#x41;&"),
    "headers": repeated("-H a:b ", "curl https://p.example "),
    "comments": repeated("/* // # <!-- "),
    "emoji and surrogates": repeated("😀\ud83d"),
    "deep XML": _deep_xml,
    "whitespace": repeated(" \t \n"),
    "lines": repeated("key: value\n"),
    "words": repeated("a"),
    "error codes": repeated("invalid_grant: (error=x&oauth2: "),
    "open tags": repeated("<a b='c"),
    "known words": repeated("The access token provided "),
    "mixed": _mixed,
}
