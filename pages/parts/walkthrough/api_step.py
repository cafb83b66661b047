"""Step 4: what a token is good for. The API, a refresh, and what the server offers for tokens besides."""

from collections.abc import Mapping

import streamlit as st

from oauth import flow as flows
from oauth.exchange import Exchange, header
from oauth.flow import Tokens
from oauth.flow.response_body import members
from oauth.installation import now
from oauth.jose.jwt import Check, DecodedToken, decode, describe_times
from oauth.providers import ClientAuthentication
from pages.parts.common import clock
from pages.parts.common.session import Session
from pages.parts.walkthrough import request, step, token_inspector, token_request
from pages.parts.walkthrough import tokens as reveal
from pages.parts.walkthrough.actions import ACTIONS

TITLES: Mapping[str, str] = {
    "api": "Call the API",
    "refresh": "Refresh the token",
    "application": "Application token",
    "userinfo": "Who approved",
    "introspect": "Examine",
    "revoke": "Revoke",
}
ALWAYS = ("api", "refresh", "application")
"""What every provider is taken to offer; the others need an address in the profile."""

KINDS = {"access_token": "Access token", "refresh_token": "Refresh token"}


def draw(current: Session) -> None:
    """Draw the step."""
    provider = current.flow.provider
    offered = [name for name in TITLES if name in ALWAYS or ACTIONS[name].address(provider)]
    if st.session_state.get("call.action") not in offered:
        st.session_state["call.action"] = "api"
    with step.frame(current, "call", "4 · Call the API, and refresh"):
        action = st.segmented_control(
            "What to do",
            offered,
            format_func=TITLES.__getitem__,
            required=True,
            key="call.action",
            label_visibility="collapsed",
            persist_state="session",
        )
        match action:
            case "refresh":
                token_request.draw(current, "refresh", "Refresh")
                _refresh_facts(current)
            case "application":
                st.write("A token of the application itself, with no user: good for reference data.")
                token_request.draw(current, "application", "Get an application token")
                if current.flow.application_tokens is not None:
                    reveal.tokens(current, current.flow.application_tokens, "application_tokens")
            case "userinfo":
                st.write("The server says who approved, to the one who has that user's access token.")
                _bearer(current, "userinfo", current.flow.tokens, ACTIONS["userinfo"].address(provider), "Ask")
                _userinfo_facts(current)
            case "introspect":
                st.write(
                    "The server says whether a token is good, and for what. Mostly an API asks this, not a client."
                )
                _presented(current, "introspect", "Examine it")
                _introspect_facts(current)
            case "revoke":
                st.write("The server forgets a token. What was issued with it may end too.")
                _presented(current, "revoke", "Revoke it")
                _revoke_facts(current)
            case _:
                _api(current)


def _api(current: Session) -> None:
    flow = current.flow
    owners: dict[str, Tokens | None] = {"The user's": flow.tokens, "The application's": flow.application_tokens}
    held = [name for name, tokens in owners.items() if tokens is not None] or ["The user's"]
    endpoints = {item.path: item for item in flow.provider.endpoints}
    path, owner = "", held[0]
    with step.editor(current, "api"):
        if endpoints or len(held) > 1:
            with st.container(horizontal=True, gap="medium"):
                if endpoints:
                    path = st.selectbox(
                        "Endpoint",
                        list(endpoints),
                        format_func=lambda p: f"{p} · {endpoints[p].title}",
                        key="api.endpoint",
                        persist_state="session",
                    )
                if len(held) > 1:
                    owner = (
                        st.segmented_control("Token", held, default=held[0], required=True, key="api.token") or held[0]
                    )
        edited = _edit(current, "api", owners[owner], f"{flow.provider.api}{path}")
    step.send(current, "api", "Call the endpoint", edited)


def _bearer(current: Session, action: str, tokens: Tokens | None, address: str, label: str) -> None:
    with step.editor(current, action):
        edited = _edit(current, action, tokens, address)
    step.send(current, action, label, edited)


def _edit(current: Session, action: str, tokens: Tokens | None, address: str) -> request.Edited:
    """The request of something that takes an access token, with the proof where the token is bound to a key."""
    url = request.address(current, action, address)
    token = tokens.access_token if tokens else ""
    signed = current.signing.sign(current.flow, action, "GET", url, ClientAuthentication.NONE, token)
    build = flows.userinfo_fields if action == "userinfo" else flows.api_fields

    def proof() -> None:
        if flows.is_bound(tokens) and signed.proof:
            token_request.proof(current, action, signed)

    return request.edit(current, action, build(current.flow, tokens, signed), address, flows.api_request, proof)


def _presented(current: Session, action: str, label: str) -> None:
    with step.editor(current, action):
        st.segmented_control(
            "Which",
            list(KINDS),
            format_func=KINDS.__getitem__,
            default="access_token",
            required=True,
            key=f"{action}.kind",
            label_visibility="collapsed",
            persist_state="session",
        )
        edited = token_request.edit(current, action)
    step.send(current, action, label, edited)


def _refresh_facts(current: Session) -> None:
    shown = current.shown.get("refresh")
    if shown is None or shown.explanation is not None or current.flow.tokens is None:
        return
    if current.flow.refresh_replaced:
        st.markdown(":green[:material/check:] The refresh token was replaced: the one before is worth nothing now.")
    else:
        st.markdown(":green[:material/check:] The refresh token was not replaced: it stays good.")
    reveal.tokens(current, current.flow.tokens, "refreshed_tokens")


def _answered(current: Session, action: str) -> Exchange | None:
    """The last exchange of an action that succeeded."""
    shown = current.shown.get(action)
    return shown.exchange if shown is not None and shown.explanation is None else None


def _userinfo_facts(current: Session) -> None:
    answered = _answered(current, "userinfo")
    if answered is None or answered.response is None or current.flow.tokens is None:
        return
    subject = members(answered).get("sub")
    if (header(answered.response.headers, "content-type") or "").lower().startswith("application/jwt"):
        st.caption("The answer is signed. What it says is in its middle part.")
        return
    known = decode(current.flow.tokens.id_token)
    if known is None:
        return
    # OpenID Connect Core §5.3.2: an answer about somebody else is not to be used.
    if subject == known.claims.get("sub"):
        token_inspector.checks([Check("sub", True, "It is the user of the id_token.")])
    else:
        token_inspector.checks(
            [Check("sub", False, "It is not the user of the id_token: the answer must not be used.")]
        )


def _introspect_facts(current: Session) -> None:
    answered = _answered(current, "introspect")
    if answered is None:
        return
    said = members(answered)
    if said.get("active") is True:
        st.markdown(":green[:material/check:] The token is active")
    else:
        st.markdown(
            ":orange[:material/warning:] The token is not active: it has expired, was revoked, or never was one of "
            "this server's (RFC 7662 §2.2)"
        )
    if told := describe_times(DecodedToken({}, said), now(), clock.tz()):
        st.code("\n".join(told), language=None, wrap_lines=True)


def _revoke_facts(current: Session) -> None:
    if _answered(current, "revoke") is not None:
        st.markdown(":green[:material/check:] The server says that the token is worth nothing now")
        st.caption("It says the same of a token that it does not know (RFC 7009 §2.2). To see it, use the token again.")
