"""Names of fields, headers and parameters that hold a secret, ignoring case, ``-`` and ``_``.

Sources: RFC 6749, 7009, 7521, 7591, 7636, 8628, 8693, 9126, 9449, OpenID Connect Core and CIBA, RFC 5849, SAML 2.0,
RFC 9110, and the names that web frameworks give to sessions and forgery tokens.
"""

import re

_SECRETS = """
    access_token refresh_token id_token token tokens registration_access_token id_token_hint logout_token device_token
    code authorization_code auth_code device_code user_code verification_code mfa_code otp totp pin passcode
    code_verifier state session_state relay_state nonce dpop_nonce auth_req_id login_hint request_uri
    client_secret secret secrets client_assertion assertion software_statement jwt saml_response wresult credential
    credentials password passwd passphrase pwd pass api_key app_key auth_key subscription_key private_key secret_key
    signing_key session session_id session_key sid phpsessid jsessionid sessid csrf xsrf
    oauth_verifier oauth_nonce signature sig hmac
    authorization proxy_authorization cookie cookies set_cookie dpop
"""

_WORDS = """
    invalid_request invalid_client invalid_grant invalid_scope invalid_token unauthorized_client access_denied
    unsupported_grant_type unsupported_response_type server_error temporarily_unavailable insufficient_scope
    redirect_uri_mismatch login_required consent_required interaction_required invalid_redirect_uri
    authorization_code client_credentials client_id grant_type redirect_uri response_type token_type expires_in
    error_description error_human_title code_challenge code_challenge_method application/json
    application/x-www-form-urlencoded
"""

_USUAL = """
    accept accept-encoding accept-language age cache-control connection content-encoding content-length content-type
    date etag expires host last-modified origin pragma referer retry-after server strict-transport-security
    transfer-encoding user-agent vary version via x-cache x-content-type-options x-frame-options x-request-id
    id name title type status data message count total url value key description label created_at updated_at
"""

_ENDINGS = ("token", "secret", "password", "passwd", "passphrase", "apikey", "privatekey", "secretkey", "signature",
            "verifier", "assertion", "csrf", "xsrf", "sessionid")  # fmt: skip

_BY_SQUASHED = {name.replace("_", ""): name for name in _SECRETS.split()}

PROTOCOL_WORDS = frozenset(_SECRETS.split() + _WORDS.split())
"""Words of the protocol itself. A secret that is one of them is hidden where it has a name; replacing it everywhere
would make field names and error codes unreadable, and hide nothing."""

_CANONICAL = frozenset(_BY_SQUASHED.values())

KINDS = tuple(dict.fromkeys(_SECRETS.split()))
"""Every kind of secret that has a name of its own."""

NAME_CHARACTER = r"[A-Za-z0-9_.$\[\]-]"
"""A pattern for one character of a field name."""

_LONGEST = 100


def secret_kind(name: str) -> str | None:
    """Return the kind of secret that a field of this name holds, ``None`` for a field without a secret.

    The last part of a compound name such as ``user[password]`` or ``auth.token`` counts.
    """
    return _BY_NAME[name] if name in _BY_NAME else _kind(name)


def _kind(name: str) -> str | None:
    if len(name) > _LONGEST:
        return None
    squashed = name.lower().replace("-", "").replace("_", "")
    if not squashed.isalnum():
        parts = [part for part in re.split(r"[^\w-]+", name) if part and not part.isdigit()]
        if not parts or parts == [name]:
            return None
        return _kind(parts[-1])
    known = _BY_SQUASHED.get(squashed)
    if known is None and squashed.endswith(_ENDINGS):
        return canonical(name)
    return known


def canonical(name: str) -> str:
    """Return a name as placeholders spell it: lower case, words joined by ``_``."""
    if name in _CANONICAL:
        return name
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    spelled = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return _BY_SQUASHED.get(spelled.replace("_", ""), spelled[:40] or "secret")


_BY_NAME = {spelling: _kind(name) for name in (*PROTOCOL_WORDS, *_USUAL.split()) for spelling in (name, name.title())}
"""The kinds of the most frequent names in their usual spelling."""
