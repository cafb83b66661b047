"""Advanced options of the authorization request: PKCE with its verifier, and DPoP."""

from dataclasses import replace

import streamlit as st

from oauth.flow import pkce
from oauth.providers import ClientAuthentication, Pkce
from pages.parts.common import widget_defaults
from pages.parts.common.session import AUTHENTICATION, Session
from pages.parts.walkthrough import own_client, tokens

METHODS = {Pkce.OFF: "Off", Pkce.S256: "S256", Pkce.PLAIN: "plain"}


def apply(current: Session) -> None:
    """Apply the chosen options, or the profile's defaults, before any request is drawn."""
    provider = current.flow.provider
    widget_defaults.keep("authorize.pkce", provider.pkce)
    widget_defaults.keep("authorize.dpop", provider.dpop)
    widget_defaults.keep(AUTHENTICATION, own_client.default_authentication(provider, current.flow.client))
    current.choose(
        Pkce(st.session_state["authorize.pkce"]),
        bound=bool(st.session_state["authorize.dpop"]),
        by=ClientAuthentication(st.session_state[AUTHENTICATION]),
    )


def draw(current: Session) -> None:
    """Draw the options if all options are shown."""
    if not current.options:
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.segmented_control(
            "PKCE",
            list(METHODS),
            format_func=METHODS.__getitem__,
            required=True,
            key="authorize.pkce",
            help="Proves that the client that exchanges the code also requested it (RFC 7636).",
            persist_state="session",
        )
        st.toggle(
            "Bind the tokens to a key (DPoP)",
            key="authorize.dpop",
            help="Each request carries a proof signed with a key of this session (RFC 9449).",
            persist_state="session",
        )
    if current.flow.pkce is not Pkce.OFF:
        _verifier(current)


def _verifier(current: Session) -> None:
    widget_defaults.keep("authorize.verifier", current.vault.placeholder("code_verifier", current.flow.verifier))
    columns = st.columns([17, 4], vertical_alignment="bottom")
    columns[0].text_input(
        "code_verifier, sent in step 3",
        key="authorize.verifier",
        on_change=_use_verifier,
        args=(current,),
        persist_state="session",
    )
    with columns[1]:
        is_revealed = tokens.reveal_button(current, "authorize.reveal.code_verifier", current.flow.verifier)
    if is_revealed:
        st.code(current.flow.verifier, language=None, wrap_lines=True)
    if problem := pkce.problem(current.flow.verifier):
        st.markdown(":orange[:material/warning:] This verifier is invalid, and a server may refuse it")
        st.text(problem)


def _use_verifier(current: Session) -> None:
    text = st.session_state.get("authorize.verifier")
    if text is not None:  # else the edits were forgotten before the browser showed it
        current.advance(replace(current.flow, verifier=current.vault.resolve(text.strip())))
