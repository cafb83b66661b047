"""Settings over HTTP: lifetimes, refresh, request limit, assumptions, and fault header."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from oauth_sandbox.behaviour import Behaviour
from oauth_sandbox.configuration import EndsAccessTokens, Lifetimes, Replacement, Seed, check_effect
from oauth_sandbox.control.operation import Call, Operation
from oauth_sandbox.openid.settings import OpenId
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.rate_limit import RequestLimit
from oauth_sandbox.validation import Fields, InvalidInput, optional, validated


class Settings(Fields):
    """The settings. Lifetimes apply from now on; a change of the request limit resets its counts, and one of the seed
    begins adverts and threads anew.
    """

    lifetimes: Lifetimes
    refresh_token_replaced: Replacement
    refresh_ends_access_tokens: EndsAccessTokens
    seed: Seed
    request_limit: RequestLimit
    behaviour: Behaviour
    openid: OpenId
    fault_header: Annotated[bool, Meta(description="The header X-Sandbox-Fault provokes faults.")]
    drill: Annotated[bool, Meta(description="A drill is running: its findings are counted apart.")]


LifetimesChange: Any = optional(Lifetimes, "LifetimesChange")
RequestLimitChange: Any = optional(RequestLimit, "RequestLimitChange")
BehaviourChange: Any = optional(Behaviour, "BehaviourChange")
OpenIdChange: Any = optional(OpenId, "OpenIdChange")
SettingsChange: Any = optional(
    Settings,
    "SettingsChange",
    lifetimes=LifetimesChange,
    request_limit=RequestLimitChange,
    behaviour=BehaviourChange,
    openid=OpenIdChange,
)
NotEmptyChange: Any = Annotated[SettingsChange, Meta(extra_json_schema={"minProperties": 1})]


def current_settings(sandbox: Sandbox) -> Settings:
    """Return the settings as they are now."""
    return Settings(
        lifetimes=sandbox.lifetimes,
        refresh_token_replaced=sandbox.refresh_token_replaced,
        refresh_ends_access_tokens=sandbox.refresh_ends_access_tokens,
        seed=sandbox.seed,
        request_limit=sandbox.limiter.limit,
        behaviour=sandbox.behaviour,
        openid=sandbox.openid,
        fault_header=sandbox.fault_header,
        drill=sandbox.lint.drill,
    )


def change_settings(sandbox: Sandbox, change: Any) -> None:
    """Apply a ``SettingsChange``."""
    merged = msgspec.to_builtins(current_settings(sandbox))
    for name, value in msgspec.to_builtins(change).items():
        merged[name] = merged[name] | value if isinstance(value, dict) else value
    settings: Settings = validated(merged, Settings)
    sandbox.set_lifetimes(settings.lifetimes)
    sandbox.set_request_limit(settings.request_limit)
    sandbox.set_behaviour(settings.behaviour)
    sandbox.openid = settings.openid
    sandbox.refresh_token_replaced = settings.refresh_token_replaced
    sandbox.refresh_ends_access_tokens = settings.refresh_ends_access_tokens
    sandbox.set_seed(settings.seed)
    sandbox.fault_header = settings.fault_header
    sandbox.lint.drill = settings.drill


def _show(sandbox: Sandbox, _call: Call) -> Settings:
    return current_settings(sandbox)


def _change(sandbox: Sandbox, call: Call) -> Settings:
    if not msgspec.to_builtins(call.body):
        raise InvalidInput((), "There is nothing to change. Give at least one field.")
    change, now = msgspec.to_builtins(call.body), msgspec.to_builtins(current_settings(sandbox))
    check_effect(sandbox.configuration.api, change, now)
    change_settings(sandbox, call.body)
    return current_settings(sandbox)


OPERATIONS = (
    Operation("GET", "settings", "Read the settings", _show, Settings),
    Operation("PATCH", "settings", "Change settings", _change, Settings, body=NotEmptyChange, conflicts=True),
)
