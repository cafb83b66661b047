"""The fields of each request before it is sent, with the meaning and the source of each value."""

from oauth.flow import pkce
from oauth.flow.model import Field, Flow, Grant, Signed, Tokens
from oauth.jose import assertion, dpop
from oauth.providers import ClientAuthentication, Pkce

UNSIGNED = Signed()

SCOPE_MEANING = "Permissions to request, separated by spaces"


def authorization_fields(flow: Flow) -> list[Field]:
    """Return the parameters of the authorization request, or the reference to pushed ones.

    RFC 6749 §4.1.1, RFC 9126 §4.
    """
    client_id = _client_id(flow)
    if (pushed := flow.pushed) is not None:
        meaning = "Reference to the pushed parameters; single use"
        return [client_id, Field("request_uri", pushed.request_uri, meaning, "PAR response", since=pushed.pushed_at)]
    return [
        client_id,
        Field("response_type", "code", "The response to request: a code", "this step"),
        Field(
            "redirect_uri",
            flow.redirect_uri,
            "Where the provider sends the browser back to",
            "console",
            # Without a redirect URI the server uses the registered one (RFC 6749 §3.1.2.3).
            send=bool(flow.redirect_uri),
        ),
        _scope(flow),
        Field("state", flow.state, "Ties the callback to this request", "generated"),
        *_nonce(flow),
        *_challenge(flow),
        *_optional(flow),
    ]


def par_fields(flow: Flow, signed: Signed = UNSIGNED) -> list[Field]:
    """Return the parameters to push: the authorization request and the client authentication (RFC 9126 §2.1)."""
    client_id, *rest = authorization_fields(flow)
    return [client_id, *_credentials(flow, signed)[1:], *rest, *_api_key(flow)]


def token_fields(flow: Flow, grant: Grant, signed: Signed = UNSIGNED) -> list[Field]:
    """Return the parameters of a token request: RFC 6749 §4.1.3, §6 or §4.4.2, or RFC 8628 §3.4."""
    return [
        Field("grant_type", grant.value, "The grant that this request uses", "this step"),
        *_credentials(flow, signed),
        *_grant_fields(flow, grant),
        *_resource(flow),
        *_proof(flow, signed, "Proves possession of the key that the token is bound to"),
        *_api_key(flow),
    ]


def device_fields(flow: Flow, signed: Signed = UNSIGNED) -> list[Field]:
    """Return the parameters of a device authorization request (RFC 8628 §3.1)."""
    return [*_credentials(flow, signed), _scope(flow), *_resource(flow), *_api_key(flow)]


def presented_token_fields(flow: Flow, kind: str, signed: Signed = UNSIGNED) -> list[Field]:
    """Return the parameters of a revocation (RFC 7009 §2.1) or introspection request (RFC 7662 §2.1).

    ``kind`` is ``access_token`` or ``refresh_token``.
    """
    value = getattr(flow.tokens, kind) if flow.tokens else ""
    return [
        _token_field("token", value, "The token to revoke or introspect", flow.tokens),
        Field("token_type_hint", kind, "The kind of token, a hint for the server", "this step"),
        *_credentials(flow, signed),
        *_api_key(flow),
    ]


def api_fields(flow: Flow, tokens: Tokens | None, signed: Signed = UNSIGNED) -> list[Field]:
    """Return the headers of an API call: the token (RFC 6750 §2.1, RFC 9449 §7.1) and those of the provider."""
    return [
        *userinfo_fields(flow, tokens, signed),
        *(Field(item.name, item.value, item.meaning, "provider") for item in flow.provider.headers),
    ]


def userinfo_fields(flow: Flow, tokens: Tokens | None, signed: Signed = UNSIGNED) -> list[Field]:
    """Return the headers of a userinfo request (OpenID Connect Core §5.3.1)."""
    token = tokens.access_token if tokens else ""
    scheme = "DPoP" if is_bound(tokens) else "Bearer"
    return [
        _token_field("Authorization", f"{scheme} {token}" if token else "", "The access token", tokens),
        *(_proof(flow, signed, "Proves possession of the token's key") if is_bound(tokens) else ()),
        *_api_key(flow),
    ]


def is_bound(tokens: Tokens | None) -> bool:
    """Return True if the access token is bound to a key, so that a call needs a proof (RFC 9449 §5)."""
    return tokens is not None and tokens.token_type.lower() == "dpop"


def _client_id(flow: Flow) -> Field:
    return Field("client_id", flow.client.id, "Identifies the client", "client")


def _scope(flow: Flow) -> Field:
    scope = flow.provider.scope
    return Field("scope", scope, SCOPE_MEANING, "provider", send=bool(scope))


def _grant_fields(flow: Flow, grant: Grant) -> list[Field]:
    match grant:
        case Grant.AUTHORIZATION_CODE:
            return [
                _code(flow),
                *_verifier(flow),
                _repeated(flow, "redirect_uri", flow.redirect_uri, "Must equal the one in step 1 exactly"),
                _repeated(flow, "scope", flow.provider.scope, SCOPE_MEANING),
            ]
        case Grant.REFRESH_TOKEN:
            token = flow.tokens.refresh_token if flow.tokens else ""
            return [_token_field("refresh_token", token, "Obtains a new access token", flow.tokens)]
        case Grant.CLIENT_CREDENTIALS:
            return [_scope(flow)]
        case Grant.DEVICE_CODE:
            code, since = (flow.device.device_code, flow.device.issued_at) if flow.device else ("", None)
            source = "device response" if flow.device else "no device code yet"
            return [Field("device_code", code, "Identifies the waiting device", source, since=since)]


def _credentials(flow: Flow, signed: Signed) -> list[Field]:
    """Return the client's id and what authenticates it (RFC 6749 §2.3, RFC 7523 §2.2)."""
    client_id = _client_id(flow)
    match flow.authentication:
        case ClientAuthentication.BODY | ClientAuthentication.BASIC:
            return [client_id, Field("client_secret", flow.client.secret, "Authenticates the client", "client")]
        case ClientAuthentication.PRIVATE_KEY_JWT:
            meaning = "Authenticates the client, signed with its key"
            return [
                client_id,
                Field("client_assertion_type", assertion.TYPE, "The type of the assertion", "this step"),
                Field("client_assertion", signed.assertion, meaning, "signed here"),
            ]
        case ClientAuthentication.NONE:
            return [client_id]


def _nonce(flow: Flow) -> list[Field]:
    if not flow.nonce:
        return []
    needed = "openid" in flow.provider.scopes(flow.provider.scope)
    meaning = "Ties the id_token to this request"
    return [Field("nonce", flow.nonce, meaning, "generated", send=needed, optional=not needed)]


def _challenge(flow: Flow) -> list[Field]:
    """Return the code challenge and its method (RFC 7636 §4.3)."""
    if flow.pkce is Pkce.OFF:
        return []
    value = pkce.challenge(flow.verifier, flow.pkce)
    content = "Hash of the verifier" if flow.pkce is Pkce.S256 else "The verifier itself"
    return [
        Field("code_challenge", value, f"{content}; step 3 sends the verifier", "generated"),
        Field("code_challenge_method", flow.pkce.value, "How the challenge is derived", "this step"),
    ]


def _optional(flow: Flow) -> list[Field]:
    """Return the parameters that few requests need."""
    mode = flow.provider.response_mode
    fields = [
        Field(
            "response_mode", mode, "How the response is returned: query, fragment, form_post", "provider", bool(mode)
        ),
        Field("prompt", "", "none, login, consent or select_account (OpenID Connect)", "entered here", send=False),
        Field("login_hint", "", "The user expected to log in", "entered here", send=False),
        Field("audience", "", "The API that the token is for, by name (some servers)", "entered here", send=False),
        Field(
            "resource",
            flow.provider.resource,
            "The API that the token is for, by URL (RFC 8707)",
            "provider" if flow.provider.resource else "entered here",
            send=bool(flow.provider.resource),
        ),
    ]
    if flow.dpop_key is not None:
        meaning = "Binds the code to the key of the proofs (RFC 9449 §10)"
        fields.append(Field("dpop_jkt", flow.dpop_key.thumbprint, meaning, "DPoP key", send=False))
    return [
        Field(item.name, item.value, item.meaning, item.source, item.send, optional=not item.send) for item in fields
    ]


def _verifier(flow: Flow) -> list[Field]:
    """Return the code verifier (RFC 7636 §4.5)."""
    if flow.pkce is Pkce.OFF:
        return []
    return [Field("code_verifier", flow.verifier, "The verifier behind the challenge of step 1", "step 1")]


def _resource(flow: Flow) -> list[Field]:
    """Return the resource of the authorization request, repeated, or else the profile's (RFC 8707 §2.2)."""
    repeated = flow.authorization_parameter("resource")
    value, source = (repeated, "step 1") if flow.authorization is not None else (flow.provider.resource, "provider")
    return [Field("resource", value, "The API that the token is for", source)] if value else []


def _proof(flow: Flow, signed: Signed, meaning: str) -> list[Field]:
    if flow.dpop_key is None:
        return []
    return [Field(dpop.HEADER, signed.proof, f"{meaning}; a header", "signed here", header=True)]


def _api_key(flow: Flow) -> list[Field]:
    """Return the header with the API key, where the provider wants one."""
    if not (name := flow.provider.api_key_header):
        return []
    return [Field(name, flow.client.api_key, "The key of your application; a header", "client", header=True)]


def _repeated(flow: Flow, name: str, default: str, meaning: str) -> Field:
    """Return a field that repeats the authorization request, omitted if it was omitted there (§4.1.3)."""
    if flow.authorization is None:
        is_scope = name == "scope"
        return Field(name, default, meaning, "provider" if is_scope else "console", send=bool(default) or not is_scope)
    parameters = dict(flow.authorization)
    return Field(name, parameters.get(name, default), meaning, "step 1", send=name in parameters)


def _code(flow: Flow) -> Field:
    source, since = "no code yet", None
    if flow.callback is not None and flow.code:
        source, since = "pasted" if flow.callback.pasted else "callback", flow.callback.received_at
    return Field("code", flow.code, "Single use, valid for a few minutes", source, since=since)


def _token_field(name: str, value: str, meaning: str, tokens: Tokens | None) -> Field:
    """Return a field that holds a token of a response."""
    source, since = ("token response", tokens.issued_at) if tokens else ("no token yet", None)
    return Field(name, value, meaning, source, since=since)
