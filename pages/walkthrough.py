"""The flow, step by step: the home page."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from oauth import flow as flows
from oauth.errors import InputError
from oauth.flow import Callback, Client, IssuerCheck, StateCheck
from oauth.formatting import span
from oauth.history.store import HistoryError
from oauth.installation import now
from oauth.providers.redirect_advice import Way
from pages.parts.common import card, exchange, session
from pages.parts.common import provider as profile
from pages.parts.common.session import Session
from pages.parts.providers import discover
from pages.parts.walkthrough import (
    advanced,
    api_step,
    authorization,
    device,
    diagnosing,
    diagram,
    fix,
    par,
    redirect_uri,
    request,
    step,
    step_rail,
    token_request,
    tokens,
)


def page() -> None:
    """Draw the walkthrough."""
    current = _header()
    advanced.follow(current)
    if current.recorder.problem:
        with st.container(border=True, key="walkthrough.problem"):
            st.warning("The walkthrough goes on, but the history is not keeping it.")
            st.text(current.recorder.problem)
    left, middle, right = st.columns([4, 13, 6], gap="medium")
    with left:
        step_rail.draw(current)
        _flow_facts(current)
    with middle:
        for name, draw in CARDS.items():
            if step_rail.is_open(current, name):
                draw(current)
    with right, st.container(key="diagram"):
        diagram.draw(current.sequence)
        discover.compare(current.flow.provider, [item.exchange for item in current.sequence])


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
    redirect_uri.settle(current)
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
    st.toggle(
        "More options",
        key="walkthrough.options",
        help="PKCE, DPoP, every way to prove who asks, and the parameters that few requests need.",
        persist_state="session",
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
    with step.frame(current, "authorize", "1 · Send the browser to the provider"):
        st.write("The person who owns the data approves at the provider. It answers by sending the browser back.")
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
        if current.flow.callback is not None:
            # A state is good for one answer: the link of this one would only be refused.
            st.button(
                "Authorize again, with a fresh state",
                key="authorize.again",
                icon=":material/restart_alt:",
                on_click=_start_over,
                args=(current,),
            )
        elif edited is not None:
            opened, sent = edited
            st.link_button(
                "Open the authorization page",
                opened.url,
                key="authorize.open",
                icon=":material/open_in_new:",
                type="primary" if "authorize" not in current.shown else "secondary",
                on_click=authorization.begin,
                args=(current, opened, sent),
            )
        step.shown(current, "authorize")


def _callback(current: Session) -> None:
    with step.frame(current, "callback", "2 · Take the answer that comes back"):
        if current.flow.callback is None:
            if current.flow.authorization_parameter("response_mode") == "fragment":
                st.info(
                    "With response_mode=fragment the answer stands behind a # in the address. A browser sends that to "
                    "no server, so it cannot come here by itself: paste the address."
                )
            by_hand = redirect_uri.leading(current).way is Way.PASTE
            first, second = st.columns([3, 2] if by_hand else 2, gap="medium", border=True)
            waiting, pasting = (second, first) if by_hand else (first, second)
            with waiting:
                st.markdown("**Or wait for the redirect**" if by_hand else "**Wait for the redirect**")
                _wait()
            with pasting:
                st.markdown("**Paste it**" if by_hand else "**Or paste it**")
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
            if (missing := diagnosing.never_came_back(current)) is not None:
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
        authorization.receive(current, list(received.parameters), received.received_at)
        st.rerun()
    if current.authorizing is None:
        st.caption("Open the authorization page in step 1 first.")
        return
    if current.flow.redirect_uri != f"{current.origin}/callback":
        st.caption("The answer goes to another address than this console's, so it does not come by itself.")
        return
    waited = span((now() - current.authorizing.live.started_at).total_seconds())
    st.caption(f":material/hourglass_empty: Nothing has come yet, {waited} since the page was opened. It may come to")
    st.code(current.flow.redirect_uri, language=None, wrap_lines=True)


def _paste(current: Session) -> None:
    typed = st.session_state["callback.pasted"] or ""
    st.session_state["callback.pasted"] = ""
    try:
        authorization.receive_pasted(current, typed)
    except InputError as error:
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
    _issuer_facts(current, callback)
    if current.flow.code:
        _code_life()


def _issuer_facts(current: Session, callback: Callback) -> None:
    """Whether the server that was asked is the one that answered (RFC 9207)."""
    match callback.issuer_check:
        case IssuerCheck.MATCHES:
            st.markdown(":green[:material/check:] The issuer that answered is the one that was asked")
        case IssuerCheck.DIFFERS:
            st.error("Another server answered than the one that was asked. The code is not used.")
            st.text(
                "This is how a mix-up attack looks (RFC 9207 §2.4): the code would go to a server that did not make "
                "it. If the issuer in the profile is merely wrong, correct it and start over."
            )
            st.code(f"asked    {current.flow.provider.issuer}\nanswered {callback.get('iss')}", language=None)
        case IssuerCheck.NOT_POSSIBLE:
            st.caption("The answer names its issuer, and the profile has none to compare it with.")
        case IssuerCheck.NOT_SENT:
            pass


@st.fragment(run_every=1)
def _code_life() -> None:
    current = session.get()
    if current is not None and (end := current.flow.code_expires_at) is not None:
        if "token" in current.shown and current.flow.tokens is not None:
            st.caption("The code is spent: it was exchanged.")
        else:
            st.caption(step.countdown("The code lives", end - now()))


def _token(current: Session) -> None:
    with step.frame(current, "token", "3 · Exchange the code for tokens"):
        token_request.draw(current, "token", "Exchange the code")
        if current.flow.tokens is not None and current.shown.get("token"):
            tokens.tokens(current, current.flow.tokens, "tokens")


CARDS: dict[str, Callable[[Session], None]] = {
    "par": par.draw,
    "authorize": _authorize,
    "callback": _callback,
    "token": _token,
    "device": device.draw,
    "call": api_step.draw,
}

page()
