"""Explanations of failed exchanges: the documented error, the registered one, or an unexpected response."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from oauth import challenges
from oauth.addresses import host_of
from oauth.catalogue import browser, catalogues
from oauth.catalogue.browser import Use
from oauth.catalogue.catalogues import PARTNER, Recognised
from oauth.catalogue.entries import Answer, Entry, answers
from oauth.catalogue.folding import fold
from oauth.catalogue.matcher import (
    ENDPOINTS_OF,
    How,
    Match,
    Where,
    address_parameters,
    match,
    read_json,
)
from oauth.catalogue.provider_errors import Catalogue, ProviderError, Words
from oauth.catalogue.subject import subject_of
from oauth.exchange import HIGHEST_STATUS, Exchange, Headers, Request, Response, Step, header
from oauth.formatting import fields
from oauth.providers.terms import catalogue_of, is_of_another_provider, is_partner, terms_of
from oauth.redaction import quoted
from oauth.redaction.names import secret_kind

MUST_HAVE: Mapping[Step, tuple[str, ...]] = {
    Step.PAR: ("request_uri",),
    Step.DEVICE: ("device_code",),
    Step.INTROSPECT: ("active",),
    Step.JWKS: ("keys",),
    Step.DISCOVERY: ("issuer", "resource"),
    Step.REGISTER: ("client_id",),
}
"""Members of which a successful response has one: RFC 9126 §2.2, RFC 8628 §3.2, RFC 7662 §2.2, RFC 7517 §5, RFC 8414 §2
or RFC 9728 §2, and RFC 7591 §3.2.1."""

_LIMIT = re.compile(
    r"\b(?:rate|request|quota|usage)[ _-]?limit|too[ _-]many[ _-](?:requests|attempts)|\bquota\b|throttl|\bblocked\b"
    r"|slow[ _-]down|limit[ _-](?:exceeded|reached)",
    re.IGNORECASE,
)
"""Words about a limit, of requests or of a firewall."""

_TEXT_LIMIT = 4096
"""Bytes at the start of a body that are searched for the ``text`` of an ``Answer``."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Reason for a failed exchange, and its remedy.

    ``kind`` is its source: ``documented`` (``number`` is set), ``provider`` (an entry of another provider's catalogue;
    ``known_by`` says from what), ``registered`` (the code's meaning by its specification, the text being
    undocumented), or ``answer`` (``answer`` is the kind of ``answers.toml``). ``entry`` is the stable id of the
    catalogue's entry (``find_entry``). ``specialises`` is the registered code that a provider's error stands for, and
    ``offered`` has errors of providers that this one may be. With ``danger`` the exchange itself needs attention.
    ``status`` is that of the response, or the one that a body without a response states. ``match``,
    ``status_as_documented``, ``matched_text`` and ``where`` are those of ``Match``. ``error`` and ``error_description``
    are the provider's words, empty when it sent none. ``reference`` names the source document. ``newer`` are the facts
    that a newer page of the documentation adds to the remedy, and ``newer_source`` is its address. ``request_id`` is
    the provider's id of the answer in its body, for which the support asks.
    """

    kind: Literal["documented", "provider", "registered", "answer"]
    entry: str
    title: str
    cause: str
    remedy: tuple[str, ...]
    number: int | None = None
    answer: str = ""
    status: int | None = None
    error: str = ""
    error_description: str = ""
    match: How | None = None
    status_as_documented: bool | None = None
    matched_text: str = ""
    where: str = ""
    reference: str = ""
    danger: bool = False
    known_by: str = ""
    specialises: str = ""
    offered: tuple[ProviderError, ...] = ()
    newer: tuple[str, ...] = ()
    newer_source: str = ""
    request_id: str = ""

    @property
    def code(self) -> str:
        """The registered code that the error is or stands for, or else the provider's own."""
        return self.specialises or self.error


def explain(exchange: Exchange) -> Explanation | None:
    """Explain a finished exchange; ``None`` when it succeeded (RFC 6749 §4.1.2, §5.1)."""
    if exchange.step is Step.CALLBACK:
        return _explain_callback(callback_url(exchange.request), exchange.provider)
    response, failure = exchange.response, exchange.failure
    if failure is not None:
        if response is not None:
            # A response that broke off may contain the whole error.
            error = match(response.status, response.headers, response.body, step=exchange.step, cut=True)
            if error is not None and (known := _documented(error, response.status)):
                return known
        kind = failure.kind if failure.kind in answers() else "failed"
        return _answer(kind, response.status if response else None, None)
    if response is not None:
        explanation = explain_response(
            response.status or None,
            response.headers,
            response.body,
            cut=response.cut,
            step=exchange.step,
            request=exchange.request,
            provider=exchange.provider,
            proxied="proxy" in exchange.marks,
        )
        if "pasted" in exchange.marks and (explanation is None or explanation.answer == "invalid_json"):
            return _answer("error_page", response.status or None, None)
        return explanation
    # The browser makes the authorization request and may take its time: a missing response is not a failure there.
    return None if exchange.step is Step.AUTHORIZE else _answer("no_answer", None, None)


def explain_response(
    status: int | None,
    headers: Headers,
    body: bytes,
    *,
    cut: bool = False,
    step: Step | None = None,
    request: Request | None = None,
    provider: str = "",
    proxied: bool = False,
    elsewhere: bool = False,
    abridged: bool = False,
) -> Explanation | None:
    """Explain a failed response; ``None`` for a success, and when nothing can be said about it.

    ``status``, ``step`` and ``request`` are ``None`` when they are unknown, as with a pasted body. ``proxied`` means
    that the request went through a proxy, which may have responded in the server's place. ``elsewhere`` means that the
    request went to another provider than the documented one, whose numbers then do not apply. ``abridged`` means that
    somebody cut the body off since. ``provider`` is the id of the profile.
    """
    value = read_json(body)
    error = match(status, headers, body, value=value, step=step, cut=cut or abridged)
    url = request.url if request is not None else ""
    speaker, known_by = _speaker(url, provider, error) if error is not None else (None, "")  # a success needs none
    recognised = Recognised()
    if error is not None and (speaker is not None or not error.documented or elsewhere):
        recognised = _recognised(error, speaker, known_by, step, is_open=_is_open(url, provider))
        if recognised.error is not None:
            return _of_provider(recognised.error, recognised.known_by, status or _stated(error), error)
    elsewhere = elsewhere or speaker is not None or _is_elsewhere(url, provider)
    if elsewhere and error is not None and (like := error.documented):
        error = match(status, headers, body, value=value, step=step, elsewhere=True)
        if error is None:
            return None
        other = _registered(error, status, step) or _answer("unknown_error", status, error)
        note = f"These are the same words as partner error {like.number}, and another provider sent them."
        return replace(other, cause=f"{other.cause} {note}", offered=recognised.offered)
    use = _use(step, request, Response(status or 0, headers=headers, body=body))
    if use is not None and status is not None:
        return _explain_page(use, status, headers, body, error)
    stated = _stated(error)
    judged = stated if stated is not None and (status is None or status < 300) else status
    status = judged if status is None else status
    if error is not None and (known := _documented(error, status)):
        return known
    if (judged is None or judged >= 400) and (kind := _by_text(body)):
        return _answer(kind, status, error)
    if error is not None and (meaning := _registered(error, status, step)):
        return replace(meaning, offered=recognised.offered)
    shape = _Shape(judged, headers, body, value, cut, step, request, error, proxied)
    kind = shape.kind()
    return replace(_answer(kind, status, error), offered=recognised.offered) if kind else None


def _speaker(url: str, provider: str, error: Match | None) -> tuple[Catalogue | None, str]:
    """Return the catalogue that speaks for an answer, and from what that is known; ``None`` for the partner API's."""
    if id := catalogue_of(provider):
        return (None if id == PARTNER else catalogues.catalogue(id)), "the profile of the provider"
    host = host_of(url)
    if host and (speaker := catalogues.for_host(host)):
        return speaker, f"the host {host}"
    if error is not None and (speaker := catalogues.for_shape(error.shape)) and _is_open(url, provider):
        return speaker, "the members of the body"
    return None, ""


def _is_elsewhere(url: str, provider: str) -> bool:
    """Return whether a response is known by its profile not to be the partner API's."""
    return bool(provider) and not is_partner(url, provider)


def _is_open(url: str, provider: str) -> bool:
    """Return whether nothing says whose answer it is: neither the profile nor the host."""
    return not is_of_another_provider(url) and not catalogue_of(provider) and terms_of(url, provider) is None


def _recognised(
    error: Match, speaker: Catalogue | None, known_by: str, step: Step | None, *, is_open: bool
) -> Recognised:
    endpoints = ENDPOINTS_OF[step] if step is not None else ()
    words = Words(error.error, error.description, error.texts, error.numbers, endpoints)
    return catalogues.recognise(words, speaker, known_by, is_open=is_open)


def _use(step: Step | None, request: Request | None, response: Response) -> Use | None:
    """Return the use of a browser's page or a part of one, ``None`` for the call of a client."""
    if request is None or step not in (None, Step.API, Step.PAGE):
        return Use.DOCUMENT if step is Step.PAGE else None
    sight = browser.Sight(request, response)
    if step is Step.PAGE:
        return sight.use
    # Alone, a call may be the one that is asked about.
    return sight.use if sight.use is not Use.CALL and sight.is_page() else None


def _explain_page(use: Use, status: int, headers: Headers, body: bytes, error: Match | None) -> Explanation | None:
    """Explain a failed page of a login: the authorization's own error, or that a page of it failed."""
    if use is Use.FILE or status < 300:
        return None
    if error is not None and (status >= 400 or error.where is Where.LOCATION):
        known = _documented(error, status) or _registered(error, status, Step.PAGE)
        if known is not None:
            return known
    if use is Use.CALL or status < 400 or _is_asked_to_log_in(status, headers, body):
        return None
    return _answer("page_failed", status, None)


def _is_asked_to_log_in(status: int, headers: Headers, body: bytes) -> bool:
    """Return whether an error status only asks the user: some servers show the form for a password with one."""
    return status < 500 and (
        browser.is_login_form(body) or (status == 401 and header(headers, "www-authenticate") is not None)
    )


def not_shown(status: int) -> Explanation:
    """Explain an error status of which nothing else is known."""
    return _answer("not_shown", status, None)


def callback_url(callback: Request) -> str:
    """Return the callback URL with its parameters, which ``form_post`` sends in the body."""
    if callback.method != "POST":
        return callback.url
    return f"{callback.url.partition('?')[0]}?{callback.body.decode('utf-8', 'replace')}"


def _explain_callback(address: str, provider: str) -> Explanation | None:
    error = match(None, (), b"", address=address, step=Step.CALLBACK)
    if error is not None:
        speaker, known_by = _speaker("", provider, error)
        recognised = _recognised(error, speaker, known_by, Step.CALLBACK, is_open=not provider)
        if recognised.error is not None and (speaker is not None or not error.documented):
            return _of_provider(recognised.error, recognised.known_by, None, error)
        if (known := _documented(error, None)) and not _is_elsewhere("", provider):
            return known
        return _registered(error, None, Step.CALLBACK) or _answer("unknown_error", None, error)
    return None if "code" in address_parameters(address) else _answer("no_code", None, None)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A response without a documented or registered error, to be judged by its shape."""

    status: int | None
    headers: Headers
    body: bytes
    value: Any
    cut: bool
    step: Step | None
    request: Request | None
    error: Match | None
    proxied: bool = False

    def kind(self) -> str:
        """Return the kind of the ``Answer`` that fits, empty for a success."""
        if self.status is None:
            return "unknown_error" if self.error else self._without_status()
        outcome = next(
            outcome for applies, outcome in _kinds(min(max(self.status, 0), HIGHEST_STATUS)) if applies(self)
        )
        return outcome if isinstance(outcome, str) else outcome(self)

    def _without_status(self) -> str:
        """Return the kind of a body alone: only what it says itself counts."""
        kind = self._success()
        return kind if kind in ("inactive_token", "invalid_json") else ""

    def _has_code(self) -> bool:
        """Return whether an error's code was read, which a remark on the status must not hide."""
        return self.error is not None and bool(self.error.error)

    def _is_limited(self) -> bool:
        """Return whether a refusal has a sign of a limit of its own: header or words."""
        if self._has_code():
            return False
        rest = (value for name, value in self.headers if name.lower().replace("-", "").endswith("ratelimitremaining"))
        if header(self.headers, "retry-after") is not None or "0" in (value.strip() for value in rest):
            return True
        return _LIMIT.search(self.body[:_TEXT_LIMIT].decode("utf-8", "replace")) is not None

    def _lets_body_be_empty(self) -> bool:
        if self.step is Step.REVOKE:  # RFC 7009 §2.2: the status says all
            return True
        # RFC 7592 §2.3: 204 is the response to the deletion of a client.
        return self.status in (204, 205) and self.step in (None, Step.API, Step.USERINFO, Step.REGISTER)

    def _redirect(self) -> str:
        location = header(self.headers, "location") or ""
        if self.step is Step.AUTHORIZE or (self.step is None and "code" in address_parameters(location)):
            return ""
        if self.request is None or not has_secret(self.request):
            return "redirect"
        try:
            here, there = urlsplit(quoted(self.request.url)), urlsplit(urljoin(quoted(self.request.url), location))
            elsewhere = there.hostname != here.hostname or (there.scheme == here.scheme and there.port != here.port)
        except ValueError:
            return "redirect"  # invalid, so no client can follow it
        if there.scheme == "http" and here.scheme == "https":
            return "redirect_insecure"
        return "redirect_elsewhere" if elsewhere else "redirect"

    def _is_get_with_content_type(self) -> bool:
        request = self.request
        if request is None or request.method != "GET" or header(request.headers, "content-type") is None:
            return False
        terms = terms_of(request.url)
        return terms is not None and not terms.content_type_on_get and not self._has_code()

    def _success(self) -> str:
        value = self.value
        if self.step is Step.REVOKE or (self.step is Step.USERINFO and self._is_signed()):
            return ""
        if value is None:
            return "unknown_error" if self.error else "invalid_json"
        inner = value["data"] if isinstance(value, dict) and isinstance(value.get("data"), dict) else value
        if isinstance(inner, dict) and inner.get("active") is False and self.step is None:
            return "inactive_token"
        has_token = isinstance(inner, dict) and bool(inner.get("access_token"))
        if has_token or self.step in (Step.API, Step.USERINFO):
            return ""
        if self.step is not None and self.step in MUST_HAVE:
            has_member = isinstance(inner, dict) and any(name in inner for name in MUST_HAVE[self.step])
            return "" if has_member else "unknown_error" if self.error else "incomplete"
        if self.error:
            return "unknown_error"
        return "no_access_token" if self.step in (Step.TOKEN, Step.REFRESH) else ""

    def _is_signed(self) -> bool:
        """Return whether the response is a JWT, as a client may have registered it (OpenID Connect Core §5.3.2)."""
        return (header(self.headers, "content-type") or "").lower().startswith("application/jwt")

    def _has_bare_challenge(self) -> bool:
        if self.step not in (None, Step.API, Step.USERINFO) or (self.error is not None and self.error.error):
            return False
        values = (value for name, value in self.headers if name.lower() == "www-authenticate")
        schemes = {challenge.scheme.lower() for value in values for challenge in challenges.parse(value)}
        return bool(schemes & {"bearer", "dpop"})

    def _names_its_metadata(self) -> bool:
        """Return whether an API answered discovery as it should: by a challenge that leads on (RFC 9728 §5.1)."""
        values = (value for name, value in self.headers if name.lower() == "www-authenticate")
        parsed = (item for value in values for item in challenges.parse(value))
        return self.step is Step.DISCOVERY and any("resource_metadata" in it.parameters for it in parsed)

    def _is_html(self) -> bool:
        start = self.body.lstrip()[:100].lower()
        if start.startswith((b"{", b"[")):
            return False  # JSON with a wrong Content-Type is read as JSON
        media_type = _media_type(self.headers)
        return media_type.startswith(("text/html", "application/xhtml")) or start.startswith((b"<!doctype", b"<html"))

    def _is_empty(self) -> bool:
        return not self.body.strip()


_ANY, _OK, _REDIRECTION = range(HIGHEST_STATUS + 1), range(300), range(300, 400)
_ERROR = range(400, HIGHEST_STATUS + 1)

# The first row of the status that applies decides. A function in the last place tells more than one kind apart.
_KINDS: tuple[tuple[range, Callable[["_Shape"], bool], str | Callable[["_Shape"], str]], ...] = (
    (range(401, 402), _Shape._names_its_metadata, ""),
    (_REDIRECTION, lambda _: True, _Shape._redirect),
    (range(502, 505), lambda it: it.proxied and it.value is None, "proxy_error"),
    (range(500, HIGHEST_STATUS + 1), lambda it: not it._has_code(), "server_error"),
    (range(407, 408), lambda _: True, "proxy_authentication"),
    (
        _ERROR,
        lambda it: it.step is Step.AUTHORIZE and not _is_asked_to_log_in(it.status or 0, it.headers, it.body),
        "error_page",
    ),
    (_ANY, lambda it: it.step is Step.AUTHORIZE, ""),
    (range(404, 406), lambda _: True, "not_found"),
    (range(429, 430), lambda _: True, "rate_limited"),
    (range(403, 404), _Shape._is_limited, "rate_limited"),
    (_ANY, lambda it: it.cut and bool(header(it.headers, "content-encoding")), "unpacked_too_large"),
    (_ANY, lambda it: it.cut, "too_large"),
    (range(401, 402), _Shape._has_bare_challenge, "no_token"),
    (_OK, lambda it: it._is_empty() and it._lets_body_be_empty(), ""),
    (_ANY, _Shape._is_empty, "empty"),
    (_ANY, lambda it: it._is_html() and "json" in _media_type(it.headers), "html_as_json"),
    (_ANY, _Shape._is_html, "html"),
    (range(400, 401), _Shape._is_get_with_content_type, "content_type_on_get"),
    (_ERROR, lambda it: it.error is not None or it.value is not None, "unknown_error"),
    (_ERROR, lambda _: True, "invalid_json"),
    (_ANY, lambda _: True, _Shape._success),
)


@cache
def _kinds(status: int) -> tuple[tuple[Callable[["_Shape"], bool], str | Callable[["_Shape"], str]], ...]:
    return tuple((applies, outcome) for statuses, applies, outcome in _KINDS if status in statuses)


def has_secret(request: Request) -> bool:
    """Return whether a header, query parameter or body field of a request is a secret by its name."""
    return any(secret_kind(name) is not None for name, _ in (*request.headers, *fields(request)))


def remarks(exchange: Exchange) -> tuple[Answer, ...]:
    """Return the warnings about an exchange beside its result, dangers first."""
    kinds = [mark for mark in exchange.marks if mark in answers()]
    response = exchange.response
    if response is not None and response.body[:1] in (b"{", b"[") and _declared_otherwise(response.headers):
        kinds.append("json_not_declared")
    return tuple(sorted((answers()[kind] for kind in kinds), key=lambda answer: not answer.danger))


def _declared_otherwise(headers: Headers) -> bool:
    media_type = _media_type(headers)
    return bool(media_type) and "json" not in media_type


def _media_type(headers: Headers) -> str:
    return (header(headers, "content-type") or "").partition(";")[0].strip().lower()


def _documented(error: Match, status: int | None) -> Explanation | None:
    entry = error.documented
    if entry is None:
        return None
    return _of_entry(
        "documented",
        entry,
        status,
        error,
        number=entry.number,
        match=error.how,
        status_as_documented=error.status_as_documented,
        reference=f"Authorization errors, number {entry.number}",
        newer=entry.newer,
        newer_source=entry.newer_source,
    )


def _of_provider(entry: ProviderError, known_by: str, status: int | None, error: Match) -> Explanation:
    name = catalogues.name_of(entry.catalogue)
    return _of_entry(
        "provider",
        entry,
        status,
        error,
        reference=f"{name}: {entry.source}",
        known_by=known_by,
        specialises=entry.spec,
        status_as_documented=None if entry.status is None or status is None else status == entry.status,
    )


def _registered(error: Match, status: int | None, step: Step | None) -> Explanation | None:
    entry = error.registered
    # A code such as not_found means something else at an endpoint that it is not registered for.
    elsewhere = entry is not None and step is not None and not set(ENDPOINTS_OF[step]) & set(entry.where)
    if entry is None or (elsewhere and status in (404, 405)):
        return None
    explanation = _of_entry("registered", entry, status, error, reference=entry.reference)
    subject = subject_of(error.description)
    if subject is not None and (narrower := entry.about.get(subject)):
        return replace(explanation, title=narrower.title, cause=narrower.cause, remedy=narrower.remedy)
    return replace(explanation, cause=f"{entry.cause} {entry.note}".rstrip())


def _answer(kind: str, status: int | None, error: Match | None) -> Explanation:
    entry = answers()[kind]
    return _of_entry("answer", entry, status, error, answer=kind, danger=entry.danger)


def _of_entry(
    kind: Literal["documented", "provider", "registered", "answer"],
    entry: Entry | ProviderError,
    status: int | None,
    error: Match | None,
    **own: Any,
) -> Explanation:
    """Return what the explanations of all sources have in common, and what this one has of its ``own``."""
    if error is not None:
        own |= {
            "error": error.error,
            "error_description": error.description,
            "matched_text": error.matched_text,
            "where": error.where.value,
            "request_id": error.request_id,
        }
    return Explanation(kind, entry.entry, entry.title, entry.cause, entry.remedy, status=status, **own)


def _by_text(body: bytes) -> str:
    text = fold(body[:_TEXT_LIMIT].decode("utf-8", "replace"))
    return next((kind for kind, entry in answers().items() if entry.text and fold(entry.text) in text), "")


def _stated(error: Match | None) -> int | None:
    """Return the HTTP error status that the body states."""
    stated = error.stated_status if error else None
    return stated if stated is not None and 400 <= stated <= 599 else None
