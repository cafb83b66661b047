"""The partner API's data over HTTP: what moderation and buyers do, which no call of the API can."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from oauth_sandbox.configuration import Api, UserId
from oauth_sandbox.control.operation import Call, Conflict, Limit, Operation
from oauth_sandbox.partner.routes import data_of, settled, shown_advert, shown_message, shown_thread
from oauth_sandbox.partner.state import Advert, Id, Message, PartnerData, Status, Thread
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.validation import Fields

Text = Annotated[str, Meta(min_length=1, max_length=10_000, description="The text of the message.")]
BY_ID = {"id": Id}
BUYER = "Buyer"


class PartnerQuery(Fields):
    """The selection of adverts or threads."""

    limit: Limit = 100
    user_id: UserId | UnsetType = UNSET


class AdvertChange(Fields):
    """What the provider's moderation decides."""

    status: Status


class NewThread(Fields):
    """A first message about an advert, from a buyer."""

    advert_id: Id
    text: Text


class NewMessage(Fields):
    """A message from the buyer of a thread."""

    text: Text


def _data(sandbox: Sandbox) -> PartnerData:
    """Return the adverts and threads. Raises ``Conflict`` where the API has none."""
    if (api := sandbox.configuration.api) is not Api.PARTNER:
        raise Conflict(f"Only the API {Api.PARTNER} has adverts and threads; this sandbox is {api}.")
    return data_of(sandbox)


def _adverts(sandbox: Sandbox, call: Call) -> list[Any]:
    adverts = _newest(_data(sandbox).adverts.values(), call.query)
    return [_shown(sandbox, settled(sandbox, advert)) for advert in adverts]


def _threads(sandbox: Sandbox, call: Call) -> list[Any]:
    return [_shown_thread(thread) for thread in _newest(_data(sandbox).threads.values(), call.query)]


def _newest(items: Any, query: PartnerQuery) -> list[Any]:
    selected = [item for item in items if query.user_id in (UNSET, item.user_id)]
    return sorted(selected, key=lambda item: (item.created_at, item.id), reverse=True)[: query.limit]


def _shown(sandbox: Sandbox, advert: Advert) -> dict[str, Any]:
    return {**shown_advert(sandbox, advert), "user_id": advert.user_id}


def _shown_thread(thread: Thread) -> dict[str, Any]:
    return {**shown_thread(thread), "user_id": thread.user_id}


def _decide(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    advert = _by_id(_data(sandbox).adverts, call.path["id"], "advert")
    if call.body.status is Status.NEW and sandbox.behaviour.moderation_seconds == 0:
        raise Conflict("A new advert is active at once while behaviour.moderation_seconds is 0. Set it first.")
    advert.status = call.body.status
    if advert.status is Status.ACTIVE:
        advert.activate(sandbox.clock.now())
    elif advert.status is Status.NEW:
        advert.submit(sandbox.clock.now())
    return _shown(sandbox, advert)


def _ask(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    data, now = _data(sandbox), sandbox.clock.now()
    if call.body.advert_id not in data.adverts:
        raise Conflict(f"There is no advert {call.body.advert_id}.")
    advert = data.adverts[call.body.advert_id]
    thread = Thread(data.new_id(), advert.user_id, advert.id, data.new_id(), BUYER, now, False, [])
    thread.add(Message(data.new_id(), False, now, call.body.text, False, []))
    data.add(thread)
    return _shown_thread(thread)


def _receive(sandbox: Sandbox, call: Call) -> Any:
    data = _data(sandbox)
    thread = _by_id(data.threads, call.path["id"], "thread")
    message = Message(data.new_id(), False, sandbox.clock.now(), call.body.text, False, [])
    return shown_message(thread, thread.add(message))


def _by_id(items: dict[int, Any], id: int, what: str) -> Any:
    if id not in items:
        raise LookupError(f"There is no {what} {id}.")
    return items[id]


Shown = dict[str, Any]
OPERATIONS = (
    Operation(
        "GET",
        "adverts",
        "List the adverts of all users, newest first",
        _adverts,
        list[Shown],
        query=PartnerQuery,
        conflicts=True,
    ),
    Operation(
        "PATCH",
        "adverts/{id}",
        "Decide about an advert",
        _decide,
        Shown,
        body=AdvertChange,
        path_parameters=BY_ID,
        conflicts=True,
    ),
    Operation(
        "GET",
        "threads",
        "List the threads of all users, newest first",
        _threads,
        list[Shown],
        query=PartnerQuery,
        conflicts=True,
    ),
    Operation("POST", "threads", "Ask about an advert, as a buyer", _ask, Shown, 201, body=NewThread, conflicts=True),
    Operation(
        "POST",
        "threads/{id}/messages",
        "Answer in a thread, as the buyer",
        _receive,
        Shown,
        201,
        body=NewMessage,
        path_parameters=BY_ID,
        conflicts=True,
    ),
)
