"""What pasted exchanges mean: each explained, diagnosed from the paste, and redacted."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from oauth import parameters
from oauth.catalogue.explain import Explanation, explain, explain_response
from oauth.diagnosis import Cause, Diagnosis, InMemoryPast, NoPast, Past, diagnose, preflight
from oauth.exchange import Exchange, Request, Step, header
from oauth.paste.result import Pasted
from oauth.redaction import Vault
from oauth.redaction.names import secret_kind

_COOKIES = ("cookie", "set-cookie", "authorization", "proxy-authorization")
_NESTED = 3
"""Levels of a response body in which secrets are learned by name."""


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """One pasted exchange with what it means.

    ``exchange`` is redacted. ``explanation`` is ``None`` for a success and where nothing can be said, and ``diagnosis``
    then too. ``before_sending`` are the causes for which a request without a response would fail.
    """

    pasted: Pasted
    exchange: Exchange
    explanation: Explanation | None = None
    diagnosis: Diagnosis | None = None
    before_sending: tuple[Cause, ...] = ()


def diagnosed(items: Sequence[Pasted], vault: Vault, now: datetime, *, past: Past | None = None) -> Iterator[Diagnosed]:
    """The exchanges of a paste, explained and diagnosed, in their order.

    ``vault`` learns the secrets of all of them. ``past`` is asked besides the paste itself, for example the history.
    """
    for item in items:
        learn(item, vault)
    seen = InMemoryPast(past or NoPast())
    for item in items:
        live = item.to_exchange(now)
        redacted = vault.redact(live)
        # Without a time of its own an exchange has no before and after: only what it says itself counts.
        known: Past = seen if item.started_at else past or NoPast()
        explanation = explained(item, live)
        diagnosis = None
        before: tuple[Cause, ...] = ()
        if explanation is not None:
            diagnosis = diagnose(_known_part(item, live), explanation, past=known, vault=vault, now=now)
            explanation = _without_secrets(explanation, vault)
        elif item.response is None and item.request is not None and item.request.url and item.request_body_known:
            before = preflight(item.request, live.step, flow=None, past=known, vault=vault, now=now)
        yield Diagnosed(item, redacted, explanation, diagnosis, before)
        if item.started_at:
            seen.add(redacted)


def explained(item: Pasted, exchange: Exchange) -> Explanation | None:
    """Why a pasted exchange failed, ``None`` for a success and where the paste does not say."""
    if item.step is Step.CALLBACK:
        return explain(exchange)
    if item.response is None:
        return None
    response = item.response
    found = explain_response(item.status, response.headers, response.body, step=item.step, request=item.request)
    unknown = found is not None and found.answer == "empty" and not item.response_body_known
    return None if unknown else found


def learn(item: Pasted, vault: Vault) -> None:
    """Remember the secrets that an exchange names, so that they are taken out of everything else too."""
    for name, value in (*_sent(item), *_received(item)):
        kind = secret_kind(name)
        if name.lower() in _COOKIES:
            vault.conceal(name, value)
        elif kind is not None and value:
            vault.add(kind, value)


def _sent(item: Pasted) -> Iterator[tuple[str, str]]:
    if item.request is not None:
        sent = parameters.read(item.request)
        for parameter in (*sent.query, *sent.meant):
            yield parameter.name, parameter.value
        yield from item.request.headers


def _received(item: Pasted) -> Iterator[tuple[str, str]]:
    """What a response names; a numeric ``code`` in its body is an error number and no secret."""
    if item.response is not None:
        yield from item.response.headers
        if location := header(item.response.headers, "location"):
            yield from parameters.query_of(location)
        if item.response.body[:1] == b"{":
            try:
                yield from _texts(json.loads(item.response.body), 0)
            except (ValueError, RecursionError):
                return  # no JSON: what has a name in it is found when it is redacted


def _texts(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    for name, inner in value.items() if isinstance(value, dict) and depth < _NESTED else ():
        if isinstance(inner, str):
            if not (name == "code" and inner.isdecimal()):
                yield name, inner
        else:
            yield from _texts(inner, depth + 1)


def _known_part(item: Pasted, exchange: Exchange) -> Exchange:
    """The exchange without a request whose body is not known, which would look like a request without parameters."""
    if item.request_body_known or header(exchange.request.headers, "content-length"):
        return exchange
    return replace(exchange, request=Request("", ""))


def _without_secrets(explanation: Explanation, vault: Vault) -> Explanation:
    error, description = (vault.redact_text(text) for text in (explanation.error, explanation.error_description))
    matched = vault.redact_text(explanation.matched_text)
    return replace(explanation, error=error, error_description=description, matched_text=matched)
