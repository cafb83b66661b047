"""Split command lines into words as POSIX shells, cmd and PowerShell do. Nothing is expanded or run."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from oauth.lenient_json import ParseError

NOT_EXPANDED = "shell variable or substitution was not expanded"

_ANSI = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_ANSI_CODE = re.compile(r"x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})")
_POWERSHELL = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_REDIRECTION = re.compile(r"(?:[012]|&)?>{1,2}(?:&[012-])?|<")
_TARGET = re.compile(r"[ \t]*(?:'[^']*'|\"[^\"]*\"|[^\s;|&'\"])+")
_VARIABLE = re.compile(r"\$[\w{(]|`")
_POWERSHELL_VARIABLE = re.compile(r"\$[\w{(:]")
_CMD_VARIABLE = re.compile(r"%\w+%")


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
    notes: dict[str, None] = field(default_factory=dict)
    word: list[str] | None = None

    def add(self, piece: str) -> None:
        if self.word is None:
            self.word = []
        self.word.append(piece)

    def close(self) -> None:
        if self.word is not None:
            self.words.append("".join(self.word))
            self.word = None

    def done(self) -> Words:
        self.close()
        return Words(self.words, self.position, list(self.notes))

    def unclosed(self, start: int) -> ParseError:
        return ParseError("the quote that opens here is not closed.", self.text, start)


def posix(text: str, start: int) -> Words:
    r"""Split a POSIX command line, with bash's ``$'...'``; ``\`` at the end of a line continues it."""
    line = _Line(text, start)
    while line.position < len(text):
        sign, following = text[line.position], text[line.position + 1 : line.position + 2]
        if sign in ";|&\n)" and not _redirected(line):
            break
        if sign == "#" and line.word is None:
            line.position = _end_of_line(text, line.position)
        elif sign in " \t\r":
            line.close()
            line.position += 1
        elif sign == "\\":
            if following == "\r" and text[line.position + 2 : line.position + 3] == "\n":
                line.position += 1
            elif following != "\n":
                line.add(following)
            line.position += 2
        elif sign == "'":
            _single(line)
        elif sign == '"' or (sign == "$" and following == '"'):
            line.position += sign == "$"
            _double(line)
        elif sign == "$" and following == "'":
            _ansi(line)
        elif line.word is None and (redirection := _REDIRECTION.match(text, line.position)):
            _skip_target(line, redirection)
        else:
            if _VARIABLE.match(text, line.position):
                line.notes.setdefault(NOT_EXPANDED)
            line.add(sign)
            line.position += 1
    return line.done()


def _redirected(line: _Line) -> bool:
    return line.word is None and bool(_REDIRECTION.match(line.text, line.position))


def _skip_target(line: _Line, redirection: re.Match[str]) -> None:
    """Step over a redirection and the file it names."""
    line.position = redirection.end()
    if "&" in redirection[0][1:]:
        return
    target = _TARGET.match(line.text, line.position)
    line.position = target.end() if target else line.position


def _single(line: _Line) -> None:
    end = line.text.find("'", line.position + 1)
    if end < 0:
        raise line.unclosed(line.position)
    line.add(line.text[line.position + 1 : end])
    line.position = end + 1


def _double(line: _Line) -> None:
    text, opened = line.text, line.position
    line.add("")
    line.position += 1
    while line.position < len(text):
        sign = text[line.position]
        if sign == '"':
            line.position += 1
            return
        if sign == "\\" and text[line.position + 1 : line.position + 2] in ('"', "\\", "$", "`", "\n"):
            following = text[line.position + 1]
            line.add("" if following == "\n" else following)
            line.position += 2
            continue
        if _VARIABLE.match(text, line.position):
            line.notes.setdefault(NOT_EXPANDED)
        line.add(sign)
        line.position += 1
    raise line.unclosed(opened)


def _ansi(line: _Line) -> None:
    text, opened = line.text, line.position
    line.add("")
    line.position += 2
    octets = bytearray()
    while line.position < len(text):
        sign = text[line.position]
        line.position += 1
        if sign == "'":
            line.add(octets.decode("utf-8", "replace"))
            return
        if sign != "\\":
            octets += sign.encode("utf-8", "replace")
        elif code := _ANSI_CODE.match(text, line.position):
            line.position = code.end()
            if code[1] or code[4]:
                octets.append(int(code[1] or code[4], 16 if code[1] else 8) & 255)
            else:
                number = int(code[2] or code[3], 16)
                octets += chr(min(number, 0x10FFFF)).encode("utf-8", "replace")
        else:
            escaped = text[line.position : line.position + 1]
            line.position += 1
            octets += _ANSI.get(escaped, escaped if escaped in "\\'\"?" else "\\" + escaped).encode("utf-8", "replace")
    raise line.unclosed(opened)


def cmd(text: str, start: int) -> Words:
    """Split a cmd command line: resolve carets first, then quotes, as programs for Windows do."""
    plain: list[str] = []
    position, quoted = start, False
    notes: list[str] = []
    while position < len(text):
        sign = text[position]
        if sign == "^" and not quoted:
            position += 1
            if text[position : position + 2] == "\r\n":
                position += 2
            elif text[position : position + 1] == "\n":
                position += 1
            # The character behind a caret is literal, also when the caret ends a line.
            plain.append(text[position : position + 1])
            position += 1
            continue
        if sign == "\n" or (sign in "&|<>" and not quoted):
            break
        if sign == "%" and _CMD_VARIABLE.match(text, position):
            notes = [NOT_EXPANDED]
        quoted ^= sign == '"'
        plain.append(sign)
        position += 1
    return Words(_windows_words("".join(plain)), position, notes)


def _windows_words(text: str) -> list[str]:
    r"""Split as the C runtime does: ``\"`` is a quote, and so is ``""`` inside quotes; others are literal."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = False
    position = 0
    while position < len(text):
        sign = text[position]
        if sign in " \t\r" and not quoted:
            if word is not None:
                words.append("".join(word))
            word = None
            position += 1
            continue
        word = [] if word is None else word
        if sign == "\\":
            run = len(text[position:]) - len(text[position:].lstrip("\\"))
            position += run
            if text[position : position + 1] == '"':
                word.append("\\" * (run // 2))
                if run % 2:
                    word.append('"')
                    position += 1
            else:
                word.append("\\" * run)
        elif sign == '"':
            if quoted and text[position + 1 : position + 2] == '"':
                word.append('"')
                position += 1
            else:
                quoted = not quoted
            position += 1
        else:
            word.append(sign)
            position += 1
    return words if word is None else [*words, "".join(word)]


def powershell(text: str, start: int) -> Words:
    r"""Split a PowerShell command line. ``\"`` is a quote, since Windows PowerShell passes it on as one."""
    line = _Line(text, start)
    while line.position < len(text):
        sign = text[line.position]
        if sign in ";|&\n)}":
            break
        if sign == "#" and line.word is None:
            line.position = _end_of_line(text, line.position)
        elif sign in " \t\r":
            line.close()
            line.position += 1
        elif sign == "`":
            _backtick(line, outside=True)
        elif sign in "'‘’":
            _powershell_single(line)
        elif sign in '"“”':
            _powershell_double(line)
        elif line.word is None and (redirection := _REDIRECTION.match(text, line.position)):
            _skip_target(line, redirection)
        elif text.startswith('\\"', line.position):
            line.add('"')
            line.position += 2
        else:
            if _POWERSHELL_VARIABLE.match(text, line.position):
                line.notes.setdefault(NOT_EXPANDED)
            line.add(sign)
            line.position += 1
    return line.done()


def _backtick(line: _Line, *, outside: bool) -> None:
    line.position += 1
    following = line.text[line.position : line.position + 1]
    if following == "\r" and line.text[line.position + 1 : line.position + 2] == "\n":
        line.position += 1
        following = "\n"
    if not (outside and following == "\n"):
        line.add(_POWERSHELL.get(following, following))
    line.position += 1


def _powershell_single(line: _Line) -> None:
    text, opened = line.text, line.position
    line.add("")
    line.position += 1
    while line.position < len(text):
        sign = text[line.position]
        if sign == "'":
            if text[line.position + 1 : line.position + 2] != "'":
                line.position += 1
                return
            line.position += 1
        elif text.startswith('\\"', line.position):
            sign = '"'
            line.position += 1
        line.add(sign)
        line.position += 1
    raise line.unclosed(opened)


def _powershell_double(line: _Line) -> None:
    text, opened = line.text, line.position
    line.add("")
    line.position += 1
    while line.position < len(text):
        sign = text[line.position]
        following = text[line.position + 1 : line.position + 2]
        if sign == "`":
            _backtick(line, outside=False)
            continue
        if sign == "\\" and text[line.position + 1 : line.position + 3] in ('`"', '""'):
            line.position += 1  # \`" and \"" come out as \", which the program reads as a quote
            continue
        if sign == '"':
            if following != '"':
                line.position += 1
                return
            line.position += 1
        if _POWERSHELL_VARIABLE.match(text, line.position):
            line.notes.setdefault(NOT_EXPANDED)
        line.add(sign)
        line.position += 1
    raise line.unclosed(opened)


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end
