"""Split command lines into words as POSIX shells, cmd and PowerShell do. Nothing is expanded or run."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from oauth.lenient_json import ParseError

NOT_EXPANDED = "shell variable or substitution was not expanded"

_BLANKS = re.compile(r"[ \t\r]+")
_COMMENT = re.compile(r"#[^\n]*")
_TARGET = r"[ \t]*(?:'[^']*'|\"[^\"]*\"|[^\s;|&'\"])+"
_REDIRECTION = re.compile(rf"(?:[012]|&)?>{{1,2}}(?:&[012-]|{_TARGET})?|<(?:{_TARGET})?")

_VARIABLE = re.compile(r"\$[\w{(]|`")
_PLAIN = re.compile(r"[^ \t\r\n;|&)\\'\"$`]+|.")
_ESCAPED = re.compile(r"\\(?:\r?\n|(.?))")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_DOUBLE_ESCAPE = re.compile(r"\\(?:\n|([\"\\$`]))")
_ANSI = re.compile(r"\$'((?:[^'\\]|\\.)*+)'", re.DOTALL)
_ANSI_ESCAPE = re.compile(
    rb"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([nrtabeEfv\\'\"?]))"
)
_ANSI_LETTERS = dict(zip(b"nrtabeEfv\\'\"?", b"\n\r\t\a\b\x1b\x1b\f\v\\'\"?", strict=True))

_CMD = re.compile(r'\^(?:\r?\n)?(?P<literal>.?)|"[^"\n]*"?|[^\n"^&|<>]+', re.DOTALL)
_CMD_VARIABLE = re.compile(r"%\w+%")
_BACKSLASHES = re.compile(r"\\+")
_WINDOWS_PLAIN = re.compile(r'[^ \t\r"\\]+|.', re.DOTALL)

_POWERSHELL_VARIABLE = re.compile(r"\$[\w{(:]")
_POWERSHELL_PLAIN = re.compile(r"[^ \t\r\n;|&)}'‘’\"“”$`\\]+|.")
_BACKTICK = re.compile(r"`(\r\n|.?)", re.DOTALL)
_BACKTICK_LETTERS = dict(zip("nrt0abefv", "\n\r\t\0\a\b\x1b\f\v", strict=True))
_POWERSHELL_SINGLE = re.compile(r"['‘’]((?:[^']|'')*+)'")
_POWERSHELL_SINGLE_ESCAPE = re.compile(r"'(')|\\(\")")
_POWERSHELL_DOUBLE = re.compile(r"[\"“”]((?:[^\"`]|`.|\"\")*+)\"", re.DOTALL)
# \`" and \"" come out as \", which the program reads as a quote.
_POWERSHELL_DOUBLE_ESCAPE = re.compile(r"\\?(?:\"\"|`\")|`(\r\n|.)", re.DOTALL)


@dataclass(slots=True)
class Words:
    """The words of one command, its end in the text, and notes on what would take a shell."""

    words: list[str]
    end: int
    notes: list[str] = field(default_factory=list)


Splitter = Callable[[str, int], Words]


@dataclass(slots=True)
class _Line:
    """A command line that is being split."""

    text: str
    position: int
    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pieces: list[str] | None = None

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Step over the pattern where it matches."""
        if match := pattern.match(self.text, self.position):
            self.position = match.end()
        return match

    def take_plain(self, pattern: re.Pattern[str], variable: re.Pattern[str]) -> None:
        """Add unquoted text to the word, up to the next sign that may mean something."""
        if piece := self.take(pattern):
            # The dollar sign of a variable is a piece of its own, so its name begins one character further.
            self.note(variable, self.text[piece.start() : piece.end() + 1])
            self.add(piece[0])

    def take_quoted(self, pattern: re.Pattern[str]) -> str:
        """Step over a quoted text and return its inside. Raises ``ParseError``."""
        if match := self.take(pattern):
            return match[1]
        raise ParseError("the quote that opens here is not closed.", self.text, self.position)

    def add(self, piece: str) -> None:
        """Add a piece, also an empty one, to the word."""
        if self.pieces is None:
            self.pieces = []
        self.pieces.append(piece)

    def note(self, variable: re.Pattern[str], piece: str) -> None:
        """Note a variable in a piece of the text."""
        if variable.search(piece):
            self.notes = [NOT_EXPANDED]

    def close(self) -> None:
        """End the word."""
        if self.pieces is not None:
            self.words.append("".join(self.pieces))
            self.pieces = None

    def done(self) -> Words:
        self.close()
        return Words(self.words, self.position, self.notes)


def posix(text: str, start: int) -> Words:
    r"""Split a POSIX command line, with bash's ``$'...'``; ``\`` at the end of a line continues it."""
    line = _Line(text, start)
    while line.position < len(text):
        if line.pieces is None and (line.take(_COMMENT) or line.take(_REDIRECTION)):
            continue
        sign = text[line.position]
        if sign in ";|&\n)":
            break
        if line.take(_BLANKS):
            line.close()
        elif escaped := line.take(_ESCAPED):
            if escaped[1] is not None:
                line.add(escaped[1])
        elif sign == "'":
            line.add(line.take_quoted(_SINGLE))
        elif sign == '"':
            inside = line.take_quoted(_DOUBLE)
            line.note(_VARIABLE, _DOUBLE_ESCAPE.sub(" ", inside))
            line.add(_DOUBLE_ESCAPE.sub(r"\1", inside))
        elif text.startswith("$'", line.position):
            octets = line.take_quoted(_ANSI).encode("utf-8", "replace")
            line.add(_ANSI_ESCAPE.sub(_ansi_escape, octets).decode("utf-8", "replace"))
        elif text.startswith('$"', line.position):
            line.position += 1
        else:
            line.take_plain(_PLAIN, _VARIABLE)
    return line.done()


def _ansi_escape(match: re.Match[bytes]) -> bytes:
    """Return the octets of an escape: an octet by its number, a character by its number, or a letter."""
    octet, octal, short, long, letter = match.groups()
    if letter:
        return bytes([_ANSI_LETTERS[letter[0]]])
    if octet or octal:
        return bytes([int(octet or octal, 16 if octet else 8) & 255])
    return chr(min(int(short or long, 16), 0x10FFFF)).encode("utf-8", "replace")


def cmd(text: str, start: int) -> Words:
    """Split a cmd command line: resolve carets first, then quotes, as programs for Windows do."""
    line = _Line(text, start)
    plain: list[str] = []
    while piece := line.take(_CMD):
        # The character behind a caret is literal, also when the caret ends a line.
        if piece["literal"] is None:
            line.note(_CMD_VARIABLE, piece[0])
            plain.append(piece[0])
        else:
            plain.append(piece["literal"])
    return Words(_windows_words("".join(plain)), line.position, line.notes)


def _windows_words(text: str) -> list[str]:
    r"""Split as the C runtime does: ``\"`` is a quote, and so is ``""`` inside quotes; others are literal."""
    line, quoted = _Line(text, 0), False
    while line.position < len(text):
        if backslashes := line.take(_BACKSLASHES):
            run = backslashes[0]
            if text.startswith('"', line.position):
                # Pairs in front of a quote are halved, and a backslash that is left makes the quote a literal one.
                line.position += len(run) % 2
                run = run[::2] if len(run) % 2 == 0 else run[2::2] + '"'
            line.add(run)
        elif quoted and text.startswith('""', line.position):
            line.position += 2
            line.add('"')
        elif text[line.position] == '"':
            line.position += 1
            line.add("")
            quoted = not quoted
        elif not quoted and line.take(_BLANKS):
            line.close()
        elif piece := line.take(_WINDOWS_PLAIN):
            line.add(piece[0])
    return line.done().words


def powershell(text: str, start: int) -> Words:
    r"""Split a PowerShell command line. ``\"`` is a quote, since Windows PowerShell passes it on as one."""
    line = _Line(text, start)
    while line.position < len(text):
        sign = text[line.position]
        if sign in ";|&\n)}":
            break
        if line.pieces is None and (line.take(_COMMENT) or line.take(_REDIRECTION)):
            continue
        if line.take(_BLANKS):
            line.close()
        elif escaped := line.take(_BACKTICK):
            if escaped[1] not in ("\n", "\r\n"):  # those continue the line
                line.add(_backtick(escaped))
        elif sign in "'‘’":
            line.add(_POWERSHELL_SINGLE_ESCAPE.sub(r"\1\2", line.take_quoted(_POWERSHELL_SINGLE)))
        elif sign in '"“”':
            inside = line.take_quoted(_POWERSHELL_DOUBLE)
            line.note(_POWERSHELL_VARIABLE, _POWERSHELL_DOUBLE_ESCAPE.sub(" ", inside))
            line.add(_POWERSHELL_DOUBLE_ESCAPE.sub(lambda match: _backtick(match) if match[1] else '"', inside))
        elif text.startswith('\\"', line.position):
            line.position += 2
            line.add('"')
        else:
            line.take_plain(_POWERSHELL_PLAIN, _POWERSHELL_VARIABLE)
    return line.done()


def _backtick(match: re.Match[str]) -> str:
    """Return the character that a backtick and what is behind it stand for."""
    character = match[1].replace("\r\n", "\n")
    return _BACKTICK_LETTERS.get(character, character)
