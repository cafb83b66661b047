"""A secret that a mail program broke over lines is one secret: no output shows a part of it."""

from datetime import UTC, datetime

import pytest

from oauth import paste
from oauth.diagnosis.pasted import Paste
from oauth.redaction import Vault

FIRST, SECOND = "Wd3fG7hJ1kL5aQ8s", "zX9cV2bN6mQ0wE4rT8yU"
GET = "GET /api/partner/users/me HTTP/1.1\nHost: www.olx.pl\n"
ANSWER = "\nHTTP/1.1 401 Unauthorized\nContent-Type: application/json\n\n"
BODY = '{"error":"invalid_token","error_description":"The access token provided is invalid"}\n'

TEXTS = {
    "token": f"{GET}Authorization: Bearer {FIRST}\n{SECOND}\nAccept: */*\n{ANSWER}{BODY}",
    "token behind its scheme": f"{GET}Authorization: Bearer\n{FIRST}{SECOND}\nAccept: */*\n{ANSWER}{BODY}",
    "cookie": f"{GET}Cookie: lang=pl; session_id={FIRST}\n{SECOND}; theme=dark\nAccept: */*\n{ANSWER}{BODY}",
    "key of an API": f"{GET}X-Api-Key: {FIRST}\n{SECOND}\nAccept: */*\n{ANSWER}{BODY}",
    "address": f"https://shop.example/callback/of/olx/oauth?state=a&code={FIRST}\n{SECOND}&error=access_denied\n",
    "form of a command": "curl https://www.olx.pl/api/open/oauth/token -d\n"
    f"'grant_type=authorization_code&client_secret={FIRST}\n{SECOND}&code=1'\n\n{BODY}",
    "description": f'{{"error":"invalid_grant","error_description":"Bad refresh token: {FIRST}\n{SECOND}"}}\n',
}


@pytest.mark.parametrize("sign", ["", "> "], ids=["plain", "quoted"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_secret_over_two_lines_is_hidden(text: str, sign: str, line_end: str) -> None:
    wrapped = "".join(f"{sign}{line}{line_end}" for line in text.splitlines())
    findings = list(Paste(paste.read(wrapped), Vault(b"key"), datetime(2026, 1, 1, tzinfo=UTC)).findings())
    shown = repr(findings)
    assert (FIRST in shown, SECOND in shown) == (False, False)
