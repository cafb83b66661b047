"""Try a catalogue out: read its documented examples, or a text, and see which of its errors they are."""

from collections.abc import Iterator

from oauth.catalogue.catalogues import first_match
from oauth.catalogue.matcher import Match, match
from oauth.catalogue.provider_errors import Catalogue, ProviderError, Words
from oauth.catalogue.shapes import read_form


def words_in(text: str, status: int | None = None) -> Words:
    """Return what a response body, the query of a callback, a challenge, or a sentence says."""
    error = _error_in(text.strip(), status)
    return Words(error.error, error.description, error.texts, error.numbers) if error else Words("", text.strip())


def _error_in(text: str, status: int | None) -> Match | None:
    if text.lower().startswith("www-authenticate:"):
        return match(status, (("WWW-Authenticate", text.partition(":")[2].strip()),), b"")
    if "?" in text.partition("=")[0] and not text.startswith(("{", "[", "<")):
        return match(status, (), b"", address=text)
    if text.startswith(("{", "[", "<", "error=")) or read_form(text):
        return match(400 if status is None else status, (), text.encode())
    return None


def find(catalogue: Catalogue, text: str, status: int | None = None) -> ProviderError | None:
    """Return the error of a catalogue that a text is, ``None`` for a text of no error of it."""
    return first_match(catalogue.errors, words_in(text, status))


def faults(catalogue: Catalogue) -> Iterator[str]:
    """Yield the entries whose own example is not recognised, or is recognised as another entry."""
    for error in catalogue.errors:
        words = words_in(error.example, error.status)
        endpoints = (error.endpoint,) if error.endpoint else ()
        other = first_match(
            catalogue.errors, Words(words.code, words.description, words.texts, words.numbers, endpoints)
        )
        if other is None:
            yield f"{error.id}: its example is not recognised; it says {quoted(words) or 'nothing'}."
        elif other is not error:
            yield f"{error.id}: its example is recognised as {other.id}; put the entry that asks for more first."


def quoted(words: Words) -> str:
    """Return what an answer says, in one line."""
    parts = {"code": words.code, "description": words.description, "numbers": ", ".join(words.numbers)}
    return ", ".join(f"{name} {value!r}" for name, value in parts.items() if value)
