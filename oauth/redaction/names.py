"""Names of fields, headers and parameters that hold a secret, ignoring case, ``-`` and ``_``, by their last words.

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
    redirect_uri_mismatch mismatching_redirect_uri invalid_redirect_uri login_required consent_required
    interaction_required
    authorization_code client_credentials client_id grant_type redirect_uri response_type token_type expires_in
    error_description error_human_title code_challenge code_challenge_method application/json
    application/x-www-form-urlencoded
"""

_USUAL = """
    accept accept-encoding accept-language age cache-control connection content-encoding content-length content-type
    date etag expires host last-modified origin pragma referer retry-after server strict-transport-security
    transfer-encoding user-agent vary version via x-cache x-content-type-options x-frame-options x-request-id
    id name title type status data message count total url value key description label created_at updated_at
    access-control-allow-origin access-control-allow-headers access-control-expose-headers alt-svc server-timing scope
    currency price
"""

_LAST_WORDS = """
    token secret password passwd passphrase passcode pwd apikey signature sig hmac verifier assertion csrf xsrf
    sessionid authorization bearer jwt nonce otp totp psk auth_cookie session_cookie client_key_data connection_string
    set_cookie2
"""
"""Words that make a secret of any name that ends with them."""

_KEYS = """
    access account activation admin aes api app auth cipher crypto decryption deploy developer encrypt encryption
    functions hmac integration license licence management master private privileged rapidapi recovery root rsa secret
    security server service shared sign signature signing ssh storage subscription symmetric webhook wrapping write
"""
"""Words that make a secret of a name that ends with them and ``key``; sort keys and primary keys are none."""

_CODES = """
    access activation auth authentication authorization backup confirm confirmation device email fa invitation invite
    login magic mfa oauth one_time onetime otp pairing pass pin recovery registration reset security signin sms sso totp
    unlock user verification verify
"""
"""The same for ``code``; error codes and postal codes are none."""

_WRAPPERS = """
    again b64 base base64 confirm confirmation current data enc encoded encrypted hash header hex new old pem plain
    plaintext previous raw repeat string text value
"""
"""Words behind the name of a secret that leave it one: ``token_value``, ``password_confirmation``."""

_COUNTS = "cached completion count input max min num number output prompt reasoning remaining total"
"""Words that make a count of ``tokens``."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_A-Za-z0-9]+")

_ENDINGS = ("token", "secret", "password", "passwd", "passphrase", "signature", "verifier", "assertion", "csrf", "xsrf",
            "sessionid", *(f"{word}key" for word in ("api", "private", "secret", "access", "account", "master", "auth",
            "shared", "subscription", "signing", "encryption", "app")), *(f"{word}code" for word in ("sms", "otp",
            "auth", "verification", "security", "access")))  # fmt: skip
"""Ends of names that are written as one word."""

_BY_SQUASHED = {name.replace("_", ""): name for name in _SECRETS.split()}

_BY_LAST_WORDS = frozenset(
    [name.replace("_", "") for name in _LAST_WORDS.split()]
    + [name.replace("_", "") for name in _SECRETS.split() if "_" in name]
    + [f"{word.replace('_', '')}key" for word in _KEYS.split()]
    + [f"{word.replace('_', '')}code" for word in _CODES.split()]
)
_MOST_LAST_WORDS = 4
_WRAPPER_SET, _COUNT_SET = frozenset(_WRAPPERS.split()), frozenset(_COUNTS.split())
ROOTS = ("token|secret|pass|pwd|key|code|sig|hmac|verif|assert|csrf|xsrf|session|auth|bear|jwt|nonce|otp|psk|cookie|"
         "request|state|hint|connection|saml|software")  # fmt: skip
"""A pattern for a part of every name in ``_BY_LAST_WORDS``: most names are done with here."""
_ROOT = re.compile(ROOTS)

_OPAQUE = {"key": "key", "x-key": "key", "auth": "auth", "x-auth": "auth"}
_RANDOM = re.compile(r"[\w.~+/=|*%!-]*[\w=]\$*", re.ASCII)
_LETTER_AND_DIGIT = re.compile(r"[A-Za-z][^A-Za-z]*[0-9]|[0-9][^0-9]*[A-Za-z]")
_MIXED_CASE = re.compile(r"[a-z][A-Z].*[a-z][A-Z]")
_UNPRONOUNCEABLE = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}")
_SEPARATOR = re.compile(r"[\W_]+")
_SWITCH = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WELL_KNOWN = re.compile(
    r"""(?x) v?[0-9]{1,4}(?:\.[0-9]{1,4}){2}(?:[.+-].*)?  # versions
      | [0-9]{4}-[0-9]{2}-[0-9]{2}(?:T.*)?                # dates
      | [A-Z]{1,10}[_-]?[0-9]{1,8} | 0[xX][0-9a-fA-F]+    # error numbers
      | .*\*{3}.*                                         # masked
      | .*\.(?:pem|json|ya?ml|toml|crt|cer|key|p12|pfx|jks|txt|log|xml|html?|php|py|js|ts|rb|go|java|cs|env)"""
)
_LONGEST_PIECE = 2.7
"""Characters of a word's average piece (letters, also of a CamelCase part, or digits) below which it is random."""

_SHORTEST_DRAWN = 12
"""Letters and digits from which an average says something: ``X-B3-TraceId`` has ten."""


PROTOCOL_WORDS = frozenset(_SECRETS.split() + _WORDS.split())
"""Words of the protocol itself. A secret that is one of them is hidden where it has a name; replacing it everywhere
would make field names and error codes unreadable, and hide nothing."""

_CANONICAL = frozenset(_BY_SQUASHED.values())

KINDS = tuple(
    dict.fromkeys(
        [*_SECRETS.split(), "basic", "userinfo", *_LAST_WORDS.split()]
        + [f"{word}_key" for word in _KEYS.split()]
        + [f"{word}_code" for word in _CODES.split()]
        + ["key", "auth", "x_api_key", "secret_access_key"]
    )
)
"""The kinds of secrets that a placeholder may have; a longer name, such as ``my_api_key``, is one of its own."""

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
    known = _BY_SQUASHED.get(squashed) or _BY_SQUASHED.get(squashed.rstrip("0123456789"))
    if known or not _ROOT.search(squashed):
        return known
    return canonical(name) if squashed.endswith(_ENDINGS) or _ends_secret(words_of(name)) else None


def words_of(name: str) -> list[str]:
    """Split a name in any spelling into words in lower case: ``x-authKey2`` is ``x auth key 2``."""
    return [word.lower() for word in _WORD.findall(name)]


def opaque_kind(name: str, value: str) -> str | None:
    """Return the kind of a secret whose name says too little, such as ``key``, if the value looks random.

    Keys of issues and of rows are short or are words.
    """
    kind = _OPAQUE.get(name.lower())
    return kind if kind and is_random(value, named=True) else None


def is_random(value: str, shortest: int = 12, *, named: bool = False) -> bool:
    """Return whether a value looks as if it was drawn at random, and not written by a person.

    - It has at least ``shortest`` characters, all of them such as tokens have. Times and addresses have others.
    - Numbers are ids, times and error numbers, unless they have twenty digits; versions, dates, file names, error
      numbers and masked values are known by their form.
    - What is ``named`` a secret already needs a digit among its letters, or letters in mixed case.
    - Otherwise it is a UUID, or in it or in a long part of it letters, capitals and digits change too often for words
      with numbers, or nobody could say it.
    """
    if len(value) < shortest or not _RANDOM.fullmatch(value) or _WELL_KNOWN.fullmatch(value):
        return False
    if value.isdigit():
        return len(value) >= 20
    if named and value[0] not in "/.~":
        return _LETTER_AND_DIGIT.search(value) is not None or _MIXED_CASE.search(value) is not None
    parts = (part for part in (value, *_SEPARATOR.split(value)) if len(part) >= shortest)
    return _UUID.fullmatch(value) is not None or any(map(_is_drawn, parts))


def _is_drawn(value: str) -> bool:
    pieces, switches = _WORD.findall(value), len(_SWITCH.findall(value))
    if not (switches or _MIXED_CASE.search(value)):
        return _UNPRONOUNCEABLE.search(value) is not None
    size = sum(map(len, pieces))
    return switches > 3 or _SHORTEST_DRAWN <= size < _LONGEST_PIECE * len(pieces)


def _ends_secret(words: list[str]) -> bool:
    """Return whether the last words are the name of a secret, also in plural and before a number."""
    while words:
        *before, last = words[-_MOST_LAST_WORDS:]
        if last == "tokens" and not _COUNT_SET.isdisjoint(words):
            return False
        last = last if last == "pass" else last.removesuffix("s")
        if any("".join((*before[start:], last)) in _BY_LAST_WORDS for start in range(len(before) + 1)):
            return True
        if not (last.isdigit() or last in _WRAPPER_SET):
            return False
        words = words[:-1]
    return False


def canonical(name: str) -> str:
    """Return a name as placeholders spell it: lower case, words joined by ``_``."""
    if name in _CANONICAL:
        return name
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    spelled = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return _BY_SQUASHED.get(spelled.replace("_", ""), spelled[:40] or "secret")


_BY_NAME = {spelling: _kind(name) for name in (*PROTOCOL_WORDS, *_USUAL.split()) for spelling in (name, name.title())}
"""The kinds of the most frequent names in their usual spelling."""
