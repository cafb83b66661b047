"""The sandboxes of the console: the embedded ones, or those of the server that CONSOLE_SANDBOX_URL names."""

from collections.abc import Iterator
from functools import cache

import streamlit as st

from oauth.installation import current
from oauth_sandbox import MOUNTED, Api, Sandbox, embedded
from oauth_sandbox.steering import AwayProblem, Embedded, Served, Steering, SteeringProblem
from pages.parts.common import session


def steering(api: Api) -> Steering:
    """Return the means to read and change the sandbox of an API."""
    settings = current().settings
    if settings.sandbox_url:
        return _served(api, settings.sandbox_url, settings.sandbox_token)
    return Embedded(embedded(api))


@cache
def _served(api: Api, url: str, token: str) -> Served:
    return Served(api, f"{url}{MOUNTED[api]}", token)


def say_whose() -> None:
    """Say that the sandbox is this console's own, where others share its history, and what to set."""
    if current().settings.sandbox_url or not (count := session.neighbours()):
        return
    st.text(
        f"{count} other {'console uses' if count == 1 else 'consoles use'} the same history. This sandbox is of this "
        "console alone: a code or token of another console's sandbox is unknown here. To share one, start a sandbox "
        "server and set CONSOLE_SANDBOX_URL on every console (docs/operate.md, Several consoles)."
    )


def states() -> Iterator[tuple[str, Sandbox]]:
    """Yield the place below the sandbox's address, and the state, of each sandbox that responds."""
    for api, place in MOUNTED.items():
        try:
            state = steering(api).state()
        except AwayProblem:
            return  # all are at one server
        except SteeringProblem:
            continue  # it has no such API
        yield place, state
