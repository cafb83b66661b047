"""Read values as other languages print them: JavaScript, Python, PHP (``var_export``), Ruby and Java."""

import re
from dataclasses import dataclass, field
from typing import Any

from oauth.lenient_json import CUT, ParseError, Reading, number_of
from oauth.paste import go_map

DEEPEST = 30
"""Levels of nesting that are read; other languages cut what they print far above it."""

PRINTED = "read as the output of another language"

PRINTED_START = re.compile(
    r"\b(?:array ?|OrderedDict|stdClass::__set_state)\((?=\s*['\"\[(a\d])|\[(?=\s*['\"][\w.-]+['\"]\s*=>)"
    rf"|{go_map.OPENED.pattern}"
)
"""The beginning of such a value that does not begin like JSON."""

_SPACE = re.compile(r"\s+")
_COMMA = re.compile(r"[,;]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[\s,})\]]|n?\Z)")
_WORD = re.compile(r"(?:true|True|false|False|null|None|Nothing|nil|NULL|undefined|NaN)\b(?!\s*[({\[:=])")
_WORDS = {"true": True, "True": True, "false": False, "False": False}
_ATOM = re.compile(r":[a-z_]\w*[?!]?(?=\s*[,}\])])|[A-Z]\w*(?:\.[A-Z]\w*)*(?=,\s*(?::[a-z_]|\[))")
"""A name that is a value in Elixir: an atom, or the module in front of one in a tuple."""

_PREFIX = re.compile(
    r"<ref \*\d+>\s*|\((?:object|array)\)\s*"
    r"|%(?=\{)|(?:Just|Some)\s+(?=[\"{A-Z])"
    r"|%?[\\A-Za-z_$][\w$.\\]*(?:::__set_state)?(?:\(\d+\))?\s*(?:\[[\w ]+\]\s*)?(?=[{(\[])"
    r"|\[[A-Za-z][\w$.]*(?:: [\w$. ]+)?\]\s*(?=\{)"
)
_BLESSED = re.compile(r"bless\(\s*")
_CLASS = re.compile(r"\s*,\s*'[^'\n]*'\s*\)")
_OPAQUE = re.compile(
    r"do\{[^\n]{0,300}?\}(?=,)|\[(?:Object|Array|Circular|Function|AsyncFunction|Getter|Setter|class|Symbol|Date)\b[^\]\n]{0,200}\]"
    r"|<(?!ref )[A-Za-z][^<>\n]{0,300}>|Symbol\([^)\n]*\)|#<[^\n]{0,300}?>"
)
_STRING = re.compile(r"(?P<prefix>[bBuUrR]{0,2})(?P<quote>[\"'`])")
_CONCATENATED = re.compile(r"\s*\+\s*(?=[\"'`])|\s*\n\s*(?=[bu]?[\"'])")
_RUN = {quote: re.compile(rf"[^{quote}\\]+") for quote in "\"'`"}
_ESCAPE = re.compile(r"u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "b": "\b", "f": "\f", "e": "\x1b"}
_NAME = re.compile(r":?(?P<name>[A-Za-z_$][\w$.-]*|\d+)(?=\s*(?:=>|[:=]))|:\"(?P<symbol>[^\"\n]*)\"")
_HIDDEN_NAME = re.compile(r"\[[\w(). ]{1,100}\](?=:)")
_SEPARATOR = re.compile(r"\s*(?:=>|[:=])\s*")
_MORE = re.compile(r"\.\.\.(?: \d+ more \w+)?|#\s*\.\.\.")
_BARE_END = re.compile(r"[}\])\n]|;(?=\s)|\Z|,\s*(?::?[\"']?[\w.-]{1,60}[\"']?\s*(?:=|:\s)|:\"|\n|\Z)")
_CLOSER = {"{": "}", "[": "]", "(": ")"}


def read(text: str, start: int = 0, *, cut: bool = False) -> Reading:
    """Read the one value that begins at ``start``. With ``cut`` the text may end inside it.

    A value printed without its content, such as ``[Object]``, is read as null. Raises ``ParseError``.
    """
    reader = _Reader(text, start, cut)
    value = reader.value(0)
    return Reading(value, reader.position, (PRINTED, CUT) if reader.was_cut else (PRINTED,))


@dataclass
class _Reader:
    text: str
    position: int
    cut: bool
    was_cut: bool = field(default=False, init=False)

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise self.error(f"the value is nested deeper than {DEEPEST} levels.")
        self.skip(_SPACE)
        if self.skip(_OPAQUE):
            return None
        if self.skip(_BLESSED):
            value = self.value(depth)
            self.skip(_CLASS)
            return value
        while self.skip(_PREFIX):
            pass
        opener = self.text[self.position : self.position + 1]
        if opener in _CLOSER:
            return self.container(opener, depth)
        if _STRING.match(self.text, self.position):
            return self.string()
        if number := _NUMBER.match(self.text, self.position):
            self.position = number.end()
            return number_of(number[0])
        if word := _WORD.match(self.text, self.position):
            self.position = word.end()
            return _WORDS.get(word[0])
        if depth and (atom := _ATOM.match(self.text, self.position)):
            self.position = atom.end()
            return atom[0]
        if depth and (bare := self.bare()):
            return bare
        if self.ended():
            return None
        raise self.error("expected a value here.")

    def bare(self) -> str:
        """Read a value without quotes, up to a closing bracket, the next name or the end of the line."""
        end = _BARE_END.search(self.text, self.position)
        start, self.position = self.position, end.start() if end else len(self.text)
        return self.text[start : self.position].strip()

    def container(self, opener: str, depth: int) -> Any:
        """Read a map, where its items have names, or else a list; one value in parentheses stands for itself."""
        start = self.position
        self.position += 1
        names: dict[str, Any] = {}
        items: list[Any] = []
        while self.has_item(opener, start):
            before = self.position
            name = self.name()
            if name is None:
                items.append(self.value(depth + 1))
            elif not self.ended():
                names[name] = self.value(depth + 1)
            if self.position == before:
                raise self.error("expected a name or a value here.")
        if names:
            return names
        if opener == "{":
            if items and depth:
                return items  # a tuple of Elixir or Erlang
            if items:
                self.position = start
                raise self.error("expected names with values inside these braces.")
            return {}
        return _pairs(items) or (items[0] if opener == "(" and len(items) == 1 else items)

    def has_item(self, opener: str, start: int) -> bool:
        """Step to the next item of the container that begins at ``start``, or over its end."""
        while self.skip(_SPACE) or self.skip(_MORE) or self.skip(_COMMA):
            pass
        if self.ended():
            return False
        if self.position >= len(self.text):
            self.position = start
            raise self.error("the value that begins here is not closed.")
        is_end = self.text[self.position] == _CLOSER[opener]
        self.position += is_end
        return not is_end

    def name(self) -> str | None:
        """Read the name of an item and the separator behind it; ``None`` where the item has no name."""
        start = self.position
        name: str | None
        if hidden := _HIDDEN_NAME.match(self.text, start):
            name, self.position = hidden[0], hidden.end()
        elif word := _NAME.match(self.text, start):
            name, self.position = word["name"] or word["symbol"], word.end()
        elif _STRING.match(self.text, start):
            name = self.string()
        else:
            return None
        if self.skip(_SEPARATOR):
            return name
        self.position = start
        return None

    def string(self) -> str:
        parts: list[str] = []
        while opened := _STRING.match(self.text, self.position):
            start, self.position = self.position, opened.end()
            octets = "b" in opened["prefix"].lower()
            piece = self.inside(opened["quote"], start)
            parts.append(piece.encode("latin-1", "replace").decode("utf-8", "replace") if octets else piece)
            joined = _CONCATENATED.match(self.text, self.position)
            if joined is None:
                break
            self.position = joined.end()
        return "".join(parts)

    def inside(self, quote: str, start: int) -> str:
        parts: list[str] = []
        while True:
            if run := _RUN[quote].match(self.text, self.position):
                parts.append(run[0])
                self.position = run.end()
            if self.ended():
                return "".join(parts)
            if self.position >= len(self.text):
                self.position = start
                raise self.error("the string that begins here is not closed.")
            sign = self.text[self.position]
            self.position += 1
            if sign == quote:
                return "".join(parts)
            parts.append(self.escape())

    def escape(self) -> str:
        if code := _ESCAPE.match(self.text, self.position):
            self.position = code.end()
            number = int(code[1] or code[2] or code[3] or code[4], 16)
            return chr(number) if number < 0x110000 else "\ufffd"
        sign = self.text[self.position : self.position + 1]
        self.position += len(sign)
        return _ESCAPES.get(sign, sign)

    def skip(self, pattern: re.Pattern[str]) -> bool:
        if match := pattern.match(self.text, self.position):
            self.position = match.end()
        return bool(match)

    def ended(self) -> bool:
        """Return whether the text ends here and may."""
        self.was_cut = self.was_cut or (self.cut and self.position >= len(self.text))
        return self.was_cut

    def error(self, reason: str) -> ParseError:
        return ParseError(reason, self.text, self.position)


def _pairs(items: list[Any]) -> dict[str, Any] | None:
    """Read pairs as a map, as Python prints ``OrderedDict([('error', '...')])``."""
    if all(isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) for item in items):
        return dict(items)
    return None
