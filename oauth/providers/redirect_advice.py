"""Where the answer can come back to, for one provider and one console: what works, and what to register.

RFC 6749 §3.1.2, RFC 8252 §7.3 and §8.3.
"""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from oauth.addresses import is_loopback
from oauth.providers.profile import Provider

SPENT_FIRST = (
    "If your own server answers at that address, it spends the code first, and the console's exchange then fails: a "
    "code is good for one use. Register a second address that answers nothing, such as a path with no page behind it."
)


class Way(StrEnum):
    """How an answer reaches the console."""

    CONSOLE = "console"
    PUBLIC = "public"
    PASTE = "paste"


@dataclass(frozen=True, slots=True)
class Route:
    """One way, whether it can work here, what to register for it, and why. ``register`` is empty where you choose."""

    way: Way
    title: str
    works: bool
    register: str
    why: str
    warning: str = ""


def routes(provider: Provider, callback: str) -> tuple[Route, ...]:
    """The ways that there are, the one to take first. ``callback`` is the console's own redirect URI."""
    own = _own(provider, callback)
    paste = Route(
        Way.PASTE,
        "Any registered address, with the answer pasted",
        works=True,
        register="",
        why="Register any address of yours. After the approval the browser lands there: copy the address from its "
        "address bar, with everything behind the question mark, and paste it in step 2.",
        warning=SPENT_FIRST,
    )
    found = [own, paste] if own.works else [paste, own]
    if own.way is Way.CONSOLE:
        found.append(
            Route(
                Way.PUBLIC,
                "A public address of the console",
                works=False,
                register="",
                why="Publish the console behind a proxy that speaks HTTPS, and start it with CONSOLE_PUBLIC_URL set to "
                "that address: the answer then comes back by itself, to /callback below it.",
            )
        )
    return tuple(found)


def _own(provider: Provider, callback: str) -> Route:
    """The console's own callback."""
    parts = urlsplit(callback)
    if is_loopback(parts.hostname or ""):
        works = provider.accepts_loopback
        why = (
            "Register it as it stands. The answer comes back to the console by itself."
            if works
            else "This provider registers no address on localhost, so the answer cannot come back by itself."
        )
        return Route(Way.CONSOLE, "The console's own callback", works, callback if works else "", why)
    if parts.scheme == "https":
        why = "Register it as it stands. The answer comes back to the console by itself."
        return Route(Way.PUBLIC, "The console's public address", works=True, register=callback, why=why)
    why = "It is neither on localhost nor HTTPS: a code would travel in the clear, and few providers register it."
    return Route(Way.CONSOLE, "The console's own callback", works=False, register="", why=why)
