"""Columns of tables whose head has the name of a secret: CSV, TSV, Markdown, consoles of databases, SQL inserts."""

import re
from collections.abc import Iterator
from itertools import pairwise

from oauth.redaction.names import is_random, secret_kind
from oauth.redaction.occurrences import Occurrence

_SEPARATORS = "\t|;,"
_MARGIN = " \t\r\"'`*"
_HEAD = re.compile(r"""(?m)^[ \t"'`*]*+(?=[A-Za-z_|])[\w "'`*.-]*+[|;,\t][\w |;,\t"'`*.-]*+\r?$""", re.ASCII)
_RULE = re.compile(r"[\s|:+=-]*")
_INSERT = re.compile(r"(?i)\(([^()]{1,4000})\)\s{0,99}values?\s{0,99}(?=\()")
_SQL = re.compile(r"""[()]|'(?:[^'\\]|''|\\.)*+'|"(?:[^"\\]|""|\\.)*+"|[^\s,()'"]+|,|;""", re.DOTALL)

_STATEMENT = re.compile(r"(?i)\b(?:insert\s{1,9}into|update|select|delete\s{1,9}from)\s[^\n]{1,4000}")
_BOUND = re.compile(r"(?:\$|:p?|@p?)[0-9]{1,3}\b|\?|%s|[:@][a-z_]{2,60}\b|%\([a-z_]{1,60}\)s")
_SQL_NAME = re.compile(r"[A-Za-z_]\w{2,60}")
_PARAMETER = re.compile(r"""[^\s"'`()\[\]{},;=«»]{12,4000}+""")
_MOST_PARAMETER_LINES, _LONGEST_PARAMETERS = 20, 20_000

_RULED = re.compile(r"(?m)^([^\n]{3,2000})\n([ \t]*(?:-{2,200}[ \t]{1,200}){1,50}-{2,200})[ \t\r]*$")

_WIDEST = 100_000
"""Characters of a line that are read as cells."""

_MOST_COLUMNS = 500

_Columns = dict[int, str]


def find_columns(text: str) -> Iterator[Occurrence]:
    """Yield the cells below the name of a secret that are single words with a digit, or look random."""
    done = 0
    for head in _HEAD.finditer(text):
        separator = next(sign for sign in _SEPARATORS if sign in head[0])
        columns = _columns(head[0], separator) if head.start() >= done else {}
        at = head.end() + 1
        while columns and at < len(text):
            done = text.find("\n", at)
            done = len(text) if done < 0 else done
            line = text[at:done]
            if not _RULE.fullmatch(line):
                cells = _cells(line, separator)
                if len(cells) < 2 or _columns(line, separator):
                    done = at
                    break
                for number, (start, end) in enumerate(cells):
                    if kind := columns.get(number):
                        yield from _find_cell(text, at + start, at + end, kind)
            at = done + 1


def find_inserts(text: str) -> Iterator[Occurrence]:
    """Yield the values of ``INSERT INTO table (columns) VALUES (...), (...)`` in the columns of secrets."""
    done = 0
    for insert in _INSERT.finditer(text):
        names = insert[1].split(",")
        columns = {
            number: kind for number, name in enumerate(names) if (kind := secret_kind(name.strip(_MARGIN + "[]")))
        }
        if not columns or insert.start() < done:
            continue
        depth = number = 0
        for token in _SQL.finditer(text, insert.end()):
            done = token.end()
            if token[0] in "()":
                depth += 1 if token[0] == "(" else -1
                number = 0 if depth <= 1 else number
            elif token[0] == ",":
                number += depth == 1
            elif depth < 1:
                break
            elif depth == 1 and number in columns:
                yield from _find_cell(text, *token.span(), columns[number])


def names_statement(text: str) -> bool:
    """Return whether a text may have an SQL statement."""
    lower = text.lower()
    return any(map(lower.__contains__, ("insert", "update ", "select ", "delete ")))


def find_parameters(text: str) -> Iterator[Occurrence]:
    """Yield the random words among the parameters that a log has behind an SQL statement with the name of a secret."""
    for statement in _STATEMENT.finditer(text):
        places = [place.end() for place in _BOUND.finditer(statement[0])]
        names = _SQL_NAME.findall(statement[0]) if places else ()
        kind = next((kind for name in names if (kind := secret_kind(name))), None)
        if kind is None:
            continue
        start = stop = statement.start() + places[-1]
        for number in range(_MOST_PARAMETER_LINES):
            end = text.find("\n", stop + 1)
            end = len(text) if end < 0 else end
            if number and (not text[stop:end].strip() or _STATEMENT.search(text, stop, end)):
                break
            stop = end
        for word in _PARAMETER.finditer(text, start, min(stop, start + _LONGEST_PARAMETERS)):
            if is_random(word[0]):
                yield Occurrence(*word.span(), kind, (word[0],))


def find_ruled_columns(text: str) -> Iterator[Occurrence]:
    """Yield the cells of tables whose columns a line of hyphens below the head shows, such as those of PowerShell."""
    for table in _RULED.finditer(text):
        spans = list(pairwise([*(rule.start() for rule in re.finditer("-+", table[2])), _WIDEST]))
        kinds = [secret_kind(table[1][start:end].strip().replace(" ", "_")) for start, end in spans]
        at = table.end() + 1
        while any(kinds) and at < len(text):
            stop = text.find("\n", at)
            stop = len(text) if stop < 0 else stop
            if _RULE.fullmatch(text, at, stop):  # an empty line, or another table
                break
            for kind, (start, end) in zip(kinds, spans, strict=True):
                if kind:
                    yield from _find_cell(text, min(at + start, stop), min(at + end, stop), kind)
            at = stop + 1


def _columns(line: str, separator: str) -> _Columns:
    """Return the kinds of secrets by the number of their column, for a line of names."""
    names = [line[start:end].strip(_MARGIN).replace(" ", "_") for start, end in _cells(line, separator)]
    if len(names) < 2 or len(names) > _MOST_COLUMNS or any(name[:1].isdigit() for name in names):
        return {}
    return {number: kind for number, name in enumerate(names) if (kind := secret_kind(name))}


def _cells(line: str, separator: str) -> list[tuple[int, int]]:
    """Return the spans of the cells of a line; a cell in quotes may have the separator in it."""
    cells: list[tuple[int, int]] = []
    start = at = quotes = 0
    for part in line.split(separator):
        at += len(part) + 1
        quotes += part.count('"')
        if quotes % 2 == 0:
            cells.append((start, at - 1))
            start = at
    return cells


def _find_cell(text: str, start: int, end: int, kind: str) -> Iterator[Occurrence]:
    raw = text[start:end]
    start += len(raw) - len(raw.lstrip(_MARGIN))
    value = raw.strip(_MARGIN)
    if is_random(value, 6, named=True):
        yield Occurrence(start, start + len(value), kind, (value,))
