"""Step 4: use the tokens. API calls, refresh, and the token endpoints that the server offers."""

from collections.abc import Mapping

import streamlit as st

from oauth import flow as flows
from oauth.exchange import Exchange, header
from oauth.flow import Tokens
from oauth.flow.response_body import members
from oauth.jose.jwt import Check, DecodedToken, decode
from oauth.providers import ClientAuthentication
from pages.parts.common import drawing
from pages.parts.common.session import Session
from pages.parts.walkthrough import request, step, token_inspector, token_request
from pages.parts.walkthrough.actions import ACTIONS

TITLES: Mapping[str, str] = {
    "api": "Call the API",
    "refresh": "Refresh the token",
    "application": "Application token",
    "userinfo": "UserInfo",
    "introspect": "Introspect",
    "revoke": "Revoke",
}
ALWAYS = ("api", "refresh", "application")
"""Actions that every provider offers; the others need an endpoint in the profile."""

KINDS = {"access_token": "Access token", "refresh_token": "Refresh token"}


def draw(current: Session) -> None:
    """Draw the step."""
    provider = current.flow.provider
    actions = [name for name in TITLES if name in ALWAYS or ACTIONS[name].address(provider)]
    if st.session_state.get("call.action") not in actions:
        st.session_state["call.action"] = "api"
    with step.frame(current, "call", "4 · Use the tokens"):
        action = st.segmented_control(
            "Action",
            actions,
            format_func=TITLES.__getitem__,
            required=True,
            key="call.action",
            label_visibility="collapsed",
            persist_state="session",
        )
        match action:
            case "refresh":
                token_request.draw(current, "refresh", "Refresh")
                _refresh_result(current)
            case "application":
                st.write("A token for the application itself, without a user. Use it for reference data.")
                token_request.draw(current, "application", "Get an application token")
            case "userinfo":
                st.write("Returns the claims about the user who approved, for that user's access token.")
                with step.editor(current, "userinfo"):
                    edited = _edit(current, "userinfo", current.flow.tokens, ACTIONS["userinfo"].address(provider))
                step.send(current, "userinfo", "Call UserInfo", edited)
                _userinfo_result(current)
            case "introspect":
                st.write("Returns the state of a token and its scopes. Usually an API sends this request.")
                _present_token(current, "introspect", "Introspect the token")
                _introspection_result(current)
            case "revoke":
                st.write("Invalidates a token. The server may invalidate the tokens issued with it too.")
                _present_token(current, "revoke", "Revoke the token")
                _revocation_result(current)
            case _:
                _api(current)


def _api(current: Session) -> None:
    flow = current.flow
    owners: dict[str, Tokens | None] = {"The user's": flow.tokens, "The application's": flow.application_tokens}
    available = [name for name, owned in owners.items() if owned is not None] or ["The user's"]
    endpoints = {item.path: item for item in flow.provider.endpoints}
    path, owner = "", available[0]
    with step.editor(current, "api"):
        with st.container(horizontal=True, gap="medium"):
            if endpoints:
                path = st.selectbox(
                    "Endpoint",
                    list(endpoints),
                    format_func=lambda p: f"{p} · {endpoints[p].title}",
                    key="api.endpoint",
                    persist_state="session",
                )
            if len(available) > 1:
                st.session_state.setdefault("api.token", owner)
                owner = st.segmented_control("Token", available, required=True, key="api.token") or owner
        edited = _edit(current, "api", owners[owner], f"{flow.provider.api}{path}")
    step.send(current, "api", "Call the endpoint", edited)


def _edit(current: Session, action: str, owned: Tokens | None, address: str) -> request.Edited:
    """Draw a request that carries an access token, with a proof if the token is bound to a key."""
    url = request.address(current, action, address)
    token = owned.access_token if owned else ""
    signed = current.signing.sign(current.flow, action, "GET", url, ClientAuthentication.NONE, token)
    build = flows.userinfo_fields if action == "userinfo" else flows.api_fields

    def proof() -> None:
        if flows.is_bound(owned) and signed.proof:
            token_request.proof(current, action, signed)

    return request.edit(current, action, build(current.flow, owned, signed), address, flows.api_request, proof)


def _present_token(current: Session, action: str, label: str) -> None:
    with step.editor(current, action):
        st.segmented_control(
            "Token",
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


def _succeeded(current: Session, action: str) -> Exchange | None:
    """Return the last exchange of an action if it succeeded."""
    last = current.shown.get(action)
    return last.exchange if last is not None and last.explanation is None else None


def _refresh_result(current: Session) -> None:
    if _succeeded(current, "refresh") is None or current.flow.tokens is None:
        return
    if current.flow.refresh_replaced:
        st.markdown(":green[:material/check:] The refresh token was replaced: the previous one is no longer valid")
    else:
        st.markdown(":green[:material/check:] The refresh token was not replaced: it stays valid")


def _userinfo_result(current: Session) -> None:
    exchange = _succeeded(current, "userinfo")
    if exchange is None or exchange.response is None or current.flow.tokens is None:
        return
    if (header(exchange.response.headers, "content-type") or "").lower().startswith("application/jwt"):
        st.caption("The response is signed. Its content is in the middle part of the JWT.")
        return
    id_token = decode(current.flow.tokens.id_token)
    if id_token is None:
        return
    # OpenID Connect Core §5.3.2: a response about another user must not be used.
    same = members(exchange).get("sub") == id_token.claims.get("sub")
    text = "Same user as in the id_token." if same else "Not the user of the id_token: do not use this response."
    token_inspector.draw_checks([Check("sub", same, text)])


def _introspection_result(current: Session) -> None:
    exchange = _succeeded(current, "introspect")
    if exchange is None:
        return
    claims = members(exchange)
    if claims.get("active") is True:
        st.markdown(":green[:material/check:] The token is active")
    else:
        st.markdown(
            ":orange[:material/warning:] The token is not active: it expired, was revoked, or was not issued by this "
            "server (RFC 7662 §2.2)"
        )
    draw_times = drawing.fragment(token_inspector.TIMES_RENEWED)(token_inspector.draw_times)
    draw_times(DecodedToken({}, claims))


def _revocation_result(current: Session) -> None:
    if _succeeded(current, "revoke") is not None:
        st.markdown(":green[:material/check:] The server reports that the token is no longer valid")
        st.caption("It reports the same for an unknown token (RFC 7009 §2.2). To verify, use the token again.")
