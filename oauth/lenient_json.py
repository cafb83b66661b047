"""Read JSON as people paste it, with trailing or missing commas, other quotes or comments, and report each repair."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from msgspec import MsgspecError
from msgspec.json import Decoder

DEEPEST = 100
"""Maximum levels of nesting; no error response comes near it."""

_SPACE = re.compile(r"[\s\ufeff\u200b]+")
_COMMENT = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][\w$-]*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_REST = re.compile(r"[\w.+-]+\Z")
_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_DOUBLE, _SINGLE = '"“”„‟', "'‘’‚‛"
_QUOTES = {'"': '"'} | dict.fromkeys("“”„‟", _DOUBLE) | dict.fromkeys(_SINGLE, _SINGLE)
"""Opening quotes, each with the characters that can close it."""
_BEFORE_QUOTE = {closers: re.compile(rf"[^{closers}\\]*") for closers in set(_QUOTES.values())}
_AFTER_STRING = re.compile(rf"[^\S\n]*(?:$|[\n,:}}\]]|//|/\*|[{_DOUBLE}{_SINGLE}](?=\S))")
_BENT_END = re.compile(rf"[{_DOUBLE}](?=[ \t]*[}}\]]+\s*\Z)")
"""A closing quote that a mail program bent, where nothing but brackets is left."""

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_UNICODE = re.compile(r"(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|u[0-9a-fA-F]{4}")


class ParseError(ValueError):
    """The text cannot be read; its message has the line, the column and the reason."""

    def __init__(self, reason: str, text: str = "", position: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.text, self.position = reason, text, position
        self.place: tuple[int, int] | None = None

    def __str__(self) -> str:
        line, column = self._place()
        return f"Reading stopped at line {line}, column {column}: {self.reason}"

    def __reduce__(self) -> tuple[object, ...]:
        """Leave out the text but for its begin, when another process gets the error: it may have megabytes."""
        return type(self), (self.reason, self.text[:100]), {"place": self._place()}

    def _place(self) -> tuple[int, int]:
        """Return line and column, counted late: that is slow in a long text, and most errors are only caught."""
        if self.place is not None:
            return self.place
        line = self.text.count("\n", 0, self.position) + 1
        return line, self.position - (self.text.rfind("\n", 0, self.position) + 1) + 1


_DECODER = Decoder()


def loads(text: str | bytes) -> Any:
    """Parse a JSON text as ``json.loads`` does, whose errors it raises; a valid one in a third of the time."""
    try:
        return _DECODER.decode(text)
    except (MsgspecError, UnicodeError):  # invalid, or what only Python takes, such as NaN and half a surrogate pair
        return json.loads(text)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value, its end in the text, and the repairs that reading it took, each kind once."""

    value: Any
    end: int
    repairs: tuple[str, ...]


CUT = "truncated at the end; the missing part was left out"


def read(text: str, start: int = 0, *, cut: bool = False) -> Reading:
    """Read the one JSON value that begins at ``start``, after whitespace and comments.

    With ``cut`` the text may end inside the value. Raises ``ParseError`` where it cannot be read even so.
    """
    reader = _Reader(text, start, cut)
    reader.skip()
    value = reader.value(0)
    return Reading(value, reader.position, tuple(reader.repairs))


@dataclass
class _Reader:
    text: str
    position: int
    cut: bool
    repairs: dict[str, None] = field(default_factory=dict)

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise self.error(f"the JSON is nested deeper than {DEEPEST} levels.")
        character = self.peek()
        if character == "{":
            return self.object(depth)
        if character == "[":
            return self.array(depth)
        if character in _QUOTES:
            return self.string()
        if number := _NUMBER.match(self.text, self.position):
            self.position = number.end()
            return number_of(number[0])
        if (word := _NAME.match(self.text, self.position)) and word[0] in _WORDS:
            if word[0] not in ("true", "false", "null"):
                self.repaired("literal of another language read as JSON")
            self.position = word.end()
            return _WORDS[word[0]]
        if self.cut and _REST.match(self.text, self.position):
            self.repaired(CUT)
            self.position = len(self.text)
            return None
        raise self.error("expected a JSON value here.")

    def object(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        opened = self.position
        while self.more("}", opened, "object"):
            name = self.name()
            self.skip()
            if self.ended():
                break
            if self.peek() != ":":
                raise self.error("expected a colon between name and value.")
            self.position += 1
            self.skip()
            if self.ended():
                break
            members[name] = self.value(depth + 1)
        return members

    def array(self, depth: int) -> list[Any]:
        items: list[Any] = []
        opened = self.position
        while self.more("]", opened, "array"):
            items.append(self.value(depth + 1))
        return items

    def more(self, closer: str, opened: int, what: str) -> bool:
        """Step over an opening bracket or a comma; return whether an item follows or the container ends."""
        first = self.position == opened
        if first:
            self.position += 1
        self.skip()
        commas = 0
        while self.peek() == ",":
            self.position += 1
            commas += 1
            self.skip()
        if self.ended():
            return False
        if not self.peek():
            self.position = opened
            raise self.error(f"the {what} that begins here is not closed.")
        ends = self.peek() == closer
        if ends and commas:
            self.repaired("trailing comma removed")
        elif not first and not ends and not commas:
            self.repaired("missing comma added")
        elif commas > (0 if first else 1):
            self.repaired("extra comma removed")
        if ends:
            self.position += 1
        return not ends

    def name(self) -> str:
        if self.peek() in _QUOTES:
            opened = self.position
            name = self.string()
            if "\n" in self.text[opened : self.position]:
                self.position = opened
                raise self.error("the name that begins here is not closed in its line.")
            return name
        if word := _NAME.match(self.text, self.position):
            self.repaired("unquoted name accepted")
            self.position = word.end()
            return word[0]
        raise self.error("expected a name in quotes here.")

    def string(self) -> str:
        opened = self.position
        quote = self.text[opened]
        closers = _QUOTES[quote]
        if quote != '"':
            self.repaired(
                "single quotes read as double quotes" if quote == "'" else "typographic quotes read as plain quotes"
            )
        run, parts, quote_inside = _BEFORE_QUOTE[closers], [], False
        self.position += 1
        while True:
            plain = run.match(self.text, self.position)
            if plain and plain[0]:
                if "\n" in plain[0]:
                    self.repaired("line break inside a string accepted")
                parts.append(plain[0])
                self.position = plain.end()
            character = self.peek()
            if not character and self.cut and parts and (bent := _BENT_END.search(parts[-1], len(parts[-1]) - 12)):
                self.repaired("typographic quotes read as plain quotes")
                self.position -= len(parts[-1]) - bent.end()
                return "".join((*parts[:-1], parts[-1][: bent.start()]))
            if not quote_inside and self.ended():
                return "".join(parts)
            if not character:
                self.position = opened
                raise self.error("the string that begins here is not closed.")
            self.position += 1
            if character == "\\":
                parts.append(self.escape())
            elif _AFTER_STRING.match(self.text, self.position):
                return "".join(parts)
            else:
                quote_inside = True
                self.repaired("unescaped quote inside a string accepted")
                parts.append(character)

    def escape(self) -> str:
        if code := _UNICODE.match(self.text, self.position):
            self.position = code.end()
            escaped: str = json.loads(f'"\\{code[0]}"')
            return escaped
        character = self.peek()
        self.position += len(character)
        return _ESCAPES.get(character, character)

    def skip(self) -> None:
        """Step over whitespace and comments."""
        while True:
            if space := _SPACE.match(self.text, self.position):
                self.position = space.end()
            elif comment := _COMMENT.match(self.text, self.position):
                self.repaired("comment removed")
                self.position = comment.end()
            else:
                return

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def ended(self) -> bool:
        """Return whether the text ends here and may."""
        if self.cut and self.position >= len(self.text):
            self.repaired(CUT)
            return True
        return False

    def repaired(self, what: str) -> None:
        self.repairs.setdefault(what)

    def error(self, reason: str) -> ParseError:
        return ParseError(reason, self.text, self.position)


def number_of(text: str) -> int | float:
    """Return the value of a decimal number."""
    try:
        return int(text)
    except ValueError:  # a fraction, an exponent, or more digits than Python turns into an int
        return float(text)
