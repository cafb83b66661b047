"""What a token says inside, and whether it may be believed: claims, times, signature, and what an id_token must say.

A token was written by somebody else. Its claims are drawn as text, and its signature part never.
"""

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

import streamlit as st

from oauth import flow as flows
from oauth.errors import InputError
from oauth.flow import Tokens, is_bound
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
from pages.parts.common import clock, exchange
from pages.parts.common.card import MARKS
from pages.parts.common.session import Session
from pages.parts.walkthrough import sending


def draw(current: Session, held: Tokens, key: str) -> None:
    """Draw what the tokens of an answer say. ``key`` names the place in the page."""
    seen = {name: decode(value) for name, value in _named(held)}
    for name, found in seen.items():
        if found is None:
            st.caption(f"`{name}` is opaque: it says nothing by itself, and only its server can read it.")
        else:
            _jwt(current, held, key, name, found)
    if any(found is not None and _needs_keys(found) for found in seen.values()):
        _keys(current, key)
    if current.flow.dpop_key is not None:
        _binding(current, held, seen.get("access_token"))


def document(current: Session, seen: DecodedToken) -> str:
    """Header and claims as they may be drawn."""
    parts = {"header": dict(seen.header)} | ({} if seen.encrypted else {"claims": dict(seen.claims)})
    return current.vault.redact_text(json.dumps(parts, indent=2, ensure_ascii=False))


def checks(found: Iterable[Check]) -> None:
    """Draw what was looked at, each with what came of it."""
    with st.container(gap="xxsmall"):
        for check in found:
            with st.container(horizontal=True, wrap=False, gap="xsmall"):
                st.markdown(MARKS[check.holds], width="content")
                st.text(f"{check.name}: {check.text}", width="stretch")


def _named(held: Tokens) -> list[tuple[str, str]]:
    both = [("access_token", held.access_token), ("id_token", held.id_token)]
    return [(name, value) for name, value in both if value]


def _jwt(current: Session, held: Tokens, key: str, name: str, seen: DecodedToken) -> None:
    found = _checked(current, held, name, seen)
    wrong = sum(check.holds is False for check in found)
    told = f": {wrong} of {len(found)} checks speak against it" if wrong else ""
    if found and not wrong:
        told = f": nothing of {len(found)} checks speaks against it"
    with st.expander(
        f"What the {name} says{told}", key=f"{key}.inside.{name}", icon=":material/data_object:", expanded=bool(wrong)
    ):
        if seen.encrypted:
            st.caption("It is encrypted for its receiver: only the header can be read.")
        checks(found)
        st.code(document(current, seen), language="json", wrap_lines=True)
        if lines := describe_times(seen, now(), clock.tz()):
            st.code("\n".join(lines), language=None, wrap_lines=True)


def _checked(current: Session, held: Tokens, name: str, seen: DecodedToken) -> list[Check]:
    """What can be checked of a token by now: its signature once the keys are here, an id_token's claims always."""
    if seen.encrypted:
        return []
    flow, found = current.flow, []
    if not _needs_keys(seen) or current.keys is not None:
        found.append(check_signature(dict(_named(held))[name], current.keys or (), flow.client.secret))
    if name == "id_token":
        expected = Expected(
            flow.client.id, flow.provider.issuer, flow.authorization_parameter("nonce"), held.access_token
        )
        found += check_id_token(seen, expected, now())
    return found


def _needs_keys(seen: DecodedToken) -> bool:
    return not seen.encrypted and seen.algorithm not in SYMMETRIC and seen.algorithm.lower() != "none"


def _keys(current: Session, key: str) -> None:
    """The server's keys, fetched when they are asked for, as an exchange like any other."""
    address = current.flow.provider.jwks_uri
    if not address:
        st.caption("The profile names no jwks_uri, so the signature cannot be checked.")
        return
    st.button(
        "Fetch the keys again" if current.keys is not None else "Fetch the server's keys and check the signature",
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
            with st.spinner(f"Asking {urlsplit(address).hostname} for its keys", show_time=True):
                sending.send(current, "jwks", request)
            st.rerun()
    if (last := current.shown.get("jwks")) is not None:
        if last.failed is not None:
            st.text(f"The keys were not to be had: {last.failed.title}.")
        with st.expander("The exchange that fetched the keys", key=f"{key}.jwks"):
            exchange.draw(f"{key}.jwks", last.exchange, last.failed)


def _binding(current: Session, held: Tokens, seen: DecodedToken | None) -> None:
    """Whether the token is bound to the key of the proofs (RFC 9449 §5, §6)."""
    key = current.flow.dpop_key
    if key is None:
        return
    confirmation = seen.claims.get("cnf") if seen is not None else None
    jkt = confirmation.get("jkt") if isinstance(confirmation, dict) else None
    problem = binding_problem(held.token_type, [jkt] if isinstance(jkt, str) else [], key)
    if problem:
        st.markdown(":orange[:material/warning:] The access token is not bound to the key of the proofs")
        st.text(problem)
    elif is_bound(held):
        st.markdown(":green[:material/check:] The access token is bound to the key of the proofs")
