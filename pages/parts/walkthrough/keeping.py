"""Keep the walkthrough for this browser, so that a reload, another tab or another console goes on where it was.

What is kept is written as JSON with the version of its shape, and encrypted by ``oauth/kept_flows.py``. Recorded
exchanges are kept by the number of their row. A request that was pressed is never sent again by a run that goes on
with a kept flow, and the signatures of requests that were not sent are made anew.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import streamlit as st
from joserfc.jwk import JWKRegistry
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from oauth.access import Action
from oauth.catalogue.explain import explain
from oauth.diagnosis import Diagnosis, Fix
from oauth.exchange import Exchange, Request
from oauth.flow import Client, Flow, Registration
from oauth.formatting import span
from oauth.history.store import HistoryError
from oauth.installation import current as installation
from oauth.installation import now
from oauth.jose.assertion import Statement
from oauth.jose.keys import SigningKey
from oauth.kept_flows import Kept, Labels, Name
from oauth.providers.discovery import Discovery
from oauth.recorder import Record
from pages.parts.common import drawing, keyboard, notices, session, widget_defaults
from pages.parts.common import provider as profile
from pages.parts.common.permissions import needs
from pages.parts.common.session import Fixing, Session, Shown
from pages.parts.common.signing import Signing
from pages.parts.providers import discover
from pages.parts.walkthrough import own_client, prefill, undo
from pages.parts.walkthrough.actions import ACTIONS

SHAPE = 1
"""Version of what is kept. A console reads its own version only."""

TAB = "tab"
"""URL parameter of a tab with a flow of its own. It names the flow among those of the browser, and is no secret."""

LONGEST_TAB = 32

SLACK = timedelta(seconds=5)
"""Time beyond a request's timeout after which no other tab can be waiting for its response."""

_HELD = "kept flow"
"""Key in the session state of what this session knows about its kept flow."""

_TEXTS = (
    "callback.pasted",
    "register.initial_token",
    "walkthrough.api_key",
    "walkthrough.case",
    "walkthrough.client_id",
    "walkthrough.client_secret",
    "walkthrough.issuer",
)

_KEYS = (
    *_TEXTS,
    "api.endpoint",
    "api.token",
    "call.action",
    "device.by_itself",
    "introspect.kind",
    "revoke.kind",
    "walkthrough.options",
    "walkthrough.provider",
    own_client.INITIAL_TOKEN,
    session.OWN_API_KEY,
    session.OWN_SECRET,
)
"""Keys in the session state of what a person chose or typed, beside the edits of requests."""

_REGISTERED = "authorize.registered."

_PREFIXES = (_REGISTERED, "walkthrough.client.", "walkthrough.site.")

_GIVEN_PREFIX = "walkthrough.profile."
"""Prefix of the keys of fields with a default that are not edits of a request."""

_shown: dict[str, str] = {}
"""The name of the kept flow by the id of each Streamlit session of this process that shows one."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A ``Shown``: the row of its exchange, or the exchange itself where it has none."""

    row: int | None
    exchange: Exchange | None
    diagnosis: Diagnosis | None
    times: int


@dataclass(frozen=True, slots=True)
class _Correction:
    action: str
    fix: Fix
    before: _Outcome


@dataclass(frozen=True, slots=True)
class _Lookup:
    typed: str
    discovery: Discovery | None
    exchanges: tuple[Exchange, ...]
    refusal: str


@dataclass(frozen=True, slots=True)
class _Key:
    jwk: dict[str, Any]
    algorithm: str


@dataclass(frozen=True, slots=True)
class _Sending:
    """A request that is about to be sent, and the time after which nobody waits for its response."""

    action: str
    until: datetime


@dataclass(frozen=True, slots=True)
class _Fields:
    """Everything that is kept of Streamlit's session state."""

    edits: dict[str, Any]
    state: dict[str, Any]
    signing_key: _Key | None
    registrations: dict[str, Registration]
    used: dict[str, Client]
    lookup: _Lookup | None


@dataclass(frozen=True, slots=True)
class _Content:
    """Everything that is kept of a walkthrough."""

    shape: int
    flow: Flow
    chosen: str
    opened: tuple[str, ...]
    step: str
    shown: dict[str, _Outcome]
    sequence: tuple[_Outcome, ...]
    sent: dict[str, Request]
    authorizing: Exchange | None
    refused: str
    replaced: str
    fixing: _Correction | None
    keys: tuple[dict[str, Any], ...] | None
    claims: Statement
    secrets: tuple[tuple[str, str], ...]
    flow_key: _Key | None
    dpop_key: _Key | None
    sending: _Sending | None
    fields: _Fields


@dataclass
class _Held:
    """Knowledge of this session about the flow that is kept for its browser.

    ``generation`` and ``content`` are those that were saved or read last. ``stale`` is true once another tab saved a
    later one. ``kept`` is the flow that this session goes on with, until it saves it itself; ``lost`` says which flow
    could not be read. ``sending`` is a request that another run had begun. ``reading`` asks the next run to read the
    flow, ``is_settled`` is true once a run has reached its end since.
    """

    name: Name
    place: str
    generation: int = 0
    content: bytes = field(default=b"", repr=False)
    stale: bool = False
    kept: Kept | None = None
    lost: Kept | None = None
    sending: _Sending | None = None
    reading: bool = True
    is_settled: bool = False


def resume() -> None:
    """Go on with the flow that is kept for this browser, at the start of a run of a session that has none yet."""
    held = _hold()
    if held is None:
        return
    if held.place and st.query_params.get(TAB) != held.place:
        st.query_params[TAB] = held.place
    if not held.reading:
        held.stale = is_overtaken()
        return
    held.reading = False
    if session.get() is None or held.generation:
        _read(held)
    elif is_overtaken():  # a flow that another page began takes the place of none
        _move()


def is_overtaken() -> bool:
    """Return whether another tab has saved this flow since this one did."""
    held = _held()
    if held is None:
        return False
    try:
        return held.stale or session.kept_flows().generation(held.name) > held.generation
    except HistoryError:
        return False


def is_blocked() -> bool:
    """Return whether this tab may send nothing: another one went on, or may be waiting for a response."""
    held = _held()
    return held is not None and (held.stale or (held.sending is not None and now() < held.sending.until))


def is_news() -> bool:
    """Return whether the page does not say yet that the flow was overtaken."""
    held = _held()
    return held is not None and not held.stale


def leave(current: Session) -> None:
    """Keep a flow for *Undo* before another one begins, which has a place of its own if this one is another tab's."""
    undo.keep(current)
    held = _held()
    if is_overtaken():
        _move()
    elif held is not None:
        held.sending = None


def claim(current: Session, action: str) -> Callable[[], object] | None:
    """Save that a request is about to be sent, and return a function that saves its response.

    Return ``None`` if the request must not be sent: another tab may have sent it, or went on. The function uses nothing
    of Streamlit, which ends a run at its next call once the tab is closed or reloaded.
    """
    held = _held()
    if held is None:
        return lambda: None
    if is_blocked():
        return None
    held.sending = None
    fields = _fields_now()
    until = now() + timedelta(seconds=current.flow.provider.connection.total_timeout) + SLACK
    if not _save(current, held, fields, _Sending(action, until)):
        return None
    return partial(_save, current, held, fields, None)


def save(current: Session) -> bool:
    """Keep the walkthrough as it is now, if it changed; return False if another tab went on with the flow."""
    held = _held()
    if held is None or current is not session.get():
        return True
    if not held.is_settled:
        held.is_settled = True
        if held.kept is not None or not (current.sequence or any(_typed().values())):
            held.content = _encoded(current, _fields_now(), held.sending)  # nothing that a person would miss
    return _save(current, held, _fields_now(), held.sending)


def draw() -> None:
    """Draw what a person should know about the kept flow: that it is shown twice, is over, or was lost."""
    held = _held()
    if held is None:
        return
    if held.stale:
        with st.container(border=True, key="walkthrough.overtaken"):
            notices.warning(
                "Another tab went on with this flow", "This tab shows the flow as it was before, and sends nothing."
            )
            with st.container(horizontal=True):
                st.button("Show it here", key="walkthrough.show", icon=":material/sync:", on_click=_show)
                _own_button()
        return
    if held.lost is not None:
        _draw_lost(held.lost)
    if held.sending is not None:
        _draw_sending()
    elif held.kept is not None:
        _draw_second()


def focus(current: Session) -> None:
    """Bring the words about another tab into view; at the end of a run, or else the open step takes the focus."""
    held = _held()
    if held is not None and held.stale:
        keyboard.focus("walkthrough.overtaken", f"{current.flow.id} overtaken {held.generation}")


def _hold() -> _Held | None:
    """Return what this session holds; ``None`` in a browser without the cookie, whose flow cannot be found again."""
    held, cookie = _held(), session.browser()
    if held is not None:
        return held
    if not cookie:
        return None
    place = st.query_params.get(TAB, "")[:LONGEST_TAB]
    name = session.kept_flows().name(cookie, session.owner(), place, session.origin())
    held = st.session_state[_HELD] = _Held(name, place)
    if (context := get_script_run_ctx()) is not None:
        for id in [id for id in _shown if not _is_open(id)]:
            _shown.pop(id, None)
        _shown[context.session_id] = name.id
    return held


def _held() -> _Held | None:
    held: _Held | None = st.session_state.get(_HELD)
    return held


def _is_open(id: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(id)


def _is_elsewhere(held: _Held) -> bool:
    """Return whether another tab that is open at this console shows the same flow."""
    context = get_script_run_ctx()
    own = context.session_id if context is not None else ""
    return any(name == held.name.id and id != own and _is_open(id) for id, name in list(_shown.items()))


def _save(current: Session, held: _Held, fields: _Fields, sending: _Sending | None) -> bool:
    if held.stale:
        return False
    content = _encoded(current, fields, sending)
    if content == held.content:
        return True
    flow = current.flow
    labels = Labels(flow.id if current.sequence else "", flow.provider.id, current.chosen)
    try:
        kept = Kept(held.generation + 1, now(), labels, session.console(), content)
        held.stale = not session.kept_flows().save(held.name, kept)
    except HistoryError:
        held.generation += 1  # claimed in this process; the next run saves it
        return True
    if not held.stale:
        held.generation, held.content = kept.generation, content
        held.kept = None
        if current.sequence:
            held.lost = None
    return not held.stale


def _read(held: _Held) -> None:
    """Read the kept flow, and put it in the place of this session's."""
    try:
        kept = session.kept_flows().load(held.name)
        if kept is None:  # signed out, or too long ago
            held.generation, held.stale = 0, False
            return
        held.generation, held.stale, held.is_settled = kept.generation, False, False
        content = _decoded(kept.payload)
        if content is None:
            held.lost = kept
            _reset(kept.labels)
            return
        restored = _restored(content)
    except HistoryError:
        return  # when the database is back, what is kept there shows as the flow of another tab
    _fill_in(content.fields)
    st.session_state[session.SESSION] = restored
    held.content, held.kept = kept.payload or b"", kept
    held.sending = content.sending


def _encoded(current: Session, fields: _Fields, sending: _Sending | None) -> bytes:
    fixing = current.fixing
    content = _Content(
        shape=SHAPE,
        flow=replace(current.flow, signing_key=None, dpop_key=None),
        chosen=current.chosen,
        opened=tuple(sorted(current.opened)),
        step=current.step,
        shown={action: _outcome(shown) for action, shown in current.shown.items()},
        sequence=tuple(map(_outcome, current.sequence)),
        sent=current.sent,
        authorizing=current.authorizing.live if current.authorizing is not None else None,
        refused=current.refused,
        replaced=current.replaced,
        fixing=_Correction(fixing.action, fixing.fix, _outcome(fixing.before)) if fixing is not None else None,
        keys=tuple(dict(key) for key in current.keys) if current.keys is not None else None,
        claims=current.signing.claims,
        secrets=current.vault.remembered(),
        flow_key=_key(current.flow.signing_key),
        dpop_key=_key(current.flow.dpop_key),
        sending=sending,
        fields=fields,
    )
    return msgspec.json.encode(content, order="deterministic")


def _fields_now() -> _Fields:
    state = st.session_state
    lookup: discover.Lookup | None = state.get("walkthrough.discovered")
    outcome = lookup.outcome if lookup is not None else None
    return _Fields(
        edits=_typed(),
        state={str(key): value for key, value in state.items() if _is_kept(str(key))},
        signing_key=_key(state.get(session.OWN_KEY)),
        registrations=session.registrations(),
        used=state.get(own_client.USED, {}),
        lookup=_Lookup(
            lookup.typed, outcome.discovery, tuple(record.redacted for record in outcome.records), outcome.refusal
        )
        if lookup is not None and outcome is not None
        else None,
    )


def _decoded(payload: bytes | None) -> _Content | None:
    """Return what was kept; ``None`` if it was lost, or is of another version of the console."""
    if payload is None:
        return None
    try:
        content = msgspec.json.decode(payload, type=_Content)
    except msgspec.DecodeError:
        return None
    return content if content.shape == SHAPE else None


def _key(key: SigningKey | None) -> _Key | None:
    return _Key(dict(key.key.as_dict(private=True)), key.algorithm) if key is not None else None


def _signing_key(kept: _Key | None) -> SigningKey | None:
    return SigningKey(JWKRegistry.import_key(kept.jwk), kept.algorithm) if kept is not None else None


def _fields() -> dict[str, object]:
    state = st.session_state
    others = {str(key): value for key, value in state.items() if str(key).startswith(_GIVEN_PREFIX)}
    return prefill.edits() | others


def _typed() -> dict[str, object]:
    """Return the fields that do not have their default, which is made anew."""
    return {
        key: value
        for key, value in _fields().items()
        if widget_defaults.default_of(key) is None or prefill.is_changed(key)
    }


def _is_kept(key: str) -> bool:
    return key in _KEYS or key.startswith(_PREFIXES)


def _outcome(shown: Shown) -> _Outcome:
    row = shown.exchange.id
    return _Outcome(row, shown.exchange if row is None else None, shown.diagnosis, shown.times)


def _restored(content: _Content) -> Session:
    """Return the session that was kept. Raises ``HistoryError``."""
    recorder = installation().recorder()
    for kind, value in content.secrets:
        recorder.vault.add(kind, value)
    rows: dict[int, Shown] = {}

    def shown(outcome: _Outcome) -> Shown | None:
        exchange = outcome.exchange
        if outcome.row is not None:
            if outcome.row in rows:
                return rows[outcome.row]
            row = session.history().get(outcome.row)
            exchange = row.exchange if row is not None else None
        if exchange is None:
            return None  # its row was deleted
        result = Shown(exchange, explain(exchange), outcome.diagnosis, outcome.times)
        if outcome.row is not None:
            rows[outcome.row] = result
        return result

    authorizing = content.authorizing
    fixing, before = content.fixing, shown(content.fixing.before) if content.fixing is not None else None
    return Session(
        recorder,
        Signing(recorder.vault, content.claims),
        replace(content.flow, signing_key=_signing_key(content.flow_key), dpop_key=_signing_key(content.dpop_key)),
        content.chosen,
        opened=set(content.opened),
        step=content.step,
        shown={action: item for action, outcome in content.shown.items() if (item := shown(outcome)) is not None},
        sequence=[item for outcome in content.sequence if (item := shown(outcome)) is not None],
        sent=dict(content.sent),
        authorizing=Record(authorizing, recorder.vault.redact(authorizing)) if authorizing is not None else None,
        refused=content.refused,
        replaced=content.replaced,
        fixing=Fixing(fixing.action, fixing.fix, before) if fixing is not None and before is not None else None,
        keys=content.keys,
    )


def _fill_in(content: _Fields) -> None:
    """Put the fields back as they were typed, in place of all that the browser has."""
    state = st.session_state
    for key in _fields():
        widget_defaults.forget(key)
    for name in [name for name in state if _is_kept(str(name))]:
        del state[name]
    for key, value in content.edits.items():
        widget_defaults.put(key, value)
    for key, value in content.state.items():
        state[key] = value
    state.pop(undo.ENDED, None)
    state.pop(session.OWN_KEY, None)
    if content.signing_key is not None:
        state[session.OWN_KEY] = _signing_key(content.signing_key)
    state[session.REGISTRATIONS] = dict(content.registrations)
    state[own_client.USED] = dict(content.used)
    if (lookup := content.lookup) is not None:
        records = tuple(Record(exchange, exchange, explain(exchange)) for exchange in lookup.exchanges)
        outcome = discover.Outcome(_with_tuples(lookup.discovery), records, lookup.refusal)
        state["walkthrough.discovered"] = discover.Lookup(lookup.typed, outcome)


def _with_tuples(discovery: Discovery | None) -> Discovery | None:
    """Return a discovery whose metadata has tuples, as it had before it was JSON."""
    if discovery is None or discovery.metadata is None:
        return discovery
    members = {name: tuple(it) if isinstance(it, list) else it for name, it in discovery.metadata.members.items()}
    return replace(discovery, metadata=replace(discovery.metadata, members=members))


def _reset(labels: Labels) -> None:
    """Choose the provider and the client of a flow that was lost, without what the browser still shows of its fields.

    A browser that reconnects has their values, and a fingerprint among them stands for a secret that is gone. Fields
    with a default get it when they are drawn.
    """
    state = st.session_state
    for key in (*_TEXTS, f"{_REGISTERED}{labels.provider}"):
        state[key] = ""
    provider = profile.known().get(labels.provider)
    if provider is not None:
        profile.preselect("walkthrough", provider)
        state[f"walkthrough.client.{provider.id}"] = labels.client


@needs(Action.SEND)
def _show() -> None:
    """Read the flow again on the next run."""
    held = _held()
    if held is not None:
        held.reading = True


def _own_button() -> None:
    st.button(
        "Start another flow here",
        key="walkthrough.own_flow",
        icon=":material/tab:",
        help="This tab then has another flow, and the other tab keeps this one.",
        on_click=_start_own,
    )


@needs(Action.SEND)
def _start_own() -> None:
    """Give this tab a place of its own, and begin a flow there with the same provider and client."""
    before = session.get()
    _move()
    st.session_state.pop(undo.ENDED, None)
    prefill.forget_edits()
    if before is not None:
        session.start(before.flow.provider, before.flow.client, before.chosen)


def _move() -> None:
    """Give this tab a place of its own, where no flow is kept yet."""
    st.query_params[TAB] = secrets.token_hex(4)
    st.session_state.pop(_HELD, None)
    held = _hold()
    if held is not None:
        held.reading = False


@drawing.fragment(run_every=5)
def _draw_second() -> None:
    """Say that another tab shows this flow, as long as its connection lasts, or that the flow comes from elsewhere."""
    held = _held()
    if held is None or held.kept is None:
        st.rerun()  # this tab went on with the flow, or began its own
    is_known = _is_elsewhere(held)
    if not is_known and held.kept.console == session.console():
        return
    with st.container(border=True, key="walkthrough.second"):
        if is_known:
            st.info("Another tab of this browser shows this flow, too")
        else:
            ago = span((now() - held.kept.saved_at).total_seconds())
            st.info(f"This flow goes on here, as it was {ago} ago at another console or before a restart")
        st.text("Go on in one tab: any other that shows it then says that it was overtaken.")
        _own_button()


def _draw_lost(kept: Kept) -> None:
    ago = span((now() - kept.saved_at).total_seconds())
    with st.container(border=True, key="walkthrough.lost"):
        if not kept.labels.flow:
            notices.warning(
                "The fields were reset",
                "The console that had them in its memory was stopped, or is of another version. They were changed "
                f"{ago} ago, and nothing was sent.",
            )
            return
        notices.warning(
            "Your flow was lost",
            f"The console that had flow {kept.labels.flow} in its memory was stopped, or is of another version. Its "
            f"code, its verifier, its tokens and what was typed are gone. Its last change was {ago} ago. A new flow is "
            "ready: open the authorization page in step 1 for a new code.",
        )
        _link(kept.labels.flow)


@drawing.fragment(run_every=1)
def _draw_sending() -> None:
    """Say that a request was begun elsewhere, until its response is there or nobody can be waiting for it."""
    held, current = _held(), session.get()
    if held is None or held.sending is None or current is None:
        return
    if is_overtaken():
        held.reading = True
        st.rerun()
    seconds = (held.sending.until - now()).total_seconds()
    with st.container(border=True, key="walkthrough.sending"):
        step = ACTIONS[held.sending.action].step.value
        if seconds > 0:
            st.info(f"A {step} request of this flow was begun before this page was opened")
            most = span(seconds + 1)
            st.text(f"Its response appears here if it arrives. Nothing is sent meanwhile, for {most} at the most.")
            return
        notices.warning(
            f"No response to a {step} request of this flow was recorded",
            "The console was stopped, or the connection was lost, before the response came. The provider may have "
            "received the request: a code or a refresh token that it carried may be used up. Send it again, or start "
            "over for a new code.",
        )
        _link(current.flow.id)


def _link(flow: str) -> None:
    st.page_link(
        "history.py", label=f"Exchanges of flow {flow}", icon=":material/history:", query_params={"flow": flow}
    )
