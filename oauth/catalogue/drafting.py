"""A new entry of a catalogue: drafted from an answer, checked field by field, and tried out on what it may match."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import msgspec

from oauth.addresses import host_of
from oauth.catalogue import catalogues, examples
from oauth.catalogue.entries import registered
from oauth.catalogue.explain import callback_url
from oauth.catalogue.matcher import ENDPOINTS_OF, Match, match
from oauth.catalogue.provider_errors import Catalogue, Head, ProviderError, Words, faults, host_fault, matches
from oauth.exchange import Exchange, Step
from oauth.providers.terms import catalogue_of
from oauth.providers.validation import Problem
from oauth.redaction import PLACEHOLDER

LONGEST_EXAMPLE = 4096
"""Characters of an answer that an entry keeps as its example."""

MEANINGS: Mapping[str, str] = {
    "id": "Short and stable: letters, digits and . _ - /. It is in addresses, in the history and in exports.",
    "title": "What happened, in one line.",
    "code": "The error code of the answer, exactly.",
    "number": "An error number in the answer, such as AADSTS700082, or a code with its subcode, such as 190/460.",
    "description": "The words of the answer, exactly.",
    "pattern": "The words with {name} for each value in them, and {rest} at the end for anything more.",
    "status": "The HTTP status, from 100 to 599.",
    "endpoint": "The endpoint that answers so, if it is one only.",
    "grant": "The grant type, where the error belongs to one only.",
    "spec": "The registered code that this error stands for: its causes are checked then.",
    "cause": "Why it happens, in a sentence or two.",
    "remedy": "What to do, one step a line.",
    "source": "The address of the page that documents it.",
    "date": "The day on which the page said so.",
    "request_id": "What support asks for, if it is another than the catalogue's.",
    "example": "The body of the response, the query of the callback, or the words, as documented.",
}
"""The fields of an entry in the order of the form, each with its meaning."""

HEAD: Mapping[str, str] = {
    "name": "The provider's name.",
    "documentation": "The address of the page with its errors.",
    "hosts": "The hosts that it speaks for, with commas between them; *.example.com for any subdomain.",
    "request_id": "What the provider's support asks for, and where it is.",
}
"""The fields of a catalogue, each with its meaning."""

_WRONG = {
    "source": "must be an address that begins with https://",
    "documentation": "must be an address that begins with https://",
    "status": "must be a number from 100 to 599",
    "date": "must be a day such as 2026-11-29",
}
_TELLING = ("code", "number", "description", "pattern")
_FAULTY = re.compile(r"([a-z_]+): (.*)", re.DOTALL)


def draft(exchange: Exchange, today: date) -> dict[str, Any]:
    """Return the fields of an entry as far as an answer says them. Its secrets are placeholders, and stay some."""
    error, words = _read(exchange)
    values: dict[str, Any] = {}
    if error is not None:
        values |= {"code": error.error, "number": next(iter(words.numbers), "")}
        is_pattern = PLACEHOLDER.search(error.description)
        values["pattern" if is_pattern else "description"] = PLACEHOLDER.sub(r"{\1}", error.description)
        values["spec"] = error.error if error.error in registered() else ""
        values["id"] = slug(values["number"] or error.error or error.description)
        values["title"] = (
            error.description.rstrip(". ").partition(". ")[0] or error.error.replace("_", " ").capitalize()
        )
        values["title"] = PLACEHOLDER.sub("…", values["title"])[:120]
        values["endpoint"] = next(iter(words.endpoints), "")
    if exchange.response is not None and exchange.step is not Step.CALLBACK:
        values["status"] = exchange.response.status or None
    values |= {"example": _example(exchange, error), "date": today}
    return {name: value for name, value in values.items() if value not in ("", None)}


def words_of(exchange: Exchange) -> Words:
    """Return what the error in an answer is recognised by, empty where none is read."""
    return _read(exchange)[1]


def _read(exchange: Exchange) -> tuple[Match | None, Words]:
    response, step = exchange.response, exchange.step
    if step is Step.CALLBACK:
        error = match(None, (), b"", address=callback_url(exchange.request), step=step)
    elif response is not None:
        error = match(response.status or None, response.headers, response.body, step=step, cut=response.cut)
    else:
        error = None
    if error is None:
        return None, Words()
    return error, Words(error.error, error.description, error.texts, error.numbers, ENDPOINTS_OF[step])


def _example(exchange: Exchange, error: Match | None) -> str:
    """Return the part of an answer that has its error, as ``examples.words_in`` reads it."""
    if exchange.step is Step.CALLBACK:
        return f"?{callback_url(exchange.request).partition('?')[2]}"
    body = exchange.response.body.decode("utf-8", "replace").strip() if exchange.response else ""
    if error is not None and error.where.value.startswith("WWW"):
        body = f"WWW-Authenticate: {error.matched_text}"
    if len(body) > LONGEST_EXAMPLE or (error is None and not body.startswith(("{", "["))):
        return error.description if error else ""
    return body


def slug(text: str) -> str:
    """Return an id for an entry, made of a code, a number or words."""
    return re.sub(r"[^A-Za-z0-9._/-]+", "-", PLACEHOLDER.sub("", text)[:80]).strip("-._/")[:48].rstrip("-")


def without_secrets(text: str, redacted: Callable[[str], str]) -> str:
    """Return a text with an invented value in place of each secret that ``redacted`` finds, and of each placeholder.

    A text with invented values only is returned as it is.
    """
    return PLACEHOLDER.sub("example-value", redacted(text))


def secrets_in(values: Mapping[str, Any], redacted: Callable[[str], str]) -> Iterator[Problem]:
    """Yield the fields with a secret in them."""
    for name, value in values.items():
        text = value if isinstance(value, str) else "\n".join(value) if isinstance(value, list | tuple) else ""
        if without_secrets(text, redacted) != text:
            yield Problem(name, "has a secret in it; put an invented value in its place")


def problems(values: Mapping[str, Any], ids: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return the problems of an entry's fields; ``ids`` are those of the other entries of its catalogue."""
    found = list(_of_fields(ProviderError, values))
    wrong = {problem.field for problem in found}
    valid = {name: value for name, value in values.items() if name not in wrong}
    entry = ProviderError(
        **{name: "" for name in ProviderError.__struct_fields__ if name not in ("status", "endpoint")} | valid
    )
    for fault in faults(entry, ids):
        parts = _FAULTY.fullmatch(fault)
        name, text = (parts[1], parts[2]) if parts else (_TELLING[0], fault)
        if name not in wrong:
            found.append(Problem(name, text))
    return tuple(found)


def head_problems(values: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return the problems of a catalogue's own fields."""
    found = list(_of_fields(Head, values))
    if fault := host_fault(values.get("hosts", ())):
        found.append(Problem("hosts", fault))
    return tuple(found)


def _of_fields(kind: type[msgspec.Struct], values: Mapping[str, Any]) -> Iterator[Problem]:
    for field in msgspec.structs.fields(kind):
        if field.name not in values:
            if field.required:
                yield Problem(field.name, "is missing")
            continue
        try:
            msgspec.convert(values[field.name], field.type)
        except msgspec.ValidationError as error:
            yield Problem(field.name, _WRONG.get(field.name, str(error).partition(" - at ")[0]))


@dataclass(frozen=True, slots=True)
class Trial:
    """What an entry matches: the answer that it is made from, and entries whose own examples it would claim.

    ``answer`` is ``None`` where there is none. ``silent`` is the reason for which the answer's catalogue would not be
    asked, empty without one.
    """

    answer: bool | None
    silent: str
    example: bool
    claimed: tuple[str, ...]


def try_out(entry: ProviderError, head: Catalogue, exchange: Exchange | None) -> Trial:
    """Try an entry of a catalogue on the answer that it documents, and on the examples of all other catalogues."""
    example = examples.words_in(entry.example, entry.status)
    claimed = (it for it, words in _examples() if it.partition("/")[0] != entry.catalogue and matches(entry, words))
    return Trial(
        None if exchange is None else matches(entry, words_of(exchange)),
        _silence(head, exchange) if exchange is not None else "",
        matches(entry, example),
        tuple(claimed),
    )


def _silence(head: Catalogue, exchange: Exchange) -> str:
    named = catalogue_of(exchange.provider)
    if named:
        if named == head.id:
            return ""
        return f"The profile {exchange.provider} names the catalogue {named}, which is asked instead of this one."
    if exchange.step is Step.CALLBACK:
        return (
            f"A callback has no host: name this catalogue in the profile ({exchange.provider or 'none here'}), "
            "in its field catalogue."
        )
    host = host_of(exchange.request.url)
    if host and not head.speaks_for(host):
        return f"Add {host} to the hosts of this catalogue, or it is asked only where nothing says whose answer it is."
    return ""


@cache
def _examples() -> tuple[tuple[str, Words], ...]:
    """Return what the examples of the built-in catalogues say, by the ids of their entries."""
    found = (catalogues.catalogue(id) for id in catalogues.built_in())
    return tuple(
        (error.entry, examples.words_in(error.example, error.status)) for it in found if it for error in it.errors
    )


def speaker_for(exchange: Exchange) -> str:
    """Return the id of your own catalogue that speaks for an answer, empty without one."""
    own = {file.id for file in catalogues.own()}
    if (named := catalogue_of(exchange.provider)) in own:
        return named
    host = host_of(exchange.request.url) if exchange.step is not Step.CALLBACK else ""
    found = catalogues.for_host(host) if host else None
    return found.id if found and found.id in own else ""
