"""The flow, step by step: the home page."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth import flow as flows
from oauth import providers
from oauth.exchange import Request, Step
from oauth.flow import Client, Field, FlowError, Grant, StateCheck, Tokens
from oauth.formatting import span
from oauth.history.store import HistoryError
from oauth.installation import now
from oauth.providers import BodyFormat, ClientAuthentication
from pages.parts import card, diagram, exchange, fix, rail, request, reveal, session
from pages.parts import provider as profile
from pages.parts.session import Session

SECRET_IN = {
    ClientAuthentication.BODY: "Body",
    ClientAuthentication.BASIC: "Basic",
    ClientAuthentication.NONE: "Nowhere",
}
STEPS_OF = {
    "authorize": (Step.AUTHORIZE,),
    "callback": (Step.CALLBACK,),
    "token": (Step.TOKEN,),
    "call": (Step.API, Step.REFRESH),
}
"""The steps whose notes stand in a card."""

ACTIONS = {"api": "Call the API", "refresh": "Refresh the token", "application": "Application token"}


def page() -> None:
    """Draw the walkthrough."""
    current = _header()
    if current.recorder.problem:
        with st.container(border=True, key="walkthrough.problem"):
            st.warning("The walkthrough goes on, but the history is not keeping it.")
            st.text(current.recorder.problem)
    left, middle, right = st.columns([4, 13, 6], gap="medium")
    with left:
        rail.draw(current)
        _flow_facts(current)
    with middle:
        for name, draw in CARDS.items():
            if rail.is_open(current, name):
                draw(current)
    with right, st.container(key="diagram"):
        diagram.draw(current.sequence)


def _header() -> Session:
    """Draw the title and the choice of provider and client; a new choice begins a new flow."""
    title, choice = st.columns([5, 7], vertical_alignment="bottom")
    title.title("Get a token, one step at a time", anchor=False)
    with choice, st.container(horizontal=True, gap="small"):
        provider = profile.choose("walkthrough", "Provider", profile.known().values())
        ready = {item.id: item for item in provider.clients} | profile.operators_clients(provider)
        chosen = st.selectbox(
            "Client",
            [*ready, session.OWN_CLIENT],
            format_func=lambda name: f"{name} · {ready[name].title}" if name in ready else "Your own client",
            key=f"walkthrough.client.{provider.id}",
            persist_state="session",
        )
    profile.about(provider)
    if provider.id == profile.GENERIC:
        provider = profile.fill_in(provider)
    client = Client(ready[chosen].id, ready[chosen].secret) if chosen in ready else _own_client()
    current = session.get()
    if current is None or current.flow.provider.id != provider.id or current.chosen != chosen:
        current = session.start(provider, client, chosen)
    elif current.flow.client != client or current.flow.provider != provider:
        current.flow = replace(current.flow, client=client, provider=provider)
        current.vault.add("client_secret", client.secret)
    return current


def _own_client() -> Client:
    left, right = st.columns(2)
    with left:
        client_id = st.text_input("Client ID", key="walkthrough.client_id", persist_state="session")
    with right:
        st.text_input(
            "Client secret",
            key="walkthrough.client_secret",
            help="Kept in the memory of this browser session only. What stands here afterwards is its fingerprint.",
            on_change=_take_secret,
            persist_state="session",
        )
    return Client((client_id or "").strip(), st.session_state.get(session.OWN_SECRET, ""))


def _take_secret() -> None:
    current = session.get()
    typed = st.session_state["walkthrough.client_secret"] or ""
    if current is not None and current.vault.resolve(typed) == typed:
        st.session_state[session.OWN_SECRET] = typed
        st.session_state["walkthrough.client_secret"] = current.vault.add("client_secret", typed)


def _flow_facts(current: Session) -> None:
    st.button(
        "Start over",
        key="walkthrough.start_over",
        icon=":material/restart_alt:",
        width="stretch",
        help="A fresh state. What was sent stays in the history.",
        on_click=_start_over,
        args=(current,),
    )
    st.text_input(
        "Case",
        key="walkthrough.case",
        placeholder="ticket number",
        help="A label that the rows of this flow keep in the history.",
        on_change=_label,
        args=(current,),
        persist_state="session",
    )
    st.caption(f"Flow `{current.flow.id}`")


def _start_over(current: Session) -> None:
    session.start(current.flow.provider, current.flow.client, current.chosen)


def _label(current: Session) -> None:
    current.set_case((st.session_state["walkthrough.case"] or "").strip())


def _authorize(current: Session) -> None:
    with _step_card(current, "authorize", "1 · Send the browser to the provider"):
        st.write("The person who owns the data approves at the provider. It answers by sending the browser back.")
        with _editor(current, "authorize"):
            edited = request.edit(
                current,
                "authorize",
                flows.authorization_fields(current.flow),
                current.flow.provider.authorization_endpoint,
                flows.authorization_request,
            )
        if edited is not None:
            opened, sent = edited
            st.link_button(
                "Open the authorization page",
                opened.url,
                key="authorize.open",
                icon=":material/open_in_new:",
                type="primary" if "authorize" not in current.shown else "secondary",
                on_click=_opened,
                args=(current, opened, sent),
            )
        _shown(current, "authorize")


def _opened(current: Session, opened: Request, sent: list[Field]) -> None:
    if current.flow.callback is not None:
        # A state is good for one answer: another authorization is another flow.
        current = session.start(current.flow.provider, current.flow.client, current.chosen)
    current.begin_authorization(opened, sent)


def _callback(current: Session) -> None:
    with _step_card(current, "callback", "2 · Take the answer that comes back"):
        if current.flow.callback is None:
            waiting, pasting = st.columns(2, gap="medium", border=True)
            with waiting:
                st.markdown("**Wait for the redirect**")
                _wait()
            with pasting:
                st.markdown("**Or paste it**")
                st.text_input(
                    "The address that the browser landed on, or the code alone",
                    key="callback.pasted",
                    placeholder="https://…/callback?code=…&state=…",
                )
                st.button(
                    "Read it", key="callback.read", on_click=_paste, args=(current,), icon=":material/content_paste:"
                )
            if current.refused:
                st.error("This answer was refused, and nothing changed.")
                st.text(current.refused)
            if (missing := current.never_came_back()) is not None:
                with st.expander(
                    "The provider shows a page of its own, and nothing comes back", key="callback.missing"
                ):
                    card.causes(missing.causes)
            return
        _callback_facts(current)
        shown = current.shown["callback"]
        if shown.explanation is not None:
            apply = partial(fix.apply, current, "callback")
            card.draw("callback", shown.exchange, shown.explanation, shown.diagnosis, apply)
        with st.expander("The exchange", key="callback.details"):
            exchange.draw("callback", shown.exchange, None)


@st.fragment(run_every=1)
def _wait() -> None:
    current = session.get()
    if current is None or current.flow.callback is not None:
        return
    try:
        received = current.handover.take(current.flow.state)
    except HistoryError as error:
        st.text(str(error))
        return
    if received is not None:
        address = f"{current.flow.redirect_uri}?{flows.query(received.parameters)}"
        current.receive(list(received.parameters), received.received_at, address, pasted=False)
        st.rerun()
    if current.authorizing is None:
        st.caption("Open the authorization page in step 1 first.")
        return
    waited = span((now() - current.authorizing.started_at).total_seconds())
    st.caption(f":material/hourglass_empty: Nothing has come yet, {waited} since the page was opened. It may come to")
    st.code(current.flow.redirect_uri, language=None, wrap_lines=True)


def _paste(current: Session) -> None:
    typed = st.session_state["callback.pasted"] or ""
    st.session_state["callback.pasted"] = ""
    try:
        current.receive_pasted(typed)
    except FlowError as error:
        current.refused = str(error)


def _callback_facts(current: Session) -> None:
    callback = current.flow.callback
    if callback is None:
        return
    redacted = [(name, current.vault.redact_value(name, value)) for name, value in callback.parameters]
    st.code("\n".join(f"{name} = {value}" for name, value in redacted), language=None, wrap_lines=True)
    sent = current.vault.placeholder("state", current.flow.state)
    came = current.vault.redact_value("state", callback.get("state")) or "none"
    match callback.state_check:
        case StateCheck.MATCHES:
            st.markdown(":green[:material/check:] The state is the one that was sent")
        case StateCheck.MISSING:
            st.markdown(":orange[:material/warning:] No state came back, so nothing ties this answer to the request")
        case _:
            st.markdown(":orange[:material/warning:] A bare code was pasted, so the state could not be checked")
    st.code(f"sent {sent}\ncame {came}", language=None)
    if current.flow.code:
        _code_life()


@st.fragment(run_every=1)
def _code_life() -> None:
    current = session.get()
    if current is not None and (end := current.flow.code_expires_at) is not None:
        if "token" in current.shown and current.flow.tokens is not None:
            st.caption("The code is spent: it was exchanged.")
        else:
            st.caption(_countdown("The code lives", end - now()))


def _token(current: Session) -> None:
    with _step_card(current, "token", "3 · Exchange the code for tokens"):
        _token_action(current, "token", Grant.AUTHORIZATION_CODE, "Exchange the code")
        if current.flow.tokens is not None and current.shown.get("token"):
            reveal.tokens(current, current.flow.tokens, "tokens")


def _call(current: Session) -> None:
    with _step_card(current, "call", "4 · Call the API, and refresh"):
        action = st.segmented_control(
            "What to do",
            list(ACTIONS),
            format_func=ACTIONS.__getitem__,
            default="api",
            required=True,
            key="call.action",
            label_visibility="collapsed",
            persist_state="session",
        )
        match action:
            case "refresh":
                _token_action(current, "refresh", Grant.REFRESH_TOKEN, "Refresh")
                _refresh_facts(current)
            case "application":
                st.write("A token of the application itself, with no user: good for reference data.")
                _token_action(current, "application", Grant.CLIENT_CREDENTIALS, "Get an application token")
                if current.flow.application_tokens is not None:
                    reveal.tokens(current, current.flow.application_tokens, "application_tokens")
            case _:
                _api_action(current)


def _token_action(current: Session, action: str, grant: Grant, label: str) -> None:
    with _editor(current, action):
        edited = request.edit(
            current,
            action,
            flows.token_fields(current.flow, grant),
            current.flow.provider.token_endpoint,
            partial(_token_request, action),
            partial(_token_options, action, current.flow.provider),
        )
    _send(current, action, label, edited)


def _token_request(action: str, url: str, fields: list[Field]) -> Request:
    body = BodyFormat(st.session_state[f"{action}.body"])
    return flows.token_request(url, fields, body, ClientAuthentication(st.session_state[f"{action}.secret_in"]))


def _token_options(action: str, provider: providers.Provider) -> None:
    request.keep(f"{action}.body", provider.token_body)
    request.keep(f"{action}.secret_in", provider.client_authentication)
    with st.container(horizontal=True, gap="medium"):
        st.segmented_control(
            "Body",
            list(BodyFormat),
            format_func={"json": "JSON", "form": "Form"}.__getitem__,
            required=True,
            key=f"{action}.body",
            persist_state="session",
        )
        st.segmented_control(
            "Secret in",
            list(SECRET_IN),
            format_func=SECRET_IN.__getitem__,
            required=True,
            key=f"{action}.secret_in",
            persist_state="session",
        )


def _api_action(current: Session) -> None:
    flow = current.flow
    owners: dict[str, Tokens | None] = {"The user's": flow.tokens, "The application's": flow.application_tokens}
    held = [name for name, tokens in owners.items() if tokens is not None] or ["The user's"]
    with _editor(current, "api"):
        with st.container(horizontal=True, gap="medium"):
            endpoints = {item.path: item for item in flow.provider.endpoints}
            path = st.selectbox(
                "Endpoint",
                list(endpoints),
                format_func=lambda p: f"{p} · {endpoints[p].title}",
                key="api.endpoint",
                persist_state="session",
            )
            owner = held[0]
            if len(held) > 1:
                owner = st.segmented_control("Token", held, default=held[0], required=True, key="api.token") or held[0]
        edited = request.edit(
            current, "api", flows.api_fields(flow, owners[owner]), f"{flow.provider.api}{path}", flows.api_request
        )
    _send(current, "api", "Call the endpoint", edited)


def _refresh_facts(current: Session) -> None:
    shown = current.shown.get("refresh")
    if shown is None or shown.explanation is not None or current.flow.tokens is None:
        return
    if current.flow.refresh_replaced:
        st.markdown(":green[:material/check:] The refresh token was replaced: the one before is worth nothing now.")
    else:
        st.markdown(":green[:material/check:] The refresh token was not replaced: it stays good.")
    reveal.tokens(current, current.flow.tokens, "refreshed_tokens")


def _send(current: Session, action: str, label: str, edited: tuple[Request, list[Field]] | None) -> None:
    """Draw the send button, send when it was pressed, and draw what came back."""
    again = action in current.shown
    # What was sent already has its card; what was changed since is checked again.
    if edited is not None and edited[0] != current.sent.get(action):
        _preflight(current, action, edited[0])
    st.button(
        "Send again" if again else label,
        key=f"{action}.send",
        icon=":material/send:",
        type="secondary" if again else "primary",
        disabled=edited is None,
        on_click=current.press,
        args=(action,),
    )
    if current.take_press(action) and edited is not None:
        with st.spinner("Waiting for the answer, 10 s at most", show_time=True):
            current.send(action, edited[0])
        st.rerun()
    _shown(current, action)


def _preflight(current: Session, action: str, ready: Request) -> None:
    """Say what would fail while it can still be changed. Sending anyway stays possible."""
    found = current.preflight(action, ready)
    if found:
        with st.container(border=True, key=f"{action}.preflight"):
            st.markdown(":orange[:material/warning:] **This would fail if it were sent as it is**")
            card.causes(found)


def _shown(current: Session, action: str) -> None:
    shown = current.shown.get(action)
    if shown is None:
        return
    if current.fixing is not None and current.fixing.action == action and current.fixing.before is not shown:
        _before_and_after(current.fixing, shown)
    exchange.draw(action, shown.exchange, shown.explanation)
    if shown.explanation is not None:
        card.draw(action, shown.exchange, shown.explanation, shown.diagnosis, partial(fix.apply, current, action))


def _before_and_after(fixing: session.Fixing, after: session.Shown) -> None:
    with st.container(border=True, gap="small", key=f"{fixing.action}.fixed"):
        worked = after.explanation is None
        st.markdown(":green[:material/check:] **It was this**" if worked else "**It was changed, and still fails**")
        st.text(f"before: {_outcome(fixing.before)}\nafter: {_outcome(after)}")
        st.text(fixing.fix.title)
        if fixing.fix.changes:
            st.code(card.diff(fixing.fix.changes), language="diff", wrap_lines=True)


def _outcome(shown: session.Shown) -> str:
    response = shown.exchange.response
    words = [str(response.status) if response else "no response"]
    if shown.explanation is not None:
        words.append(shown.explanation.error or shown.explanation.title)
    if shown.exchange.id is not None:
        words.append(f"row {shown.exchange.id}")
    return ", ".join(words)


def _step_card(current: Session, name: str, title: str) -> DeltaGenerator:
    """A step's frame; a step that the flow has gone past is folded, and opens with a click."""
    if rail.is_folded(current, name):
        return st.expander(f"**{title}**", icon=":material/check_circle:", key=f"step.{name}.done")
    box = st.container(border=True, key=f"step.{name}")
    box.subheader(title, anchor=False)
    for note in (note for step in STEPS_OF[name] for note in current.flow.provider.notes_on(step)):
        box.text(note)
    return box


def _editor(current: Session, action: str) -> DeltaGenerator:
    """Where a request is edited: in the open until it was sent, folded away after, so that the answer is seen."""
    if action in current.shown:
        return st.expander("Change the request and send it again", key=f"{action}.edit", icon=":material/edit:")
    return st.container(key=f"{action}.edit")


def _countdown(what: str, left: timedelta) -> str:
    seconds = left.total_seconds()
    return f"{what} for {span(seconds)} more." if seconds > 0 else f"{what} no more: it expired {span(-seconds)} ago."


CARDS: dict[str, Callable[[Session], None]] = {
    "authorize": _authorize,
    "callback": _callback,
    "token": _token,
    "call": _call,
}

page()
