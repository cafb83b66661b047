"""A new entry of a catalogue: drafted from an answer, checked field by field, and tried out on what it may match."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import msgspec

from oauth.addresses import host_of
from oauth.catalogue import catalogues, examples
from oauth.catalogue.entries import registered
from oauth.catalogue.explain import callback_url
from oauth.catalogue.matcher import ENDPOINTS_OF, Match, match
from oauth.catalogue.provider_errors import Catalogue, Head, ProviderError, Words, faults, host_fault, matches
from oauth.catalogue.shapes import is_phrase
from oauth.conversion import convert
from oauth.exchange import Exchange, Request, Response, Step
from oauth.providers.terms import catalogue_of
from oauth.providers.validation import Problem
from oauth.redaction import PLACEHOLDER, Vault
from oauth.redaction.placeholders import FINGERPRINT_FROM

LONGEST_EXAMPLE = 4096
"""Characters of an answer that an entry keeps as its example."""

MEANINGS: Mapping[str, str] = {
    "id": "Short and stable, without spaces: it is in addresses, in the history and in exports.",
    "title": "What happened, in one line.",
    "code": "The error code of the answer, exactly.",
    "number": "An error number in the answer, such as `AADSTS700082`, or a code with its subcode, such as `190/460`.",
    "description": "The words of the answer, exactly.",
    "pattern": "The words with `{name}` for each value in them, and `{rest}` at the end for anything more.",
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
"""The fields of an entry in the order of the form, each with its meaning as Markdown."""

HEAD: Mapping[str, str] = {
    "name": "The provider's name.",
    "documentation": "The address of the page with its errors.",
    "hosts": "The hosts that it speaks for, such as `api.example.com`, or `*.example.com` for any subdomain.",
    "request_id": "What the provider's support asks for, and where it is.",
}
"""The fields of a catalogue, each with its meaning as Markdown."""

_WRONG = {
    "source": "must be an address that begins with https://",
    "documentation": "must be an address that begins with https://",
    "status": "must be a number from 100 to 599",
    "date": "must be a day such as 2026-11-29",
}
INVENTED = "example-value"
"""The text in an entry in place of a secret."""

NO_WORDS = Words()
"""The words of an answer without an error."""

_LONG_WORD = re.compile(rf"[A-Za-z0-9._~+/-]{{{FINGERPRINT_FROM - 1},}}[A-Za-z0-9]")
_VALUES = re.compile(
    r"(?<![\w{])(?:(?P<address>https?://[^\s\"'<>]+[^\s\"'<>.,;:)])"
    r"|(?P<email>[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+)"
    r"|(?P<time>\d{4}-\d{2}-\d{2}(?:[T ][\d:.]{5,15}(?:Z|[+-]\d{2}:?\d{2})?)?|\d{1,2}:\d{2}(?::\d{2})?)"
    r"|(?P<id>(?=[a-z-]{0,64}\d)[\da-z-]{8,64}(?!\w))"
    r"|(?P<number>\d+(?:[.,]\d+)*)(?!\w))"
    r"|(?P<quoted>(?<=[\s(=:]['\"‘“«])[^'\"‘’“”«»{}\n]{1,200}(?=['\"’”»](?!\w)))",
    re.IGNORECASE,
)
"""Values in the words of an answer that are another each time, by their names in a pattern."""

_SECOND_LEVEL = ("ac", "co", "com", "gov", "net", "org")
"""Labels before a country's domain that are no name, as in ``acme.co.uk``."""

_REFUSED = 400
"""The status of an answer that is pasted without one: it is an error, or nobody would document it."""

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_TELLING = ("code", "number", "description", "pattern")
_FAULTY = re.compile(r"([a-z_]+): (.*)", re.DOTALL)


def draft(exchange: Exchange, *, is_step_known: bool = True, today: date) -> dict[str, Any]:
    """Return the fields of an entry as far as a redacted answer says them; placeholders stay in them."""
    error, words = _read(exchange)
    values: dict[str, Any] = {}
    if error is not None:
        code = "" if PLACEHOLDER.search(error.error) else error.error
        status = str(exchange.response.status) if exchange.response else ""
        values |= {"code": code, "number": next((number for number in words.numbers if number != status), "")}
        if not _is_telling(code, exchange):  # the words beside a code of the provider's own are often of one case
            is_pattern = PLACEHOLDER.search(error.description)
            values["pattern" if is_pattern else "description"] = PLACEHOLDER.sub(r"{\1}", error.description)
        values["spec"] = code if code in registered() else ""
        values["id"] = slug(values["number"] or code or error.description)
        values["title"] = _title(error, code)
        values["endpoint"] = next(iter(words.endpoints), "") if is_step_known else ""
    if exchange.response is not None and exchange.step is not Step.CALLBACK:
        values["status"] = exchange.response.status or (error.stated_status if error is not None else None)
    values |= {"example": _example(exchange, error), "date": today}
    return {name: value for name, value in values.items() if value not in ("", None)}


def draft_head(exchange: Exchange) -> dict[str, Any]:
    """Return the fields of a new catalogue as far as an answer says them: it is named after the host."""
    host = host_of(exchange.request.url) if exchange.step is not Step.CALLBACK else ""
    if not host:
        return {}
    labels = host.partition(":")[0].split(".")
    is_name = len(labels) > 1 and not labels[-1].isdigit()
    labels = labels[:-2] if is_name and len(labels) > 2 and labels[-2] in _SECOND_LEVEL else labels[:-1]
    return {"name": labels[-1].capitalize() if is_name else host, "hosts": [host]}


def _is_telling(code: str, exchange: Exchange) -> bool:
    """Return whether a code says by itself which error of its provider it is."""
    status = str(exchange.response.status) if exchange.response else ""
    return bool(code) and code != status and code not in registered() and not is_phrase(code)


def pattern_of(words: str) -> str:
    """Return words with a name for each value that they seem to have; empty where they have none, or too few words."""
    pattern = _VALUES.sub(lambda match: f"{{{match.lastgroup}}}", words)
    is_valid = all(problem.field != "pattern" for problem in problems({"pattern": pattern}))
    return pattern if is_valid and pattern != words else ""


def _title(error: Match, code: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", code).strip()
    sentence = PLACEHOLDER.sub("…", error.description).rstrip(". ").partition(". ")[0]
    is_spoken = re.search(r"[a-z]{4,}\S* ", words, re.IGNORECASE) and code not in registered()
    return (error.human_title or (words.capitalize() if is_spoken or not sentence else sentence))[:120]


def draft_words(text: str, *, today: date) -> dict[str, Any]:
    """Return the fields of an entry that is known by words alone; a structure without an error has no words."""
    if text.startswith(("{", "[", "<")):
        return {"example": text, "date": today}
    title = text.rstrip(". ").partition(". ")[0][:120]
    return {"description": text, "id": slug(title), "title": title, "example": text, "date": today}


def words_of(exchange: Exchange) -> Words:
    """Return what the error in an answer is recognised by, empty where none is read."""
    return _read(exchange)[1]


def _read(exchange: Exchange) -> tuple[Match | None, Words]:
    response, step = exchange.response, exchange.step
    if step is Step.CALLBACK:
        error = match(None, (), b"", address=callback_url(exchange.request), step=step)
    elif response is not None:
        error = match(response.status or _REFUSED, response.headers, response.body, step=step, cut=response.cut)
    else:
        error = None
    if error is None:
        return None, NO_WORDS
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


def without_secrets(name: str, text: str, vault: Vault, redacted: Callable[[str], str]) -> str:
    """Return the text of a field with an invented value in place of each secret and placeholder in it.

    ``redacted`` replaces a word by a placeholder if it is a secret that the console has seen. A text with invented
    values only is returned as it is. Raises what ``redacted`` raises.
    """
    text = _redacted_example(text, vault) if name == "example" else vault.redact_text(text)
    for word in dict.fromkeys(_LONG_WORD.findall(text)):
        if any(map(str.isdigit, word)):
            text = text.replace(word, redacted(word))
    return PLACEHOLDER.sub(INVENTED, text)


def _redacted_example(text: str, vault: Vault) -> str:
    """Redact an example as the response that it is: an error number in it is no secret."""
    if text.startswith("?"):
        return vault.redact_url(text)
    response = Response(_REFUSED, body=text.encode())
    redacted = vault.redact(Exchange(Step.TOKEN, Request("POST", ""), _NEVER, response)).response
    return redacted.body.decode() if redacted else ""


def secrets_in(values: Mapping[str, Any], vault: Vault, redacted: Callable[[str], str]) -> Iterator[Problem]:
    """Yield the fields with a secret in them. Raises what ``redacted`` raises."""
    for name, value in values.items():
        text = value if isinstance(value, str) else "\n".join(value) if isinstance(value, list | tuple) else ""
        if without_secrets(name, text, vault, redacted) != text:
            yield Problem(name, "has a secret in it; put an invented value in its place")


def problems(values: Mapping[str, Any], ids: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return the problems of an entry's fields; ``ids`` are those of the other entries of its catalogue."""
    results = list(_of_fields(ProviderError, values))
    wrong = {problem.field for problem in results}
    entry = entry_of({name: value for name, value in values.items() if name not in wrong})
    for fault in faults(entry, ids):
        parts = _FAULTY.fullmatch(fault)
        name, text = (parts[1], parts[2]) if parts else (_TELLING[0], fault)
        if name not in wrong:
            results.append(Problem(name, text))
    return tuple(results)


def entry_of(values: Mapping[str, Any], catalogue: str = "") -> ProviderError:
    """Return an entry with these values, empty where there is none."""
    texts = (field.name for field in msgspec.structs.fields(ProviderError) if field.required)
    return ProviderError(**{**dict.fromkeys(texts, ""), **values, "catalogue": catalogue})


def new_catalogue(head: Mapping[str, Any]) -> Catalogue:
    """Return a catalogue that is not written yet, without entries and without an id."""
    return Catalogue("", head.get("name", ""), head.get("documentation", ""), (), tuple(head.get("hosts", ())))


def head_problems(values: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return the problems of a catalogue's own fields."""
    results = list(_of_fields(Head, values))
    if fault := host_fault(values.get("hosts", ())):
        results.append(Problem("hosts", fault))
    return tuple(results)


def _of_fields(kind: type[msgspec.Struct], values: Mapping[str, Any]) -> Iterator[Problem]:
    for field in msgspec.structs.fields(kind):
        if field.name not in values:
            if field.required:
                yield Problem(field.name, "is missing")
            continue
        try:
            convert(values[field.name], field.type)
        except msgspec.ValidationError as error:
            yield Problem(field.name, _WRONG.get(field.name, str(error).partition(" - at ")[0]))


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of trying an entry out on its example, the answer that it is made from, and examples of other catalogues.

    ``answer`` is ``None`` where there is none. ``said`` is what is read in the example. ``same`` has the
    ids of the catalogue's entries that cannot be told from this one. ``silent`` is the
    reason for which the catalogue would not be asked about the answer, empty without one.
    """

    answer: bool | None
    silent: str
    example: bool
    said: str
    same: tuple[str, ...]
    claimed: tuple[str, ...]


def try_out(entry: ProviderError, head: Catalogue, exchange: Exchange | None) -> Trial:
    """Try an entry of a catalogue on the answer that it documents, and on the examples of all other catalogues."""
    example = _words(entry.example, entry.status)
    others = (error for it in catalogues.all_catalogues() if it.id != head.id for error in it.errors)
    claimed = (error.entry for error in others if matches(entry, _words(error.example, error.status)))
    same = (
        error.id
        for error in head.errors
        if error.id != entry.id and matches(error, example) and matches(entry, _words(error.example, error.status))
    )
    return Trial(
        None if exchange is None else matches(entry, words_of(exchange)),
        _silence(head, exchange) if exchange is not None else "",
        matches(entry, example),
        examples.quoted(example),
        tuple(same),
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


@lru_cache(maxsize=4096)
def _words(example: str, status: int | None) -> Words:
    return examples.words_in(example, status)


def speaker_for(exchange: Exchange) -> str:
    """Return the id of your own catalogue that speaks for an answer, empty without one."""
    own = {file.id for file in catalogues.own()}
    if (named := catalogue_of(exchange.provider)) in own:
        return named
    host = host_of(exchange.request.url) if exchange.step is not Step.CALLBACK else ""
    speaker = catalogues.for_host(host) if host else None
    return speaker.id if speaker and speaker.id in own else ""
