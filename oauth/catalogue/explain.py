"""What to tell a person about an exchange: the documented error, the registered one, or what came back instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from oauth.catalogue import challenges
from oauth.catalogue.entries import Answer, answers
from oauth.catalogue.matcher import ENDPOINTS_OF, Match, address_parameters, fold, match, match_value, read_json
from oauth.exchange import Exchange, Headers, Request, Step, header
from oauth.formatting import fields
from oauth.redaction import quoted
from oauth.redaction.names import secret_kind

MUST_HAVE: Mapping[Step, str] = {
    Step.PAR: "request_uri",
    Step.DEVICE: "device_code",
    Step.INTROSPECT: "active",
    Step.JWKS: "keys",
    Step.DISCOVERY: "issuer",
}
"""The member without which a success is none: RFC 9126 §2.2, RFC 8628 §3.2, RFC 7662 §2.2, RFC 7517 §5, RFC 8414 §2."""

_TEXT_LIMIT = 4096
"""Characters at the start of a body in which the text of an answer is looked for."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an exchange failed, and what to do.

    ``kind`` says from where it comes: ``documented`` (``number`` is set), ``registered`` (the code's meaning by its
    specification, the text being undocumented), or ``answer`` (``answer`` is the kind of ``answers.toml``). ``entry``
    is the stable id of the catalogue's entry (``find_entry``). With ``danger`` the exchange itself needs attention.
    ``status`` is that of the response, or the one that a body without a response states. ``match``,
    ``status_as_documented``, ``matched_text`` and ``where`` are those of ``Match``. ``error`` and ``error_description``
    are the provider's words, empty when it sent none. ``reference`` is where it is written.
    """

    kind: Literal["documented", "registered", "answer"]
    entry: str
    title: str
    cause: str
    remedy: tuple[str, ...]
    number: int | None = None
    answer: str = ""
    status: int | None = None
    error: str = ""
    error_description: str = ""
    match: Literal["exact", "folded"] | None = None
    status_as_documented: bool | None = None
    matched_text: str = ""
    where: str = ""
    reference: str = ""
    danger: bool = False


def explain(exchange: Exchange) -> Explanation | None:
    """Why a finished exchange failed, or ``None`` when it succeeded (RFC 6749 §4.1.2, §5.1)."""
    if exchange.step is Step.CALLBACK:
        return _explain_callback(_address_of(exchange.request))
    response, failure = exchange.response, exchange.failure
    if failure is not None:
        if response is not None:
            # An answer that broke off may have said all that matters.
            found = match(response.status, response.headers, response.body, step=exchange.step)
            if found is not None and (known := _known(found, response.status)):
                return known
        kind = failure.kind if failure.kind in answers() else "failed"
        return _answer(kind, response.status if response else None, None)
    if response is not None:
        return explain_response(
            response.status,
            response.headers,
            response.body,
            cut=response.cut,
            step=exchange.step,
            request=exchange.request,
            proxied="proxy" in exchange.marks,
        )
    # The browser makes the authorization request, and may take its time: no answer is no fault there.
    return None if exchange.step is Step.AUTHORIZE else _answer("no_answer", None, None)


def explain_response(
    status: int | None,
    headers: Headers,
    body: bytes,
    *,
    cut: bool = False,
    step: Step | None = None,
    request: Request | None = None,
    proxied: bool = False,
) -> Explanation | None:
    """Why a response is no success, or ``None`` when it is one, or nothing can be said of it.

    ``status``, ``step`` and ``request`` are ``None`` when they are not known, as with a pasted body. ``proxied`` says
    that the request went through a proxy, which may have answered in the server's place.
    """
    value = read_json(body)
    found = match_value(status, headers, body, value, step=step)
    stated = _stated(found)
    judged = stated if stated is not None and (status is None or status < 300) else status
    status = judged if status is None else status
    if found is not None and (known := _known(found, status)):
        return known
    if (judged is None or judged >= 400) and (kind := _by_text(body)):
        return _answer(kind, status, found)
    if found is not None and (meaning := _registered(found, status, step)):
        return meaning
    shape = _Shape(judged, headers, body, value, cut, step, request, found, proxied)
    kind = shape.kind()
    return _answer(kind, status, found) if kind else None


def _address_of(callback: Request) -> str:
    """The callback as an address with its parameters; one by ``form_post`` has them in its body."""
    if callback.method != "POST":
        return callback.url
    return f"{callback.url.partition('?')[0]}?{callback.body.decode('utf-8', 'replace')}"


def _explain_callback(address: str) -> Explanation | None:
    found = match(None, (), b"", address=address, step=Step.CALLBACK)
    if found is not None:
        return _known(found, None) or _registered(found, None, Step.CALLBACK) or _answer("unknown_error", None, found)
    return None if "code" in address_parameters(address) else _answer("no_code", None, None)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A response that carries no documented and no registered error, and what its shape says."""

    status: int | None
    headers: Headers
    body: bytes
    value: Any
    cut: bool
    step: Step | None
    request: Request | None
    found: Match | None
    proxied: bool = False

    def kind(self) -> str:
        """The kind of answer, empty for a success."""
        status = self.status
        if status is None:
            return "unknown_error" if self.found else self._success()
        if 300 <= status < 400:
            return self._redirect()
        if status >= 500:
            gateway = self.proxied and status in (502, 503, 504) and self.value is None
            return "proxy_error" if gateway else "server_error"
        if status == 407:
            return "proxy_authentication"
        if self.step is Step.AUTHORIZE:
            return "error_page" if status >= 400 else ""
        if status in (404, 405):
            return "not_found"
        if status == 429 or (status == 403 and self.found is None):
            return "rate_limited"
        if self.cut:
            return "unpacked_too_large" if header(self.headers, "content-encoding") else "too_large"
        if status == 401 and self._bare_challenge():
            return "no_token"
        if not self.body.strip():
            return "" if self._may_be_empty(status) else "empty"
        if self._html():
            return "html_as_json" if "json" in _media_type(self.headers) else "html"
        if status >= 400:
            return self._refusal()
        return self._success()

    def _may_be_empty(self, status: int) -> bool:
        if self.step is Step.REVOKE:  # RFC 7009 §2.2: the status says all
            return status < 300
        return status in (204, 205) and self.step in (None, Step.API, Step.USERINFO)

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
            return "redirect"  # nowhere that a client could follow it to
        if there.scheme == "http" and here.scheme == "https":
            return "redirect_insecure"
        return "redirect_elsewhere" if elsewhere else "redirect"

    def _refusal(self) -> str:
        sent = self.request
        if (
            self.status == 400
            and sent is not None
            and sent.method == "GET"
            and header(sent.headers, "content-type") is not None
        ):
            return "content_type_on_get"
        return "unknown_error" if self.found or self.value is not None else "invalid_json"

    def _success(self) -> str:
        value = self.value
        if self.step is Step.REVOKE or (self.step is Step.USERINFO and self._signed()):
            return ""
        if value is None:
            return "invalid_json"
        inner = value["data"] if isinstance(value, dict) and isinstance(value.get("data"), dict) else value
        if isinstance(inner, dict) and inner.get("active") is False and self.step is None:
            return "inactive_token"
        has_token = isinstance(inner, dict) and bool(inner.get("access_token"))
        if has_token or self.step in (Step.API, Step.USERINFO):
            return ""
        if self.step is not None and self.step in MUST_HAVE:
            there = isinstance(inner, dict) and MUST_HAVE[self.step] in inner
            return "" if there else "unknown_error" if self.found else "incomplete"
        if self.found:
            return "unknown_error"
        return "no_access_token" if self.step in (Step.TOKEN, Step.REFRESH) else ""

    def _signed(self) -> bool:
        """Whether the answer is a JWT, as a client may have registered it (OpenID Connect Core §5.3.2)."""
        return (header(self.headers, "content-type") or "").lower().startswith("application/jwt")

    def _bare_challenge(self) -> bool:
        if self.step not in (None, Step.API, Step.USERINFO) or (self.found is not None and self.found.error):
            return False
        values = (value for name, value in self.headers if name.lower() == "www-authenticate")
        schemes = {challenge.scheme.lower() for value in values for challenge in challenges.parse(value)}
        return bool(schemes & {"bearer", "dpop"})

    def _html(self) -> bool:
        start = self.body.lstrip()[:100].lower()
        if start.startswith((b"{", b"[")):
            return False  # JSON under a wrong Content-Type is read as JSON
        media_type = _media_type(self.headers)
        return media_type.startswith(("text/html", "application/xhtml")) or start.startswith((b"<!doctype", b"<html"))


def has_secret(request: Request) -> bool:
    """Whether a request has a secret in its headers, its query or its body, by their names."""
    named = [name for name, _ in (*request.headers, *fields(request))]
    return any(secret_kind(name) is not None for name in named)


def remarks(exchange: Exchange) -> tuple[Answer, ...]:
    """What a person should know of an exchange beside its result, dangers first."""
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


def _known(found: Match, status: int | None) -> Explanation | None:
    entry = found.documented
    if entry is None:
        return None
    return Explanation(
        kind="documented",
        entry=entry.entry,
        title=entry.title,
        cause=entry.cause,
        remedy=entry.remedy,
        number=entry.number,
        status=status,
        error=found.error,
        error_description=found.description,
        match=found.how,
        status_as_documented=found.status_as_documented,
        matched_text=found.matched_text,
        where=found.where.value,
        reference=f"Authorization errors, number {entry.number}",
    )


def _registered(found: Match, status: int | None, step: Step | None) -> Explanation | None:
    entry = found.registered
    # A code such as not_found means something else at an endpoint that it is not registered for.
    elsewhere = entry is not None and step is not None and not set(ENDPOINTS_OF[step]) & set(entry.where)
    if entry is None or (elsewhere and status in (404, 405)):
        return None
    return Explanation(
        kind="registered",
        entry=entry.entry,
        title=entry.title,
        cause=f"{entry.cause} {entry.note}".rstrip(),
        remedy=entry.remedy,
        status=status,
        error=found.error,
        error_description=found.description,
        matched_text=found.matched_text,
        where=found.where.value,
        reference=entry.reference,
    )


def _answer(kind: str, status: int | None, found: Match | None) -> Explanation:
    entry = answers()[kind]
    return Explanation(
        kind="answer",
        entry=entry.entry,
        title=entry.title,
        cause=entry.cause,
        remedy=entry.remedy,
        answer=kind,
        status=status,
        error=found.error if found else "",
        error_description=found.description if found else "",
        matched_text=found.matched_text if found else "",
        where=found.where.value if found else "",
        danger=entry.danger,
    )


def _by_text(body: bytes) -> str:
    text = fold(body[:_TEXT_LIMIT].decode("utf-8", "replace"))
    return next((kind for kind, entry in answers().items() if entry.text and fold(entry.text) in text), "")


def _stated(found: Match | None) -> int | None:
    """The status that the body states, where it is an error's."""
    stated = found.stated_status if found else None
    return stated if stated is not None and 400 <= stated <= 599 else None
