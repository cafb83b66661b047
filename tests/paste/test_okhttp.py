from oauth import paste

LOG = """\
--> POST https://www.olx.pl/api/open/oauth/token http/1.1
Content-Type: application/json

{"grant_type":"refresh_token","refresh_token":"r1r2r3r4"}
--> END POST (57-byte body)
<-- 400 Bad Request https://www.olx.pl/api/open/oauth/token (123ms)
content-type: application/json

{"error":"invalid_grant"}
<-- END HTTP (25-byte body)
--> GET https://www.olx.pl/api/partner/users/me
Authorization: Bearer abc
--> END GET
<-- HTTP FAILED: java.net.SocketTimeoutException: timeout
"""


def check(text: str) -> None:
    first, second = paste.read(text)
    assert first.request is not None
    assert first.response is not None
    assert (first.request.method, first.request.url, first.step) == (
        "POST",
        "https://www.olx.pl/api/open/oauth/token",
        "refresh",
    )
    assert first.request.body == b'{"grant_type":"refresh_token","refresh_token":"r1r2r3r4"}'
    assert (first.status, first.response.reason) == (400, "Bad Request")
    assert first.response.headers == (("content-type", "application/json"),)
    assert first.response.body == b'{"error":"invalid_grant"}'
    assert second.request is not None
    assert (second.request.headers, second.response) == ((("Authorization", "Bearer abc"),), None)


def test_requests_and_responses_are_paired() -> None:
    check(LOG)


def test_log_tags_are_ignored() -> None:
    check("".join(f"11-23 10:00:00.000 1234 5678 I/okhttp.OkHttpClient: {line}\n" for line in LOG.splitlines()))
