"""The walkthrough of a flow, step by step: the home page."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from oauth import flow as flows
from oauth.access import Action
from oauth.errors import InputError
from oauth.flow import Callback, Client, IssuerCheck, StateCheck
from oauth.formatting import span
from oauth.history.store import HistoryError
from oauth.installation import now
from oauth.providers import Provider
from pages.parts.common import card, drawing, exchange, notices, session
from pages.parts.common import provider as profile
from pages.parts.common.permissions import needs
from pages.parts.common.session import Session
from pages.parts.providers import discover
from pages.parts.walkthrough import (
    advanced,
    api_step,
    authorization,
    device,
    diagnosing,
    fix,
    keeping,
    own_client,
    par,
    prefill,
    redirect_uri,
    register,
    request,
    step,
    step_rail,
    timeline,
    token_request,
    tokens,
    undo,
)

NOT_YET = '.stElementContainer[data-stale="true"] .stLinkButton { opacity: 0.5; pointer-events: none; }'
"""Style of a link that the current run has not drawn yet: it may have the values of another provider or client."""


def page() -> None:
    """Draw the walkthrough."""
    st.html(f"<style>{NOT_YET}{step.STYLE}</style>")
    keeping.resume()
    current = _header()
    keeping.draw()
    advanced.apply(current)
    if current.recorder.problem:
        with st.container(border=True, key="walkthrough.problem"):
            notices.warning(
                "The walkthrough continues, but its requests are not saved in the history.", current.recorder.problem
            )
    current.slots.clear()
    left, middle = st.columns([4, 19], gap="medium")
    with left:
        step_rail.draw(current)
        _flow_facts(current)
    with middle:
        tokens.draw_tray(current)
        # The open step is first, so that its button and its result are in view.
        for name in sorted(CARDS, key=lambda name: name != current.step):
            if step_rail.is_open(current, name):
                CARDS[name](current)
        with st.container(key="diagram"):
            timeline.draw(current.sequence)
        discover.compare(current.flow.provider, [item.exchange for item in current.sequence])
    keeping.save(current)
    keeping.focus(current)


def _header() -> Session:
    """Draw the title and the choice of provider and client; a new choice starts a new flow."""
    title, choice = st.columns([5, 7], vertical_alignment="bottom")
    title.title("Get a token, one step at a time", anchor=False)
    with choice, st.container(horizontal=True, gap="small"):
        provider = profile.choose("walkthrough", "Provider", profile.known().values())
        own_client.apply_arrived(provider)
        clients = {item.id: item for item in provider.clients} | profile.operators_clients(provider)
        chosen = st.selectbox(
            "Client",
            [*clients, session.OWN_CLIENT],
            format_func=lambda name: f"{name} · {clients[name].title}" if name in clients else "Your own client",
            key=f"walkthrough.client.{provider.id}",
            persist_state="session",
        )
    profile.draw_notes(provider)
    if provider.id == profile.GENERIC:
        provider = profile.fill_in(provider)
    client = flows.client_from(clients[chosen]) if chosen in clients else own_client.draw(provider)
    provider = own_client.as_registered(provider, client)
    current = session.get()
    if (change := _change(current, provider, client, chosen)) or current is None:
        if current is not None:
            keeping.leave(current)
            if current.flow.provider.id != provider.id or current.chosen != chosen:
                prefill.forget_edits()
        was_begun = current is not None and current.flow.authorization is not None
        current = session.start(provider, client, chosen)
        current.replaced = change if was_begun else ""
    elif current.flow.client != client or current.flow.provider != provider:
        current.advance(replace(current.flow, client=client, provider=provider))
    redirect_uri.apply(current)
    return current


def _change(current: Session | None, provider: Provider, client: Client, chosen: str) -> str:
    """Return the change that makes another flow necessary, or an empty string."""
    if current is None:
        return ""
    flow = current.flow
    if flow.provider.id != provider.id:
        return "provider"
    if current.chosen != chosen or (flow.authorization is not None and flow.client.id != client.id):
        return "client"
    endpoints = (provider.issuer, provider.authorization_endpoint)
    if flow.authorization is not None and (flow.provider.issuer, flow.provider.authorization_endpoint) != endpoints:
        return "provider"
    return ""


def _flow_facts(current: Session) -> None:
    st.button(
        "Start over",
        key="walkthrough.start_over",
        icon=":material/restart_alt:",
        width="stretch",
        help="Starts a new flow with a fresh state, and forgets edited fields and options. The provider, the client, "
        "the registered redirect URI and the case stay. *Undo* brings everything back, tokens too.",
        on_click=_start_over,
        args=(current,),
    )
    undo.draw(current)
    st.toggle(
        "More options",
        key="walkthrough.options",
        help="PKCE, DPoP, every client authentication method, and rarely used parameters.",
        persist_state="session",
    )
    st.text_input(
        "Case",
        key="walkthrough.case",
        placeholder="ticket number",
        help="A label for this flow's rows in the history.",
        on_change=_set_case,
        args=(current,),
        persist_state="session",
    )
    st.caption(f"Flow `{current.flow.id}`")


@needs(Action.SEND)
def _start_over(current: Session) -> None:
    keeping.leave(current)
    prefill.forget_edits()
    session.start(current.flow.provider, current.flow.client, current.chosen)


@needs(Action.SEND)
def _authorize_again(current: Session) -> None:
    """Start a new flow with the requests as they were edited."""
    keeping.leave(current)
    session.start(current.flow.provider, current.flow.client, current.chosen)


@needs(Action.SEND)
def _set_case(current: Session) -> None:
    """Label the flow's rows: those in the history and those to come."""
    case = (st.session_state["walkthrough.case"] or "").strip()
    try:
        case = session.redacted(case)
        current.flow = replace(current.flow, case=case)
        session.history().set_case(current.flow.id, case)
    except HistoryError as error:
        current.flow = replace(current.flow, case=current.vault.redact_text(case))
        current.recorder.problem = str(error)
    st.session_state["walkthrough.case"] = current.flow.case


def _authorize(current: Session) -> None:
    with step.frame(current, "authorize", "1 · Send the browser to the provider"):
        st.write("The owner of the data approves at the provider, which then redirects the browser back.")
        if current.replaced and current.authorizing is None and current.flow.callback is None:
            st.info(
                f"The {current.replaced} changed, so a new flow has begun. A page that was opened before belongs to "
                "the old one: close it."
            )
        step.place_result(current, "authorize")
        redirect_uri.draw(current)
        with step.editor(current, "authorize"):
            advanced.draw(current)
            edited = request.edit(
                current,
                "authorize",
                flows.authorization_fields(current.flow),
                current.flow.provider.authorization_endpoint,
                flows.authorization_request,
            )
        bar, result = current.slots.pop("authorize")
        with bar:
            _open(current, edited)
        with result:
            step.draw_result(current, "authorize")


def _open(current: Session, edited: request.Edited) -> None:
    """Draw the link that opens the authorization page, or after its callback the button that gets a new one."""
    if current.flow.callback is not None:
        # A state is valid for one response only: a second one with this state would be refused.
        st.button(
            "Authorize again",
            key="authorize.again",
            icon=":material/restart_alt:",
            help="Starts a new flow with a fresh state. Edited fields stay as they are.",
            on_click=_authorize_again,
            args=(current,),
        )
    elif edited is not None:
        current.authorization = authorization_request, fields = edited
        missing = any(item.name == "client_id" and item.send and not item.value for item in fields)
        if missing:
            st.caption("Enter the client ID above first, or clear the field to send the request without it.")
        st.link_button(
            "Open the authorization page",
            authorization_request.url,
            key="authorize.open",
            icon=":material/open_in_new:",
            type="primary" if "authorize" not in current.shown else "secondary",
            disabled=missing or keeping.is_blocked(),
            on_click=authorization.begin,
            args=(current, authorization_request, fields),
        )


def _callback(current: Session) -> None:
    with step.frame(current, "callback", "2 · Receive the callback"):
        if current.flow.callback is None:
            if current.flow.authorization_parameter("response_mode") == "fragment":
                st.info(
                    "With response_mode=fragment the response is after the # of the address, which a browser sends to "
                    "no server. Paste the address here."
                )
            paste_first = redirect_uri.is_pasted(current)
            first, second = st.columns([3, 2] if paste_first else 2, gap="medium", border=True)
            waiting, pasting = (second, first) if paste_first else (first, second)
            with waiting:
                st.markdown("**Or wait for the redirect**" if paste_first else "**Wait for the redirect**")
                _wait()
            with pasting:
                st.markdown("**Paste the address**" if paste_first else "**Or paste the address**")
                st.text_input(
                    "The address that the browser landed on, or only the code",
                    key="callback.pasted",
                    placeholder="https://…/callback?code=…&state=…",
                    help="If the provider shows an error page instead, copy all of its text and paste it here.",
                )
                st.button(
                    "Read the callback",
                    key="callback.read",
                    on_click=_paste,
                    args=(current,),
                    icon=":material/content_paste:",
                )
            if current.refused:
                notices.error("This callback was refused, and nothing changed.", current.refused)
            if (missing := diagnosing.never_came_back(current)) is not None:
                with st.expander("The provider shows its own page, and no callback arrives", key="callback.missing"):
                    card.causes(missing.causes)
            return
        shown = current.shown["callback"]
        if shown.explanation is not None:
            apply = partial(fix.apply, current, "callback")
            card.draw("callback", shown.exchange, shown.explanation, shown.diagnosis, apply)
        _callback_facts(current)
        with st.expander("Exchange", key="callback.details"):
            exchange.draw("callback", shown.exchange, None, wide=True)


@drawing.fragment(run_every=1)
def _wait() -> None:
    current = session.get()
    if current is None or current.flow.callback is not None:
        return
    try:
        if authorization.take(current):
            st.rerun()
    except HistoryError as error:
        st.text(str(error))
        return
    if current.authorizing is None:
        st.caption("Open the authorization page in step 1 first.")
        return
    if current.flow.redirect_uri != session.callback_address():
        st.caption(
            "The redirect goes to an address outside this console. Paste that address once the browser is there."
        )
        return
    elapsed = span((now() - current.authorizing.live.started_at).total_seconds())
    st.caption(f":material/hourglass_empty: No callback yet, {elapsed} after the page was opened. It is expected at")
    st.code(current.flow.redirect_uri, language=None, wrap_lines=True)


@needs(Action.SEND)
def _paste(current: Session) -> None:
    if keeping.is_blocked():
        return
    text = st.session_state["callback.pasted"] or ""
    st.session_state["callback.pasted"] = ""
    try:
        authorization.receive_pasted(current, text)
    except InputError as error:
        current.refused = str(error)


def _callback_facts(current: Session) -> None:
    callback = current.flow.callback
    if callback is None:
        return
    redacted = [(name, current.vault.redact_value(name, value)) for name, value in callback.parameters]
    st.code("\n".join(f"{name} = {value}" for name, value in redacted), language=None, wrap_lines=True)
    sent = current.vault.placeholder("state", current.flow.state)
    received = current.vault.redact_value("state", callback.get("state")) or "none"
    match callback.state_check:
        case StateCheck.MATCHES:
            st.markdown(":green[:material/check:] The state matches the request")
        case StateCheck.MISSING:
            st.markdown(":orange[:material/warning:] No state came back, so this may answer another request")
        case _:
            st.markdown(":orange[:material/warning:] Only a code was pasted, so the state could not be checked")
    st.code(f"sent     {sent}\nreceived {received}", language=None)
    _issuer_facts(current, callback)


def _issuer_facts(current: Session, callback: Callback) -> None:
    """Draw the result of the issuer check (RFC 9207)."""
    match callback.issuer_check:
        case IssuerCheck.MATCHES:
            st.markdown(":green[:material/check:] The issuer matches the profile")
        case IssuerCheck.DIFFERS:
            notices.error(
                "The callback comes from another issuer. Its code is not used.",
                "This could be a mix-up attack (RFC 9207 §2.4): the code would go to a server that did not issue it. "
                "If the issuer in the profile is wrong, correct it and start over.",
            )
            st.code(f"expected {current.flow.provider.issuer}\nreceived {callback.get('iss')}", language=None)
        case IssuerCheck.NOT_POSSIBLE:
            st.caption("The callback names its issuer, but the profile has none to compare it with.")
        case IssuerCheck.NOT_SENT:
            pass


@drawing.fragment(run_every=1)
def _code_expiry() -> None:
    current = session.get()
    if current is not None and (end := current.flow.code_expires_at) is not None:
        if "token" in current.shown and current.flow.tokens is not None:
            st.caption("The code was exchanged and cannot be used again.")
        else:
            st.caption(step.expiry("Code", end - now()))


def _token(current: Session) -> None:
    with step.frame(current, "token", "3 · Exchange the code for tokens"):
        if current.flow.code:
            _code_expiry()
        token_request.draw(current, "token", "Exchange the code")


CARDS: dict[str, Callable[[Session], None]] = {
    "register": register.draw,
    "par": par.draw,
    "authorize": _authorize,
    "callback": _callback,
    "token": _token,
    "device": device.draw,
    "call": api_step.draw,
}

page()
