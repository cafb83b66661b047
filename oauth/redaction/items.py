"""The texts of an exchange that are redacted, and the exchange with others in their place."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import cast

from oauth.exchange import Exchange, Headers, Request, Response
from oauth.redaction import by_name
from oauth.redaction.bodies import body_text
from oauth.redaction.decodings import View
from oauth.redaction.occurrences import Occurrence

Finder = Callable[[str, list[View]], Iterable[Occurrence]]
"""A function that finds the named secrets in a text, given the text and its views."""

Item = tuple[str | Finder, str]
"""A header or another field, as name and value; or a text of another kind, after the finder for it."""


def items_of(exchange: Exchange) -> list[Item]:
    """Return the texts of an exchange, those of the request first."""
    request, response, failure = exchange.request, exchange.response, exchange.failure
    items: list[Item] = [(find_nothing, exchange.client_id), (find_nothing, exchange.case), (find_in_url, request.url)]
    items += [*request.headers, (find_in_text, _body(request.body, request.headers))]
    if response is not None:
        items += [(find_nothing, response.reason), *response.headers]
        items.append((find_in_response, _body(response.body, response.headers)))
    if failure is not None:
        items.append((find_in_words, failure.detail))
    return items


def with_items(exchange: Exchange, items: Sequence[Item]) -> Exchange:
    """Return the exchange with these items in place of its own, in the same order."""
    request, response, failure = exchange.request, exchange.response, exchange.failure
    (_, client_id), (_, case), (_, url) = items[:3]
    end = 3 + len(request.headers)
    request = Request(request.method, url, _headers(items[3:end]), items[end][1].encode())
    if response is not None:
        start = end + 2
        end = start + len(response.headers)
        response = Response(
            response.status,
            items[start - 1][1],
            _headers(items[start:end]),
            items[end][1].encode(),
            response.cut,
            response.http_version,
        )
    if failure is not None:
        failure = replace(failure, detail=items[-1][1])
    # By position: that is faster than replacing the fields that change.
    return Exchange(
        exchange.step,
        request,
        exchange.started_at,
        response,
        failure,
        exchange.duration_ms,
        exchange.id,
        exchange.flow,
        exchange.owner,
        case,
        exchange.provider,
        client_id,
        exchange.marks,
    )


def find_named(item: Item, views: list[View]) -> list[Occurrence]:
    """Find the named secrets in an item, given the views of its text."""
    name, text = item
    if isinstance(name, str):
        return [*by_name.in_field(name, text), *by_name.in_text(views, lines=False)]
    return list(name(text, views))


def find_in_text(_: str, views: list[View]) -> list[Occurrence]:
    """Find the named secrets in a text, such as the body of a request."""
    return by_name.in_text(views)


def find_in_words(_: str, views: list[View]) -> list[Occurrence]:
    """Find the named secrets in a text of any kind, such as what a person pastes."""
    return by_name.in_text(views, words=True)


def find_in_response(_: str, views: list[View]) -> list[Occurrence]:
    """Find the named secrets in the body of a response."""
    return by_name.in_text(views, response=True)


def find_in_url(url: str, views: list[View]) -> Iterator[Occurrence]:
    """Find the named secrets in a URL."""
    return chain(by_name.in_url(url), by_name.in_text(views, lines=False))


def find_nothing(_text: str, _views: list[View]) -> Iterable[Occurrence]:
    """Find nothing: secrets in such a text are known by value only."""
    return ()


def _headers(items: Sequence[Item]) -> Headers:
    return cast(Headers, tuple(items))


def _body(body: bytes, headers: Headers) -> str:
    text = body_text(body, headers)
    return f"(binary, {len(body)} bytes)" if text is None else text
