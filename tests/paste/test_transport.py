"""A program's words for a request without a response: the kind of failure, and nothing more."""

from datetime import UTC, datetime

import pytest

from oauth import paste
from oauth.catalogue import answers
from oauth.diagnosis.as_json import diagnose
from oauth.paste.transport import _KINDS

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"
CURL = "curl -X POST https://www.olxx.pl/api/open/oauth/token -d grant_type=client_credentials"
SSL_ERROR = (
    "requests.exceptions.SSLError: HTTPSConnectionPool(host='www.olx.pl', port=443): Max retries exceeded with url: "
    "/api/open/oauth/token (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] "
    "certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)')))"
)
CORS = (
    "Access to fetch at 'https://www.olx.pl/api/open/oauth/token' from origin 'http://localhost:3000' has been blocked "
    "by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource."
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("curl: (6) Could not resolve host: www.olxx.pl", "program_unknown_host"),
        (
            "Error: getaddrinfo ENOTFOUND www.olxx.pl\n    at GetAddrInfoReqWrap.onlookup (dns.js:66)",
            "program_unknown_host",
        ),
        ("java.net.UnknownHostException: www.olxx.pl", "program_unknown_host"),
        ("dial tcp: lookup www.olxx.pl on 8.8.8.8:53: no such host", "program_unknown_host"),
        ("curl: (7) Failed to connect to localhost port 8080: Connection refused", "program_refused"),
        ("Error: connect ECONNREFUSED 127.0.0.1:8080", "program_refused"),
        ("java.net.NoRouteToHostException: No route to host", "program_unreachable"),
        ("curl: (60) SSL certificate problem: self-signed certificate", "program_certificate"),
        (SSL_ERROR, "program_certificate"),
        ("curl: (35) error:0A00010B:SSL routines::wrong version number", "program_tls"),
        ("curl: (28) Operation timed out after 10001 milliseconds with 0 bytes received", "program_timeout"),
        ("AxiosError: connect ETIMEDOUT 203.0.113.9:443", "program_timeout"),
        ("Error: socket hang up", "program_reset"),
        ("curl: (5) Could not resolve proxy: proxy.example", "program_proxy"),
        (CORS, "program_cors"),
    ],
)
def test_words_of_a_failure_are_recognised_by_kind_and_nothing_more(text: str, kind: str) -> None:
    [item] = paste.read(text)
    assert item.failure is not None
    assert (item.failure.kind, item.request, item.response) == (kind, None, None)
    [result] = diagnose(text, NOW, KEY)
    assert (result["title"], result["remedy"]) == (answers()[kind].title, list(answers()[kind].remedy))
    assert (result["causes"], result["status"], result["error"]) == ([], None, None)


def test_failure_belongs_to_the_request_above_it() -> None:
    [item] = paste.read(f"$ {CURL}\ncurl: (6) Could not resolve host: www.olxx.pl\n")
    assert item.request is not None
    assert item.failure is not None
    [result] = diagnose(f"{CURL}\ncurl: (6) Could not resolve host: www.olxx.pl", NOW, KEY)
    assert result["title"] == "The program could not resolve the host name"


def test_response_in_the_text_outweighs_the_words() -> None:
    [item] = paste.read('{"error": "invalid_grant", "error_description": "Connection refused"}')
    assert item.failure is None


@pytest.mark.parametrize("text", ["if (error.code === 'ECONNREFUSED') retry()", "case 'ENOTFOUND': // www.olx.pl"])
def test_source_code_that_handles_a_failure_is_none(text: str) -> None:
    with pytest.raises(paste.ParseError):
        paste.read(text)


def test_every_kind_has_an_entry() -> None:
    assert set(_KINDS) == {kind for kind in answers() if kind.startswith("program_")}
