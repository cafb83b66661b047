import hashlib

from oauth import paste

AUTHORIZE = "https://www.olx.pl/oauth/authorize/?client_id=1&response_type=code&state=state1234"
CALLBACK = "https://app.example/cb?code=code%2B1234&state=state1234"
TOKEN = 'curl https://www.olx.pl/api/open/oauth/token --json \'{"grant_type":"authorization_code","code":"code+1234"}\''
ANSWER = 'HTTP/1.1 200 OK\n\n{"access_token": "access1234", "refresh_token": "refresh1234"}'
API = "curl https://www.olx.pl/api/partner/users/me -H 'Authorization: Bearer access1234'"
REFRESH = "curl https://www.olx.pl/api/open/oauth/token -d grant_type=refresh_token -d refresh_token=refresh1234"


def flows(text: str) -> list[str]:
    return [item.flow for item in paste.read(text)]


def test_exchanges_that_share_a_secret_are_one_flow() -> None:
    result = flows(f"curl '{AUTHORIZE}'\ncurl '{CALLBACK}'\n{TOKEN}\n{ANSWER}\n{API}\n{REFRESH}")
    assert len(result) == 5
    # The name is the one that the console gives to a flow with this state.
    assert set(result) == {hashlib.sha256(b"state1234").hexdigest()[:10]}


def test_exchanges_that_share_nothing_have_no_flow() -> None:
    first, second, third = flows(f"{TOKEN}\n{TOKEN.replace('1234', '9876')}\ncurl https://a.example/x")
    assert first
    assert second not in (first, "")
    assert third == ""
