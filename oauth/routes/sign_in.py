"""The ways in: the login at an OpenID provider with its routes, and the voucher of a proxy."""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from oauth.access.assertion import vouched
from oauth.access.documents import Documents
from oauth.access.openid import Attempt, Provider
from oauth.access.seal import ATTEMPT_SECONDS, Seal
from oauth.access.sign_in import Refused, Unreachable, Voucher
from oauth.routes.page import page

SIGN_IN, CALLBACK, SIGN_OUT = "/sign-in", "/sign-in/callback", "/sign-out"

MOST_ATTEMPTS = 5
"""Attempts that a browser may have at once, such as one for each tab that it opens at its start."""

MOST_KEPT = 1_000
"""JWTs of a proxy that are known to be verified: a browser sends its own with each request."""


class OpenIdWay:
    """The login at an OpenID provider. The cookie ``cookie`` has the sealed person.

    ``signed_in`` notes a person who came in, ``signed_out`` one who left, ``refused`` a refusal.
    """

    sign_in_path, sign_out_path = SIGN_IN, SIGN_OUT

    def __init__(
        self,
        provider: Provider,
        issuer: str,
        seal: Seal,
        clock: Callable[[], datetime],
        cookie: str,
        public_url: str,
        base: str,
        signed_in: Callable[[str, HTTPConnection], None],
        signed_out: Callable[[str, HTTPConnection], None],
        refused: Callable[[str, HTTPConnection], None],
    ) -> None:
        self._provider = provider
        self._issuer = issuer
        self._seal = seal
        self._clock = clock
        self._cookie = cookie
        self._base = base
        self._secure = public_url.startswith("https:")
        self._signed_in, self._signed_out, self._refused = signed_in, signed_out, refused
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
            url = await run_in_threadpool(self._provider.authorization_url, attempt)
        except Unreachable as error:
            return page("The login cannot be reached", [str(error)], link=self._again(attempt.to), status=503)
        response = RedirectResponse(url, 303)
        response.headers["Cache-Control"] = "no-store"
        for name in [name for name in request.cookies if name.startswith(self._prefix)][MOST_ATTEMPTS - 1 :]:
            response.delete_cookie(name, path=self._base + SIGN_IN)
        self._set(response, self._attempt_cookie(attempt.state), self._seal.attempt(attempt), SIGN_IN, ATTEMPT_SECONDS)
        return response

    async def _finish(self, request: Request) -> Response:
        callback = dict(request.query_params)
        name = self._attempt_cookie(callback.get("state", ""))
        attempt = self._seal.opened_attempt(request.cookies.get(name, ""))
        if attempt is None or attempt.state != callback.get("state"):
            text = "This sign-in was begun in another browser, or more than ten minutes ago."
            return page("This sign-in is over", [text], link=self._again(""), status=403)
        try:
            if "error" in callback:
                raise Refused(f"The provider answered {callback['error'][:100]!r}.")
            claims = await run_in_threadpool(self._provider.claims, attempt, callback)
            sealed = self._seal.sealed(self._issuer, claims)
            await run_in_threadpool(self._signed_in, sealed, request)
        except Refused as error:
            await run_in_threadpool(self._refused, str(error), request)
            response: Response = page("You are not signed in", [str(error)], link=self._again(attempt.to), status=403)
        except Unreachable as error:
            response = page("You are not signed in", [str(error)], link=self._again(attempt.to), status=503)
        else:
            response = RedirectResponse(attempt.to, 303)
            self._set(response, self._cookie, sealed, "", int(float(claims["exp"]) - self._clock().timestamp()))
        response.delete_cookie(name, path=self._base + SIGN_IN)
        return response

    async def _leave(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            text = "A page of another site led here. To sign out, follow the link."
            return page("Sign out?", [text], link=(self._base + SIGN_OUT, "Sign out"), status=403)
        await run_in_threadpool(self._signed_out, self.identify(request), request)
        text = "The login of your provider may still know you: sign out there too on a machine that others use."
        response = page("You are signed out", [text], link=(f"{self._base}{SIGN_IN}", "Sign in again"))
        response.delete_cookie(self._cookie, path=self._base or "/")
        return response

    def _own_path(self, to: str) -> str:
        """Return the path that was asked for, if it is one of this console and not of another host."""
        is_path = to.startswith(f"{self._base}/") and not to.startswith(("//", "/\\")) and to.isprintable()
        return to if is_path and "\\" not in to else f"{self._base}/"

    def _again(self, to: str) -> tuple[str, str]:
        return to or f"{self._base}/", "Sign in again"

    def _set(self, response: Response, name: str, value: str, path: str, seconds: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=(self._base + path) or "/",
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    @property
    def _prefix(self) -> str:
        return f"{self._cookie}_to_"

    def _attempt_cookie(self, state: str) -> str:
        return self._prefix + sha256(state.encode()).hexdigest()[:12]


class ProxyWay:
    """A proxy that signs people in, and vouches for each request with a JWT.

    ``signed_in`` notes a person whose JWT is new.
    """

    sign_in_path = sign_out_path = ""
    routes: list[Route] = []  # noqa: RUF012

    def __init__(
        self,
        voucher: Voucher,
        seal: Seal,
        documents: Documents,
        clock: Callable[[], datetime],
        signed_in: Callable[[str, HTTPConnection], None],
    ) -> None:
        self._voucher = voucher
        self._seal = seal
        self._documents = documents
        self._clock = clock
        self._signed_in = signed_in
        self._kept: dict[bytes, str] = {}

    def identify(self, connection: HTTPConnection) -> str:
        """Return the sealed person of the JWT, verified when it is new."""
        values = connection.headers.getlist(self._voucher.header)
        if not values:
            return ""
        if len(values) > 1:
            raise Refused(f"There is more than one {self._voucher.header} header, so one of them is not the proxy's.")
        token = values[0].removeprefix("Bearer ").strip()
        digest = sha256(token.encode()).digest()
        kept = self._kept.get(digest)
        if kept is not None and self._seal.person(kept, self._clock()) is not None:
            return kept
        claims: Mapping[str, Any] = vouched(token, self._voucher, self._documents, self._clock)
        sealed = self._seal.sealed(self._voucher.issuer, claims)
        self._signed_in(sealed, connection)
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[digest] = sealed
        return sealed
