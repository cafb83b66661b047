"""Verdicts on exchanges that a text shows in part: a proof needs what is there, or is known not to be there."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from oauth import ticket
from oauth.catalogue.explain import explain
from oauth.diagnosis import Diagnosis, InMemoryPast, NoPast, diagnose, preflight
from oauth.diagnosis.pasted import Finding, Paste
from oauth.exchange import Exchange, Part, Request, Response, Step
from oauth.paste import Pasted, read
from oauth.redaction import Vault

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
JSON = (("Content-Type", "application/json"),)
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
PARTNER = "https://www.olx.pl/api/open/oauth/token"
LINE_ONLY = frozenset({Part.REQUEST_HEADERS, Part.REQUEST_BODY, Part.RESPONSE_HEADERS})


def refused(error: str, description: str = "", status: int = 400) -> Response:
    members = {"error": error} | ({"error_description": description} if description else {})
    return Response(status, "", JSON, json.dumps(members).encode())


def finding(item: Pasted) -> Finding:
    (result,) = Paste([item], Vault(b"key"), NOW).findings()
    return result


def pasted(text: str) -> Finding:
    (result,) = Paste(read(text), Vault(b"key"), NOW).findings()
    return result


def diagnosed(request: Request, response: Response, *, step: Step = Step.TOKEN) -> Diagnosis:
    exchange = Exchange(step, request, NOW, response)
    explanation = explain(exchange)
    assert explanation is not None
    return diagnose(exchange, explanation, past=NoPast())


def verdicts(result: Finding | Diagnosis) -> dict[str, str]:
    diagnosis = result.diagnosis if isinstance(result, Finding) else result
    causes = diagnosis.causes if diagnosis else result.preflight or () if isinstance(result, Finding) else ()
    return {cause.id: cause.verdict.value for cause in causes}


def proven(result: Finding | Diagnosis) -> set[str]:
    return {id for id, verdict in verdicts(result).items() if verdict == "proven"}


def families(ids: Iterable[str]) -> set[str]:
    return {id.partition(".")[0] for id in ids}


# A request line alone says nothing about the body.


@pytest.mark.parametrize(
    ("response", "number"),
    [
        (refused("invalid_client", "The client credentials are invalid", 0), 6),
        (refused("invalid_request", "The grant type was not specified in the request"), 3),
        (refused("invalid_request", 'Missing parameter: "code" is required'), 1),
        (refused("invalid_scope", "The scope requested is invalid for this client"), 4),
        (refused("invalid_grant", "Invalid refresh token"), 11),
        (refused("invalid_token", "The access token provided is invalid", 401), 7),
    ],
)
def test_request_line_alone_proves_nothing(response: Response, number: int) -> None:
    request = Request("POST", "/api/open/oauth/token")
    result = finding(Pasted(request, response, Step.TOKEN, unknown=LINE_ONLY))
    assert result.explanation is not None
    assert result.explanation.number == number
    assert proven(result) == set()
    assert not [id for id, verdict in verdicts(result).items() if "left_out" in id and verdict != "unknown"]
    assert "client.credentials_missing" not in verdicts(result) or (
        verdicts(result)["client.credentials_missing"] == "unknown"
    )


def test_unknown_part_is_said_to_be_missing_from_the_text() -> None:
    response = refused("invalid_request", 'Missing parameter: "code" is required')
    result = finding(Pasted(Request("POST", "/api/open/oauth/token"), response, Step.TOKEN, unknown=LINE_ONLY))
    assert result.diagnosis is not None
    left_out = next(cause for cause in result.diagnosis.causes if cause.id == "code.left_out")
    assert left_out.evidence[0].text == "The text shows no value of code"


@pytest.mark.parametrize("mask", ["***", "9f8e...", "<code>", "$CODE"])
def test_masked_value_is_not_said_to_be_left_out(mask: str) -> None:
    """It was sent: the text only hides it."""
    body = json.dumps({"grant_type": "authorization_code", "client_id": "7", "client_secret": mask, "code": mask})
    request = Request("POST", PARTNER, JSON, body.encode())
    result = finding(Pasted(request, refused("invalid_grant", "Invalid authorization code"), Step.TOKEN))
    assert result.diagnosis is not None
    texts = {fact.text for cause in result.diagnosis.causes for fact in cause.evidence}
    assert "The text shows no value of code" in texts
    assert not [text for text in texts if "was sent" in text or "is missing" in text or "not in the pasted" in text]


def test_request_line_is_evidence() -> None:
    """The code stands in it: what is there is known, whatever else is not."""
    request = Request("POST", "/api/open/oauth/token?code=0123456789abcdef")
    response = refused("invalid_request", 'Missing parameter: "code" is required')
    judged = verdicts(finding(Pasted(request, response, Step.TOKEN, unknown=LINE_ONLY)))
    assert judged["code.left_out"] == "ruled out"
    assert judged["code.in_query"] == "possible"


def test_whole_request_leaves_nothing_unknown() -> None:
    request = Request("POST", PARTNER, JSON, b'{"grant_type": "authorization_code", "client_id": "7"}')
    response = refused("invalid_request", 'Missing parameter: "code" is required')
    assert proven(finding(Pasted(request, response, Step.TOKEN))) == {"code.left_out"}


@pytest.mark.parametrize("part", [Part.REQUEST_HEADERS, Part.REQUEST_BODY])
def test_credentials_may_be_in_any_unknown_part(part: Part) -> None:
    request = Request("POST", PARTNER, JSON, b'{"grant_type": "client_credentials"}')
    response = refused("invalid_client", "The client credentials are invalid")
    assert proven(finding(Pasted(request, response, Step.TOKEN))) == {"client.credentials_missing"}
    assert proven(finding(Pasted(request, response, Step.TOKEN, unknown=frozenset({part})))) == set()


def test_access_token_may_be_in_unknown_headers() -> None:
    response = Response(401, "", (("WWW-Authenticate", "Bearer"),))
    request = Request("GET", "https://api.example/me")
    assert proven(finding(Pasted(request, response, Step.API))) == {"access_token.left_out"}
    unknown = frozenset({Part.REQUEST_HEADERS})
    assert verdicts(finding(Pasted(request, response, Step.API, unknown=unknown)))["access_token.left_out"] == "unknown"


def test_access_token_in_the_address_is_not_left_out() -> None:
    response = Response(401, "", (("WWW-Authenticate", "Bearer"),))
    request = Request("GET", "https://api.example/me?access_token=0123456789abcdef")
    assert verdicts(finding(Pasted(request, response, Step.API)))["access_token.left_out"] == "possible"


def test_body_whose_content_type_is_unknown_is_not_proven_unreadable() -> None:
    request = Request("POST", PARTNER, (), b'{"grant_type": "authorisation_code", "client_id": "7"}')
    response = refused("invalid_request", "The grant type was not specified in the request")
    assert "body.unreadable" in proven(finding(Pasted(request, response, Step.TOKEN)))
    unknown = frozenset({Part.REQUEST_HEADERS})
    assert proven(finding(Pasted(request, response, Step.TOKEN, unknown=unknown))) == set()


# What is there, in whatever form, is not left out.


def test_grant_without_a_code_has_none_to_leave_out() -> None:
    authorization = "Basic MGYxZTJkM2M0YjVhNjk3ODg3OTZhNWI0YzNkMmUxZjA6c2VjcmV0c2VjcmV0"
    result = pasted(
        "curl -X POST 'https://allegro.pl/auth/oauth/token?grant_type=client_credentials' "
        f"-H 'Authorization: {authorization}'"
    )
    assert families(verdicts(result)).isdisjoint({"code", "pkce", "redirect_uri"})
    assert proven(result) == set()


@pytest.mark.parametrize(
    "grant",
    [
        "client_credentials",
        "password",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ],
)
def test_causes_of_a_code_are_for_its_grant_only(grant: str) -> None:
    request = Request("POST", "https://as.example/token", FORM, f"grant_type={grant}&client_id=7".encode())
    step = Step.REFRESH if grant == "refresh_token" else Step.TOKEN
    warned = {cause.id for cause in preflight(request, step, flow=None, past=NoPast(), now=NOW)}
    assert families(warned).isdisjoint({"code", "pkce", "redirect_uri", "grant"})
    judged = verdicts(diagnosed(request, refused("invalid_grant"), step=step))
    assert families(judged).isdisjoint({"code", "pkce", "redirect_uri"})


def test_parameters_in_the_address_are_not_left_out() -> None:
    result = pasted(
        "curl -X POST 'https://www.linkedin.com/oauth/v2/accessToken?client_id=86vhj2q7ukf83q&"
        "grant_type=authorization_code&client_secret=abcdefghijklmnop&code=AQabcdefghijklmnopqrstuvw'"
    )
    assert proven(result) == set()
    assert "code.left_out" not in verdicts(result)


def test_multipart_parameters_are_not_left_out() -> None:
    result = pasted(
        "curl -u abc:defdefdefdefdefdefdefdef http://127.0.0.1:5000/oauth/token "
        "-F grant_type=password -F username=test1 -F password=wachtwoord77"
    )
    assert families(verdicts(result)).isdisjoint({"code", "grant_type"})
    assert proven(result) == set()
    assert verdicts(result)["body.unreadable"] == "possible"


@pytest.mark.parametrize(
    "body",
    [
        b'{"grant_type": "authorization_code", "code": "0123456789abcdef"',
        b"<grant><grant_type>authorization_code</grant_type><code>0123456789abcdef</code></grant>",
        b'[{"grant_type": "authorization_code", "code": "0123456789abcdef"}]',
        b'--x\r\nContent-Disposition: form-data; name="code"\r\n\r\n0123456789abcdef\r\n--x--\r\n',
        b'{"grant_type": "authorization_code"}{"code": "0123456789abcdef"}',
    ],
)
def test_parameter_in_a_format_that_is_not_read_is_not_left_out(body: bytes) -> None:
    request = Request("POST", PARTNER, (("Content-Type", "application/x-other"),), body)
    diagnosis = diagnosed(request, refused("invalid_request", 'Missing parameter: "code" is required'))
    assert verdicts(diagnosis)["code.left_out"] == "ruled out"


def test_pushed_authorization_may_have_had_a_challenge() -> None:
    text = (
        "GET /authorize?client_id=7&request_uri=urn%3Ax&state=s1s1s1s1 HTTP/1.1\nHost: as.example\n\n"
        "HTTP/1.1 302 Found\nDate: Mon, 23 Nov 2026 10:00:00 GMT\n"
        "Location: https://app.example/cb?code=0123456789abcdef0123&state=s1s1s1s1\n\n"
    )
    assert read(text)  # the readers group it; the rules are asked below
    body = b"grant_type=authorization_code&code=0123456789abcdef0123&code_verifier=" + b"v" * 43
    past = InMemoryPast()
    vault = Vault(b"key")
    url = "https://as.example/authorize?client_id=7&request_uri=urn%3Ax"
    past.add(vault.redact(Exchange(Step.AUTHORIZE, Request("GET", url), NOW, Response(302), flow="f")))
    callback = "https://app.example/cb?code=0123456789abcdef0123"
    past.add(vault.redact(Exchange(Step.CALLBACK, Request("GET", callback), NOW, Response(200), flow="f")))
    exchange = Exchange(Step.TOKEN, Request("POST", "https://as.example/token", FORM, body), NOW, flow="f")
    exchange = Exchange(exchange.step, exchange.request, NOW, refused("invalid_grant"), flow="f")
    explanation = explain(exchange)
    assert explanation is not None
    judged = verdicts(diagnose(exchange, explanation, past=past, vault=vault))
    assert (judged["pkce.not_asked"], judged["redirect_uri.left_out"]) == ("unknown", "unknown")


def test_missing_secret_of_a_public_client_is_not_proven() -> None:
    body = b"grant_type=authorization_code&client_id=7&code=0123456789abcdef&code_verifier=" + b"v" * 43
    request = Request("POST", "https://as.example/token", FORM, body)
    assert verdicts(diagnosed(request, refused("invalid_client")))["client.credentials_missing"] == "possible"


# Methods.


def test_redirect_does_not_say_which_method_is_taken() -> None:
    request = Request("POST", "/mcp/")
    item = Pasted(request, Response(307, "Temporary Redirect"), Step.API, unknown=LINE_ONLY)
    assert proven(finding(item)) == set()
    assert proven(pasted('10.0.0.1:1 - "POST /mcp/ HTTP/1.1" 307 Temporary Redirect')) == set()


@pytest.mark.parametrize(
    ("step", "method", "status", "headers", "verdict"),
    [
        (Step.TOKEN, "GET", 405, (), "proven"),
        (Step.TOKEN, "GET", 405, (("Allow", "GET, HEAD"),), "ruled out"),
        (Step.TOKEN, "GET", 404, (), "possible"),
        (Step.TOKEN, "POST", 404, (), "ruled out"),
        (Step.API, "POST", 405, (), "unknown"),
        (Step.API, "POST", 405, (("Allow", "GET"),), "proven"),
        (Step.API, "PUT", 404, (), "unknown"),
    ],
)
def test_method_is_judged_by_what_the_response_allows(
    step: Step, method: str, status: int, headers: tuple[tuple[str, str], ...], verdict: str
) -> None:
    diagnosis = diagnosed(Request(method, "https://as.example/x"), Response(status, "", headers), step=step)
    assert verdicts(diagnosis)["request.method"] == verdict


def test_unknown_method_is_not_judged() -> None:
    item = Pasted(
        Request("GET", "https://as.example/token"), Response(405), Step.TOKEN, unknown=frozenset({Part.METHOD})
    )
    assert verdicts(finding(item))["request.method"] == "unknown"


# One provider.


def test_headers_of_one_provider_say_nothing_of_another() -> None:
    result = pasted("curl https://graph.facebook.com/me -H 'Authorization: Bearer EAAabcdefghijklmnopqrstuvwxyz'")
    assert verdicts(result) == {}


@pytest.mark.parametrize(("host", "verdict"), [("www.olx.pl", "proven"), ("as.example", "unknown")])
def test_lifetimes_of_one_provider_say_nothing_of_another(host: str, verdict: str) -> None:
    past, vault = InMemoryPast(), Vault(b"key")
    callback = Exchange(
        Step.CALLBACK, Request("GET", "https://app.example/cb?code=0123456789abcdef0123"), NOW, Response(200), flow="f"
    )
    past.add(vault.redact(callback))
    body = b"grant_type=authorization_code&client_id=7&code=0123456789abcdef0123"
    request = Request("POST", f"https://{host}/api/open/oauth/token", FORM, body)
    response = refused("invalid_grant", "Authorization code doesn't exist or is invalid for the client")
    exchange = Exchange(Step.TOKEN, request, NOW.replace(hour=13), response, flow="f")
    explanation = explain(exchange)
    assert explanation is not None
    assert verdicts(diagnose(exchange, explanation, past=past, vault=vault))["code.expired"] == verdict


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("https://www.olx.ua/api/open/oauth/token", 11),
        ("https://api.paypal.com/v1/oauth2/token", None),
        ("https://as.example/token", None),
        ("https://as.example/api/open/oauth/token", 11),  # a name over the one of the provider
        ("https://as.test/token", 11),
        ("http://10.0.0.5:8600/token", 11),
        ("https://sandbox.our-company.com/api/open/oauth/token", 11),
        ("", 11),
    ],
)
def test_numbers_of_one_provider_are_not_those_of_another(address: str, number: int | None) -> None:
    response = refused("invalid_grant", "Invalid refresh token")
    explanation = finding(Pasted(Request("POST", address), response, Step.TOKEN)).explanation
    assert explanation is not None
    assert (explanation.number, explanation.error, explanation.error_description) == (
        number,
        "invalid_grant",
        "Invalid refresh token",
    )
    assert explanation.title == ("Invalid refresh token" if number else "The refresh token is not valid")


@pytest.mark.parametrize(
    ("grant", "ids"),
    [("authorisation_code", {"grant.misspelt"}), ("urn:ietf:params:oauth:grant-type:jwt-bearer", set())],
)
def test_grant_of_another_provider_is_at_most_suspected(grant: str, ids: set[str]) -> None:
    body = (
        f"grant_type={grant}&client_id=7&client_secret=0123456789abcdef&code=0123456789&redirect_uri=https://a.example"
    )
    request = Request("POST", "https://as.example/token", FORM, body.encode())
    warned = preflight(request, Step.TOKEN, flow=None, past=NoPast(), now=NOW)
    assert {cause.id for cause in warned} == ids
    assert "proven" not in {cause.verdict.value for cause in warned}


# The causes follow the words.


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Refresh token revoked", {"refresh_token"}),
        ("AADSTS700082: The refresh token has expired due to inactivity.", {"refresh_token"}),
        ("invalid refresh_token", {"refresh_token"}),
        ("Code not valid", {"code", "redirect_uri", "pkce"}),
        ("OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh"
         " token.", {"code", "redirect_uri", "pkce"}),
        ("code_verifier is invalid", {"pkce"}),
        ("PKCE verification failed", {"pkce"}),
        ("The Code_Verifier does not match the code_challenge supplied in the authorization request.", {"pkce"}),
        ("redirect_uri does not match the one of the authorization code", {"redirect_uri"}),
        ("Incorrect redirect URI", {"redirect_uri"}),
        ("Invalid JWT Signature.", set()),
        ("Invalid username or password", set()),
    ],
)  # fmt: skip
def test_causes_of_a_refused_grant_follow_the_words(description: str, expected: set[str]) -> None:
    body = json.dumps({"error": "invalid_grant", "error_description": description})
    assert families(verdicts(pasted(body))) == expected


def test_remedy_of_a_refused_grant_follows_the_words() -> None:
    result = pasted('{"error":"invalid_grant","error_description":"Refresh token revoked"}')
    assert result.explanation is not None
    assert result.explanation.entry == "rfc6749/invalid_grant"
    shown = " ".join((result.explanation.title, result.explanation.cause, *result.explanation.remedy)).lower()
    assert "refresh token" in shown
    for word in ("redirect", "code", "pkce"):
        assert word not in shown


def test_without_words_the_grant_of_the_request_decides() -> None:
    body = b"grant_type=refresh_token&client_id=7&refresh_token=0123456789abcdef"
    request = Request("POST", "https://as.example/token", FORM, body)
    judged = verdicts(diagnosed(request, refused("invalid_grant", "Token is not active"), step=Step.REFRESH))
    assert families(judged) == {"refresh_token"}


@pytest.mark.parametrize("words", ["Missing parameter in request", "Missing required parameters: see documentation"])
def test_word_after_missing_parameter_is_not_always_its_name(words: str) -> None:
    request = Request("POST", "https://as.example/token", FORM, b"grant_type=client_credentials&client_id=7")
    judged = verdicts(diagnosed(request, refused("invalid_request", words)))
    assert not [id for id, verdict in judged.items() if "left_out" in id and verdict != "ruled out"]


# Time.


def test_history_proves_nothing_of_an_exchange_without_a_time() -> None:
    """The row may be from before or from after it."""
    code, vault, past = "0123456789abcdef0123", Vault(b"key"), InMemoryPast()
    body = f"grant_type=authorization_code&client_id=7&code={code}".encode()
    request = Request("POST", PARTNER, FORM, body)
    success = Response(200, "", JSON, b'{"access_token": "fedcba9876543210fedc"}')
    past.add(vault.redact(Exchange(Step.TOKEN, request, NOW, success)))
    response = refused("invalid_grant", "Authorization code doesn't exist or is invalid for the client")
    for started_at, verdict in ((NOW.replace(hour=13), "proven"), (None, "possible")):
        items = [Pasted(request, response, Step.TOKEN, started_at)]
        (result,) = Paste(items, vault, NOW.replace(hour=14)).findings(further=past)
        assert verdicts(result)["code.used"] == verdict


def test_time_of_the_paste_is_no_time_of_the_exchange() -> None:
    """Neither the age of a token, nor the end of a wait, nor the error report may count from it."""
    token, vault, past = "0123456789abcdef0123", Vault(b"key"), InMemoryPast()
    issued = Response(200, "", JSON, f'{{"access_token": "{token}", "expires_in": 60}}'.encode())
    form = b"grant_type=client_credentials&client_id=7"
    past.add(vault.redact(Exchange(Step.TOKEN, Request("POST", PARTNER, FORM, form), NOW, issued)))
    request = Request("GET", "https://www.olx.pl/api/partner/users/me", (("Authorization", f"Bearer {token}"),))
    response = replace(refused("invalid_token", ""), status=401, headers=(*JSON, ("Retry-After", "30")))
    for started_at, verdict in ((NOW.replace(hour=13), "proven"), (None, "unknown")):
        items = [Pasted(request, response, Step.API, started_at)]
        (result,) = Paste(items, vault, NOW.replace(hour=14)).findings(further=past)
        assert result.explanation is not None
        assert verdicts(result)["access_token.expired"] == verdict
        assert (result.exchange.retry_at is None) == (started_at is None)
        report = ticket.summary(result.exchange, result.explanation, result.diagnosis)
        assert ("Time: unknown" in report) == (started_at is None)


@pytest.mark.parametrize(
    ("text", "error", "description", "title_not"),
    [
        (
            "HTTP/1.1 403 Forbidden\nContent-Type: application/json\n\n"
            '{"message":"The access token provided has expired"}',
            "",
            "The access token provided has expired",
            "Refused, possibly by the rate limit",
        ),
        (
            '"Internal Server Error (500)": message: "The code passed is incorrect or expired.", '
            'message_key: "bad_verification_code"',
            "bad_verification_code",
            "The code passed is incorrect or expired.",
            "The server failed",
        ),
    ],
)
def test_remark_on_the_status_hides_no_error(text: str, error: str, description: str, title_not: str) -> None:
    explanation = pasted(text).explanation
    assert explanation is not None
    assert (explanation.error, explanation.error_description) == (error, description)
    assert explanation.title != title_not


@pytest.mark.parametrize(
    ("status", "error", "description"),
    [
        ("", "invalid_client", "The client credentials are invalid"),
        ("400\n", "invalid_request", "The grant type was not specified in the request"),
    ],
)
def test_pasted_request_line_proves_nothing(status: str, error: str, description: str) -> None:
    body = json.dumps({"error": error, "error_description": description})
    result = pasted(f"POST /api/open/oauth/token\n{status}\n{body}")
    assert result.explanation is not None
    assert result.explanation.error == error
    assert proven(result) == set()
