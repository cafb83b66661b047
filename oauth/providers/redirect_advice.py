"""Advice about redirect URIs, for one provider and one console: which ones work, and what to register.

RFC 6749 §3.1.2, RFC 8252 §7.3 and §8.3.
"""

from dataclasses import dataclass
from enum import StrEnum

from oauth.addresses import is_loopback, split
from oauth.providers.profile import Provider

CODE_CONSUMED = (
    "If your own server handles that address, it uses the code first, and the console's exchange then fails: a code is "
    "valid for one use. Register a second address that nothing handles, such as a path without a page."
)


class Way(StrEnum):
    """The ways in which a callback reaches the console."""

    CONSOLE = "console"
    PUBLIC = "public"
    PASTE = "paste"


@dataclass(frozen=True, slots=True)
class Route:
    """One way with its advice. ``register`` is the address to register, empty if it is your choice."""

    way: Way
    title: str
    works: bool
    register: str
    why: str
    warning: str = ""


def routes(provider: Provider, callback: str) -> tuple[Route, ...]:
    """Return the possible ways, the recommended one first. ``callback`` is the console's own redirect URI."""
    own = _own_callback(provider, callback)
    paste = Route(
        Way.PASTE,
        "Any registered address, then paste",
        works=True,
        register="",
        why="Register any address of yours. After the approval the browser lands there: copy the whole address from "
        "the address bar, including everything after the question mark, and paste it in step 2.",
        warning=CODE_CONSUMED,
    )
    ways = [own, paste] if own.works else [paste, own]
    if own.way is Way.CONSOLE:
        ways.append(
            Route(
                Way.PUBLIC,
                "A public address of the console",
                works=False,
                register="",
                why="Publish the console behind an HTTPS proxy, and start it with CONSOLE_PUBLIC_URL set to that "
                "address: the console then receives the callback, at /callback below it.",
            )
        )
    return tuple(ways)


def _own_callback(provider: Provider, callback: str) -> Route:
    parts = split(callback)
    if is_loopback(parts.hostname or ""):
        works = provider.accepts_loopback
        why = (
            "Register exactly this address. The console receives the callback."
            if works
            else "This provider does not register addresses on localhost, so the console cannot receive the callback."
        )
        return Route(Way.CONSOLE, "The console's own callback", works, callback if works else "", why)
    if parts.scheme == "https":
        why = "Register exactly this address. The console receives the callback."
        return Route(Way.PUBLIC, "The console's public address", works=True, register=callback, why=why)
    why = "It is neither on localhost nor HTTPS: the code would be sent unencrypted, and few providers register it."
    return Route(Way.CONSOLE, "The console's own callback", works=False, register="", why=why)
