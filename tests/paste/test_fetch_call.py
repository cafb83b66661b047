import pytest

from oauth import paste
from oauth.exchange import Part, Step
from oauth.paste import fetch_call

CHROME = r"""fetch("https://www.olx.pl/api/open/oauth/token", {
  "headers": {
    "accept": "application/json",
    "content-type": "application/json",
    "sec-ch-ua": "\"Chromium\";v=\"142\""
  },
  "referrer": "https://app.example/settings",
  "body": "{\"grant_type\":\"authorization_code\",\"code\":\"abcd1234abcd1234\"}",
  "method": "POST",
  "mode": "cors",
  "credentials": "omit"
});"""
FIREFOX = """await fetch("https://www.olx.pl/api/partner/users/me", {
    "credentials": "include",
    "headers": {
        "User-Agent": "Mozilla/5.0",
        "Authorization": "Bearer abc"
    },
    "method": "GET",
    "mode": "cors"
});"""


def test_token_request_copied_by_chrome_is_read() -> None:
    (result,) = paste.read(CHROME)
    assert result.request is not None
    assert (result.request.method, result.request.url) == ("POST", "https://www.olx.pl/api/open/oauth/token")
    assert result.request.headers == (
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("sec-ch-ua", '"Chromium";v="142"'),
        ("Referer", "https://app.example/settings"),
    )
    assert result.request.body == b'{"grant_type":"authorization_code","code":"abcd1234abcd1234"}'
    assert (result.step, result.source, result.repairs) == (Step.TOKEN, "fetch call", ())


def test_cookies_added_by_the_browser_are_reported_missing() -> None:
    (result,) = paste.read(FIREFOX)
    assert result.request is not None
    assert (result.request.method, result.step) == ("GET", Step.API)
    assert ("Authorization", "Bearer abc") in result.request.headers
    assert result.repairs == (fetch_call.NO_COOKIES,)


def test_all_requests_of_a_network_tab_become_a_list() -> None:
    result = paste.read(f'{CHROME} ;\n{FIREFOX} ;\nfetch("https://a.example/x")')
    assert [item.request.method for item in result if item.request] == ["POST", "GET", "GET"]


@pytest.mark.parametrize(
    "options",
    ['{ method: "POST", body: new URLSearchParams({ code }) }', "{method: 'POST', body: params}", "options"],
)
def test_script_options_are_not_evaluated(options: str) -> None:
    (result,) = paste.read(f'fetch("https://a.example/oauth/token", {options})')
    assert result.request is not None
    assert (result.request.method, result.request.body, result.request.headers) == ("POST", b"", ())
    assert Part.REQUEST_BODY in result.unknown
    assert result.repairs == (fetch_call.SCRIPT,)


def test_truncated_call_keeps_its_address() -> None:
    (result,) = paste.read('fetch("https://a.example/oauth/token')
    assert result.request is not None
    assert result.request.url == "https://a.example/oauth/token"
