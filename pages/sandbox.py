"""The embedded provider: its clients, codes, tokens and clock."""

from collections.abc import Callable

import pandas as pd
import streamlit as st
from oauth.formatting import span

from oauth.sandbox import GrantType, Issued, Sandbox, embedded
from pages.parts import clock, session

MOVES = {"10 minutes": 600, "1 day": 86_400, "30 days": 2_592_000}


def page() -> None:
    """Draw the sandbox."""
    st.title("Sandbox", anchor=False)
    st.write(
        "The provider has no test environment, so the console carries one. It answers on the provider's own paths, "
        "strictly: point an integration at it by changing the host."
    )
    st.code(f"{session.origin()}/sandbox", language=None)
    _clients(embedded())
    _state()


def _clients(sandbox: Sandbox) -> None:
    st.subheader("Clients", anchor=False)
    st.caption("Registered redirect URIs: the console's callback, and any http address on a loopback host.")
    for client in sandbox.clients():
        with st.container(border=True, key=f"sandbox.client.{client.client_id}"):
            left, middle, right = st.columns([4, 5, 3], vertical_alignment="center")
            left.code(f"client_id     {client.client_id}\nclient_secret {client.secret}", language=None)
            with middle:
                st.pills(
                    "Grants",
                    list(GrantType),
                    selection_mode="multi",
                    wrap=True,
                    default=sorted(client.grants),
                    key=f"sandbox.grants.{client.client_id}",
                    on_change=_set_grants,
                    args=(client.client_id,),
                )
            with right:
                st.caption(f"Scopes: {' '.join(client.scopes)}")
                st.toggle(
                    "Active",
                    value=client.active,
                    key=f"sandbox.active.{client.client_id}",
                    on_change=_set_active,
                    args=(client.client_id,),
                )


def _set_active(client_id: str) -> None:
    embedded().set_active(client_id, st.session_state[f"sandbox.active.{client_id}"])


def _set_grants(client_id: str) -> None:
    embedded().set_grants(client_id, st.session_state[f"sandbox.grants.{client_id}"])


@st.fragment(run_every=2)
def _state() -> None:
    sandbox = embedded()
    st.subheader("Clock", anchor=False)
    ahead = sandbox.clock.offset.total_seconds()
    st.text(clock.on(sandbox.clock.now()) + (f", {span(ahead)} ahead of real time" if ahead > 0 else ", real time"))
    with st.container(horizontal=True, gap="small"):
        for label, seconds in MOVES.items():
            st.button(f"Forward {label}", key=f"sandbox.clock.{seconds}", on_click=sandbox.clock.move, args=(seconds,))
        st.button("Real time", key="sandbox.clock.reset", on_click=sandbox.clock.reset, disabled=ahead == 0)
    lists: list[tuple[str, str, tuple[Issued, ...], Callable[[int], None]]] = [
        ("Codes", "code", sandbox.codes(), sandbox.revoke_code),
        ("Access tokens", "access_token", sandbox.access_tokens(), sandbox.revoke_access_token),
        ("Refresh tokens", "refresh_token", sandbox.refresh_tokens(), sandbox.revoke_refresh_token),
    ]
    for title, key, issued, revoke in lists:
        _issued(title, key, issued, revoke)
    st.button(
        "Reset the sandbox",
        key="sandbox.reset",
        icon=":material/restart_alt:",
        help="The ready-made clients, no codes, no tokens, real time.",
        on_click=_reset,
    )


def _issued(title: str, key: str, issued: tuple[Issued, ...], revoke: Callable[[int], None]) -> None:
    st.subheader(title, anchor=False)
    if not issued:
        st.caption("None yet.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "no.": [item.serial for item in issued],
                "state": [item.state.value for item in issued],
                "client": [item.client_id for item in issued],
                "scope": [" ".join(item.scope) for item in issued],
                "of": ["a user" if item.user_id is not None else "the application" for item in issued],
                "issued": pd.to_datetime([item.issued_at for item in issued], utc=True),
                "expires": pd.to_datetime([item.expires_at for item in issued], utc=True),
            }
        ),
        key=f"sandbox.{key}",
        hide_index=True,
        column_config={
            name: st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss", timezone=clock.zone())
            for name in ("issued", "expires")
        },
    )
    live = [item.serial for item in issued if item.state.value == "live"]
    if live:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            number = st.selectbox("Live", live, key=f"sandbox.{key}.pick", width=120)
            st.button("Revoke", key=f"sandbox.{key}.revoke", on_click=revoke, args=(number,))


def _reset() -> None:
    sandbox = embedded()
    sandbox.reset()
    for client in sandbox.clients():
        st.session_state[f"sandbox.active.{client.client_id}"] = client.active
        st.session_state[f"sandbox.grants.{client.client_id}"] = sorted(client.grants)


page()
