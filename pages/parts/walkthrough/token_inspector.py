"""The token inspector: the claims and times of a JWT, and the checks of its signature and of an id_token.

The content of a token is untrusted: claims are drawn as text, and the signature part never.
"""

import json
from collections.abc import Iterable

import streamlit as st

from oauth import flow as flows
from oauth.errors import InputError
from oauth.flow import Tokens
from oauth.installation import now
from oauth.jose.dpop import binding_problem
from oauth.jose.jwt import (
    SYMMETRIC,
    Check,
    DecodedToken,
    Expected,
    check_id_token,
    check_signature,
    decode,
    describe_times,
)
from oauth.jose.keys import SigningKey
from pages.parts.common import clock, drawing, exchange, notices, session
from pages.parts.common.card import MARKS
from pages.parts.common.session import Session
from pages.parts.walkthrough import sending

TIMES_RENEWED = 5
"""Seconds between updates of the times of a token, most of which are in folded blocks."""


def draw(current: Session, tokens: Tokens, key: str) -> None:
    """Draw the content of each token of a response. ``key`` is the prefix of the widget keys."""
    inspected = {name: value for name in ("access_token", "id_token") if (value := getattr(tokens, name))}
    decoded = {name: decode(value) for name, value in inspected.items()}
    for name, token in decoded.items():
        if token is None:
            st.caption(f"`{name}` is opaque: only its server can read it.")
        else:
            _jwt(current, tokens, key, name, token)
    if any(token is not None and _needs_keys(token) for token in decoded.values()):
        _keys(current, key)
    if current.flow.dpop_key is not None:
        _binding(tokens, decoded.get("access_token"), current.flow.dpop_key)


def is_opaque(tokens: Tokens) -> bool:
    """Return True if nothing can be read in the tokens of a response, nor in their binding to a key."""
    return tokens.token_type.lower() != "dpop" and not any(map(decode, (tokens.access_token, tokens.id_token)))


def document(current: Session, token: DecodedToken) -> str:
    """Return header and claims, redacted, as JSON."""
    parts = {"header": dict(token.header)} | ({} if token.encrypted else {"claims": dict(token.claims)})
    return current.vault.redact_text(json.dumps(parts, indent=2, ensure_ascii=False))


def draw_checks(checks: Iterable[Check]) -> None:
    """Draw each check with its result."""
    with st.container(gap="xxsmall"):
        for check in checks:
            notices.line(MARKS[check.holds], f"{check.name}: {check.text}")


def _jwt(current: Session, tokens: Tokens, key: str, name: str, token: DecodedToken) -> None:
    checks = _checks(current, tokens, name, token)
    failed = sum(check.holds is False for check in checks)
    result = f"{failed} of {len(checks)} checks failed" if failed else "no check failed"
    label = f"Content of the {name}" + (f": {result}" if checks else "")
    with st.expander(label, key=f"{key}.inside.{name}", icon=":material/data_object:", expanded=bool(failed)):
        _content(tokens, name, token)


@drawing.fragment(run_every=TIMES_RENEWED)
def _content(tokens: Tokens, name: str, token: DecodedToken) -> None:
    current = session.get()
    if current is None:
        return
    if token.encrypted:
        st.caption("The token is encrypted for its recipient: only the header can be read.")
    draw_checks(_checks(current, tokens, name, token))
    st.code(document(current, token), language="json", wrap_lines=True)
    draw_times(token)


def draw_times(token: DecodedToken) -> None:
    """Draw the times among the claims of a token, with the time that is left."""
    if lines := describe_times(token, now(), clock.tz()):
        st.code("\n".join(lines), language=None, wrap_lines=True)


def _checks(current: Session, tokens: Tokens, name: str, token: DecodedToken) -> list[Check]:
    """Check what can be checked now: the signature once the keys are here, the claims of an id_token always."""
    if token.encrypted:
        return []
    flow, checks = current.flow, []
    if not _needs_keys(token) or current.keys is not None:
        checks.append(check_signature(getattr(tokens, name), current.keys or (), flow.client.secret))
    if name == "id_token":
        nonce = flow.authorization_parameter("nonce")
        expected = Expected(flow.client.id, flow.provider.issuer, nonce, tokens.access_token)
        checks += check_id_token(token, expected, now())
    return checks


def _needs_keys(token: DecodedToken) -> bool:
    return not token.encrypted and token.algorithm not in SYMMETRIC and token.algorithm.lower() != "none"


def _keys(current: Session, key: str) -> None:
    """Fetch the server's keys on request, as an exchange like any other."""
    address = current.flow.provider.jwks_uri
    if not address:
        st.caption("The profile has no jwks_uri, so the signature cannot be verified.")
        return
    st.button(
        "Fetch the keys again" if current.keys is not None else "Fetch the server's keys and verify the signature",
        key=f"{key}.jwks.send",
        icon=":material/key:",
        on_click=sending.press,
        args=(current, "jwks"),
    )
    if sending.take_press(current, "jwks"):
        try:
            request = flows.keys_request(address)
        except InputError as error:
            st.text(str(error))
        else:
            with st.spinner("Fetching the server's keys", show_time=True):
                sending.send(current, "jwks", request)
            st.rerun()
    if (last := current.shown.get("jwks")) is not None:
        if last.failed is not None:
            st.text(f"Could not fetch the keys: {last.failed.title}.")
        with st.expander("Exchange that fetched the keys", key=f"{key}.jwks"):
            exchange.draw(f"{key}.jwks", last.exchange, last.failed)


def _binding(tokens: Tokens, token: DecodedToken | None, key: SigningKey) -> None:
    """Draw the result of comparing the token's key with the key of the proofs (RFC 9449 §5, §6)."""
    confirmation = token.claims.get("cnf") if token is not None else None
    jkt = confirmation.get("jkt") if isinstance(confirmation, dict) else None
    if problem := binding_problem(tokens.token_type, jkt if isinstance(jkt, str) else None, key):
        st.markdown(":orange[:material/warning:] The access token is not bound to the DPoP key")
        st.text(problem)
    else:
        st.markdown(":green[:material/check:] The access token is bound to the DPoP key")
