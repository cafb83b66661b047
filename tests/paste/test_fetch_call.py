import pytest

from oauth import paste
from oauth.exchange import Step
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
    (found,) = paste.read(CHROME)
    assert found.request is not None
    assert (found.request.method, found.request.url) == ("POST", "https://www.olx.pl/api/open/oauth/token")
    assert found.request.headers == (
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("sec-ch-ua", '"Chromium";v="142"'),
        ("Referer", "https://app.example/settings"),
    )
    assert found.request.body == b'{"grant_type":"authorization_code","code":"abcd1234abcd1234"}'
    assert (found.step, found.source, found.repairs) == (Step.TOKEN, "fetch call", ())


def test_cookies_added_by_the_browser_are_reported_missing() -> None:
    (found,) = paste.read(FIREFOX)
    assert found.request is not None
    assert (found.request.method, found.step) == ("GET", Step.API)
    assert ("Authorization", "Bearer abc") in found.request.headers
    assert found.repairs == (fetch_call.NO_COOKIES,)


def test_all_requests_of_a_network_tab_become_a_list() -> None:
    found = paste.read(f'{CHROME} ;\n{FIREFOX} ;\nfetch("https://a.example/x")')
    assert [item.request.method for item in found if item.request] == ["POST", "GET", "GET"]


@pytest.mark.parametrize(
    "options",
    ['{ method: "POST", body: new URLSearchParams({ code }) }', "{method: 'POST', body: params}", "options"],
)
def test_script_options_are_not_evaluated(options: str) -> None:
    (found,) = paste.read(f'fetch("https://a.example/oauth/token", {options})')
    assert found.request is not None
    assert (found.request.method, found.request.body, found.request.headers) == ("POST", b"", ())
    assert (found.request_body_known, found.repairs) == (False, (fetch_call.SCRIPT,))


def test_truncated_call_keeps_its_address() -> None:
    (found,) = paste.read('fetch("https://a.example/oauth/token')
    assert found.request is not None
    assert found.request.url == "https://a.example/oauth/token"
