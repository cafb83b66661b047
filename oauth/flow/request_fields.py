"""The fields of each request before it is sent, with what each means and where its value comes from."""

from datetime import datetime

from oauth.flow import pkce
from oauth.flow.model import Field, Flow, Grant, Signed, Tokens
from oauth.jose import assertion, dpop
from oauth.providers import ClientAuthentication, Pkce

NOTHING_SIGNED = Signed()


def authorization_fields(flow: Flow) -> list[Field]:
    """The parameters of the authorization request (RFC 6749 §4.1.1), or the reference to pushed ones (RFC 9126 §4)."""
    if flow.pushed is not None:
        return [
            Field("client_id", flow.client.id, "Who asks", "client"),
            Field(
                "request_uri",
                flow.pushed.request_uri,
                "Stands for the parameters that were pushed; one use",
                "pushed",
                since=flow.pushed.pushed_at,
            ),
        ]
    return [
        Field("client_id", flow.client.id, "Who asks", "client"),
        Field("response_type", "code", "What is asked for: a code", "this step"),
        Field(
            "redirect_uri",
            flow.redirect_uri,
            "Where the browser is sent back to",
            "console",
            # Without an address of ours, the one that is registered holds (RFC 6749 §3.1.2.3).
            send=bool(flow.redirect_uri),
        ),
        Field("scope", flow.provider.scope, "What the token may do, separated by spaces", "provider"),
        Field("state", flow.state, "Ties the answer to this request", "made fresh"),
        *_openid(flow),
        *_challenge(flow),
        *_further(flow),
    ]


def par_fields(flow: Flow, signed: Signed = NOTHING_SIGNED) -> list[Field]:
    """What is pushed: the authorization request, and the client's authentication (RFC 9126 §2.1)."""
    client_id, *rest = authorization_fields(flow)
    return [client_id, *_credentials(flow, signed)[1:], *rest]


def token_fields(flow: Flow, grant: Grant, signed: Signed = NOTHING_SIGNED) -> list[Field]:
    """The parameters of a token request: RFC 6749 §4.1.3, §6 or §4.4.2, or RFC 8628 §3.4."""
    return [
        Field("grant_type", grant.value, "How the token is asked for", "this step"),
        *_credentials(flow, signed),
        *_of_grant(flow, grant),
        *_resource(flow, grant),
        *_proof(flow, signed, "Proves that this client holds the key the token is bound to"),
    ]


def device_fields(flow: Flow, signed: Signed = NOTHING_SIGNED) -> list[Field]:
    """The parameters of a device authorization request (RFC 8628 §3.1)."""
    return [
        *_credentials(flow, signed),
        Field("scope", flow.provider.scope, "What the token may do", "provider"),
    ]


def presented_token_fields(flow: Flow, kind: str, signed: Signed = NOTHING_SIGNED) -> list[Field]:
    """A token shown to the server, to have it revoked (RFC 7009 §2.1) or examined (RFC 7662 §2.1).

    ``kind`` is ``access_token`` or ``refresh_token``.
    """
    value = getattr(flow.tokens, kind) if flow.tokens else ""
    return [
        Field("token", value, "The token that this is about", *_token_source(flow.tokens)),
        Field("token_type_hint", kind, "Where the server looks first", "this step"),
        *_credentials(flow, signed),
    ]


def api_fields(flow: Flow, tokens: Tokens | None, signed: Signed = NOTHING_SIGNED) -> list[Field]:
    """The headers of an API call (RFC 6750 §2.1, RFC 9449 §7.1, and what the provider wants besides)."""
    return [
        *userinfo_fields(flow, tokens, signed),
        *(Field(item.name, item.value, item.meaning, "provider") for item in flow.provider.headers),
    ]


def userinfo_fields(flow: Flow, tokens: Tokens | None, signed: Signed = NOTHING_SIGNED) -> list[Field]:
    """The headers of a userinfo request (OpenID Connect Core §5.3.1)."""
    token = tokens.access_token if tokens else ""
    scheme = "DPoP" if is_bound(tokens) else "Bearer"
    return [
        Field("Authorization", f"{scheme} {token}" if token else "", "The access token", *_token_source(tokens)),
        *(_proof(flow, signed, "Proves that the sender holds the token's key") if is_bound(tokens) else ()),
    ]


def is_bound(tokens: Tokens | None) -> bool:
    """Whether the access token is bound to a key, so that a call needs a proof (RFC 9449 §5)."""
    return tokens is not None and tokens.token_type.lower() == "dpop"


def _of_grant(flow: Flow, grant: Grant) -> list[Field]:
    match grant:
        case Grant.AUTHORIZATION_CODE:
            return [
                _code(flow),
                *_verifier(flow),
                _repeated(flow, "redirect_uri", flow.redirect_uri, "The same as in step 1, to the letter"),
                _repeated(flow, "scope", flow.provider.scope, "What the token may do"),
            ]
        case Grant.REFRESH_TOKEN:
            token = flow.tokens.refresh_token if flow.tokens else ""
            return [Field("refresh_token", token, "Buys a new access token", *_token_source(flow.tokens))]
        case Grant.CLIENT_CREDENTIALS:
            return [Field("scope", flow.provider.scope, "What the token may do", "provider")]
        case Grant.DEVICE_CODE:
            code, since = (flow.device.device_code, flow.device.issued_at) if flow.device else ("", None)
            source = "device answer" if flow.device else "no device code yet"
            return [Field("device_code", code, "Stands for the device that waits", source, since=since)]


def _credentials(flow: Flow, signed: Signed) -> list[Field]:
    """Who asks, and what proves it (RFC 6749 §2.3, RFC 7523 §2.2)."""
    who = Field("client_id", flow.client.id, "Who asks", "client")
    match flow.authentication:
        case ClientAuthentication.BODY | ClientAuthentication.BASIC:
            return [who, Field("client_secret", flow.client.secret, "Proves who asks", "client")]
        case ClientAuthentication.PRIVATE_KEY_JWT:
            return [
                who,
                Field("client_assertion_type", assertion.TYPE, "What kind of proof follows", "this step"),
                Field("client_assertion", signed.assertion, "Proves who asks, signed with the client's key", "signed"),
            ]
        case ClientAuthentication.NONE:
            return [who]


def _openid(flow: Flow) -> list[Field]:
    if not flow.nonce:
        return []
    asked = "openid" in flow.provider.scopes(flow.provider.scope)
    meaning = "Ties the id_token to this request"
    return [Field("nonce", flow.nonce, meaning, "made fresh", send=asked, optional=not asked)]


def _challenge(flow: Flow) -> list[Field]:
    """RFC 7636 §4.3."""
    if flow.pkce is Pkce.OFF:
        return []
    value = pkce.challenge(flow.verifier, flow.pkce)
    how = "The hash of the verifier" if flow.pkce is Pkce.S256 else "The verifier itself"
    return [
        Field("code_challenge", value, f"{how}; step 3 shows that it is known", "made fresh"),
        Field("code_challenge_method", flow.pkce.value, "How the challenge was made of the verifier", "this step"),
    ]


def _further(flow: Flow) -> list[Field]:
    """Parameters that few requests need."""
    mode = flow.provider.response_mode
    fields = [
        Field("response_mode", mode, "How the answer comes back: query, fragment or form_post", "provider", bool(mode)),
        Field("prompt", "", "none, login, consent or select_account (OpenID Connect)", "you", send=False),
        Field("login_hint", "", "Who is expected to log in", "you", send=False),
        Field("audience", "", "The API that the token is for, by its name (some servers)", "you", send=False),
        Field("resource", "", "The API that the token is for, by its address (RFC 8707)", "you", send=False),
    ]
    if flow.dpop_key is not None:
        meaning = "Binds the code to the key of the proofs (RFC 9449 §10)"
        fields.append(Field("dpop_jkt", flow.dpop_key.thumbprint, meaning, "DPoP key", send=False))
    return [
        Field(item.name, item.value, item.meaning, item.source, item.send, optional=not item.send) for item in fields
    ]


def _verifier(flow: Flow) -> list[Field]:
    """RFC 7636 §4.5."""
    if flow.pkce is Pkce.OFF:
        return []
    return [Field("code_verifier", flow.verifier, "What the challenge of step 1 was made of", "step 1")]


def _resource(flow: Flow, grant: Grant) -> list[Field]:
    """RFC 8707 §2.2: what the token is for, asked for again."""
    asked = flow.authorization_parameter("resource") if grant is Grant.AUTHORIZATION_CODE else ""
    return [Field("resource", asked, "The API that the token is for", "step 1")] if asked else []


def _proof(flow: Flow, signed: Signed, meaning: str) -> list[Field]:
    if flow.dpop_key is None:
        return []
    return [Field(dpop.HEADER, signed.proof, f"{meaning}; a header", "signed", header=True)]


def _repeated(flow: Flow, name: str, otherwise: str, meaning: str) -> Field:
    """A field that repeats the authorization request, and is left out when it was left out there (§4.1.3)."""
    if flow.authorization is None:
        return Field(name, otherwise, meaning, "provider" if name == "scope" else "console")
    asked = dict(flow.authorization)
    return Field(name, asked.get(name, otherwise), meaning, "step 1", send=name in asked)


def _code(flow: Flow) -> Field:
    source, since = "no code yet", None
    if flow.callback is not None and flow.code:
        source, since = "pasted" if flow.callback.pasted else "callback", flow.callback.received_at
    return Field("code", flow.code, "One use, good for a few minutes", source, since=since)


def _token_source(tokens: Tokens | None) -> tuple[str, bool, datetime | None]:
    """A field's source, that it is sent, and since when it is known."""
    return ("token answer", True, tokens.issued_at) if tokens else ("no token yet", True, None)
