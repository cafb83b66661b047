"""The few words in which the SQL of an export differs between the databases.

An export has its rows written by the database itself, as the text that stands in the file: reading a text a row is
several times faster than reading its columns. What is rare or hard to judge in SQL is not: such a row comes raw, as
JSON with its columns, and is written by Python, which is the measure for what SQL writes.
"""

from dataclasses import dataclass

RAW = b"\xfe"
"""What stands before and after a row that SQLite gives as JSON: a byte that no text has."""

RAW_LINE = "!"
"""What a row that PostgreSQL gives as JSON begins with. No row of a file does."""

QUOTES = b"\xff"
"""What SQLite writes for the quotation marks around a cell: a byte that no text has, so that those inside can be
doubled afterwards, in all rows at once."""


@dataclass(frozen=True, slots=True)
class Sql:
    """How one of the databases says it. All texts are SQL expressions, other than those named ``part``."""

    sqlite: bool

    def place(self, text: str, part: str) -> str:
        """Where ``part`` begins in a text, from 1 on; 0 where it is not."""
        return f"{'instr' if self.sqlite else 'strpos'}({text}, {literal(part)})"

    def before(self, text: str, part: str) -> str:
        """A text up to ``part``, which must be in it."""
        if self.sqlite:
            return f"substr({text}, 1, {self.place(text, part)} - 1)"
        return f"split_part({text}, {literal(part)}, 1)"

    def has(self, text: str, part: str) -> str:
        """Whether ``part`` is in a text."""
        # GLOB finds a character with strchr, several times faster than instr.
        if self.sqlite and not set(part) & set("*?["):
            return f"{text} GLOB {literal(f'*{part}*')}"
        return f"{self.place(text, part)} > 0"

    def is_ascii(self, text: str) -> str:
        """Whether a text has nothing beyond ASCII."""
        return f"length({text}) = {self.size(text)}"

    def size(self, text: str) -> str:
        """The bytes of a text."""
        return f"length(CAST({text} AS BLOB))" if self.sqlite else f"octet_length({text})"

    def has_any_case(self, text: str, part: str) -> str:
        """Whether ``part``, in lower case and ASCII, is in a text in any case."""
        if self.sqlite:
            return f"{text} LIKE {literal(f'%{part}%')}"
        return f'strpos(lower({text} COLLATE "C"), {literal(part)}) > 0'

    def between(self, text: str, first: str, end: str) -> str:
        """Whether a text is at or after ``first`` and before ``end``, by its bytes."""
        collated = text if self.sqlite else f'{text} COLLATE "C"'
        return f"{collated} >= {literal(first)} AND {collated} < {literal(end)}"

    def raw(self, columns: tuple[str, ...], known: str) -> str:
        """A row as JSON with ``known`` as one more member, with what marks it as such."""
        if self.sqlite:
            members = ", ".join(f"{literal(name)}, {quoted(name)}" for name in columns)
            return f"{blob(RAW)} || json_object({members}, 'known', {known}) || {blob(RAW)}"
        return f"{literal(RAW_LINE)} || row_to_json(exchanges)::text"


def literal(text: str) -> str:
    """A text in SQL, where a backslash means nothing (PostgreSQL's ``standard_conforming_strings``)."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """The name of a column."""
    return f'"{name}"'


def blob(octets: bytes) -> str:
    """Bytes in SQLite's SQL."""
    return f"x'{octets.hex()}'"
