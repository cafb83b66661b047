"""The flow, sans-IO: the authorization_code grant (RFC 6749 §4.1) and what servers offer besides.

A step makes a request from fields, and reads a response into the next state of the flow. Everything here is a plain
function of values: no socket, no clock, no database.
"""

from oauth.flow.answers import (
    check_issuer,
    parse_pasted,
    read_callback,
    read_device,
    read_nonce,
    read_pushed,
    read_tokens,
)
from oauth.flow.errors import FlowError
from oauth.flow.fields import (
    api_fields,
    authorization_fields,
    bound,
    device_fields,
    par_fields,
    presented_fields,
    token_fields,
    userinfo_fields,
)
from oauth.flow.model import (
    Callback,
    Client,
    Field,
    Flow,
    Grant,
    IssuerCheck,
    Pushed,
    Signed,
    StateCheck,
    Tokens,
)
from oauth.flow.requests import (
    USER_AGENT,
    api_request,
    authorization_request,
    authorized,
    checked_url,
    form_request,
    keys_request,
    par_request,
    query,
    sent_field,
    token_request,
)

__all__ = [
    "USER_AGENT",
    "Callback",
    "Client",
    "Field",
    "Flow",
    "FlowError",
    "Grant",
    "IssuerCheck",
    "Pushed",
    "Signed",
    "StateCheck",
    "Tokens",
    "api_fields",
    "api_request",
    "authorization_fields",
    "authorization_request",
    "authorized",
    "bound",
    "check_issuer",
    "checked_url",
    "device_fields",
    "form_request",
    "keys_request",
    "par_fields",
    "par_request",
    "parse_pasted",
    "presented_fields",
    "query",
    "read_callback",
    "read_device",
    "read_nonce",
    "read_pushed",
    "read_tokens",
    "sent_field",
    "token_fields",
    "token_request",
    "userinfo_fields",
]
