"""The actions of the walkthrough: the requests it can send, with their step, endpoint and fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from oauth import flow as flows
from oauth.exchange import Step
from oauth.flow import Field, Flow, Grant, Signed
from oauth.providers import Provider
from pages.parts.walkthrough import own_client


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of request. ``endpoint`` is the profile field with its address, ``grant`` that of a token request."""

    step: Step
    endpoint: str
    fields: Callable[[Flow, Signed], list[Field]]
    grant: Grant | None = None

    def address(self, provider: Provider) -> str:
        """Return the endpoint's address at this provider; empty if the provider does not offer it."""
        return str(getattr(provider, self.endpoint))


def _token(grant: Grant, step: Step = Step.TOKEN) -> Action:
    return Action(step, "token_endpoint", lambda flow, signed: flows.token_fields(flow, grant, signed), grant)


def _with_user_token(build: Callable[..., list[Field]], flow: Flow, signed: Signed) -> list[Field]:
    return build(flow, flow.tokens, signed)


def _presented(action: str, flow: Flow, signed: Signed) -> list[Field]:
    return flows.presented_token_fields(flow, kind(action), signed)


def kind(action: str) -> str:
    """Return the kind of token to revoke or introspect."""
    return str(st.session_state.get(f"{action}.kind") or "access_token")


ACTIONS: Mapping[str, Action] = {
    "register": Action(Step.REGISTER, "registration_endpoint", lambda flow, _: own_client.fields(flow)),
    "unregister": Action(Step.REGISTER, "registration_endpoint", lambda flow, _: own_client.deletion_fields(flow)),
    "par": Action(Step.PAR, "pushed_authorization_request_endpoint", flows.par_fields),
    "authorize": Action(Step.AUTHORIZE, "authorization_endpoint", lambda flow, _: flows.authorization_fields(flow)),
    "token": _token(Grant.AUTHORIZATION_CODE),
    "api": Action(Step.API, "api", partial(_with_user_token, flows.api_fields)),
    "refresh": _token(Grant.REFRESH_TOKEN, Step.REFRESH),
    "application": _token(Grant.CLIENT_CREDENTIALS),
    "userinfo": Action(Step.USERINFO, "userinfo_endpoint", partial(_with_user_token, flows.userinfo_fields)),
    "introspect": Action(Step.INTROSPECT, "introspection_endpoint", partial(_presented, "introspect")),
    "revoke": Action(Step.REVOKE, "revocation_endpoint", partial(_presented, "revoke")),
    "device": Action(Step.DEVICE, "device_authorization_endpoint", flows.device_fields),
    "poll": _token(Grant.DEVICE_CODE),
    "jwks": Action(Step.JWKS, "jwks_uri", lambda _flow, _signed: []),
}

ACTION_OF = {Step.AUTHORIZE: "authorize", Step.TOKEN: "token", Step.API: "api", Step.REFRESH: "refresh"}
"""The action of the flow that a fix or a pasted request goes to, by its step."""

CARD_OF = {"api": "call", "refresh": "call", "application": "call", "userinfo": "call", "introspect": "call",
           "revoke": "call", "poll": "device", "unregister": "register"}  # fmt: skip
"""The card of each action that has no card of its own name."""
