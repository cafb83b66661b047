"""Exchanges with parts taken away: evidence that is missing may make a verdict unknown or possible, never proven."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from oauth.catalogue.explain import Explanation, explain, explain_response
from oauth.diagnosis import Diagnosis, NoPast, Past, diagnose
from oauth.exchange import Exchange, Part, Request, Step
from oauth.flow import Flow
from oauth.redaction import Vault

Parts = frozenset[Part]
Reduced = tuple[Exchange, Parts]
Reduction = Callable[[Exchange, Parts], Reduced]


def _request(exchange: Exchange, unknown: Parts) -> Reduced:
    return replace(exchange, request=Request("", "")), unknown


def _method(exchange: Exchange, unknown: Parts) -> Reduced:
    return replace(exchange, request=replace(exchange.request, method="")), unknown | {Part.METHOD}


def _guessed_method(exchange: Exchange, unknown: Parts) -> Reduced:
    return replace(exchange, request=replace(exchange.request, method="GET")), unknown | {Part.METHOD}


def _address(exchange: Exchange, unknown: Parts) -> Reduced:
    return replace(exchange, request=replace(exchange.request, url=""), provider=""), unknown


def _host(exchange: Exchange, unknown: Parts) -> Reduced:
    if "://" not in exchange.request.url:
        return exchange, unknown
    path = "/" + exchange.request.url.partition("://")[2].partition("/")[2]
    return replace(exchange, request=replace(exchange.request, url=path), provider=""), unknown


def _provider(exchange: Exchange, unknown: Parts) -> Reduced:
    return replace(exchange, provider="", client_id=""), unknown


def _request_body(exchange: Exchange, unknown: Parts) -> Reduced:
    return replace(exchange, request=replace(exchange.request, body=b"")), unknown | {Part.REQUEST_BODY}


def _request_headers(exchange: Exchange, unknown: Parts) -> Reduced:
    return replace(exchange, request=replace(exchange.request, headers=())), unknown | {Part.REQUEST_HEADERS}


def _request_header(name: str) -> Reduction:
    def reduce(exchange: Exchange, unknown: Parts) -> Reduced:
        headers = tuple(item for item in exchange.request.headers if item[0].lower() != name)
        return replace(exchange, request=replace(exchange.request, headers=headers)), unknown | {Part.REQUEST_HEADERS}

    return reduce


def _all_but_the_line(exchange: Exchange, unknown: Parts) -> Reduced:
    return _request_headers(*_request_body(exchange, unknown))


def _time(exchange: Exchange, unknown: Parts) -> Reduced:
    return exchange, unknown | {Part.TIME}


def _status(exchange: Exchange, unknown: Parts) -> Reduced:
    response = exchange.response
    return replace(exchange, response=replace(response, status=0) if response else None), unknown


def _response_headers(exchange: Exchange, unknown: Parts) -> Reduced:
    response = exchange.response
    reduced = replace(exchange, response=replace(response, headers=()) if response else None)
    return reduced, unknown | {Part.RESPONSE_HEADERS}


def _response_body(exchange: Exchange, unknown: Parts) -> Reduced:
    response = exchange.response
    reduced = replace(exchange, response=replace(response, body=b"") if response else None)
    return reduced, unknown | {Part.RESPONSE_BODY}


REDUCTIONS: Mapping[str, Reduction] = {
    "request": _request,
    "method": _method,
    "guessed method": _guessed_method,
    "address": _address,
    "host": _host,
    "provider": _provider,
    "request body": _request_body,
    "request headers": _request_headers,
    "Content-Type": _request_header("content-type"),
    "Authorization": _request_header("authorization"),
    "Version": _request_header("version"),
    "all but the request line": _all_but_the_line,
    "time": _time,
    "status": _status,
    "response headers": _response_headers,
    "response body": _response_body,
}
"""Parts that a paste may not show, by name."""


def explanation_of(exchange: Exchange, unknown: Parts) -> Explanation | None:
    """Explain an exchange as a paste of it is explained."""
    response = exchange.response
    if exchange.step is Step.CALLBACK or response is None or exchange.failure is not None:
        return explain(exchange)
    request = exchange.request if exchange.request.url or exchange.request.body else None
    explanation = explain_response(
        response.status or None, response.headers, response.body, step=exchange.step, request=request
    )
    is_unknown = explanation is not None and explanation.answer == "empty" and Part.RESPONSE_BODY in unknown
    return None if is_unknown else explanation


def proven(diagnosis: Diagnosis | None) -> set[str]:
    """Return the ids of the proven causes."""
    return {cause.id for cause in diagnosis.causes if cause.verdict.value == "proven"} if diagnosis else set()


def additions(
    exchange: Exchange,
    *,
    flow: Flow | None = None,
    past: Past,
    vault: Vault | None = None,
    names: Iterable[str] = REDUCTIONS,
) -> Iterator[str]:
    """Yield each cause that is proven only after something was taken away, and what was."""

    def judged(reduced: Exchange, unknown: Parts, flow: Flow | None, past: Past, vault: Vault | None) -> set[str]:
        explanation = explanation_of(reduced, unknown)
        if explanation is None:
            return set()
        return proven(
            diagnose(reduced, explanation, flow=flow, past=past, vault=vault, now=exchange.started_at, unknown=unknown)
        )

    before = judged(exchange, frozenset(), flow, past, vault)
    for name in names:
        reduced, unknown = REDUCTIONS[name](exchange, frozenset())
        for id in judged(reduced, unknown, flow, past, vault) - before:
            yield f"{id} without {name}"
    for name, lesser in (
        ("history", (flow, NoPast(), vault)),
        ("flow", (None, past, vault)),
        ("vault", (None, past, None)),
    ):
        for id in judged(exchange, frozenset(), *lesser) - before:
            yield f"{id} without {name}"
