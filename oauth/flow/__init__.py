"""The flow, sans-IO: the authorization_code grant (RFC 6749 §4.1) and the grants and endpoints beside it.

A step builds a request from fields, and turns a response into the next state of the flow. Everything here is a plain
function of values: no socket, no clock, no database.
"""

from oauth.flow.model import (
    Callback,
    Client,
    Field,
    Flow,
    Grant,
    IssuerCheck,
    Signed,
    StateCheck,
    Tokens,
)
from oauth.flow.request_fields import (
    api_fields,
    authorization_fields,
    device_fields,
    is_bound,
    par_fields,
    presented_token_fields,
    token_fields,
    userinfo_fields,
)
from oauth.flow.requests import (
    api_request,
    authorization_request,
    body_field,
    form_request,
    keys_request,
    par_request,
    query,
    token_request,
    with_authorization,
    without_signatures,
)
from oauth.flow.responses import (
    check_issuer,
    parse_pasted,
    read_callback,
    read_device,
    read_keys,
    read_nonce,
    read_pushed,
    read_tokens,
    secrets_of,
)

__all__ = [
    "Callback",
    "Client",
    "Field",
    "Flow",
    "Grant",
    "IssuerCheck",
    "Signed",
    "StateCheck",
    "Tokens",
    "api_fields",
    "api_request",
    "authorization_fields",
    "authorization_request",
    "body_field",
    "check_issuer",
    "device_fields",
    "form_request",
    "is_bound",
    "keys_request",
    "par_fields",
    "par_request",
    "parse_pasted",
    "presented_token_fields",
    "query",
    "read_callback",
    "read_device",
    "read_keys",
    "read_nonce",
    "read_pushed",
    "read_tokens",
    "secrets_of",
    "token_fields",
    "token_request",
    "userinfo_fields",
    "with_authorization",
    "without_signatures",
]
