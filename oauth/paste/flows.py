"""Group pasted exchanges that share a ``state``, a code or a token into flows."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote_plus, urljoin

from oauth.catalogue import browser
from oauth.catalogue.browser import Use
from oauth.exchange import Headers, Step, header
from oauth.paste.result import Pasted
from oauth.paste.step_guess import is_callback, parameters

_NAMES = "state|code|access_token|refresh_token"
_IN_ADDRESS = re.compile(rf"[?&#]({_NAMES})=([^&#]{{4,}})")
_IN_FORM = re.compile(rb"(?:^|&)(" + _NAMES.encode() + rb")=([^&]{4,})")
_IN_JSON = re.compile(rb'"(' + _NAMES.encode() + rb')"\s*:\s*"([^"\\]{4,})"')
_BEARER = re.compile(r"Bearer\s+(\S{4,})", re.IGNORECASE)


def grouped(items: list[Pasted]) -> list[Pasted]:
    """Return the same exchanges, those of one flow with the same ``flow``.

    It is a hash, as the console's own is: of the ``state``, where there is one. A browser's pages belong to the login
    during which they were loaded.
    """
    items = _landed(items)
    marks = [tuple(_marks(item)) for item in items]
    leaders: dict[tuple[str, str], tuple[str, str]] = {}

    def leader(mark: tuple[str, str]) -> tuple[str, str]:
        while (above := leaders.setdefault(mark, mark)) != mark:
            leaders[mark] = leaders[above]
            mark = above
        return mark

    for own in marks:
        for mark in own[1:]:
            first, second = sorted((leader(own[0]), leader(mark)), key=_rank)
            leaders[second] = first
    names: dict[tuple[str, str], str] = {}
    for place, own in enumerate(marks):
        if own:
            first = leader(own[0])
            items[place] = _in_flow(items[place], names.get(first) or names.setdefault(first, _name(first)))
    return _with_pages(items)


def _in_flow(item: Pasted, flow: str) -> Pasted:
    """Return an exchange with its flow. By position: that is faster than replacing the field."""
    return Pasted(
        item.request,
        item.response,
        item.step,
        item.started_at,
        item.duration_ms,
        item.repairs,
        item.source,
        flow,
        item.unknown,
        item.spans,
    )


def _landed(items: list[Pasted]) -> list[Pasted]:
    """Return the same exchanges, a callback with the fragment that its redirect had and no request shows."""
    fragments: dict[str, str] = {}
    landed = []
    for item in items:
        request = item.request
        if request is not None and (address := fragments.pop(request.url, "")):
            item = replace(item, request=replace(request, url=address), step=Step.CALLBACK)
        if request is not None and (address := redirect_of(item)) and is_callback(parameters(address)):
            bare, mark, _ = address.partition("#")
            if mark and not is_callback(parameters(bare)):
                fragments[bare] = address
        landed.append(item)
    return landed


def _with_pages(items: list[Pasted]) -> list[Pasted]:
    """Return the same exchanges, each page in the flow of the login around it; those before the first in that one.

    A call of a page is one of an API where there is no login, and where a token is refused or missing after one.
    """
    logins = [item.flow for item in items if item.flow and item.step in (Step.AUTHORIZE, Step.CALLBACK)]
    known, flow, has_token = set(logins), logins[0] if logins else "", False
    joined = []
    for item in items:
        if item.flow in known and item.step in (Step.AUTHORIZE, Step.CALLBACK):
            flow = item.flow
        has_token = has_token or (item.step is Step.TOKEN and item.status == 200)
        if item.step is Step.PAGE:
            if not logins or (has_token and item.status in (401, 403)):
                item = _as_call(item)
            if item.flow not in known:
                item = _in_flow(item, flow)
        joined.append(item)
    return joined


def _as_call(item: Pasted) -> Pasted:
    is_call = item.request is not None and browser.use_of(item.request, item.response) is Use.CALL
    return replace(item, step=Step.API) if is_call else item


def redirect_of(item: Pasted) -> str:
    """Return the address that a response redirects to, empty without a redirect."""
    if item.request is None or item.response is None or not 300 <= item.response.status < 400:
        return ""
    location = header(item.response.headers, "location") or ""
    try:
        return urljoin(item.request.url, location) if location else ""
    except ValueError:  # a malformed host
        return ""


def _rank(mark: tuple[str, str]) -> tuple[int, str]:
    return _NAMES.split("|").index(mark[0]), mark[1]


def _name(mark: tuple[str, str]) -> str:
    return hashlib.sha256(mark[1].encode("utf-8", "replace")).hexdigest()[:10]


def _marks(item: Pasted) -> Iterator[tuple[str, str]]:
    """Yield the values that tie an exchange to others."""
    if item.request is not None:
        yield from _of_address(item.request.url)
        yield from _of_body(item.request.body)
        yield from _of_bearer(item.request.headers)
    if item.response is not None:
        yield from _of_json(item.response.body)
        if location := header(item.response.headers, "location"):
            yield from _of_address(location)


def _of_address(url: str) -> Iterator[tuple[str, str]]:
    if "=" in url:
        yield from ((name, unquote_plus(value)) for name, value in _IN_ADDRESS.findall(url))


def _of_body(body: bytes) -> Iterator[tuple[str, str]]:
    if b"=" in body:
        yield from ((name.decode(), unquote_plus(_text(value))) for name, value in _IN_FORM.findall(body))
    yield from _of_json(body)


def _of_json(body: bytes) -> Iterator[tuple[str, str]]:
    if b"_token" in body or b'"code"' in body or b'"state"' in body:
        yield from ((name.decode(), _text(value)) for name, value in _IN_JSON.findall(body))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def _of_bearer(headers: Headers) -> Iterator[tuple[str, str]]:
    if (authorization := header(headers, "authorization")) and (bearer := _BEARER.fullmatch(authorization.strip())):
        yield "access_token", bearer[1]
