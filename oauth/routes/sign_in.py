"""The kinds of sign-in: at an OpenID provider with its routes, and by the JWT of a proxy."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from oauth.access.assertion import vouched
from oauth.access.audit import Audit
from oauth.access.documents import Documents
from oauth.access.openid import Provider
from oauth.access.register import Register
from oauth.access.roles import Role
from oauth.access.seal import ATTEMPT_SECONDS, Attempt, Seal, session_end
from oauth.access.sign_in import CALLBACK, SIGN_IN, SIGN_OUT, Refused, SignIn, Unreachable, Voucher
from oauth.exports import links
from oauth.routes.gate import Gate, Way, address_of, source_of
from oauth.routes.page import page
from oauth.settings import Settings

MOST_ATTEMPTS = 5
"""Attempts that a browser may have at once, such as one for each tab that it opens at its start."""

LONGEST_PATH = 1_000
"""Characters of an address that a sign-in leads back to; it is in a cookie, of which a browser keeps 4,096."""

AT_A_TIME = 8
"""Sign-ins that wait for the provider at a time: pages and files need threads too."""

PATIENCE = 20.0
"""Seconds to wait for a turn: with four requests to the provider a sign-in ends within a minute, as proxies need."""

MOST_KEPT = 1_000
"""JWTs of a proxy that are known to be verified: a browser sends its own with each request."""

_T = TypeVar("_T")


class OpenIdWay:
    """The login at an OpenID provider. A cookie has the sealed person, ``browser_cookie`` tells browsers apart."""

    sign_in_path, sign_out_path = SIGN_IN, SIGN_OUT

    def __init__(
        self,
        provider: Provider,
        issuer: str,
        seal: Seal,
        clock: Callable[[], datetime],
        browser_cookie: str,
        base: str,
        register: Register,
    ) -> None:
        self._provider = provider
        self._issuer = issuer
        self._seal = seal
        self._clock = clock
        self._browser_cookie = browser_cookie
        self._cookie = f"{browser_cookie}_person"
        self._base = base
        self._secure = browser_cookie.startswith(links.HOST_PREFIX)
        self._cookie_path = "/" if self._secure else base or "/"
        self._attempt_prefix = f"{self._cookie.removeprefix(links.HOST_PREFIX)}_to_"
        self._register = register
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self.routes = [
            Route(SIGN_IN, self._begin, methods=["GET"]),
            Route(CALLBACK, self._finish, methods=["GET"]),
            Route(SIGN_OUT, self._leave, methods=["GET"]),
        ]

    def identify(self, connection: HTTPConnection) -> str:
        """Return the sealed person of the cookie."""
        return connection.cookies.get(self._cookie, "")

    async def _begin(self, request: Request) -> Response:
        attempt = Attempt(self._own_path(request.query_params.get("to", "")))
        try:
            url = await self._in_turn(self._provider.authorization_url, attempt)
        except Unreachable as error:
            return page("The sign-in is unavailable", [str(error)], link=self._again(attempt.to), status=503)
        response = RedirectResponse(url, 303)
        response.headers["Cache-Control"] = "no-store"
        for name in [name for name in request.cookies if name.startswith(self._attempt_prefix)][MOST_ATTEMPTS - 1 :]:
            response.delete_cookie(name, path=self._base + SIGN_IN)
        name, path = self._attempt_cookie(attempt.state), self._base + SIGN_IN
        self._set(response, name, self._seal.attempt(attempt), path, ATTEMPT_SECONDS)
        return response

    async def _finish(self, request: Request) -> Response:
        callback = dict(request.query_params)
        name = self._attempt_cookie(callback.get("state", ""))
        attempt = self._seal.opened_attempt(request.cookies.get(name, ""))
        if attempt is None or attempt.state != callback.get("state"):
            text = "This sign-in was begun in another browser, or more than ten minutes ago."
            return page("This sign-in has expired", [text], link=self._again(""), status=403)
        try:
            if "error" in callback:
                raise Refused(f"The provider returned the error {callback['error'][:100]!r}.")
            claims = await self._in_turn(self._provider.claims, attempt, callback)
            sealed = self._seal.sealed(self._issuer, claims, self._clock())
            await run_in_threadpool(self._come_in, sealed, request)
        except (Refused, Unreachable) as error:
            address, source = address_of(request), source_of(request)
            await run_in_threadpool(self._register.record_refusal, str(error), CALLBACK, address, source)
            status = 403 if isinstance(error, Refused) else 503
            response: Response = page(
                "You are not signed in", [str(error)], link=self._again(attempt.to), status=status
            )
        else:
            response = RedirectResponse(attempt.to, 303)
            seconds = int(session_end(claims, self._clock()) - self._clock().timestamp())
            self._set(response, self._cookie, sealed, self._cookie_path, seconds)
        response.delete_cookie(name, path=self._base + SIGN_IN)
        return response

    async def _leave(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            text = "A page of another site led here. To sign out, follow the link."
            return page("Sign out?", [text], link=(self._base + SIGN_OUT, "Sign out"), status=403)
        try:
            person = self._seal.person(self.identify(request), self._clock())
            if person is not None and not await run_in_threadpool(self._register.has_ended, person.session):
                browser = request.cookies.get(self._browser_cookie, "")
                await run_in_threadpool(self._register.sign_out, person, address_of(request), browser)
        except (Refused, Unreachable) as error:
            return self._without_cookie(page("You are signed out of this browser", [str(error)]))
        text = "The login of your provider may still know you: sign out there too on a machine that others use."
        response = page("You are signed out", [text], link=(f"{self._base}{SIGN_IN}", "Sign in again"))
        return self._without_cookie(response)

    def _come_in(self, sealed: str, request: Request) -> None:
        person = self._seal.person(sealed, self._clock())
        if person is not None:
            self._register.sign_in(person, address_of(request))

    async def _in_turn(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Call the provider. Raises ``Unreachable`` when no turn comes in time."""
        try:
            await asyncio.wait_for(self._turns.acquire(), PATIENCE)
        except TimeoutError as error:
            raise Unreachable("Too many people are signing in, or the provider is slow. Try again soon.") from error
        try:
            return await run_in_threadpool(function, *arguments)
        finally:
            self._turns.release()

    def _without_cookie(self, response: Response) -> Response:
        # A browser ignores a Set-Cookie with this prefix and without Secure.
        response.delete_cookie(self._cookie, path=self._cookie_path, secure=self._secure)
        return response

    def _own_path(self, to: str) -> str:
        """Return the path that was asked for, if it is one of this console and not of another host.

        A long address loses its query: a browser discards a cookie that is too large, and the sign-in with it.
        """
        if len(quote(to)) > LONGEST_PATH:
            to = to.partition("?")[0]
        is_path = to.startswith(f"{self._base}/") and not to.startswith("//") and to.isprintable()
        return to if is_path and "\\" not in to and len(quote(to)) <= LONGEST_PATH else f"{self._base}/"

    def _again(self, to: str) -> tuple[str, str]:
        return to or f"{self._base}/", "Sign in again"

    def _set(self, response: Response, name: str, value: str, path: str, seconds: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=path,
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    def _attempt_cookie(self, state: str) -> str:
        return self._attempt_prefix + sha256(state.encode()).hexdigest()[:12]


class ProxyWay:
    """A proxy that signs people in, and vouches for each request with a JWT."""

    sign_in_path = sign_out_path = ""
    routes: list[Route] = []  # noqa: RUF012

    def __init__(
        self,
        voucher: Voucher,
        seal: Seal,
        documents: Documents,
        clock: Callable[[], datetime],
        register: Register,
    ) -> None:
        self._voucher = voucher
        self._seal = seal
        self._documents = documents
        self._clock = clock
        self._register = register
        self._kept: dict[bytes, str] = {}
        self._known: dict[str, Role] = {}

    def identify(self, connection: HTTPConnection) -> str:
        """Return the sealed person of the JWT, verified when it is new."""
        values = connection.headers.getlist(self._voucher.header)
        if not values:
            return ""
        if len(values) > 1:
            raise Refused(f"There is more than one {self._voucher.header} header, so one of them is not the proxy's.")
        token = values[0].removeprefix("Bearer ").strip()
        digest = sha256(token.encode()).digest()
        cached = self._kept.get(digest)
        if cached is not None and self._seal.person(cached, self._clock()) is not None:
            return cached
        claims: Mapping[str, Any] = vouched(token, self._voucher, self._documents, self._clock)
        sealed = self._seal.sealed(self._voucher.issuer, claims, self._clock())
        person = self._seal.person(sealed, self._clock())
        if person is None:
            return ""
        if self._known.get(person.id) != person.role:
            self._register.sign_in(person, address_of(connection))
            self._known[person.id] = person.role
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[digest] = sealed
        return sealed


def gate(
    sign_in: SignIn, settings: Settings, audit: Audit, clock: Callable[[], datetime], base: str
) -> Callable[[ASGIApp], Gate]:
    """Return the middleware that admits who signed in. ``base`` is the path of the console."""
    seal, documents, register = Seal(settings, sign_in.rules), Documents(clock), Register(audit, clock)
    way: Way
    if isinstance(sign_in.by, Voucher):
        way = ProxyWay(sign_in.by, seal, documents, clock, register)
    else:
        provider = Provider(sign_in.by, f"{settings.public_url}{CALLBACK}", documents, clock)
        cookie = links.cookie_name(settings)
        way = OpenIdWay(provider, sign_in.by.issuer, seal, clock, cookie, base, register)
    return lambda app: Gate(app, way, seal, clock, base, register)
