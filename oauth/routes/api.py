"""The API for programs: the history and the diagnosis, with a bearer token, described by ``/api/openapi.json``."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from threading import BoundedSemaphore
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from oauth import isolation
from oauth.access.audit import Audit, Event
from oauth.access.tokens import Token
from oauth.exports.record import Record, record
from oauth.history.filters import FilterError, Filters
from oauth.history.listing import LARGEST_ID
from oauth.history.store import HistoryError
from oauth.lenient_json import ParseError
from oauth.routes.bearer import authorized, refusal
from oauth.routes.gate import address_of
from oauth.routes.openapi import DEFAULT_LIMIT, MOST_AT_ONCE, OPERATIONS, Operation, document

PREFIX = "/api"

PIECE = 20
"""Exchanges that are read at once."""

PAGE_CHARACTERS = 16 * 1024 * 1024
"""Characters of exchanges after which a page ends, whatever its limit."""

SECONDS = 50.0
"""Time limit of a diagnosis; many a proxy gives up after a minute."""

BODY_SECONDS = 60.0
"""Time limit of a body: a client that sends it slowly is one of those at a time."""

AT_A_TIME = 2
"""Diagnoses at a time, each in a process of its own."""

RETRY_SECONDS = 5


class Problem(Exception):
    """A refusal of a request with a status; the text says what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Api:
    """The API of a console. ``new_audit`` gives the audit, with its history, and ``key`` is that of fingerprints.

    ``public_url`` is the address of the console behind a proxy.
    """

    def __init__(
        self, new_audit: Callable[[], Audit], clock: Callable[[], datetime], key: bytes, public_url: str
    ) -> None:
        self._new_audit = new_audit
        self._clock = clock
        self._key = key
        self._public_url = public_url
        self._diagnoses = BoundedSemaphore(AT_A_TIME)

    def routes(self) -> list[Route]:
        """Return the routes of all operations and of the document; everything else below ``PREFIX`` is refused."""
        answers = {
            "/exchanges": self._exchanges,
            "/exchanges/{id}": self._exchange,
            "/diagnose": self._diagnose,
        }
        operations = [_route(it.method, it.path, self._endpoint(it, answers[it.path])) for it in OPERATIONS]
        operations.append(_route("GET", "/openapi.json", self._document))

        async def other(request: Request) -> Response:
            matches = [route for route in operations if route.matches(request.scope)[0] is Match.PARTIAL]
            allowed = ", ".join(sorted({method for route in matches for method in route.methods or ()}))
            if allowed:
                return refusal(405, f"Use {allowed}.", {"Allow": allowed})
            return refusal(404, f"There is no such address. {PREFIX}/openapi.json describes the API.")

        others = Route(f"{PREFIX}/{{path:path}}", other)
        others.methods = None  # all
        return [*operations, others]

    def _endpoint(
        self, operation: Operation, answer: Callable[[Request, Token, Audit], Awaitable[Any]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            audit = self._new_audit()
            try:
                token = await run_in_threadpool(authorized, request, operation.scope, audit, operation.cost)
                if isinstance(token, Response):
                    return token
                _check_names(request, operation)
                return _json(await answer(request, token, audit))
            except Problem as problem:
                headers = {"Retry-After": str(RETRY_SECONDS)} if problem.status == 503 else None
                return refusal(problem.status, str(problem), headers)
            except HistoryError as error:
                return refusal(503, str(error), {"Retry-After": str(RETRY_SECONDS)})

        return endpoint

    async def _document(self, request: Request) -> Response:
        base = self._public_url or f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
        return _json(await run_in_threadpool(document, f"{base}{PREFIX}"))

    async def _exchanges(self, request: Request, token: Token, audit: Audit) -> Any:
        query = request.query_params
        before = _number(query.get("before"), "before", LARGEST_ID)
        limit = _number(query.get("limit"), "limit", MOST_AT_ONCE) or DEFAULT_LIMIT
        try:
            filters = Filters.parse(query.get("filter", "")).resolved(self._clock(), UTC)
        except FilterError as error:
            raise Problem(400, str(error)) from error

        def read() -> tuple[list[Record], int | None]:
            records: list[Record] = []
            size, last = 0, before
            while len(records) < limit and size < PAGE_CHARACTERS:
                rows = audit.history.page(filters, last, min(PIECE, limit - len(records)))
                if not rows:
                    last = None
                    break
                records += map(record, rows)
                size += sum(len(str(value)) for one in records[-len(rows) :] for value in one.values())
                last = rows[-1].exchange.id
            detail = f"{len(records):,} exchanges, API"
            audit.record(token.person, Event.EXPORT, filters.line, detail=detail, address=address_of(request))
            return records, last

        records, last = await run_in_threadpool(read)
        return {"exchanges": records, "next": last}

    async def _exchange(self, request: Request, token: Token, audit: Audit) -> Any:
        text = request.path_params["id"]
        id = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(LARGEST_ID)) else 0

        def read() -> Record:
            row = audit.history.get(id)
            if row is None:
                raise Problem(404, f"There is no exchange {text}.")
            audit.record(token.person, Event.EXPORT, f"row {id}", detail="API", address=address_of(request))
            return record(row)

        return await run_in_threadpool(read)

    async def _diagnose(self, request: Request, _token: Token, _audit: Audit) -> Any:
        from oauth.diagnosis.as_json import diagnose_all  # loads every reader of pasted text

        if not self._diagnoses.acquire(blocking=False):
            raise Problem(503, f"{AT_A_TIME} texts are being diagnosed, which is the most at a time. Try again soon.")
        try:
            text = await asyncio.wait_for(_text(request), BODY_SECONDS)
            return await run_in_threadpool(
                isolation.call,
                diagnose_all,
                text,
                self._clock(),
                self._key,
                waiting=lambda _seconds, _last: None,
                seconds=SECONDS,
            )
        except TimeoutError as error:
            raise Problem(408, f"The text took more than {BODY_SECONDS:.0f} s to arrive.") from error
        except ParseError as error:
            raise Problem(422, str(error)) from error
        except isolation.IsolationError as error:
            raise Problem(422, f"Reading stopped: {error}. Cut out the part around the error.") from error
        finally:
            self._diagnoses.release()


def _route(method: str, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    route = Route(PREFIX + path, endpoint)
    route.methods = {method}  # without HEAD, which Starlette adds to GET
    return route


def _check_names(request: Request, operation: Operation) -> None:
    """Refuse a parameter that is unknown, which may be a wrong spelling, or that occurs twice."""
    in_query = [name for name in operation.parameters if name not in request.path_params]
    for name, count in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in in_query:
            raise Problem(400, f"Unknown parameter {name[:60]!r}; the parameters are {', '.join(in_query) or 'none'}.")
        if count > 1:
            raise Problem(400, f"The parameter {name} occurs more than once.")


def _number(text: str | None, name: str, most: int) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 0 < int(text) <= most):
        raise Problem(400, f"{name} is {text[:60]!r}; it must be a number from 1 to {most}.")
    return int(text)


async def _text(request: Request) -> str:
    """Return the text in a body."""
    from oauth.paste import MOST_OCTETS

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/plain", "application/json"):
        raise Problem(415, 'Send the text as text/plain, or as application/json: {"text": "..."}.')
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_OCTETS:
            raise Problem(413, f"The text is larger than {MOST_OCTETS // 1024 // 1024} MiB; cut out the exchange.")
    try:
        text: Any = body.decode("utf-8-sig")
        if kind == "application/json":
            value = json.loads(text)
            text = value["text"] if isinstance(value, dict) and value.keys() == {"text"} else None
    except (ValueError, RecursionError) as error:
        raise Problem(400, "The body is not valid: it must be UTF-8, and valid JSON where it says so.") from error
    if not isinstance(text, str):
        raise Problem(400, 'The body must be {"text": "..."}.')
    return text


def _json(value: Any) -> Response:
    # Escaped, because half of a surrogate pair is no UTF-8.
    return Response(json.dumps(value), media_type="application/json", headers={"Cache-Control": "no-store"})
