"""The catalogues of providers, the built-in ones and your own, and which of them speaks for an answer.

A built-in file is parsed only when an answer may be in it, because parsing all of them takes longer than a diagnosis.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from oauth import own_files
from oauth.catalogue.entries import CatalogueError, Entry, by_id, registered
from oauth.catalogue.folding import fold
from oauth.catalogue.provider_errors import (
    BEGINNING,
    MAX_BYTES,
    Catalogue,
    ProviderError,
    Words,
    beginning,
    literals,
    matches,
    read,
    without_port,
)
from oauth.catalogue.shapes import bare, known_texts
from oauth.providers import terms
from oauth.settings import home_of

FOLDER = Path(__file__).with_name("providers")
"""The folder of the built-in catalogues."""

_DISTINCT = 24
"""Characters of words that only one provider is taken to say; shorter ones, such as ``Not found``, anyone may say."""

PARTNER = terms.PARTNER
"""Id of the catalogue with the eleven numbered errors, which has files of its own."""


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A file with a catalogue, or with the problem for which it is not used."""

    id: str
    catalogue: Catalogue | None
    problem: str = ""


def load(path: Path) -> Catalogue:
    """Return the catalogue of a file. Raises ``CatalogueError``."""
    try:
        file = path.stat()
        # Two changes may have the same time: it has the step of the kernel's clock.
        return _parsed(path, (file.st_mtime_ns, file.st_ino, file.st_size))
    except OSError as error:
        raise CatalogueError(f"{path.name} cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=256)
def _parsed(path: Path, _version: tuple[int, ...]) -> Catalogue:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    try:
        return read(content.decode("utf-8-sig"), path.stem, path.name)
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path.name} is not UTF-8 text.") from error


def own_folder() -> Path:
    """Return the folder of your own catalogues, or of their copies where consoles share them."""
    return own_files.folder(home(), own_files.Kind.CATALOGUE)


def home() -> Path:
    """Return the folder of everything that the console keeps."""
    return _home(os.environ.get("CONSOLE_HOME", ""))


@lru_cache(maxsize=8)
def _home(text: str) -> Path:
    return home_of({"CONSOLE_HOME": text})  # making a path takes long, and every error asks for it


def own() -> tuple[CatalogueFile, ...]:
    """Return your own catalogues by file name, invalid files with their problem."""
    try:
        paths = sorted(own_folder().iterdir())  # much faster than ``glob``, and every error of a paste asks
    except OSError:
        return ()
    return tuple(_own_file(path) for path in paths if path.name.endswith(".toml"))


def _own_file(path: Path) -> CatalogueFile:
    if path.stem in reserved():
        return CatalogueFile(path.stem, None, f"{path.name} has the name of a built-in catalogue; rename it.")
    try:
        return CatalogueFile(path.stem, load(path))
    except CatalogueError as error:
        return CatalogueFile(path.stem, None, str(error))


@cache
def reserved() -> frozenset[str]:
    """Return the ids that no catalogue of your own may have: entries of others begin with them."""
    return frozenset((PARTNER, "registered", *_paths(), *(id.partition("/")[0] for id in by_id())))


def catalogue(id: str) -> Catalogue | None:
    """Return the built-in catalogue, or your own, with this id; ``None`` without one."""
    if path := _paths().get(id):
        return load(path)
    return next((file.catalogue for file in own() if file.id == id), None)


def all_catalogues() -> tuple[Catalogue, ...]:
    """Return every valid catalogue, the built-in ones first."""
    return (*map(load, _paths().values()), *(file.catalogue for file in own() if file.catalogue))


def for_host(host: str) -> Catalogue | None:
    """Return the catalogue that speaks for a host, your own first."""
    for file in own():
        if file.catalogue and file.catalogue.speaks_for(host):
            return file.catalogue
    id = _built_in_for(host)
    return load(_paths()[id]) if id else None


@lru_cache(maxsize=1024)
def _built_in_for(host: str) -> str:
    known = [at for pattern in _patterns_of(host) if (at := _hosts().get(pattern)) is not None]
    return tuple(_paths())[min(known)] if known and host else ""


def that_may_have(words: Words) -> Iterator[Catalogue]:
    """Yield the catalogues that may have an entry for these words; any other has none."""
    beginnings = [start for text in words.all_texts() for start in (beginning(text), "")]  # a pattern may have none
    clues = [*map(fold, filter(None, (words.code, *words.all_numbers()))), *beginnings]
    ids = dict.fromkeys(id for clue in clues for id in _clues().get(clue, ()))
    yield from (load(_paths()[id]) for id in ids)
    yield from (file.catalogue for file in own() if file.catalogue)


@cache
def _paths() -> Mapping[str, Path]:
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


@cache
def _hosts() -> Mapping[str, int]:
    """Return the place among the built-in catalogues of the first that has each host or pattern of hosts."""
    hosts: dict[str, int] = {}
    for place, patterns in enumerate(_listed("hosts").values()):
        for pattern in patterns:
            hosts.setdefault(pattern, place)
    return hosts


def _patterns_of(host: str) -> Iterator[str]:
    """Yield every spelling by which a catalogue may have a host, as ``speaks_for`` reads them."""
    name = without_port(host)
    yield from (host, name)
    end = name[-_longest_host() :]
    yield from (f"*{end[at:]}" for at, sign in enumerate(end) if sign == ".")


@cache
def _longest_host() -> int:
    return max(map(len, _hosts()))


@cache
def _texts() -> Mapping[str, str]:
    return {id: path.read_text("utf-8") for id, path in _paths().items()}


_LISTS = re.compile(r"^(hosts|shapes) = \[([^\]]*)\]", re.MULTILINE)
_TELLING = re.compile(r"^(code|number|description|pattern) = [\"']+(.*)$", re.MULTILINE)


@cache
def _listed(name: str) -> Mapping[str, tuple[str, ...]]:
    """Return the hosts or shapes of each built-in catalogue, without parsing it."""
    listed = {id: dict(_LISTS.findall(text)).get(name, "") for id, text in _texts().items()}
    return {id: tuple(re.findall(r'"([^"]+)"', values)) for id, values in listed.items()}


@cache
def _clues() -> Mapping[str, Iterable[str]]:
    """Return the ids of the built-in catalogues by the folded codes, numbers and beginnings of texts in them.

    The empty one has the catalogues with a pattern that begins with a value.
    """
    clues: dict[str, dict[str, None]] = {}
    for id, text in _texts().items():
        for name, value in _TELLING.findall(text):
            clue = fold(re.split(r"[\"']", value)[0]) if name in ("code", "number") else beginning(value)
            is_whole = len(clue) == BEGINNING or name in ("code", "number", "description")
            clues.setdefault(clue if is_whole else "", {})[id] = None
    return clues


@dataclass(frozen=True, slots=True)
class Recognised:
    """The provider's error in an answer, and from what it is known; or several that it may be, of other providers."""

    error: ProviderError | None = None
    known_by: str = ""
    offered: tuple[ProviderError, ...] = ()


def recognise(words: Words, speaker: Catalogue | None, known_by: str, *, is_open: bool) -> Recognised:
    """Recognise the error in an answer with these words.

    ``speaker`` is the catalogue that speaks for the answer, by what ``known_by`` says. Without one, and with
    ``is_open`` because nothing says whose answer it is, words count that one catalogue alone has. A code alone is no
    such words: other servers may have the same. What may be several providers' is offered, but for codes that are
    every server's.
    """
    if speaker is not None:
        error = first_match(speaker.errors, words)
        return Recognised(error, known_by) if error else Recognised()
    errors = [error for it in that_may_have(words) if (error := first_match(it.errors, words))]
    telling = [error for error in errors if _has_number(error) or (is_open and _has_words(error))]
    if len(telling) == 1:
        clue = f"the number {telling[0].number}" if _has_number(telling[0]) else "these words"
        return Recognised(telling[0], f"{clue}, which no other catalogue of this console has")
    own = [error for error in errors if error.code not in registered() or error.description or error.pattern]
    return Recognised(offered=tuple(error for error in own if error.number in ("", *words.numbers)))


def first_match(errors: Iterable[ProviderError], words: Words) -> ProviderError | None:
    """Return the first error that an answer with these words is; one of its endpoint before one of another."""
    hits = [error for error in errors if matches(error, words)]
    here = (error for error in hits if not words.endpoints or error.endpoint in words.endpoints)
    return next(here, hits[0] if hits else None)


def _has_number(error: ProviderError) -> bool:
    """Return whether an error has a number with letters, such as ``AADSTS700082``, that is nobody else's."""
    return any(map(str.isalpha, error.number))


def _has_words(error: ProviderError) -> bool:
    """Return whether an error has words that are long enough to be one provider's, and not known to be shared."""
    texts = literals(error.pattern) if error.pattern else (bare(error.description),)
    return sum(map(len, texts)) >= _DISTINCT and texts[0] not in known_texts(but_of=error.catalogue)


def name_of(id: str) -> str:
    """Return the name of the provider whose catalogue has this id."""
    owner = catalogue(id)
    return owner.name if owner else id


def find_entry(entry: str) -> Entry | ProviderError | None:
    """Return the entry with this id, such as ``rfc6749/invalid_grant`` or ``github/bad_verification_code``."""
    if known := by_id().get(entry):
        return known
    owner = catalogue(entry.partition("/")[0])
    return next((error for error in owner.errors if error.entry == entry), None) if owner else None


def remedy_of(entry: str) -> tuple[str, ...]:
    """Return the remedy of the entry with this id, a line each; empty when the id is unknown."""
    match = find_entry(entry)
    return match.remedy if match else ()


def for_shape(shape: str) -> Catalogue | None:
    """Return the catalogue whose alone a shape of a body is."""
    id = _ids_by_shape().get(shape)
    return catalogue(id) if id else None


@cache
def _ids_by_shape() -> Mapping[str, str]:
    return {name: id for id, names in [*_listed("shapes").items()][::-1] for name in names}
