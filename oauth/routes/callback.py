"""The redirect URI, ``/callback`` (RFC 6749 §4.1.2): hands the parameters to the session that waits for them.

A server that was asked for ``response_mode=form_post`` has the browser send a form there (OAuth 2.0 Form Post Response
Mode §2); all others a query.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from oauth import exchange as http
from oauth.exchange import Exchange, Step
from oauth.handover import LIFETIME, Handover, Outcome
from oauth.history.store import HistoryError
from oauth.kept_flows import KeptFlows
from oauth.recorder import Recorder
from oauth.routes.page import page

_NEXT = {
    True: "The console keeps it for your flow: go back to the console's tab to continue. If that tab was closed, open "
    "the console again in the same browser. This tab can be closed.",
    False: "But the flow that asked for it was lost: the console that had it in its memory was stopped, and with it "
    "went what is needed to use the response. Open the console and start a new flow. To read this response, copy the "
    "address of this page and paste it at Diagnose.",
    None: "The tab of the console that waits for it takes it: go back to that tab to continue. If it does not show the "
    "response, copy the address of this page and paste it there, at Callback. If no tab waits, start a new flow.",
}
"""The way on, by whether the flow is kept; ``None`` where it is not known."""

SHOWN = ("error", "error_description", "error_uri", "iss", "scope")
"""Parameters whose value is shown. Of all others only the length is shown: a code is a secret."""

_AGAIN = "Go back to the console, start the flow again at Authorize, and use the new link once."

_REFUSED = {
    Outcome.UNKNOWN: (
        "Unknown state",
        "No flow of this console waits for the state in this address. It belongs to another console, to a flow that "
        "ended long ago, or to a forged link.",
    ),
    Outcome.USED: (
        "This state was already used",
        "The response for this flow has already arrived, here or by pasting it. A state is valid for one response.",
    ),
    Outcome.EXPIRED: (
        "This state has expired",
        "The flow stopped waiting before this response arrived.",
    ),
}

THREADS = 4
"""Callbacks that are answered at a time."""

FORM = "application/x-www-form-urlencoded"

FORM_LIMIT = 65_536
"""Bytes of a form that are read; an authorization response has a few hundred."""

TRIES = 30
SECONDS_BETWEEN_TRIES = 0.1
"""Seconds between two looks for a flow that a callback belongs to, and the number of looks."""

MOST_PARAMETERS = 100
"""Parameters of a callback that is accepted."""


def callback(
    new_recorder: Callable[[], Recorder],
    clock: Callable[[], datetime],
    public_url: str = "",
    flow_lifetime: timedelta = LIFETIME,
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint. Each callback gets a recorder of its own, and its vault is discarded with it.

    ``public_url`` is the address of the console behind a proxy, which the browser requested. ``flow_lifetime`` is the
    time for which a flow is kept.
    """
    # Threads of its own: those that all other routes share may be busy, and a code lives for seconds.
    threads = ThreadPoolExecutor(THREADS, "callback")

    async def endpoint(request: Request) -> Response:
        body = b"" if request.method == "GET" else await _body(request)
        return await asyncio.get_running_loop().run_in_executor(threads, respond, request, body)

    def respond(request: Request, body: bytes | None) -> Response:
        arrived = clock()
        if body is None:
            return _refusal(request, "This callback cannot be used", "The body is not a form, or is too long.")
        parameters = request.query_params.multi_items()
        if request.method == "POST":
            parameters = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        problem = _problem(parameters)
        if problem:
            return _refusal(request, "This callback cannot be used", problem)
        recorder = new_recorder()
        try:
            receipt = Handover(recorder.history.database).receive(dict(parameters)["state"], parameters)
        except HistoryError as error:
            return _not_kept(error)
        if receipt.outcome is not Outcome.ACCEPTED:
            return _refusal(request, *_REFUSED[receipt.outcome])
        received = http.Request(request.method, _address(request, public_url), _headers(request), body)
        begun = recorder.begin(Exchange(Step.CALLBACK, received, arrived, **asdict(receipt.labels)))
        elapsed = round((clock() - arrived).total_seconds() * 1000)
        # The page says nothing that the address does not, so its body is not stored.
        recorder.complete(begun, replace(begun.live, response=http.Response(200, "OK"), duration_ms=elapsed))
        flows = KeptFlows(recorder.history.database, flow_lifetime)
        return _accepted(parameters, recorder.problem, _is_kept(flows, receipt.labels.flow))

    return endpoint


async def _body(request: Request) -> bytes | None:
    """Read the form in the body, ``None`` when it is not a form or too long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT:
            return None
    return body


def _problem(parameters: Sequence[tuple[str, str]]) -> str:
    """Return the problem with the parameters, empty when they are valid."""
    if len(parameters) > MOST_PARAMETERS:
        return f"It has {len(parameters):,} parameters, and an authorization response has a handful."
    repeated = sorted(name for name, count in Counter(name for name, _ in parameters).items() if count > 1)
    if repeated:
        return f"These parameters occur more than once, so none can be trusted: {', '.join(repeated)}."
    # RFC 6749 §3.1: a parameter without a value is treated as if it were left out.
    present = {name for name, value in parameters if value}
    if "state" not in present:
        return "It has no state, so the console cannot tell which flow it belongs to."
    if not present & {"code", "error"}:
        return "It has neither a code nor an error."
    return ""


def _address(request: Request, public_url: str) -> str:
    """Return the address that the browser requested."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{public_url}/callback{query}" if public_url else str(request.url)


def _headers(request: Request) -> http.Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)


def _is_kept(flows: KeptFlows, flow: str) -> bool | None:
    """Return whether a flow can go on with its callback, ``None`` if only a tab that is open may know it.

    A provider that asks nothing may be faster than the console, which keeps the flow when its page is opened.
    """
    try:
        for _ in range(TRIES):
            if (is_kept := flows.has(flow)) is not None:
                return is_kept
            time.sleep(SECONDS_BETWEEN_TRIES)
    except HistoryError:
        return None  # what cannot be looked up is not known, and the page says no more than that
    return None


def _accepted(parameters: Sequence[tuple[str, str]], problem: str, is_kept: bool | None) -> Response:
    refused = any(name == "error" and value for name, value in parameters)
    outcome = "The provider returned an error." if refused else "The code arrived."
    paragraphs = [f"{outcome} {_NEXT[is_kept]}"]
    if problem:
        paragraphs.append(f"This callback was not recorded in the history. {problem}")
    facts = [(name, value if name in SHOWN else f"{len(value)} characters, not shown") for name, value in parameters]
    title = "Error received" if refused else "Callback received"
    # Where the flow may be gone, the address is all that is left of the response, and can be copied.
    return page(title, paragraphs, facts=facts, strip_query=is_kept is True)


def _refusal(request: Request, title: str, reason: str) -> Response:
    paragraphs = [reason, "Nothing was changed or recorded.", _AGAIN]
    console = f"{request.scope.get('root_path', '')}/", "Open the console"
    return page(title, paragraphs, link=console, status=400, strip_query=True)


def _not_kept(error: HistoryError) -> Response:
    # The address stays in the address bar: it has to be copied.
    paragraphs = [
        str(error),
        "The response could not be handed to the console. Copy the address of this page and paste it there, at "
        "Callback, or reload this page once the problem is solved.",
    ]
    return page("The callback could not be stored", paragraphs, status=503)
