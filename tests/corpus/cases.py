"""The texts of the corpus and of the kinds, each with what is right."""

import tomllib
from functools import cache
from pathlib import Path

import msgspec

HERE = Path(__file__).parent


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One failed exchange. A member that is absent is not asked for, but a number that is absent may not be claimed.

    An ``error`` or ``error_description`` that is empty, and a ``status`` of 0, are known not to be in the text. An
    ``error_description`` with an ellipsis at its end is the beginning: the text cuts it, or goes on with ids.
    """

    documented: int | None = None
    error: str | None = None
    error_description: str | None = None
    status: int | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text and its truth.

    ``errors`` has every failed exchange that a careful reader sees; ``None`` where it is not asked for. No output may
    show one of ``secrets``. ``proven`` is the whole set of proven causes, ``None`` where it is not decided; no cause
    of ``proven_not`` may be proven, none of ``possible_not`` proven or possible, and no title one of ``title_not``.
    ``source`` is the public report whose shape the text has: its values and words are invented. ``known_wrong`` is the
    reason why the console reads it wrongly.
    """

    file: str
    software: str = ""
    provider: str = ""
    source: str = ""
    note: str = ""
    errors: tuple[Failure, ...] | None = None
    secrets: tuple[str, ...] = ()
    proven: tuple[str, ...] | None = None
    proven_not: tuple[str, ...] = ()
    possible_not: tuple[str, ...] = ()
    title_not: tuple[str, ...] = ()
    known_wrong: str = ""
    folder: str = ""

    @property
    def name(self) -> str:
        """The name of the file without its ending."""
        return self.file.removesuffix(".txt")

    @property
    def path(self) -> Path:
        """The file of the text."""
        return HERE / self.folder / self.file

    @property
    def text(self) -> str:
        """The text as it was pasted."""
        return self.path.read_bytes().decode()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    text: list[Case] = []


@cache
def corpus() -> tuple[Case, ...]:
    """Return the texts of public reports."""
    return _load(HERE / "expected.toml", "texts")


@cache
def heldout() -> tuple[Case, ...]:
    """Return the texts that were gathered after the readers were made, and their truth before the first run."""
    return _load(HERE / "heldout" / "expected.toml", "heldout")


@cache
def kinds() -> tuple[Case, ...]:
    """Return the smallest text of each kind that was once read wrongly."""
    return _load(HERE / "kinds" / "expected.toml", "kinds")


def _load(file: Path, folder: str) -> tuple[Case, ...]:
    """Read a file of expectations. Raises ``ValueError`` where it and the folder of its texts differ."""
    tables = msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File).text
    names, texts = [case.file for case in tables], {path.name for path in (HERE / folder).glob("*.txt")}
    if len(names) != len(set(names)) or set(names) != texts:
        different = sorted(set(names) ^ texts) or sorted(name for name in names if names.count(name) > 1)
        raise ValueError(f"{file.name} and the texts of {folder} differ: {', '.join(different)}")
    return tuple(msgspec.structs.replace(case, folder=folder) for case in tables)
