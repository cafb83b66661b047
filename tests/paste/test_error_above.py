"""Texts in which the error stands above the request that it answers."""

import pytest

from oauth.paste import read

CURL = "curl -X POST https://a.test/oauth/token -d grant_type=authorization_code -d code=abc123xyz -d client_id=c"
ERROR = '{"error":"invalid_grant","error_description":"Invalid authorization code"}'
API = 'curl -H "Authorization: Bearer abcdef123456" https://a.test/api/adverts'

PAIRS = {
    "command": f"I keep getting this:\n\n{ERROR}\n\nMy code:\n\n{CURL}\n",
    "status": f"Response 400 Bad Request:\n{ERROR}\n\nRequest:\n{CURL}\n",
    "form": f"Error: 401 Unauthorized {ERROR}\n\nWhat I send:\n\nPOST https://a.test/oauth/token\ngrant_type=a&client_id=x\n",
    "messages": (
        f"HTTP/1.1 400 Bad Request\nContent-Type: application/json\n\n{ERROR}\n\nThe request was\n\n"
        "POST /oauth/token HTTP/1.1\nHost: a.test\n\ngrant_type=authorization_code&code=abc\n"
    ),
    "Markdown": f"### Expected\ntokens\n### Actual\n```json\n{ERROR}\n```\n### Steps\n```bash\n{CURL}\n```\n",
    "not working": f"{ERROR}\nThis is not working:\n{CURL}\n",
    "fetch": f'{ERROR} from\n\nfetch("https://a.test/token", {{"method": "POST", "body": "grant_type=a&code=b"}})',
    "address in the message": (
        f"HTTPError: 400 Client Error: Bad Request for url: https://a.test/oauth/token\n{ERROR}\n\nMy call:\n\n{CURL}\n"
    ),
    "API": f'{{"error":{{"code":401,"message":"Invalid access token"}}}}\n\n{API}\n',
}
OTHERS = {
    "it works": f"{ERROR}\n\nAfter I changed it to this it works:\n\n{CURL}\n",
    "next call": f"{ERROR}\n\nThen I call\n\n{API}\n",
    "error of another endpoint": f"{ERROR}\n\n{API}\n",
    "success": f'{{"access_token":"abc","token_type":"Bearer"}}\n\n{API}\n',
    "times": f"2026-11-23T10:00:00Z 400 {ERROR}\n2026-11-23T10:00:05Z POST https://a.test/oauth/token\ngrant_type=a&code=b\n",
    "two requests": f"{ERROR}\n\n{CURL}\n\n{API}\n",
    "request of its own": f"{CURL}\n{ERROR}\n\n{CURL}1\n",
    "authorization": f"{ERROR}\n\nhttps://a.test/authorize?response_type=code&client_id=x&state=s1\n",
}


@pytest.mark.parametrize("name", PAIRS)
def test_error_above_its_request_is_its_response(name: str) -> None:
    (item,) = read(PAIRS[name])
    assert item.request is not None
    assert item.response is not None


def test_each_error_has_the_request_below_it() -> None:
    items = read(f"1. {ERROR}\n   {CURL}\n2. {ERROR.replace('grant', 'client')}\n   {CURL}2\n")
    assert [bool(item.request and item.response) for item in items] == [True, True]


@pytest.mark.parametrize("name", OTHERS)
def test_request_below_an_error_may_be_another(name: str) -> None:
    items = read(OTHERS[name])
    assert len(items) > 1
    assert items[-1].response is None
