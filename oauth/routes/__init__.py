"""The HTTP routes that the console adds to its pages."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Mount, Route
from starlette.types import Scope

from oauth.access.audit import Audit
from oauth.exports import links
from oauth.exports.layout import MEDIA_TYPES
from oauth.exports.turns import Turns
from oauth.recorder import Recorder
from oauth.routes.api import Api
from oauth.routes.callback import callback
from oauth.routes.downloads import history_file
from oauth.routes.metrics import Sessions, openmetrics
from oauth.routes.probes import live, ready
from oauth.settings import Settings

Endpoint = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


class Below(Mount):
    """A mount that leaves the paths which none of its routes takes to the routes after it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match only what one of its own routes matches; an ordinary mount takes every path below its own."""
        match, inner = super().matches(scope)
        is_taken = match is not Match.NONE and any(
            route.matches({**scope, **inner})[0] is not Match.NONE for route in self.routes
        )
        return (match, inner) if is_taken else (Match.NONE, {})


def routes(
    settings: Settings,
    new_recorder: Callable[[], Recorder],
    clock: Callable[[], datetime],
    sessions: Sessions = int,
) -> list[Route]:
    """Return the routes of the callback, the downloads, the API, the probes and the metrics.

    ``sessions`` returns the number of browser tabs that are connected.
    """
    turns = Turns()

    def new_audit() -> Audit:
        recorder = new_recorder()
        return Audit(recorder.history, recorder.vault, settings.sign_in != "off", settings.audit_days)

    is_ready = ready(lambda: new_recorder().history.database)
    return [
        _only({"GET", "POST"}, "/callback", callback(new_recorder, clock, settings.public_url, settings.flow_lifetime)),
        *(
            _only(
                {"GET"},
                links.path_of(format),
                history_file(settings, new_audit, clock, turns, format),
            )
            for format in MEDIA_TYPES
        ),
        *(Route(path, live) for path in ("/live", "/healthz")),
        *(Route(path, is_ready) for path in ("/ready", "/readyz")),
        _only({"GET"}, "/metrics", openmetrics(new_audit, turns, sessions)),
        *Api(new_audit, clock, settings.derived_key("fingerprint"), settings.public_url).routes(),
    ]


def _only(methods: set[str], path: str, endpoint: Endpoint) -> Route:
    route = Route(path, endpoint)
    # Starlette answers HEAD with the GET endpoint, and a HEAD must not use up a state.
    route.methods = methods
    return route
