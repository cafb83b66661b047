"""The gate before everything that the console serves, when people sign in: who is there, or a way to the login.

``OPEN`` lists what it lets through without a person. A person passes it as ``Person`` in the ASGI scope, for the
routes, and sealed in ``HEADER``, for the pages; what a request brings under that name is removed first.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oauth.access import LOCAL, Action, Person, Role
from oauth.access.audit import place
from oauth.access.register import Register
from oauth.access.seal import HEADER, Seal
from oauth.access.sign_in import WHO, Refused, Unreachable
from oauth.routes.page import page

PERSON = "console.person"
"""The key of the person in the ASGI scope."""

OPEN: Mapping[str, str] = {
    "/callback": "the provider's redirect; its state decides, and only the session that made it reads it",
    "/_stcore/health": "a probe; it tells that the console runs, and nothing else",
    "/live": "a probe; it tells that the process runs, and nothing else",
    "/healthz": "`/live` under another name",
    "/ready": "a probe; it tells whether the console can serve people, and else one word why",
    "/readyz": "`/ready` under another name",
    "/metrics": "a program, with a token of the scope `metrics`",
    "/sandbox/": "the sandbox's addresses of a provider, which clients call; its control asks for its own token",
    "/api/": "programs, with a token of their own",
}
"""The paths that need no person, those with a slash at their end with all below, and why."""


_WORDS = {"True": "yes", "False": "no"}


class Way(Protocol):
    """A kind of sign-in, which identifies the sender of a request."""

    sign_in_path: str
    """The path that leads to the login, empty where a proxy has it."""

    sign_out_path: str
    """The path or address that ends the session, empty where there is none."""

    routes: list[Route]
    """The routes of the login itself."""

    def identify(self, connection: HTTPConnection) -> str:
        """Return the sealed person of a request, empty for nobody. Raises ``Refused`` and ``Unreachable``."""


class Gate:
    """ASGI middleware that admits people. ``base`` is the path of the console."""

    def __init__(
        self,
        app: ASGIApp,
        way: Way,
        seal: Seal,
        clock: Callable[[], datetime],
        base: str,
        register: Register,
    ) -> None:
        self._app = app
        self._way = way
        self._seal = seal
        self._clock = clock
        self._base = base
        self._register = register

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is open or comes from a person who may come in."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        scope = _without_our_header(scope)
        path = scope["path"].removeprefix(self._base) if self._is_below(scope["path"]) else ""
        if HEADER in connection.headers:
            reason = f"It brought the header {HEADER}, which only the gate writes. The header was removed."
            await self._refused(reason, path, connection)
        # No WebSocket is open: the only one is that of the pages.
        if scope["type"] == "http" and any(
            path == open or (open.endswith("/") and path.startswith(open)) for open in OPEN
        ):
            await self._app(scope, receive, send)
            return
        for route in self._way.routes:
            if scope["type"] == "http" and route.matches({**scope, "path": path})[0] is Match.FULL:
                await route.handle(scope, receive, send)
                return
        try:
            sealed = await run_in_threadpool(self._way.identify, connection)
            person = self._seal.person(sealed, self._clock()) if sealed else None
            if person is not None and await run_in_threadpool(self._register.has_ended, person.session):
                person = None
        except (Refused, Unreachable) as error:
            await self._refused(str(error), path, connection)
            await _answer(scope, receive, send, self._refusal(error))
            return
        if person is None:
            await _answer(scope, receive, send, self._to_login(connection))
        elif path == WHO:
            await _answer(scope, receive, send, self._who(person))
        elif person.role is Role.NONE:
            await _answer(scope, receive, send, self._who(person, 403))
        else:
            await self._admit(_with_person(scope, person, sealed), receive, send, person)

    async def _refused(self, reason: str, path: str, connection: HTTPConnection) -> None:
        address, source = address_of(connection), source_of(connection)
        await run_in_threadpool(self._register.record_refusal, reason, path, address, source)

    async def _admit(self, scope: Scope, receive: Receive, send: Send, person: Person) -> None:
        if scope["type"] == "http":
            await self._app(scope, receive, _for_one(send))
            return

        async def receive_in_time() -> Message:
            """Return the next message, or the end of the connection when the session has ended by then."""
            seconds = None if person.expires is None else person.expires - self._clock().timestamp()
            try:
                message = await asyncio.wait_for(receive(), seconds)
            except TimeoutError:
                return await _closed(send)
            is_action = message["type"] == "websocket.receive"
            if is_action and await run_in_threadpool(self._register.has_ended, person.session):
                return await _closed(send)
            return message

        await self._app(scope, receive_in_time, send)

    def _to_login(self, connection: HTTPConnection) -> Response:
        """Return the way to the login for a browser that opens a page, and 401 for everything else."""
        accept = connection.headers.get("accept", "")
        if self._way.sign_in_path and connection.scope.get("method") == "GET" and "text/html" in accept:
            to = connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")
            return RedirectResponse(f"{self._base}{self._way.sign_in_path}?to={quote(to, safe='/')}", 303)
        text = "Sign in first" if self._way.sign_in_path else "The proxy sent no sign-in"
        return PlainTextResponse(f"{text}: open the console at its address in a browser.\n", 401)

    def _who(self, person: Person, status: int = 200) -> Response:
        """Return the page that says who somebody is, and which role that gave."""
        has_role = person.role is not Role.NONE
        may = [action.value for action in Action if person.may(action)]
        facts = [("id", person.id), ("role", person.role.label), *_facts(person.claims)]
        if may:
            facts.append(("may", ", ".join(may)))
        if person.expires is not None:
            end = datetime.fromtimestamp(person.expires, self._clock().tzinfo)
            facts.append(("signed in until", f"{end:%Y-%m-%d %H:%M:%S %Z}"))
        text = (
            "These claims of your sign-in gave the role, by the rules of CONSOLE_ROLES."
            if has_role
            else "You are signed in, but no rule of CONSOLE_ROLES gives you a role. Ask whoever runs this console, and "
            "name the id below."
        )
        link = (self._way.sign_out_path, "Sign out") if self._way.sign_out_path else None
        if link and link[0].startswith("/"):
            link = (self._base + link[0], link[1])
        return page(f"You are {person.name}", [text], facts=facts, link=link, status=status)

    def _refusal(self, error: Exception) -> Response:
        if isinstance(error, Unreachable):
            return page("The sign-in is unavailable", [str(error)], status=503)
        link = (f"{self._base}{self._way.sign_in_path}", "Sign in again") if self._way.sign_in_path else None
        return page("You are not signed in", [str(error)], link=link, status=401)

    def _is_below(self, path: str) -> bool:
        return path == self._base or path.startswith(f"{self._base}/")


def person_of(request: HTTPConnection) -> Person:
    """Return the person of a request that passed the gate; ``LOCAL`` on a console without sign-in."""
    person: Person = request.scope.get(PERSON, LOCAL)
    return person


def address_of(connection: HTTPConnection) -> str:
    """Return where a request says that it comes from, for the audit; nothing is believed for it."""
    return place(connection.client.host if connection.client else "", connection.headers.getlist("x-forwarded-for"))


def source_of(connection: HTTPConnection) -> str:
    """Return the address that the nearest proxy saw, which a client behind one cannot make up, or the connection's."""
    _, _, nearest = ",".join(connection.headers.getlist("x-forwarded-for")).rpartition(",")
    return nearest.strip() or (connection.client.host if connection.client else "")


def _facts(claims: Mapping[str, object]) -> list[tuple[str, str]]:
    return [
        (name, ", ".join(map(str, value)) if isinstance(value, list) else _WORDS.get(str(value), str(value)))
        for name, value in claims.items()
    ]


def _without_our_header(scope: Scope) -> Scope:
    name = HEADER.encode()
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() != name]}


def _with_person(scope: Scope, person: Person, sealed: str) -> Scope:
    return {**scope, PERSON: person, "headers": [*scope["headers"], (HEADER.encode(), sealed.encode("latin-1"))]}


def _for_one(send: Send) -> Send:
    """Forbid caches to keep a response that says nothing of them, such as a file that a page offers."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(raw=message.setdefault("headers", [])).setdefault("Cache-Control", "no-store")
        await send(message)

    return send_private


async def _answer(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    """Send a response, or refuse a WebSocket, whose handshake is answered with 403."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await response(scope, receive, send)


async def _closed(send: Send) -> Message:
    await send({"type": "websocket.close", "code": 1008, "reason": "the sign-in has ended"})
    return {"type": "websocket.disconnect", "code": 1008}
