"""Exchanges with a secret in every place and encoding, for the tests of redaction."""

import base64
import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus, urlencode

from hypothesis import strategies as st

from oauth.exchange import Exchange, Failure, Headers, Request, Response, Step
from oauth.redaction import Vault
from oauth.redaction.names import PROTOCOL_WORDS

KEY = b"an installation's key of 32 bytes"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TOKEN = "8f0e1d2c3b4a59687786a5b4c3d2e1f00f1e2d3c"


def exchange(
    url: str = "https://provider.test/token",
    *,
    headers: Headers = (),
    body: str | bytes = b"",
    response_headers: Headers = (),
    response_body: str | bytes | None = None,
    status: int = 200,
    reason: str = "OK",
) -> Exchange:
    request = Request("POST", url, headers, body.encode() if isinstance(body, str) else body)
    if response_body is None:
        return Exchange(Step.TOKEN, request, AT)
    content = response_body.encode() if isinstance(response_body, str) else response_body
    return Exchange(Step.TOKEN, request, AT, Response(status, reason, response_headers, content))


def everything(redacted: Exchange) -> str:
    """Return all text of an exchange that would be stored."""
    response = redacted.response or Response(0)
    pairs = [part for header in (*redacted.request.headers, *response.headers) for part in header]
    bodies = [redacted.request.body.decode(), response.body.decode()]
    detail = redacted.failure.detail if redacted.failure else ""
    return "\n".join(
        [redacted.request.url, response.reason, detail, redacted.client_id, redacted.case, *pairs, *bodies]
    )


def check_text(vault: Vault, text: str, redacted: str) -> None:
    assert vault.redact_text(text) == redacted
    assert vault.redact_text(redacted) == redacted


def check_field(vault: Vault, name: str, value: str, redacted: str) -> None:
    assert vault.redact_value(name, value) == redacted
    assert vault.redact_value(name, redacted) == redacted


def escaped(secret: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in secret)


# Lower-case letters alone could be a part of a field's name, or of a placeholder.
SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=8, max_size=40
).filter(
    # Hypothesis also draws constants from the sources: the protocol's own words, and a scheme followed by one.
    lambda text: (
        text == text.strip()
        and len(set(text)) > 4
        and text.strip('"') not in PROTOCOL_WORDS
        and not re.search("[«»]|^[a-z_ ]+$|^(Bearer|Basic|DPoP) ", text)
    )
)
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda secret: quote(secret, safe=""),
    "percent, lower case": lambda secret: "".join(f"%{octet:02x}" for octet in secret.encode()),
    "percent, plus": quote_plus,
    "percent, twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64, not padded": lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    "base64url": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON, every character": lambda secret: json.dumps(secret)[1:-1] if max(secret) > "\uffff" else escaped(secret),
    "JSON, slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON, twice": lambda secret: json.dumps(json.dumps(secret))[1:-1],
    "HTML": lambda secret: html.escape(secret),
    "HTML, every character": lambda secret: "".join(f"&#{ord(character)};" for character in secret),
    "hex": lambda secret: secret.encode().hex(),
    "hex, upper case": lambda secret: secret.encode().hex().upper(),
}
PLACES: dict[str, Callable[[str], Exchange]] = {
    "path": lambda text: exchange(f"https://a.test/{text}/x"),
    "query": lambda text: exchange(f"https://a.test/?unknown={text}&x=1"),
    "request header": lambda text: exchange(headers=(("X-Other", f"a {text} b"),)),
    "header name": lambda text: exchange(headers=((text, "a"),)),
    "request body": lambda text: exchange(body=f"before {text} after"),
    "JSON body": lambda text: exchange(body=f'{{"unknown": "{text}"}}'),
    "response header": lambda text: exchange(response_headers=(("X-Other", text),), response_body=""),
    "response body": lambda text: exchange(response_body=f'{{"error_description": "you sent {text}."}}'),
    "HTML": lambda text: exchange(response_body=f"<p>{text}</p>"),
    "reason": lambda text: exchange(response_body="", reason=text),
    "failure": lambda text: replace(exchange(), failure=Failure("refused", f"cannot reach {text}")),
    "case": lambda text: replace(exchange(), case=text),
}

NAMED_PLACES: dict[str, Callable[[str], Exchange]] = {
    "query": lambda secret: exchange(f"https://a.test/?{urlencode({'code': secret})}"),
    "fragment": lambda secret: exchange(f"https://a.test/#x=1&{urlencode({'access_token': secret})}"),
    "userinfo": lambda secret: exchange(f"https://u:{quote(secret, safe='')}@a.test/"),
    "form": lambda secret: exchange(body=urlencode({"a": "b", "client_secret": secret, "x": "y"})),
    "JSON": lambda secret: exchange(body=json.dumps({"a": [{"refresh_token": secret}]})),
    "JSON, not escaped": lambda secret: exchange(body=json.dumps({"token": secret, "x": 1}, ensure_ascii=False)),
    "JSON in JSON": lambda secret: exchange(
        response_body=json.dumps({"a": json.dumps({"b": json.dumps({"code": secret})})})
    ),
    "JSON, cut": lambda secret: exchange(response_body=json.dumps({"x": 1, "id_token": secret})[:-2]),
    "address in JSON": lambda secret: exchange(
        response_body=json.dumps({"u": f"https://a.test/?{urlencode({'code': secret})}"})
    ),
    "JSON in a form": lambda secret: exchange(body=urlencode({"a": json.dumps({"code": secret}), "b": "c"})),
    "bearer": lambda secret: exchange(headers=(("Authorization", f"Bearer {secret}"),)),
    "basic": lambda secret: exchange(
        headers=(("Authorization", "Basic " + base64.b64encode(f"demo-app:{secret}".encode()).decode()),)
    ),
    "unknown scheme": lambda secret: exchange(headers=(("Authorization", f"Custom {secret}"),)),
    "api key": lambda secret: exchange(headers=(("X-API-Key", secret),)),
    "location": lambda secret: exchange(
        response_body="", response_headers=(("Location", f"/cb?{urlencode({'code': secret})}"),)
    ),
    "hidden input": lambda secret: exchange(
        response_body=f'<input type="hidden" name="code" value="{html.escape(secret)}">'
    ),
    "element": lambda secret: exchange(response_body=f"<a><password>{html.escape(secret)}</password></a>"),
    "multipart": lambda secret: exchange(
        body=f'--b\r\nContent-Disposition: form-data; name="code"\r\n\r\n{secret}\r\n--b--\r\n'
    ),
}

PRIVATE_KEYS = st.builds(
    lambda label, octets: (
        f"-----BEGIN {label}-----\n{base64.encodebytes(octets).decode().replace(chr(10), '')}\n-----END {label}-----"
    ),
    st.sampled_from(
        ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"]
    ),
    st.binary(min_size=30, max_size=200),
)


def spellings(secret: str) -> set[str]:
    return {encode(secret) for encode in ENCODINGS.values()}
