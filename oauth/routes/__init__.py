"""The HTTP routes that the console adds to its pages."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oauth.client import Recorder
from oauth.routes.callback import callback
from oauth.routes.downloads import CSV_PATH, history_csv
from oauth.settings import Settings


def routes(settings: Settings, new_recorder: Callable[[], Recorder], clock: Callable[[], datetime]) -> list[Route]:
    """The callback and the downloads."""
    return [
        _get("/callback", callback(new_recorder, clock)),
        _get(CSV_PATH, history_csv(settings, new_recorder().history, clock)),
    ]


def _get(path: str, endpoint: Callable[[Request], Response]) -> Route:
    route = Route(path, endpoint, methods=["GET"])
    # Starlette answers HEAD with the GET endpoint, and a HEAD must not use up a state.
    route.methods = {"GET"}
    return route
