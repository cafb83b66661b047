from datetime import UTC, datetime, timedelta

from oauth import paste
from oauth.diagnosis import Earlier
from oauth.exchange import Exchange, Request, Response, Step
from oauth.paste.diagnosed import Diagnosed, diagnosed
from oauth.redaction import Vault

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CODE = "0123456789abcdef0123"
URL = "https://www.olx.pl/api/open/oauth/token"
GRANT = (
    '{"error": "invalid_grant", "error_description": "Authorization code doesn\'t exist or is invalid for the client"}'
)
REQUEST = (
    "POST /api/open/oauth/token HTTP/1.1\nHost: www.olx.pl\nContent-Type: application/x-www-form-urlencoded\n\n"
    f"grant_type=authorization_code&client_id=7&code={CODE}\n"
)


def read(text: str) -> list[Diagnosed]:
    return list(diagnosed(paste.read(text), Vault(b"key"), NOW))


def verdicts(item: Diagnosed) -> dict[str, str]:
    assert item.diagnosis is not None
    return {cause.id: cause.verdict.value for cause in item.diagnosis.causes}


def answer(status: str, minute: int, body: str) -> str:
    return f"HTTP/1.1 {status}\nDate: Mon, 23 Nov 2026 10:{minute:02}:00 GMT\n\n{body}\n"


def test_an_earlier_exchange_of_the_code_in_the_paste_is_found() -> None:
    success = answer("200 OK", 0, '{"access_token": "fedcba9876543210fedc"}')
    first, second = read(REQUEST + "\n" + success + "\n" + REQUEST + "\n" + answer("400 Bad Request", 1, GRANT))
    assert first.explanation is None
    assert verdicts(second)["code.used"] == "proven"


def test_without_times_nothing_is_said_of_the_codes_age() -> None:
    token = f"curl {URL} -d grant_type=authorization_code -d code={CODE}\n{GRANT}"
    callback, second = read(f"curl 'https://app.example/cb?code={CODE}&state=s1s1s1s1'\n{token}")
    assert callback.pasted.step is Step.CALLBACK
    assert verdicts(second)["code.expired"] == "unknown"


def test_a_request_whose_file_was_not_read_is_not_judged_by_its_body() -> None:
    missing = '{"error": "invalid_request", "error_description": "The grant type was not specified in the request"}'
    (found,) = read(f"curl {URL} -d @body.json\n{missing}")
    assert set(verdicts(found).values()) == {"unknown"}
    (alone,) = read(f"curl {URL} -d @body.json")
    assert alone.before_sending == ()


def test_a_response_without_its_body_is_not_called_empty() -> None:
    (found,) = read(f"requests.exceptions.HTTPError: 400 Client Error: Bad Request for url: {URL}")
    assert found.explanation is None


def test_what_is_given_out_is_redacted() -> None:
    (found,) = read(REQUEST + "\n" + answer("400 Bad Request", 0, GRANT.replace("doesn't", CODE)))
    assert CODE not in repr((found.exchange, found.explanation, found.diagnosis))
    assert CODE.encode() not in found.exchange.request.body


def test_the_past_of_a_paste_answers_from_its_rows_and_from_what_is_behind_it() -> None:
    vault = Vault(b"key")
    body = f"grant_type=authorization_code&client_id=7&code={CODE}".encode()
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    row = vault.redact(Exchange(Step.TOKEN, Request("POST", URL, headers, body), NOW, Response(200), flow="f"))
    first, second = Earlier(), Earlier(further=Earlier())
    assert first.sightings([vault.placeholder("code", CODE)]) == ()
    for past in (first, second.further):
        assert isinstance(past, Earlier)
        past.add(row)
    for past in (first, second):
        assert past.sightings([vault.placeholder("code", CODE)]) == (row,)
        assert past.sightings([vault.placeholder("code", CODE[::-1])]) == ()
        assert past.flow("f") == (row,)
        assert past.flow("") == ()
        assert past.token_requests("7") == (row,)
        assert past.token_requests("8") == ()
        assert past.sent_to("www.olx.pl", NOW - timedelta(seconds=1), NOW) == 1
        assert past.sent_to("www.olx.pl", NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)) == 0
