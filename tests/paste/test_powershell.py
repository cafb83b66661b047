"""Requests of PowerShell scripts."""

import pytest

from oauth.exchange import Step, header
from oauth.lenient_json import Reading
from oauth.paste import literals, powershell, read

FORM = b"grant_type=authorization_code&code=abc123&redirect_uri=https%3A%2F%2Fapp.test%2Fcb"
TABLE = "@{ grant_type = 'authorization_code'; code = $code; redirect_uri = \"https://app.test/cb\" }"
CALLS = {
    "variable": (
        f"$code = 'abc123'\n$body = {TABLE}\nInvoke-RestMethod -Method Post -Uri https://a.test/token -Body $body"
    ),
    "lines": (
        "$body = @{\n    grant_type   = 'authorization_code'\n    code         = 'abc123'\n"
        "    redirect_uri = 'https://app.test/cb'\n}\n"
        "$r = Invoke-RestMethod `\n  -Uri 'https://a.test/token' `\n  -Method POST `\n  -Body $body"
    ),
    "inside": f'iwr "https://a.test/token" -Method Post -Body {TABLE.replace("$code", chr(39) + "abc123" + chr(39))}',
    "splatting": (
        f"$body = {TABLE.replace('$code', chr(39) + 'abc123' + chr(39))}\n"
        "$call = @{ Uri = 'https://a.test/token'; Method = 'Post'; Body = $body }\nInvoke-RestMethod @call"
    ),
    "text": f"$body = '{FORM.decode()}'\nInvoke-WebRequest -Uri https://a.test/token -Method POST -Body $body",
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("before", ["", "My script:\n\n"])
def test_hash_table_is_a_form(name: str, before: str) -> None:
    (item,) = read(before + CALLS[name])
    assert item.request is not None
    assert (item.request.method, item.request.url, item.step) == ("POST", "https://a.test/token", Step.TOKEN)
    assert item.request.body == FORM
    assert header(item.request.headers, "content-type") == "application/x-www-form-urlencoded"


def test_error_that_powershell_prints_is_the_response() -> None:
    error = 'Invoke-RestMethod : {"error":"invalid_grant"}'
    for text in (f"{CALLS['variable']}\n{error}\n", f"{error}\n\n{CALLS['variable']}\n"):
        (item,) = read(text)
        assert item.request is not None
        assert item.request.body == FORM
        assert item.response is not None
        assert item.response.body == b'{"error":"invalid_grant"}'


def test_converted_body_and_headers() -> None:
    (item,) = read(
        '$headers = @{ Authorization = "Bearer abcdef12345"; "Accept" = "application/json" }\n'
        "$body = @{ title = 'x' } | ConvertTo-Json\n"
        "irm -Uri https://a.test/api/adverts -Method Put -Headers $headers -Body $body -ContentType application/json\n"
    )
    assert item.request is not None
    assert item.request.body == b'{"title": "x"}'
    assert item.request.headers == (
        ("Authorization", "Bearer abcdef12345"),
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
    )


def test_variable_without_a_value_stays() -> None:
    (item,) = read("Invoke-RestMethod -Uri https://a.test/token -Method Post -Body @{ code = $code }")
    assert item.request is not None
    assert item.request.body == b"code=%24code"


@pytest.mark.parametrize(
    "text", ["Invoke-RestMethod -Uri $uri -Body $body", "irm -Method", "iwr @", "Invoke-WebRequest -Uri"]
)
def test_call_without_an_address_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="was found"):
        read(text)


def test_unreadable_hash_tables_of_a_long_text_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = 0

    def counted(text: str) -> Reading:
        nonlocal tables
        tables += 1
        return original(text)

    original = literals.read
    monkeypatch.setattr(literals, "read", counted)
    calls = ("$a = @{\n" * 400 + "irm -Uri https://shop.example/x -Headers @{\n") * 20
    assert len(list(powershell.find(calls))) == 20
    assert tables <= 20
