"""The HTTP routes that the console adds to its pages."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Mount, Route
from starlette.types import Scope

from oauth.recorder import Recorder
from oauth.routes.callback import callback
from oauth.routes.downloads import PATHS, history_file
from oauth.settings import Settings

Endpoint = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


class Below(Mount):
    """Routes below a path that others are below too: what none of these answers is left to them."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A mount takes every address below its path; this one only those that a route of its own takes."""
        match, inner = super().matches(scope)
        found = match is not Match.NONE and any(
            route.matches({**scope, **inner})[0] is not Match.NONE for route in self.routes
        )
        return (match, inner) if found else (Match.NONE, {})


def routes(settings: Settings, new_recorder: Callable[[], Recorder], clock: Callable[[], datetime]) -> list[Route]:
    """The callback and the downloads."""
    return [
        _only({"GET", "POST"}, "/callback", callback(new_recorder, clock, settings.public_url)),
        *(
            _only({"GET"}, path, history_file(settings, new_recorder().history, clock, format))
            for format, path in PATHS.items()
        ),
    ]


def _only(methods: set[str], path: str, endpoint: Endpoint) -> Route:
    route = Route(path, endpoint)
    # Starlette answers HEAD with the GET endpoint, and a HEAD must not use up a state.
    route.methods = methods
    return route
