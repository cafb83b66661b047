"""The reference: every entry of every catalogue in one form, by catalogue, by id and by words.

A catalogue is parsed only when its entries are listed or opened; a search parses all of them once.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property

from oauth.catalogue import catalogues
from oauth.catalogue.catalogues import PARTNER, find_entry
from oauth.catalogue.entries import Answer, DocumentedError, Entry, RegisteredError, by_id
from oauth.catalogue.examples import words_in
from oauth.catalogue.folding import fold
from oauth.catalogue.provider_errors import Catalogue, ProviderError, matches

REGISTERED, ANSWERS = "registered", "answer"
"""Ids of the sections with the registered codes, and with the failures and responses that are no OAuth error."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz_-"

LONGEST = 64 * 1024
"""Characters of a text that is looked up."""


@dataclass(frozen=True, slots=True)
class Section:
    """A catalogue as it is listed. ``problem`` says why a file of your own is not used."""

    id: str
    name: str
    is_own: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Article:
    """An entry as the reference shows it; what its catalogue does not have is empty.

    ``entry`` is its id, ``section`` that of its catalogue. ``words`` are texts on the wire, with ``{name}`` for a
    value. ``source`` is an address or names a specification. ``spec`` is the registered code that the entry stands
    for, ``support`` what the provider's support asks for. ``newer`` are the facts that a newer page of the
    documentation, at ``newer_source``, adds to the remedy.
    """

    entry: str
    section: str
    title: str
    cause: str
    remedy: tuple[str, ...]
    number: str = ""
    code: str = ""
    words: tuple[str, ...] = ()
    status: int | None = None
    endpoints: tuple[str, ...] = ()
    grant: str = ""
    example: str = ""
    example_request: str = ""
    source: str = ""
    source_date: date | None = None
    spec: str = ""
    support: str = ""
    newer: tuple[str, ...] = ()
    newer_source: str = ""

    @property
    def short_id(self) -> str:
        """The id as it is listed among those of its section."""
        return self.entry.removeprefix(f"{self.section}/")

    @cached_property
    def text(self) -> str:
        """All that a search looks at, folded."""
        parts = (
            self.entry,
            self.number,
            self.code,
            *self.words,
            self.title,
            self.cause,
            *self.remedy,
            *self.newer,
            self.spec,
        )
        return fold(" ".join(parts))

    @cached_property
    def names(self) -> frozenset[str]:
        """The folded id, number and code; a number also without its letters."""
        number = self.number.casefold()
        names = (self.entry.casefold(), self.short_id.casefold(), self.code.casefold(), number)
        return frozenset(filter(None, (*names, number.lstrip(_LETTERS))))


def sections() -> tuple[Section, ...]:
    """Return every catalogue: the partner's, your own, those of providers by name, then the rest."""
    own = (
        Section(file.id, file.catalogue.name if file.catalogue else f"{file.id}.toml", True, file.problem)
        for file in catalogues.own()
    )
    built_in = sorted(_names().items(), key=lambda item: item[1].casefold())
    return (
        Section(PARTNER, "Partner API"),
        *own,
        *(Section(id, name) for id, name in built_in),
        Section(REGISTERED, "Registered codes (RFC 6749 and others)"),
        Section(ANSWERS, "Failures and other responses"),
    )


_NAME = re.compile(r'^name = "([^"\\]+)"', re.MULTILINE)


@cache
def _names() -> Mapping[str, str]:
    """Return the names of the built-in catalogues by id, without parsing them."""
    texts = ((path.stem, path.read_text("utf-8")) for path in sorted(catalogues.FOLDER.glob("*.toml")))
    return {id: name[1] if (name := _NAME.search(text)) else id for id, text in texts}


def articles(section: str) -> tuple[Article, ...]:
    """Return the entries of a section in their order; none for an unknown or invalid one."""
    if section in _FIXED:
        return _fixed(section)
    catalogue = catalogues.catalogue(section)
    return _of_catalogue(catalogue) if catalogue else ()


def everything() -> Iterator[Article]:
    """Yield the entries of all sections."""
    for section in sections():
        yield from articles(section.id)


def find(entry: str) -> Article | None:
    """Return the entry with this id, ``None`` for an unknown one."""
    known = find_entry(entry)
    return next((it for it in articles(section_of(known)) if it.entry == entry), None) if known else None


def section_of(entry: Entry | ProviderError) -> str:
    """Return the id of the section that an entry is in."""
    if isinstance(entry, ProviderError):
        return entry.catalogue
    return next(id for id, kind in _FIXED.items() if isinstance(entry, kind))


def search(query: str, first: str = "") -> tuple[Article, ...]:
    """Return the entries that have all words of a query, the likeliest first.

    First come those whose id, number or code is the query, then those of the section ``first``, then those that have
    the words in the title.
    """
    folded = fold(query[:LONGEST])
    words = folded.split()

    def place(article: Article) -> tuple[bool, bool, bool]:
        title = article.title.casefold()
        is_named = folded in article.names
        return not is_named, article.section != first, not all(word in title for word in words)

    hits = [article for article in everything() if all(word in article.text for word in words)]
    return tuple(sorted(hits, key=place))


def named(name: str) -> tuple[Article, ...]:
    """Return the entries whose id, number or code is this, in any letter case; a number also without its letters."""
    folded = name.casefold()
    return tuple(article for article in everything() if folded in article.names)


def recognised(text: str) -> tuple[Article, ...]:
    """Return the entries that an answer with this text may be: a body, a callback's query, or the words of one.

    Those that the code alone tells are returned where no other one is.
    """
    text = text[:LONGEST]
    words = words_in(text)
    hits = [it.entry for it in by_id().values() if isinstance(it, DocumentedError) and _says(words.all_texts(), it)]
    by_code: list[str] = []
    for catalogue in catalogues.that_may_have(words):
        for error in catalogue.errors:
            if matches(error, words):
                (hits if error.number or error.description or error.pattern else by_code).append(error.entry)
    return tuple(article for entry in hits or by_code if (article := find(entry)))


def _says(texts: Iterable[str], entry: DocumentedError) -> bool:
    names = {fold(text).rstrip(". ") for text in (entry.description, entry.human_title) if text}
    return any(fold(text).rstrip(". ") in names for text in texts)


_FIXED: Mapping[str, type[Entry]] = {PARTNER: DocumentedError, REGISTERED: RegisteredError, ANSWERS: Answer}


@cache
def _fixed(section: str) -> tuple[Article, ...]:
    return tuple(map(_article, (entry for entry in by_id().values() if isinstance(entry, _FIXED[section]))))


_last_of: dict[str, tuple[Catalogue, tuple[Article, ...]]] = {}
"""The entries of each catalogue as it was parsed last; a changed file is another value."""


def _of_catalogue(catalogue: Catalogue) -> tuple[Article, ...]:
    source, entries = _last_of.get(catalogue.id, (None, ()))
    if source is not catalogue:
        entries = tuple(_of_provider(error, catalogue) for error in catalogue.errors)
        _last_of[catalogue.id] = (catalogue, entries)
    return entries


def _article(entry: Entry) -> Article:
    if isinstance(entry, DocumentedError):
        return Article(
            entry.entry,
            PARTNER,
            entry.title,
            entry.cause,
            entry.remedy,
            number=str(entry.number),
            code=entry.error,
            words=tuple(dict.fromkeys(filter(None, (entry.description, entry.human_title)))),
            status=entry.status,
            endpoints=(entry.endpoint,),
            example=entry.example.strip(),
            example_request=entry.example_request.strip(),
            source=f"Authorization errors, number {entry.number}",
            support="The request, the whole response and its Request ID",
            newer=entry.newer,
            newer_source=entry.newer_source,
        )
    if isinstance(entry, RegisteredError):
        return Article(
            entry.entry,
            REGISTERED,
            entry.title,
            f"{entry.cause} {entry.note}".rstrip(),
            entry.remedy,
            code=entry.code,
            endpoints=entry.where,
            source=entry.reference,
        )
    words = (entry.text,) if entry.text else ()
    return Article(entry.entry, ANSWERS, entry.title, entry.cause, entry.remedy, words=words)


def _of_provider(error: ProviderError, catalogue: Catalogue) -> Article:
    return Article(
        error.entry,
        catalogue.id,
        error.title,
        error.cause,
        error.remedy,
        number=error.number,
        code=error.code,
        words=tuple(filter(None, (error.description, error.pattern))),
        status=error.status,
        endpoints=(error.endpoint,) if error.endpoint else (),
        grant=error.grant,
        example=error.example.strip(),
        source=error.source,
        source_date=error.date,
        spec=error.spec,
        support=error.request_id or catalogue.request_id,
    )
