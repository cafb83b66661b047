"""What must never be written: secrets by name and by value, in every place and encoding."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from time import process_time
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth.exchange import Exchange, Failure, Headers, Request, Response, Step
from oauth.redaction import PLACEHOLDER, Vault, quoted
from oauth.redaction.names import PROTOCOL_WORDS

KEY = b"an installation's key of 32 bytes"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TOKEN = "8f0e1d2c3b4a59687786a5b4c3d2e1f00f1e2d3c"


def exchange(
    url: str = "https://provider.test/token",
    *,
    sent: Headers = (),
    body: str | bytes = b"",
    received: Headers = (),
    answer: str | bytes | None = None,
    status: int = 200,
    reason: str = "OK",
) -> Exchange:
    request = Request("POST", url, sent, body.encode() if isinstance(body, str) else body)
    if answer is None:
        return Exchange(Step.TOKEN, request, AT)
    content = answer.encode() if isinstance(answer, str) else answer
    return Exchange(Step.TOKEN, request, AT, Response(status, reason, received, content))


def everything(redacted: Exchange) -> str:
    """All text of an exchange that would be stored."""
    response = redacted.response or Response(0)
    pairs = [part for header in (*redacted.request.headers, *response.headers) for part in header]
    bodies = [redacted.request.body.decode(), response.body.decode()]
    detail = redacted.failure.detail if redacted.failure else ""
    return "\n".join(
        [redacted.request.url, response.reason, detail, redacted.client_id, redacted.case, *pairs, *bodies]
    )


@pytest.fixture
def vault() -> Vault:
    return Vault(KEY)


# The placeholder


def test_placeholder_shows_kind_fingerprint_and_length(vault: Vault) -> None:
    shown = vault.placeholder("refresh_token", TOKEN)
    assert PLACEHOLDER.fullmatch(shown)
    assert shown.startswith("«refresh_token #")
    assert shown.endswith(" 40ch»")
    assert vault.placeholder("client_secret", "demo-secret") == "«client_secret 11ch»"
    assert vault.placeholder("Client-Secret", "demo-secret") == "«client_secret 11ch»"
    assert vault.placeholder("code", "") == ""


def test_fingerprint_depends_on_key_kind_and_value(vault: Vault) -> None:
    shown = vault.placeholder("code", TOKEN)
    assert shown == Vault(KEY).placeholder("code", TOKEN)
    assert shown != Vault(b"another key").placeholder("code", TOKEN)
    assert shown != vault.placeholder("code", TOKEN[:-1] + "d")
    assert shown.split()[1] != vault.placeholder("state", TOKEN).split()[1]


def test_fingerprint_starts_at_sixteen_characters(vault: Vault) -> None:
    assert "#" not in vault.placeholder("code", "x" * 15)
    assert "#" in vault.placeholder("code", "x" * 16)


def test_vault_gives_back_what_it_remembers_and_shows_no_value(vault: Vault) -> None:
    shown = vault.add("access_token", TOKEN)
    assert vault.reveal(shown) == TOKEN
    assert vault.resolve(f"Bearer {shown}, twice {shown}") == f"Bearer {TOKEN}, twice {TOKEN}"
    assert vault.resolve("«code 3ch»") == "«code 3ch»"
    assert vault.reveal("«code 3ch»") is None
    assert vault.kind_of(TOKEN) == "access_token"
    assert vault.kind_of("other") is None
    assert vault.secrets() == {shown: "access_token"}
    assert TOKEN not in repr(vault)


def test_short_secrets_that_share_a_placeholder_resolve_to_the_latest(vault: Vault) -> None:
    first, second = vault.add("client_secret", "secret-one"), vault.add("client_secret", "secret-two")
    assert first == second
    assert vault.resolve(first) == "secret-two"


def test_adding_nothing_or_a_placeholder_remembers_nothing(vault: Vault) -> None:
    assert vault.add("code", "") == ""
    assert vault.add("code", "«code 3ch»") == "«code 3ch»"
    assert vault.secrets() == {}


def test_known_value_keeps_its_kind_in_another_field(vault: Vault) -> None:
    refresh = vault.add("refresh_token", TOKEN)
    assert vault.add("access_token", TOKEN) == refresh
    redacted = vault.redact(exchange(sent=(("Authorization", f"Bearer {TOKEN}"),)))
    assert redacted.request.headers == (("Authorization", f"Bearer {refresh}"),)


def test_reuse_shows_and_rotation_shows(vault: Vault) -> None:
    first = vault.redact_value("code", TOKEN)
    assert vault.redact_value("code", TOKEN) == first
    assert vault.redact_value("code", TOKEN[::-1]) != first


# By name


@pytest.mark.parametrize(
    "name",
    [
        "client_secret",
        "clientSecret",
        "CLIENT-SECRET",
        "ClientSecret",
        "code",
        "code_verifier",
        "access_token",
        "accessToken",
        "refresh_token",
        "id_token",
        "token",
        "assertion",
        "client_assertion",
        "password",
        "passwd",
        "state",
        "nonce",
        "api_key",
        "apikey",
        "X-Api-Key",
        "X-Auth-Token",
        "secret",
        "session",
        "sid",
        "session_token",
        "device_code",
        "user_code",
        "registration_access_token",
        "id_token_hint",
        "logout_token",
        "subject_token",
        "actor_token",
        "login_token",
        "csrf_token",
        "X-CSRF-Token",
        "X-XSRF-TOKEN",
        "csrfmiddlewaretoken",
        "SAMLResponse",
        "software_statement",
        "signature",
        "sig",
        "X-Amz-Signature",
        "user[password]",
        "auth.token",
        "token[]",
        "DPoP",
        "oauth_token_secret",
    ],
)
def test_secret_names_in_every_spelling_are_hidden(vault: Vault, name: str) -> None:
    assert PLACEHOLDER.fullmatch(vault.redact_value(name, "Zq7-hidden"))
    assert "Zq7-hidden" not in vault.redact_text(json.dumps({"a": [{name: "Zq7-hidden"}]}))
    assert "Zq7-hidden" not in vault.redact_text(urlencode({"a": "b", name: "Zq7-hidden"}))
    assert "Zq7-hidden" not in vault.redact_url(f"/cb?a=b&{urlencode({name: 'Zq7-hidden'})}")


@pytest.mark.parametrize(
    "name",
    [
        "token_type",
        "token_type_hint",
        "code_challenge",
        "code_challenge_method",
        "error",
        "error_description",
        "scope",
        "grant_type",
        "client_id",
        "redirect_uri",
        "expires_in",
        "response_type",
        "status",
        "token_endpoint",
        "error_code",
        "X-Request-Id",
        "Content-Type",
        "Version",
        "username",
    ],
)
def test_other_names_are_left_alone(vault: Vault, name: str) -> None:
    assert vault.redact_value(name, "plain-text") == "plain-text"
    body = json.dumps({name: "plain-text"})
    assert vault.redact_text(body) == body


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        # JSON: white space, order, broken and cut JSON stay as they are
        ('{ "b" : 1,\n\t"code" :  "abc" , "a":2, }', '{ "b" : 1,\n\t"code" :  "«code 3ch»" , "a":2, }'),
        ("{'code': 'abc', 'x': 1}", "{'code': '«code 3ch»', 'x': 1}"),
        ('{"code":"abc","state":"x', '{"code":"«code 3ch»","state":"«state 1ch»'),
        (r'{"code":"a\"\u0062"}', '{"code":"«code 3ch»"}'),
        (r'{"c\u006fde":"abc"}', r'{"c\u006fde":"«code 3ch»"}'),
        ('{"code":12, "password":null, "secret":true}', '{"code":"«code 2ch»", "password":null, "secret":true}'),
        (
            '{"token":{"a":"x","b":["y",1.5]},"c":"d"}',
            '{"token":{"a":"«token 1ch»","b":["«token 1ch»","«token 3ch»"]},"c":"d"}',
        ),
        ('{"tokens":{"id_token":"xy"}}', '{"tokens":{"id_token":"«id_token 2ch»"}}'),
        (
            '{"grant_type":"x"\n"code":"<the code>"\n"scope":"y"}',
            '{"grant_type":"x"\n"code":"«code 10ch»"\n"scope":"y"}',
        ),
        ('{"a":"5" tall","code":"abc"}', '{"a":"5" tall","code":"«code 3ch»"}'),
        ('{"code":"ab"cd","x":"y"}', '{"code":"«code 5ch»","x":"y"}'),
        ('{code: "abc", x: "y"}', '{code: "«code 3ch»", x: "y"}'),
        ('[{"name":"code","value":"abc"}]', '[{"name":"code","value":"«code 3ch»"}]'),
        (r'{"body":"{\"code\":\"abc\"}"}', r'{"body":"{\"code\":\"«code 3ch»\"}"}'),
        (r'{"u":"https:\/\/a.test\/?code=4\/0a\u0026x=1"}', r'{"u":"https:\/\/a.test\/?code=«code 4ch»\u0026x=1"}'),
        # Addresses and forms
        (
            "https://u:pw@a.test/x?code=abc&y=1#token=z",
            "https://u:«password 2ch»@a.test/x?code=«code 3ch»&y=1#token=«token 1ch»",
        ),
        ("https://key@a.test/", "https://«userinfo 3ch»@a.test/"),
        ("grant_type=password&password=a+b%26c&x=1", "grant_type=password&password=«password 5ch»&x=1"),
        ("c%6Fde=abc&x=1", "c%6Fde=«code 3ch»&x=1"),
        (
            "next=https%3A%2F%2Fa.test%2F%3Fcode%3Dabc%26x%3D1",
            "next=https%3A%2F%2Fa.test%2F%3Fcode%3D«code 3ch»%26x%3D1",
        ),
        ("data=%7B%22code%22%3A+%22abc%22%7D", "data=%7B%22code%22%3A+%22«code 3ch»%22%7D"),
        # Messages and markup
        ("see https://a.test/?code=abc, then", "see https://a.test/?code=«code 3ch», then"),
        ("Authorization: Bearer abc\nHost: a.test", "Authorization: Bearer «access_token 3ch»\nHost: a.test"),
        ("Cookie: a=b; c=d", "Cookie: a=«cookie 1ch»; c=«cookie 1ch»"),
        ("curl -H 'X-Api-Key: abc' https://a.test", "curl -H 'X-Api-Key: «x_api_key 3ch»' https://a.test"),
        ("client_secret: abc\nother: def", "client_secret: «client_secret 3ch»\nother: def"),
        ('<input value="a&amp;b" name=code>', '<input value="«code 3ch»" name=code>'),
        ("<input type='password' value=abc>", "<input type='password' value=«password 3ch»>"),
        ('<textarea id="code">abc</textarea>', '<textarea id="code">«code 3ch»</textarea>'),
        ("<o:access_token>a</o:access_token>", "<o:access_token>«access_token 1ch»</o:access_token>"),
        ("<password><![CDATA[a<b]]></password>", "<password><![CDATA[«password 3ch»]]></password>"),
        ("got Bearer abc123-xyz from it", "got Bearer «access_token 10ch» from it"),
        ("the jwt eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln here", "the jwt «jwt #{} 35ch» here"),
        # Nothing secret
        ('Missing parameter: "code" is required', 'Missing parameter: "code" is required'),
        (
            "The Bearer authentication scheme, Basic authentication",
            "The Bearer authentication scheme, Basic authentication",
        ),
        ('{"error":"invalid_grant","error_description":"No \\"code\\" here"}', None),
        ('Bearer realm="api", error="invalid_token", error_description="expired"', None),
    ],
)
def test_fields_are_hidden_where_they_stand_and_nothing_else_changes(
    vault: Vault, text: str, redacted: str | None
) -> None:
    expected = text if redacted is None else redacted
    if "#{}" in expected:
        expected = expected.format(vault.placeholder("jwt", text.split()[2]).split("#")[1][:10])
    assert vault.redact_text(text) == expected
    assert vault.redact_text(expected) == expected


@pytest.mark.parametrize(
    ("name", "value", "redacted"),
    [
        ("Authorization", "Bearer abc", "Bearer «access_token 3ch»"),
        ("authorization", "bearer   abc def", "bearer   «access_token 7ch»"),
        ("Authorization", "DPoP abc", "DPoP «access_token 3ch»"),
        ("Authorization", 'Digest username="u", response="abc"', None),
        ("Authorization", "Custom abc", "Custom «authorization 3ch»"),
        ("Authorization", "abc", "«authorization 3ch»"),
        ("Authorization", "Bearer", "Bearer"),
        ("Proxy-Authorization", "Basic " + base64.b64encode(b"me:pw").decode(), "Basic me:«client_secret 2ch»"),
        (
            "Authorization",
            "Basic " + base64.b64encode(b"demo-app:a%2Bb+c").decode(),
            "Basic demo-app:«client_secret 5ch»",
        ),
        ("Authorization", "Basic " + base64.b64encode(b"demo-app:").decode(), "Basic ZGVtby1hcHA6"),
        ("Authorization", "Basic no-base64!", "Basic «basic 10ch»"),
        ("Cookie", "a=b; c=d e;f", "a=«cookie 1ch»; c=«cookie 3ch»;«cookie 1ch»"),
        ("Set-Cookie", "sid=abc; Path=/; HttpOnly", "sid=«cookie 3ch»; Path=/; HttpOnly"),
        (
            "Location",
            "/cb?state=a b&error=x&code=y#id_token=z",
            "/cb?state=«state 3ch»&error=x&code=«code 1ch»#id_token=«id_token 1ch»",
        ),
        ("Content-Location", "?code=abc", "?code=«code 3ch»"),
        ("Referer", "https://a.test/?code=abc", "https://a.test/?code=«code 3ch»"),
        ("Link", "<https://a.test/?token=abc>; rel=next", "<https://a.test/?token=«token 3ch»>; rel=next"),
        ("Refresh", "0; url=https://a.test/?code=abc", "0; url=https://a.test/?code=«code 3ch»"),
        ("client_secret", " abc\n", " «client_secret 3ch»\n"),
        ("access_token", "Bearer abc", "Bearer «access_token 3ch»"),
        ("error_description", "Code: it is unknown", "Code: it is unknown"),
    ],
)
def test_headers_keep_what_is_not_secret(vault: Vault, name: str, value: str, redacted: str | None) -> None:
    shown = vault.redact_value(name, value)
    if redacted is None:
        assert shown == f"Digest {vault.placeholder('authorization', value[7:])}"
    else:
        assert shown == redacted
    assert vault.redact_value(name, shown) == shown


def test_multipart_fields_are_hidden(vault: Vault) -> None:
    body = (
        '--x\r\nContent-Disposition: form-data; name="code"\r\n\r\na b\r\nc\r\n'
        '--x\r\nContent-Disposition: form-data; name="scope"\r\n\r\nread\r\n--x--\r\n'
    )
    redacted = vault.redact(exchange(body=body))
    assert redacted.request.body.decode() == body.replace("a b\r\nc", "«code 6ch»")


@pytest.mark.parametrize("body", ['{"error":{"code":400}}', '{"code":"190"}', "code=400&error=x", "<code>17</code>"])
def test_numeric_code_is_an_error_number_in_a_response_and_a_secret_in_a_request(vault: Vault, body: str) -> None:
    redacted = vault.redact(exchange(body=body, answer=body))
    assert redacted.response is not None
    assert redacted.response.body.decode() == body
    assert "«code " in redacted.request.body.decode()


def test_numeric_code_in_a_redirect_is_a_secret(vault: Vault) -> None:
    redacted = vault.redact(exchange(answer="", received=(("Location", "/cb?code=400400"),)))
    assert redacted.response is not None
    assert redacted.response.headers == (("Location", "/cb?code=«code 6ch»"),)


def test_redacted_url_is_read_by_urllib_once_quoted(vault: Vault) -> None:
    url = quoted(vault.redact_url(f"https://a.test/cb?state={TOKEN}&error=access_denied"))
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "state": vault.placeholder("state", TOKEN),
        "error": "access_denied",
    }


def test_concealed_field_can_be_sent_again(vault: Vault) -> None:
    for name, typed in (
        ("Authorization", f"Bearer {TOKEN}"),
        ("client_secret", "abc "),
        ("redirect_uri", "/cb?code=x1"),
    ):
        drawn = vault.conceal(name, typed)
        assert drawn != typed
        assert vault.resolve(drawn) == typed


# By value


def escaped(secret: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in secret)


# Lower-case letters alone could be a part of a field's name, or of a placeholder.
SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=8, max_size=40
).filter(
    # Texts are drawn from constants in the sources, too: the protocol's own words, and a scheme with one behind it.
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
    "request header": lambda text: exchange(sent=(("X-Other", f"a {text} b"),)),
    "header name": lambda text: exchange(sent=((text, "a"),)),
    "request body": lambda text: exchange(body=f"before {text} after"),
    "JSON body": lambda text: exchange(body=f'{{"unknown": "{text}"}}'),
    "response header": lambda text: exchange(received=(("X-Other", text),), answer=""),
    "response body": lambda text: exchange(answer=f'{{"error_description": "you sent {text}."}}'),
    "HTML": lambda text: exchange(answer=f"<p>{text}</p>"),
    "reason": lambda text: exchange(answer="", reason=text),
    "failure": lambda text: replace(exchange(), failure=Failure("refused", f"cannot reach {text}")),
    "case": lambda text: replace(exchange(), case=text),
}


def spellings(secret: str) -> set[str]:
    return {encode(secret) for encode in ENCODINGS.values()}


@pytest.mark.parametrize("place", PLACES)
@given(secret=SECRETS, encoding=st.sampled_from(sorted(ENCODINGS)))
@settings(max_examples=40, deadline=None)
def test_known_secret_is_removed_in_every_place_and_encoding(place: str, secret: str, encoding: str) -> None:
    vault = Vault(KEY)
    vault.add("client_secret", secret)
    text = everything(vault.redact(PLACES[place](ENCODINGS[encoding](secret))))
    assert vault.placeholder("client_secret", secret) in text
    assert not [spelled for spelled in spellings(secret) if spelled in text]


PRIVATE_KEYS = st.builds(
    lambda label, octets: (
        f"-----BEGIN {label}-----\n{base64.encodebytes(octets).decode().replace(chr(10), '')}\n-----END {label}-----"
    ),
    st.sampled_from(
        ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"]
    ),
    st.binary(min_size=30, max_size=200),
)


@pytest.mark.parametrize("place", [place for place in PLACES if place not in ("header name", "reason", "case")])
@given(
    key=PRIVATE_KEYS, encoding=st.sampled_from([name for name in ENCODINGS if not name.startswith(("base64", "hex"))])
)
@settings(max_examples=40, deadline=None)
def test_a_private_key_is_known_by_its_shape(place: str, key: str, encoding: str) -> None:
    body = key.splitlines()[1]
    text = everything(Vault(KEY).redact(PLACES[place](ENCODINGS[encoding](key))))
    assert "«private_key #" in text
    assert not [spelled for spelled in spellings(body) if spelled in text]
    assert "-----" not in text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("a -----BEGIN PRIVATE KEY-----\nMIIE", "a «private_key 32ch»"),
        ('{"a": "-----BEGIN PRIVATE KEY-----\\nMIIE", "b": 1}', '{"a": "«private_key 32ch»", "b": 1}'),
        (
            "-----BEGIN EC PRIVATE KEY-----\nMII\n-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
            "«private_key 35ch»-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
        ),
        ("-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----",) * 2,
    ],
)
def test_a_private_key_that_was_cut_ends_where_something_else_begins(vault: Vault, text: str, redacted: str) -> None:
    assert re.sub(r" #[0-9a-f]{10}", "", vault.redact_text(text)) == redacted


NAMED_PLACES: dict[str, Callable[[str], Exchange]] = {
    "query": lambda secret: exchange(f"https://a.test/?{urlencode({'code': secret})}"),
    "fragment": lambda secret: exchange(f"https://a.test/#x=1&{urlencode({'access_token': secret})}"),
    "userinfo": lambda secret: exchange(f"https://u:{quote(secret, safe='')}@a.test/"),
    "form": lambda secret: exchange(body=urlencode({"a": "b", "client_secret": secret, "x": "y"})),
    "JSON": lambda secret: exchange(body=json.dumps({"a": [{"refresh_token": secret}]})),
    "JSON, not escaped": lambda secret: exchange(body=json.dumps({"token": secret, "x": 1}, ensure_ascii=False)),
    "JSON in JSON": lambda secret: exchange(answer=json.dumps({"a": json.dumps({"b": json.dumps({"code": secret})})})),
    "JSON, cut": lambda secret: exchange(answer=json.dumps({"x": 1, "id_token": secret})[:-2]),
    "address in JSON": lambda secret: exchange(
        answer=json.dumps({"u": f"https://a.test/?{urlencode({'code': secret})}"})
    ),
    "JSON in a form": lambda secret: exchange(body=urlencode({"a": json.dumps({"code": secret}), "b": "c"})),
    "bearer": lambda secret: exchange(sent=(("Authorization", f"Bearer {secret}"),)),
    "basic": lambda secret: exchange(
        sent=(("Authorization", "Basic " + base64.b64encode(f"demo-app:{secret}".encode()).decode()),)
    ),
    "unknown scheme": lambda secret: exchange(sent=(("Authorization", f"Custom {secret}"),)),
    "api key": lambda secret: exchange(sent=(("X-API-Key", secret),)),
    "location": lambda secret: exchange(answer="", received=(("Location", f"/cb?{urlencode({'code': secret})}"),)),
    "hidden input": lambda secret: exchange(answer=f'<input type="hidden" name="code" value="{html.escape(secret)}">'),
    "element": lambda secret: exchange(answer=f"<a><password>{html.escape(secret)}</password></a>"),
    "multipart": lambda secret: exchange(
        body=f'--b\r\nContent-Disposition: form-data; name="code"\r\n\r\n{secret}\r\n--b--\r\n'
    ),
}


@pytest.mark.parametrize("place", NAMED_PLACES)
@given(secret=SECRETS)
@settings(max_examples=40, deadline=None)
def test_unknown_secret_with_a_name_is_removed_from_the_whole_exchange(place: str, secret: str) -> None:
    planted = NAMED_PLACES[place](secret)
    echo = Response(400, "Bad", (("X-Echo", secret),), json.dumps({"error_description": f"bad {secret}"}).encode())
    for found in (
        planted,
        replace(planted, response=planted.response or echo, failure=Failure("x", f"about {secret}")),
    ):
        text = everything(Vault(KEY).redact(found))
        assert not [spelled for spelled in spellings(secret) if spelled in text]


@given(secret=SECRETS, before=st.binary(max_size=7), after=st.binary(max_size=7))
@settings(max_examples=100, deadline=None)
def test_secret_inside_a_longer_base64_text_is_removed(secret: str, before: bytes, after: bytes) -> None:
    vault = Vault(KEY)
    shown = vault.add("client_secret", secret)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(before + secret.encode() + after).decode()
        redacted = vault.redact_text(f"it is {whole} there")
        assert shown in redacted
        assert redacted.startswith("it is ")
        assert redacted.endswith(" there")


def test_longest_of_overlapping_secrets_counts_and_nothing_of_the_other_is_left(vault: Vault) -> None:
    vault.add("code", "abcdefgh")
    vault.add("token", "abcdefgh-ijklmnop")
    vault.add("secret", "ijklmnop-qrstuvwx")
    redacted = vault.redact_text("say abcdefgh-ijklmnop-qrstuvwx and abcdefgh.")
    assert not [part for part in ("abcdefgh", "ijklmnop", "qrstuvwx") if part in redacted]
    assert redacted.startswith("say «token #")
    assert redacted.endswith(" and «code 8ch».")


def test_short_secret_is_not_looked_for_in_plain_words(vault: Vault) -> None:
    vault.add("password", "invalid")
    assert vault.redact_text("the grant is invalid") == "the grant is invalid"


def test_word_of_the_protocol_as_a_secret_leaves_the_protocol_readable(vault: Vault) -> None:
    body = '{"client_secret":"client_secret","grant_type":"authorization_code","code":"authorization_code"}'
    vault.add("client_secret", "client_secret")
    redacted = vault.redact(exchange(body=body)).request.body.decode()
    assert json.loads(redacted) == {
        "client_secret": "«client_secret 13ch»",
        "grant_type": "authorization_code",
        "code": vault.placeholder("code", "authorization_code"),
    }


def test_header_names_and_everything_known_are_swept_but_the_structure_stays(vault: Vault) -> None:
    secret = vault.add("client_secret", "demo-secret")
    before = exchange(
        "https://a.test/demo-secret?x=1",
        sent=(("Content-Length", "42"), ("X-demo-secret-is", "1")),
        body='{"client_secret":"demo-secret","client_id":"demo-app"}',
        answer='{"error":"invalid_client","error_description":"demo-secret is wrong"}',
        status=401,
    )
    after = vault.redact(before)
    assert after.request.url == f"https://a.test/{secret}?x=1"
    assert after.request.headers == (("Content-Length", "42"), (f"X-{secret}-is", "1"))
    assert json.loads(after.request.body) == {"client_secret": secret, "client_id": "demo-app"}
    assert after.response is not None
    assert json.loads(after.response.body) == {"error": "invalid_client", "error_description": f"{secret} is wrong"}
    assert (after.response.status, after.started_at, after.step) == (401, AT, Step.TOKEN)


# Text that can be stored, and input of any kind


@pytest.mark.parametrize(
    ("body", "headers", "text"),
    [
        ("é «x»".encode(), (), "é «x»"),
        ("zażółć".encode("iso8859-2"), (("Content-Type", "text/plain; charset=iso-8859-2"),), "zażółć"),
        ("café".encode("latin-1"), (("Content-Type", "text/plain; charset=nonsense"),), "café"),
        ('{"a":"b"}'.encode("utf-16"), (), '{"a":"b"}'),
        ("é, cut €".encode()[:-1], (), "é, cut �"),
        (b"nul \0 in a longer text", (), "nul ␀ in a longer text"),
        (bytes(range(256)), (), "(binary, 256 bytes)"),
        (b"", (), ""),
    ],
)
def test_bodies_come_back_as_storable_text(vault: Vault, body: bytes, headers: Headers, text: str) -> None:
    assert vault.redact(exchange(sent=headers, body=body)).request.body.decode() == text


def test_secret_in_a_body_of_another_charset_is_found(vault: Vault) -> None:
    vault.add("password", "zażółć gęślą")
    for charset in ("utf-16", "iso8859-2"):
        body = "you said zażółć gęślą".encode(charset)
        redacted = vault.redact(exchange(sent=(("Content-Type", f"text/plain; charset={charset}"),), body=body))
        assert redacted.request.body.decode() == "you said «password 12ch»"


ANY_TEXT = st.text(st.characters(), max_size=60)
SCRAPS = st.lists(
    st.sampled_from(
        [
            '"',
            "'",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "=",
            "&",
            "?",
            "#",
            "<",
            ">",
            ";",
            " ",
            "\n",
            "\\",
            "%",
            "%22",
            "%3D",
            "+",
            "\\u0022",
            '\\"',
            "&quot;",
            "code",
            '"code":',
            "state=",
            "token",
            "name=",
            "value=",
            "Authorization: ",
            "Bearer ",
            "Basic ",
            "bWU6cHc=",
            "abc",
            "12",
            "null",
            "//",
            "@",
            "<code>",
            "<input ",
            "«",
            "»",
            "«code 3ch»",
            "eyJhbGciOiJub25lIn0",
            ".",
            "Cookie: ",
            "\0",
            "\ud800",
            "é",
            "demo-secret",
        ]
    ),
    max_size=25,
).map("".join)


@given(
    url=ANY_TEXT | SCRAPS,
    name=ANY_TEXT | st.sampled_from(["Authorization", "Cookie", "Set-Cookie", "Location", "code"]),
    value=ANY_TEXT | SCRAPS,
    body=st.binary(max_size=60) | SCRAPS.map(lambda t: t.encode(errors="surrogatepass")),
)
@settings(max_examples=500, deadline=None)
def test_no_input_fails_and_everything_comes_out_storable(url: str, name: str, value: str, body: bytes) -> None:
    vault = Vault(KEY)
    vault.add("client_secret", "demo-secret")
    planted = exchange(url, sent=((name, value),), body=body, received=((name, value),), answer=body)
    text = everything(vault.redact(replace(planted, failure=Failure("x", value), case=name)))
    assert text.encode().decode() == text
    assert "\0" not in text
    assert "demo-secret" not in text


NAMES = st.sampled_from(
    ["code", "client_secret", "refresh_token", "state", "Authorization", "error", "scope", "a b", "é"]
)
# A secret of seven characters and a quote is hidden with the quote behind the same seven, which may be JSON's own.
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\"'\\"), max_size=20) | st.sampled_from(
    [
        "Bearer abc12345",
        "Basic bWU6cHc=",
        "https://u:p@a.test/cb?code=1&x=2#token=3",
        "a=b; c=d",
        "demo-secret",
        "12",
        "",
    ]
)
DOCUMENTS = st.recursive(
    WORDS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner | inner.map(json.dumps), max_size=3),
    max_leaves=8,
)
FORMS = st.lists(st.tuples(NAMES, WORDS | DOCUMENTS.map(json.dumps)), min_size=1, max_size=4).map(urlencode)


@given(
    url=FORMS.map("https://a.test/cb?x=1&{}#y".format),
    sent=st.lists(st.tuples(NAMES | st.sampled_from(["Cookie", "Set-Cookie", "Location"]), WORDS), max_size=3),
    body=FORMS | DOCUMENTS.map(json.dumps),
    answer=DOCUMENTS.map(lambda document: json.dumps(document, ensure_ascii=False, indent=1)),
)
@settings(max_examples=300, deadline=None)
def test_redacting_twice_changes_nothing(url: str, sent: list[tuple[str, str]], body: str, answer: str) -> None:
    vault = Vault(KEY)
    vault.add("client_secret", "demo-secret")
    once = vault.redact(exchange(url, sent=tuple(sent), body=body, answer=answer))
    assert vault.redact(once) == once


@pytest.mark.parametrize("planted", [*PLACES, *NAMED_PLACES])
def test_redacting_an_exchange_twice_changes_nothing(vault: Vault, planted: str) -> None:
    place = PLACES.get(planted) or NAMED_PLACES[planted]
    vault.add("code", "Known-Secret-1234")
    once = vault.redact(place("Known-Secret-1234"))
    assert vault.redact(once) == once


@pytest.mark.parametrize(
    "scrap",
    [
        '"code":',
        "'code':",
        "code=",
        '{"token":',
        '"',
        "\\",
        "%255C%2526amp;\\u0025",
        "<code><![CDATA[",
        "//",
        "eyJ-",
        "code: \n",
        '<input name="code" value="',
        "«code 3ch»",
        'Content-Disposition: form-data; name="code"\r\n\r\n',
        "Bearer ",
        " ",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN A-----",
    ],
)
def test_time_grows_with_the_text_and_not_with_its_square(vault: Vault, scrap: str) -> None:
    """Four times the text must not come near sixteen times the time; the processor's time leaves other load out."""

    short, long = (scrap * (length // len(scrap)) for length in (40_000, 160_000))
    assert best_seconds(vault, long) < 10 * best_seconds(vault, short) + 0.05


def test_time_grows_with_the_number_of_different_secrets_and_not_with_its_square(vault: Vault) -> None:
    short, long = (json.dumps([{"token": f"token-{number}"} for number in range(count)]) for count in (1000, 4000))
    assert best_seconds(vault, long) < 10 * best_seconds(vault, short) + 0.05


def best_seconds(vault: Vault, text: str) -> float:
    times = []
    for _ in range(3):
        started = process_time()
        vault.redact_text(text)
        times.append(process_time() - started)
    return min(times)


def test_time_does_not_grow_with_the_number_of_remembered_secrets() -> None:
    """A paste of ten thousand exchanges has as many secrets, and each is looked for in all of them."""
    text = json.dumps({"error_description": " ".join(f"word-{number}" for number in range(2000))})
    few, many = Vault(KEY), Vault(KEY)
    for vault, count in ((few, 2_500), (many, 10_000)):
        for number in range(count):
            vault.add("access_token", hashlib.sha256(f"{number}".encode()).hexdigest())
    assert best_seconds(many, text) < 2 * best_seconds(few, text) + 0.02


@given(secret=SECRETS, encoding=st.sampled_from(sorted(ENCODINGS)), place=st.sampled_from(sorted(PLACES)))
@settings(max_examples=200, deadline=None)
def test_known_secret_is_found_among_many(secret: str, encoding: str, place: str) -> None:
    vault = Vault(KEY)
    for number in range(100):
        vault.add("access_token", hashlib.sha256(f"{number}".encode()).hexdigest())
    vault.add("client_secret", secret)
    text = everything(vault.redact(PLACES[place](ENCODINGS[encoding](secret))))
    assert vault.placeholder("client_secret", secret) in text
    assert not [spelled for spelled in spellings(secret) if spelled in text]


def test_secret_that_is_short_without_its_quotes_is_found_among_many(vault: Vault) -> None:
    for number in range(100):
        vault.add("access_token", hashlib.sha256(f"{number}".encode()).hexdigest())
    vault.add("client_secret", " 'abc123' ")
    assert "abc123" not in vault.redact_text("it said 'abc123' there")


@pytest.mark.parametrize("planted", [*PLACES, *NAMED_PLACES])
def test_a_vault_that_has_read_much_redacts_like_a_new_one(planted: str) -> None:
    """What a vault remembers of texts without a secret changes no result, whichever of them came before."""
    place = PLACES.get(planted) or NAMED_PLACES[planted]
    used, secret = Vault(KEY), "Known-Secret-1234"
    used.redact(place("harmless"))
    used.redact(place(secret))
    for vault in (used, fresh := Vault(KEY)):
        vault.add("code", secret)
    assert used.redact(place(secret)) == fresh.redact(place(secret))
    assert used.redact(place("harmless")) == fresh.redact(place("harmless"))


def test_everything_that_is_no_text_stays_as_it_was(vault: Vault) -> None:
    response = Response(418, "I am", (("A", "b"),), b"c", cut=True, http_version="HTTP/2")
    request = Request("BREW", "https://a.test/", (("A", "b"),), b"c")
    planted = Exchange(
        Step.DEVICE, request, AT, response, Failure("x", "y"), 12, 34, "f", "o", "c", "p", "i", ("proxy",)
    )
    for kind, value in ((Response, response), (Request, request), (Exchange, planted)):
        assert len(fields(kind)) == len([name for name in kind.__slots__ if getattr(value, name) is not None])
    assert vault.redact(planted) == planted


@pytest.mark.parametrize("secret", ["a-very-long-secret-value", "demo-secret", "sec ret+with/signs"])
def test_a_secret_in_the_place_of_the_client_id_is_hidden_in_basic_too(vault: Vault, secret: str) -> None:
    vault.add("client_secret", secret)
    for user in (secret, quote_plus(secret)):
        credentials = base64.b64encode(f"{user}:demo-app".encode()).decode()
        headers = (("Authorization", f"Basic {credentials}"),)
        redacted = vault.redact(exchange(sent=headers))
        assert secret not in everything(redacted)
        assert user not in everything(redacted)


@pytest.mark.parametrize("around", ['"{}"', "'{}'", " {} ", '"{}', "\\{}"])
def test_a_secret_sent_in_quotes_leaves_the_json_around_it_valid(vault: Vault, around: str) -> None:
    vault.add("code", TOKEN)
    body = json.dumps({"client_secret": around.format(TOKEN), "code": TOKEN, "said": f"got {TOKEN}"})
    redacted = json.loads(vault.redact(exchange(body=body)).request.body)
    assert redacted["code"] == vault.placeholder("code", TOKEN)
    assert TOKEN not in str(redacted)


@pytest.mark.parametrize("character", ["\ufdd0", "\x01", "\x7f", "\U0001ffff"])
def test_a_secret_with_a_character_that_html_does_not_allow_is_found_in_html(vault: Vault, character: str) -> None:
    secret = f"0000123{character}"
    vault.add("client_secret", secret)
    for form in ("&#{};", "&#x{:x};"):
        written = "".join(form.format(ord(letter)) for letter in secret)
        assert written not in everything(vault.redact(exchange(answer=f"<p>said {written}</p>")))
