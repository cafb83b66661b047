"""The partner API's paths, each with what it needs and what it does."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import msgspec

from oauth_sandbox.behaviour import Coordinates, OnGet
from oauth_sandbox.errors import (
    ApiError,
    InsufficientScope,
    InvalidData,
    InvalidJson,
    InvalidOwner,
    InvalidToken,
    MissingToken,
    Problem,
    WrappedError,
)
from oauth_sandbox.parameters import JSON
from oauth_sandbox.partner import rules
from oauth_sandbox.partner.generator import generate
from oauth_sandbox.partner.reference import Item, Places, categories, document, places, regions
from oauth_sandbox.partner.state import VALID, Advert, Message, PartnerData, Status, Thread
from oauth_sandbox.paths import API
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint, IncomingRequest, bearer
from oauth_sandbox.response import Response
from oauth_sandbox.scope import within
from oauth_sandbox.store import Issued, Kind

VERSION = "2.0"
PAGE = 100
PAGE_OF_CITIES = LONGEST_PAGE = 1_000
REFRESH = timedelta(days=14)
NUMBER = re.compile(r"/([0-9]{1,18})(?=/|\Z)")
"""A number in a path."""


def with_ids(path: str) -> str:
    """Return a path with ``{id}`` for each number, and without a slash at its end."""
    return NUMBER.sub("/{id}", path.rstrip("/"))


@dataclass(slots=True)
class Call:
    """A call with a valid token. ``user_id`` is 0 for an application's token, where a user is not needed."""

    sandbox: Sandbox
    request: IncomingRequest
    user_id: int
    query: Mapping[str, str]
    ids: tuple[int, ...]

    @property
    def id(self) -> int:
        """The first number in the path."""
        return self.ids[0]

    @property
    def places(self) -> Places:
        """The places of the sandbox."""
        return places(self.sandbox.seed)

    @property
    def data(self) -> PartnerData:
        """The adverts and threads of every user."""
        return data_of(self.sandbox)

    @property
    def advert(self) -> Advert:
        """The advert with the first number. Raises ``ApiError`` when it is unknown, or not the user's."""
        advert: Advert = _by_id("Advert", self.data.adverts, self.id)
        if advert.user_id != self.user_id:
            raise InvalidData(Problem("ad", "You are not the owner of this ad"))
        return settled(self.sandbox, advert)

    @property
    def thread(self) -> Thread:
        """The thread with the first number. Raises ``ApiError`` when it is unknown, or not the user's."""
        thread = self.data.threads.get(self.id)
        if thread is None or thread.user_id != self.user_id:
            raise ApiError(404, "Thread not found")
        return thread

    def body(self) -> dict[str, Any]:
        """Return the JSON object that was sent. Raises ``ApiError``."""
        request = self.request
        if request.problem is not None:
            raise ApiError(request.problem.status, request.problem.description)
        content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if request.body and content_type != JSON:
            raise ApiError(415, f"The body must be JSON: send 'Content-Type: {JSON}'")
        try:
            body = msgspec.json.decode(request.body)
        except (ValueError, RecursionError) as error:
            raise InvalidJson from error
        if not isinstance(body, dict):
            raise InvalidJson
        return body

    def page(self, items: list[Any], default: int = PAGE) -> list[Any]:
        """Return the part of the items that ``offset`` and ``limit`` select. Raises ``InvalidData``."""
        offset, limit = self.number("offset", 0), self.number("limit", default)
        if not 1 <= limit <= LONGEST_PAGE:
            raise InvalidData(Problem("limit", rules.INVALID))
        return items[offset : offset + limit]

    def number(self, name: str, default: int) -> int:
        """Return a number of the query. Raises ``InvalidData``."""
        text = self.query.get(name, str(default))
        if not re.fullmatch(r"[0-9]{1,15}", text):
            raise InvalidData(Problem(name, rules.INVALID))
        return int(text)


def data_of(sandbox: Sandbox) -> PartnerData:
    """Return the adverts and threads of a sandbox, generated for each user who has none yet."""
    data = sandbox.partner
    if new := sandbox.users.keys() - data.generated:
        today = sandbox.clock.base().replace(hour=0, minute=0, second=0, microsecond=0)
        for user_id in sorted(new):
            generate(data, sandbox.seed, sandbox.users[user_id], today)
    return data


def settled(sandbox: Sandbox, advert: Advert) -> Advert:
    """Return an advert after what the passing time did to it."""
    advert.settle(sandbox.clock.now(), timedelta(seconds=sandbox.behaviour.moderation_seconds))
    return advert


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path below ``/api/partner``. What ``run`` returns is the response's ``data``, 204 without any."""

    method: str
    path: str
    summary: str
    run: Callable[[Call], Any]
    user_needed: bool = False

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint by which faults and the log know it: the first word of the path."""
        first = self.path.split("/")[1]
        return Endpoint.USER if first == "users" else Endpoint(first)

    @property
    def scope(self) -> tuple[str, str]:
        """The scopes that the token needs."""
        return ("read" if self.method == "GET" else "write", "v2")


def respond(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Return the response to a request of the partner API. Raises ``ProviderError``."""
    by_method = ROUTES[with_ids(request.path).removeprefix(API)]
    route = by_method.get("GET" if request.method == "HEAD" else request.method)
    if route is None:
        allow = ", ".join([*by_method, *(["HEAD"] if "GET" in by_method else [])])
        raise ApiError(405, "This method is not supported here: see the Allow header.", {"Allow": allow})
    token = check(sandbox, request, route)
    ids = tuple(map(int, NUMBER.findall(request.path)))
    data = route.run(Call(sandbox, request, token.user_id or 0, request.query_parameters, ids))
    return Response(204) if data is None else Response.json({"data": data})


def check(sandbox: Sandbox, request: IncomingRequest, route: Route) -> Issued:
    """Return the token of a call, or raise the first error (RFC 6750 §2.1, and the provider's own headers).

    Checked in this order, documented errors by number: no token, 7 (also for a header without ``Bearer``), 8, then the
    ``Version`` header and a ``Content-Type`` without a body, and 9 where a user is needed.
    """
    headers = request.headers
    authorization = headers.get("authorization", "").strip()
    secret = bearer(authorization)
    if not authorization or secret == "":
        raise MissingToken
    token = None if secret is None else sandbox.live(Kind.ACCESS_TOKEN, secret)
    if token is None:
        raise InvalidToken
    if not within(route.scope, token.scope):
        raise InsufficientScope(" ".join(route.scope))
    version = headers.get("version")
    if version is None:
        raise WrappedError(400, "Missing required 'Version' header!")
    if version.strip() != VERSION:
        raise ApiError(400, f"Unsupported API version: {version.strip()[:20]}")
    refuses = sandbox.behaviour.content_type_on_get is OnGet.REFUSED
    if refuses and route.method == "GET" and "content-type" in headers:
        raise ApiError(400, "A GET has no body: leave the 'Content-Type' header out")
    if route.user_needed and token.user_id is None:
        raise InvalidOwner
    return token


def _by_id(what: str, items: Mapping[int, Any], id: int) -> Any:
    if id not in items:
        raise ApiError(404, f"{what} not found")
    return items[id]


# Users.


def _me(call: Call) -> Item:
    return call.sandbox.users[call.user_id]


def _user(call: Call) -> Item:
    names = {thread.interlocutor_id: thread.interlocutor_name for thread in call.data.threads.values()}
    names |= {id: user["name"] for id, user in call.sandbox.users.items()}
    return {"id": call.id, "name": _by_id("User", names, call.id), "avatar": None}


def _balance(_call: Call) -> Item:
    return {"sum": 0, "wallet": 0, "bonus": 0, "refund": 0, "currency": document()["currencies"][0]["code"]}


# Places, languages and currencies, categories.


def _locations(call: Call) -> list[Item]:
    problems, numbers = [], {}
    for name, farthest in rules.FARTHEST.items():
        text = call.query.get(name)
        if text is not None and rules.NUMBER.fullmatch(text) and abs(float(text)) <= farthest:
            numbers[name] = float(text)
        else:
            problems.append(Problem(name, rules.MISSING if text is None else rules.INVALID))
    if problems:
        raise InvalidData(*problems)
    city, district = call.places.at(**numbers)
    return [{"city": city, "district": district}]


def _suggestion(call: Call) -> list[Item]:
    words = call.query.get("q", "").lower().split()
    return [
        {
            "id": category.shown["id"],
            "name": category.shown["name"],
            "path": [_named(parent.shown) for parent in (categories()[category.shown["parent_id"]], category)],
        }
        for category in categories().values()
        if category.is_leaf and any(word in " ".join(category.items).lower() for word in words)
    ]


def _named(item: Item) -> Item:
    return {name: item[name] for name in ("id", "name")}


def _districts_of(call: Call) -> list[Item]:
    return call.places.districts_of(_by_id("City", call.places.cities, call.id)["id"])


def _categories(call: Call) -> list[Item]:
    shown = [category.shown for category in categories().values()]
    parent_id = call.number("parent_id", 0) if "parent_id" in call.query else None
    return [category for category in shown if parent_id in (None, category["parent_id"])]


# Adverts.


def shown_advert(sandbox: Sandbox, advert: Advert) -> Item:
    """Return an advert as the API returns it; its times are in UTC and have no zone."""
    times = {name: getattr(advert, name).astimezone(UTC) for name in ("created_at", "activated_at", "valid_to")}
    shown = {name: f"{time:%Y-%m-%d %H:%M:%S}" for name, time in times.items()}
    address = f"https://www.olx.example/d/oferta/{advert.id}.html"
    content = advert.content
    if sandbox.behaviour.coordinates is Coordinates.TEXT and isinstance(location := content.get("location"), dict):
        text = {name: str(value) if isinstance(value, float) else value for name, value in location.items()}
        content = content | {"location": text}
    return {"id": advert.id, "status": advert.status, "url": address, **shown, **content}


def _adverts(call: Call) -> list[Item]:
    adverts = call.data.adverts.values()
    selected = [settled(call.sandbox, advert) for advert in adverts if advert.user_id == call.user_id]
    if "external_id" in call.query:
        selected = [advert for advert in selected if advert.content.get("external_id") == call.query["external_id"]]
    # As PHP writes a list; left alone, the response has the adverts of every category.
    if "category_ids[]" in call.query:
        raise InvalidData(Problem("category_ids[]", rules.INVALID))
    if "category_ids" in call.query:
        ids = call.query["category_ids"].split(",")
        if not all(re.fullmatch(r"[0-9]{1,15}", id) for id in ids):
            raise InvalidData(Problem("category_ids", rules.INVALID))
        selected = [advert for advert in selected if str(advert.content.get("category_id")) in ids]
    selected.sort(key=lambda advert: (advert.created_at, advert.id), reverse=True)
    return [shown_advert(call.sandbox, advert) for advert in call.page(selected)]


def _create_advert(call: Call) -> Item:
    content = rules.checked(call.body(), call.sandbox.behaviour, call.places)
    now = call.sandbox.clock.now()
    advert = Advert(call.data.new_id(), call.user_id, Status.NEW, *(now,) * 4, content)
    advert.valid_to = now + VALID
    call.sandbox.partner.add(advert)
    return shown_advert(call.sandbox, advert)


def _change_advert(call: Call) -> Item:
    advert = call.advert
    advert.content = rules.checked(call.body(), call.sandbox.behaviour, call.places)
    if advert.status is Status.MODERATED:
        advert.submit(call.sandbox.clock.now())
    return shown_advert(call.sandbox, advert)


def _delete_advert(call: Call) -> None:
    advert = call.advert
    if advert.status is Status.ACTIVE:
        raise InvalidData(Problem("ad", "Invalid status"))
    del call.sandbox.partner.adverts[advert.id]


def _activate(call: Call, advert: Advert, _body: Mapping[str, Any]) -> None:
    if advert.status not in (Status.REMOVED_BY_USER, Status.OUTDATED):
        raise InvalidData(Problem("ad", "Invalid status"))
    advert.activate(call.sandbox.clock.now())


def _deactivate(call: Call, advert: Advert, body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("is_success"), bool):
        raise InvalidData(Problem("is_success", rules.INVALID if "is_success" in body else rules.MISSING))
    _finish(call, advert, body)


def _finish(_call: Call, advert: Advert, _body: Mapping[str, Any]) -> None:
    _check_active(advert)
    advert.status = Status.REMOVED_BY_USER


def _refresh(call: Call, advert: Advert, _body: Mapping[str, Any]) -> None:
    _check_active(advert)
    now = call.sandbox.clock.now()
    if now - advert.refreshed_at < REFRESH:
        raise InvalidData(Problem("time", f"You cannot refresh ad more often than once in {REFRESH.days} days"))
    advert.refreshed_at = now


def _extend(call: Call, advert: Advert, _body: Mapping[str, Any]) -> None:
    _check_active(advert)
    advert.valid_to = call.sandbox.clock.now() + VALID


def _check_active(advert: Advert) -> None:
    if advert.status is not Status.ACTIVE:
        raise InvalidData(Problem("ad", "Ad has to be active"))


ADVERT_COMMANDS: Mapping[str, Callable[[Call, Advert, Mapping[str, Any]], None]] = {
    "activate": _activate,
    "deactivate": _deactivate,
    "finish": _finish,
    "refresh": _refresh,
    "extend": _extend,
}


def _command_advert(call: Call) -> None:
    advert, body = call.advert, call.body()
    _command(ADVERT_COMMANDS, body)(call, advert, body)


def _command(commands: Mapping[str, Any], body: Mapping[str, Any]) -> Any:
    name = body.get("command")
    if not isinstance(name, str) or name not in commands:
        raise InvalidData(Problem("command", rules.MISSING if name is None else rules.INVALID))
    return commands[name]


def _statistics(call: Call) -> Item:
    advert = call.advert
    return {name: getattr(advert, name) for name in ("advert_views", "phone_views", "users_observing")}


def _clear_views(name: str) -> Callable[[Call], None]:
    return lambda call: setattr(call.advert, name, 0)


# Threads.


def shown_thread(thread: Thread) -> Item:
    """Return a thread as the API returns it."""
    return {
        "id": thread.id,
        "advert_id": thread.advert_id,
        "interlocutor_id": thread.interlocutor_id,
        "total_count": len(thread.messages),
        "unread_count": sum(not message.is_read for message in thread.messages),
        "created_at": thread.created_at.isoformat(timespec="seconds"),
        "is_favourite": thread.is_favourite,
    }


def shown_message(thread: Thread, message: Message) -> Item:
    """Return a message as the API returns it."""
    return {
        "id": message.id,
        "thread_id": thread.id,
        "created_at": message.created_at.isoformat(timespec="seconds"),
        "type": "sent" if message.sent else "received",
        "text": message.text,
        "attachments": message.attachments,
        "is_read": message.is_read,
        "cvs": [],
        "phone": "",
    }


def _threads(call: Call) -> list[Item]:
    selected = [thread for thread in call.data.threads.values() if thread.user_id == call.user_id]
    for name in ("advert_id", "interlocutor_id"):
        if name in call.query:
            id = call.number(name, 0)
            selected = [thread for thread in selected if getattr(thread, name) == id]
    selected.sort(key=lambda thread: (thread.created_at, thread.id), reverse=True)
    return [shown_thread(thread) for thread in call.page(selected)]


def _messages(call: Call) -> list[Item]:
    thread = call.thread
    return [shown_message(thread, message) for message in call.page(thread.messages)]


def _message(call: Call) -> Item:
    thread = call.thread
    return shown_message(thread, _by_id("Message", {it.id: it for it in thread.messages}, call.ids[1]))


def _send_message(call: Call) -> Item:
    thread, body = call.thread, call.body()
    text, attachments = body.get("text"), body.get("attachments") or []
    if not isinstance(text, str) or not text.strip():
        raise InvalidData(Problem("text", rules.MISSING if text in (None, "") else rules.INVALID))
    if not isinstance(attachments, list):
        raise InvalidData(Problem("attachments", rules.INVALID))
    urls = [it.get("url") if isinstance(it, dict) else None for it in attachments]
    if not all(map(rules.is_url, urls)):
        raise InvalidData(Problem("attachments", rules.INVALID))
    files = [{"name": str(url).rpartition("/")[2], "url": str(url)} for url in urls]
    now = call.sandbox.clock.now()
    return shown_message(thread, thread.add(Message(call.data.new_id(), True, now, text, True, files)))


def _mark_as_read(thread: Thread, _body: Mapping[str, Any]) -> None:
    for message in thread.messages:
        message.is_read = True


def _set_favourite(thread: Thread, body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("is_favourite"), bool):
        raise InvalidData(Problem("is_favourite", rules.INVALID if "is_favourite" in body else rules.MISSING))
    thread.is_favourite = body["is_favourite"]


THREAD_COMMANDS: Mapping[str, Callable[[Thread, Mapping[str, Any]], None]] = {
    "mark-as-read": _mark_as_read,
    "set-favourite": _set_favourite,
}


def _command_thread(call: Call) -> None:
    thread, body = call.thread, call.body()
    _command(THREAD_COMMANDS, body)(thread, body)


TABLE = (
    Route("GET", "/users/me", "The user of the token", _me, True),
    Route("GET", "/users/me/account-balance", "The user's account", _balance, True),
    Route("GET", "/users/me/payment-methods", "How the user can pay", lambda _call: ["account"], True),
    Route("GET", "/users/{id}", "The name of any user", _user, True),
    Route("GET", "/regions", "The regions", lambda _call: list(regions().values())),
    Route("GET", "/regions/{id}", "A region", lambda call: _by_id("Region", regions(), call.id)),
    Route(
        "GET",
        "/cities",
        "The cities: `offset`, `limit`",
        lambda call: call.page(list(call.places.cities.values()), PAGE_OF_CITIES),
    ),
    Route("GET", "/cities/{id}", "A city", lambda call: _by_id("City", call.places.cities, call.id)),
    Route("GET", "/cities/{id}/districts", "The districts of a city, if it has any", _districts_of),
    Route("GET", "/districts", "The districts of every city", lambda call: list(call.places.districts.values())),
    Route("GET", "/districts/{id}", "A district", lambda call: _by_id("District", call.places.districts, call.id)),
    Route("GET", "/locations", "The place nearest to `latitude` and `longitude`", _locations),
    Route("GET", "/languages", "The languages", lambda _call: document()["languages"]),
    Route("GET", "/currencies", "The currencies", lambda _call: document()["currencies"]),
    Route("GET", "/categories", "The categories: `parent_id`", _categories),
    Route("GET", "/categories/suggestion", "Categories for a title: `q`", _suggestion),
    Route("GET", "/categories/{id}", "A category", lambda call: _by_id("Category", categories(), call.id).shown),
    Route(
        "GET",
        "/categories/{id}/attributes",
        "The attributes of its adverts",
        lambda call: list(_by_id("Category", categories(), call.id).attributes.values()),
    ),
    Route("GET", "/adverts", "The user's adverts: `offset`, `limit`, `external_id`, `category_ids`", _adverts, True),
    Route("POST", "/adverts", "Create an advert", _create_advert, True),
    Route("GET", "/adverts/{id}", "An advert", lambda call: shown_advert(call.sandbox, call.advert), True),
    Route("PUT", "/adverts/{id}", "Change an advert; the body is a whole one", _change_advert, True),
    Route("DELETE", "/adverts/{id}", "Delete an advert that is not active", _delete_advert, True),
    Route(
        "POST",
        "/adverts/{id}/commands",
        f"One of {', '.join(f'`{it}`' for it in ADVERT_COMMANDS)}",
        _command_advert,
        True,
    ),
    Route("GET", "/adverts/{id}/statistics", "Its views and observers", _statistics, True),
    Route("DELETE", "/adverts/{id}/statistics/advert-views", "Reset the views", _clear_views("advert_views"), True),
    Route(
        "DELETE", "/adverts/{id}/statistics/phone-views", "Reset those of the phone", _clear_views("phone_views"), True
    ),
    Route("GET", "/threads", "The user's threads: `offset`, `limit`, `advert_id`, `interlocutor_id`", _threads, True),
    Route("GET", "/threads/{id}", "A thread", lambda call: shown_thread(call.thread), True),
    Route("GET", "/threads/{id}/messages", "Its messages, oldest first: `offset`, `limit`", _messages, True),
    Route("POST", "/threads/{id}/messages", "Send a message", _send_message, True),
    Route("GET", "/threads/{id}/messages/{id}", "A message", _message, True),
    Route(
        "POST",
        "/threads/{id}/commands",
        f"One of {', '.join(f'`{it}`' for it in THREAD_COMMANDS)}",
        _command_thread,
        True,
    ),
)
"""Every operation of the partner API that the sandbox has."""

ROUTES: dict[str, dict[str, Route]] = {}
for _route in TABLE:
    ROUTES.setdefault(_route.path, {})[_route.method] = _route
