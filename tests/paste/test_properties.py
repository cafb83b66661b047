"""What holds for every pasted text."""

import contextlib
import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oauth import paste
from oauth.catalogue import documented
from oauth.catalogue.explain import explain_response
from oauth.diagnosis.as_json import diagnose
from oauth.lenient_json import ParseError

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
# fmt: off
PIECES = st.sampled_from([
    "{", "}", "[", "]", "(", ")", '"', "'", "`", "\\", "^", "$'", "=>", "=", ":", ",", "&", "?", "\n", "\r\n", " ",
    "  ", "%", "@", "curl ", "-d ", "--json ", "-F a=@b;type=x ", "-u a:b ", "-x ",
    "https://a.example/cb?code=abcd1234 ", "--next ", "-H 'A: b' ", "HTTP/1.1 400 Bad\n", "GET /x HTTP/1.1\n",
    "Content-Type: application/json\n", "Transfer-Encoding: chunked\n", "> ", "< ", "* ", "Array\n(\n",
    "[error] => x\n", "array(1) {\n", '["a"]=>\n', 'string(3) "abc"\n', "NULL\n", "stdClass Object (", "<ref *1> ",
    "--> POST https://a.example/token\n", "<-- 400 https://a.example (1ms)\n", "--> END POST\n",
    "okhttp.OkHttpClient: ", "invalid_grant", "error", "error_description", "Invalid refresh token",
    "2026-11-23T10:00:00Z ", "400 ", "status code 400", '{"log": {"entries": [', '{"error": "x"}',
    '"request": {"headers": [{}, 1, {"name": 2}]}', "b'", "None", "undefined", "…", "\x00", "\ud800",
    "=> Send header, 5 bytes (0x5)\n0000: GET / HTTP/1.1\n0010:\n", "<= Recv data, 9 bytes (0x9)\n0000: {.}\n",
    "map[error:x ", "map[", 'fetch("https://a.example/token", {"body": "x"', 'fetch("https://a.example/x")',
])
# fmt: on
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text()
SECRET = st.text(alphabet="abcdef0123456789-_", min_size=20, max_size=40).filter(lambda text: len(set(text)) > 8)


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_raises_a_parse_error(text: str) -> None:
    with contextlib.suppress(paste.ParseError):
        for item in paste.read(text):
            exchange = item.to_exchange(NOW)
            assert isinstance(exchange.request.body, bytes)
            assert item.request is not None or item.response is not None


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_any_text_is_diagnosed_or_refused_by_the_command(text: str) -> None:
    with contextlib.suppress(ParseError):
        json.dumps(list(diagnose(text, NOW, b"key")))


def texts_with(code: str, client_secret: str, token: str) -> dict[str, str]:
    """Every format with the same secrets, echoed in the provider's message too."""
    sent = {"grant_type": "authorization_code", "client_id": "7", "client_secret": client_secret, "code": code}
    body = {"error": "invalid_grant", "error_description": f"The code {code} of {client_secret} is not known"}
    form = "&".join(f"{name}={value}" for name, value in sent.items())
    url = "https://www.olx.pl/api/open/oauth/token"
    raw = (
        f"POST /token HTTP/1.1\nHost: a\nAuthorization: Bearer {token}\n\n{form}\n\n"
        f"HTTP/1.1 400 Bad\n\n{json.dumps(body)}"
    )
    har = {
        "log": {
            "entries": [
                {
                    "request": {
                        "method": "POST",
                        "url": url,
                        "postData": {"text": json.dumps(sent)},
                        "headers": [{"name": "Authorization", "value": f"Bearer {token}"}],
                    },
                    "response": {"status": 400, "content": {"text": json.dumps(body)}},
                }
            ]
        }
    }
    dump = {"config": {"url": url, "method": "post", "data": form}, "response": {"status": 400, "data": body}}
    curl = f"curl {url} -u 7:{client_secret} -H 'X-Api-Key: {token}' -d code={code} -d grant_type=authorization_code"
    trace = (
        f"=> Send header, 99 bytes (0x63)\n0000: POST /token HTTP/1.1\n0016: Authorization: Bearer {token}\n"
        f"=> Send data, 9999 bytes (0x270f)\n0000: {form}\n<= Recv header, 26 bytes (0x1a)\n0000: HTTP/1.1 400 Bad\n"
        f"<= Recv data, 9999 bytes (0x270f)\n0000: {json.dumps(body)}\n"
    )
    options = {"method": "POST", "body": form, "headers": {"X-Api-Key": token}}
    return {
        "trace": trace,
        "go": f"POST {url}?code={code} 400 map[error:invalid_grant error_description:The code {code} is not known]",
        "fetch": f"fetch({json.dumps(url)}, {json.dumps(options)})",
        "raw": raw,
        "har": json.dumps(har),
        "dump": json.dumps(dump),
        "python": repr(dump),
        "curl": f"{curl}\n{json.dumps(body)}",
        "lone curl": curl,
        "callback": f"https://a.example/cb?code={code}&error=invalid_scope&error_description=for+{code}",
        "log": f"ERROR POST {url}?code={code}&client_secret={client_secret} returned 400 {json.dumps(body)}",
        "private key": f"{raw}\n\nsigned with -----BEGIN PRIVATE KEY-----\n{token}\n-----END PRIVATE KEY-----",
        "elsewhere": f"{raw}\n\nHTTP/1.1 400 Bad\n\n" + json.dumps({"error": "x", "error_description": f"see {token}"}),
    }


@given(SECRET, SECRET, SECRET)
@settings(max_examples=25, deadline=None)
def test_no_secret_of_the_text_is_printed(code: str, client_secret: str, token: str) -> None:
    for name, text in texts_with(code, client_secret, token).items():
        printed = json.dumps(list(diagnose(text, NOW, secrets.token_bytes(32))), ensure_ascii=False)
        for secret in (code, client_secret, token):
            assert secret not in printed, name
    assert "error_description" in printed


ENTRIES = st.sampled_from(sorted(documented()))


def shuffled(value: Any, order: Any) -> Any:
    if not isinstance(value, dict):
        return value
    names = list(value)
    order.shuffle(names)
    return {name: shuffled(value[name], order) for name in names}


@given(
    ENTRIES,
    st.sampled_from([None, 0, 2, "\t"]),
    st.integers(0, 2),
    st.randoms(),
    st.sampled_from(["json", "python", "commas"]),
    st.sampled_from(["", "\n\n", "\ufeff", "HTTP/1.1 400 X\n\n", "POST https://a.example/token returned 400: "]),
)
def test_matching_does_not_change_under_reformatting_wrapping_and_order(
    number: int, indent: Any, wrapped: int, order: Any, form: str, before: str
) -> None:
    entry = documented()[number]
    (plain,) = paste.read(entry.example)
    assert plain.response is not None
    value = json.loads(plain.response.body)
    for _ in range(wrapped):
        value = {"data": value, "ok": False}
    value = shuffled(value, order)
    text = repr(value) if form == "python" else json.dumps(value, indent=indent)
    if form == "commas":
        text = re.sub(r"\s*}", ",}", text)
    (result,) = paste.read(before + text)
    assert result.response is not None
    explanation = explain_response(result.status, (), result.response.body, step=result.step)
    assert explanation is not None
    assert (explanation.number, explanation.match) == (number, "exact")
