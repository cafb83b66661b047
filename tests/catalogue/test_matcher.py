import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.catalogue import documented
from oauth.catalogue.entries import DocumentedError
from oauth.catalogue.folding import fold
from oauth.catalogue.matcher import Where, match, read_json
from oauth.exchange import Step

NUMBERS = range(1, 12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["error", "data", "error_description", "status"]), inner)
    ),
    max_leaves=20,
)


def members(entry: DocumentedError) -> dict[str, Any]:
    """The documented body of an error, as valid JSON would have it."""
    if not entry.error:
        return {"error": {"status": entry.status, "title": "Bad Request", "detail": entry.description}}
    title = {"error_human_title": entry.human_title} if entry.human_title else {}
    return {"error": entry.error, "error_description": entry.description, **title}


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def number_of(value: object) -> int | None:
    result = match(400, (), value if isinstance(value, bytes) else encoded(value))
    assert result is not None
    return result.documented.number if result.documented else None


@pytest.mark.parametrize("number", NUMBERS)
def test_documented_body_matches_exactly(number: int, bodies: dict[int, bytes]) -> None:
    entry = documented()[number]
    result = match(entry.status, (), bodies[number])
    assert result is not None
    assert (result.documented, result.how, result.where) == (entry, "exact", Where.BODY)
    assert (result.error, result.description) == (entry.error, entry.description)
    assert result.status_as_documented is (None if entry.status is None else True)
    assert result.registered is None


@pytest.mark.parametrize("number", NUMBERS)
def test_different_status_is_reported(number: int) -> None:
    entry = documented()[number]
    for status in (200, 403, 500):
        result = match(status, (), encoded(members(entry)))
        assert result is not None
        assert result.documented == entry
        assert result.status_as_documented is (None if entry.status is None else False)
    unknown = match(None, (), encoded(members(entry)))
    assert unknown is not None
    assert unknown.status_as_documented is None


@given(
    number=st.sampled_from(NUMBERS),
    indent=st.none() | st.integers(0, 8) | st.sampled_from(["\t", "\r\n"]),
    ascii_only=st.booleans(),
    wrapped=st.booleans(),
    backwards=st.booleans(),
    more=st.dictionaries(st.text(min_size=1).map(lambda name: f"x_{name}"), JSON, max_size=3),
)
def test_wrapping_and_member_order_do_not_matter(
    number: int, indent: int | str | None, ascii_only: bool, wrapped: bool, backwards: bool, more: dict[str, Any]
) -> None:
    pairs = list({**members(documented()[number]), **more}.items())
    value: dict[str, Any] = dict(reversed(pairs) if backwards else pairs)
    text = json.dumps({"data": value} if wrapped else value, indent=indent, ensure_ascii=ascii_only)
    result = match(400, (), text.encode("utf-8", "replace"))
    assert result is not None
    assert result.documented is not None
    assert (result.documented.number, result.how) == (number, "exact")
    assert result.where is (Where.DATA if wrapped else Where.BODY)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "alter",
    [str.upper, str.lower, lambda text: f"  {text}\n", lambda text: text.replace(" ", " \u00a0\n")],
)
def test_case_and_white_space_are_folded(number: int, alter: Any) -> None:
    entry = documented()[number]
    value = members(entry)
    if entry.error:
        value["error_description"] = alter(entry.description)
    else:
        value["error"]["detail"] = alter(entry.description)
    result = match(400, (), encoded(value))
    assert result is not None
    assert (result.documented, result.how) == (entry, "folded")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "Missing parameter: “code” is required"),
        (1, "Missing parameter: „code” is required"),
        (2, "Authorization code doesn’t exist or is invalid for the client"),
    ],
)
def test_typographic_quotes_are_folded(number: int, text: str) -> None:
    result = match(400, (), encoded({"error": documented()[number].error, "error_description": text}))
    assert result is not None
    assert result.documented is not None
    assert (result.documented.number, result.how) == (number, "folded")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("invalid_request", 'Missing parameter: "refresh_token" is required'),
        ("invalid_request", "Missing parameter: code is required"),
        ("invalid_request", "Missing parameter: 'code' is required"),
        ("invalid_grant", "The authorization code has expired"),
        ("invalid_grant", "Authorization code doesn't exist or is invalid for the client. Ask again."),
        ("invalid_grant", "Invalid refresh token 2"),
        ("invalid_grant", "refresh token"),
        ("invalid_grant", ""),
        ("invalid_client", "Client is inactive"),
        ("insufficient_scope", "Insufficient scope"),
        ("redirect_uri_mismatch", "The redirect URI is missing or do not match"),
    ],
)
def test_undocumented_text_has_no_number_and_keeps_its_code(code: str, text: str) -> None:
    result = match(400, (), encoded({"error": code, "error_description": text}), step=Step.TOKEN)
    assert result is not None
    assert (result.documented, result.how, result.status_as_documented) == (None, None, None)
    assert (result.error, result.description) == (code, text)
    assert result.registered is not None
    assert result.registered.code == code


@given(number=st.sampled_from(NUMBERS), place=st.integers(0, 80), letter=st.characters(categories=["Ll", "Nd"]))
def test_text_with_an_extra_letter_does_not_match(number: int, place: int, letter: str) -> None:
    entry = documented()[number]
    text = entry.description[:place] + letter + entry.description[place:]
    assert number_of({"error": entry.error or None, "error_description": text}) is None


@pytest.mark.parametrize("number", [number for number in NUMBERS if number != 9])
def test_documented_text_with_a_different_code_does_not_match(number: int) -> None:
    entry = documented()[number]
    for code in {other.error for other in documented().values() if other.error} - {entry.error}:
        assert number_of({"error": code, "error_description": entry.description}) is None


@pytest.mark.parametrize("number", NUMBERS)
def test_api_error_format_matches_every_documented_error(number: int) -> None:
    entry = documented()[number]
    detail = {"error": {"status": 400, "title": "Bad Request", "detail": entry.description, "validation": []}}
    assert number_of(detail) == number
    assert number_of({"data": detail}) == number


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "alter",
    [
        lambda text: f"{text}.",
        lambda text: text.replace(" ", "\u200b "),
        lambda text: text.replace(" ", "\u00ad "),
        lambda text: text.replace("'", "&#39;").replace('"', "&quot;") + " ",
        lambda text: text.replace("'", "&amp;#39;").replace('"', "&amp;quot;") + " ",
    ],
)
@pytest.mark.parametrize("member", ["error_description", "ERROR_DESCRIPTION", "errorDescription", "message", "detail"])
def test_whole_text_is_recognised_in_other_spellings(number: int, alter: Any, member: str) -> None:
    entry = documented()[number]
    code = {"ERROR" if member.isupper() else "error": entry.error} if entry.error else {}
    result = match(400, (), encoded({**code, member: alter(entry.description)}))
    assert result is not None
    assert (result.documented, result.how) == (entry, "folded")


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "members", [{"status": 400}, {"title": "Bad Request", "status": 400}, {"error": "Bad Request"}]
)
@pytest.mark.parametrize("member", ["message", "detail"])
def test_reason_phrase_is_no_other_code(number: int, members: dict[str, Any], member: str) -> None:
    assert number_of({**members, member: documented()[number].description}) == number


def test_code_in_a_title_rules_a_number_out() -> None:
    assert number_of({"title": "invalid_token", "status": 401, "detail": documented()[7].description}) == 7
    assert number_of({"title": "invalid_grant", "status": 401, "detail": documented()[7].description}) is None


def test_documented_text_beside_another_description_is_recognised() -> None:
    assert number_of({"error": "invalid_grant", "error_description": "No", "message": "Invalid refresh token"}) == 11


@pytest.mark.parametrize("mark", ["...", "…", " (truncated...)", "... (truncated)", " [truncated 200 characters]"])
@pytest.mark.parametrize("is_closed", [True, False])
@pytest.mark.parametrize("number", NUMBERS)
def test_text_cut_off_by_a_logger_is_the_only_one_that_it_can_be(number: int, mark: str, is_closed: bool) -> None:
    entry = documented()[number]
    body = json.dumps({"error": entry.error or "", "error_description": entry.description[:-1] + mark})
    result = match(400, (), (body if is_closed else body[:-2]).encode())
    assert result is not None
    assert (result.documented, result.how) == ((entry, "cut") if len(entry.description) > 20 else (None, None))


@pytest.mark.parametrize("octets", range(75, 121, 5))
def test_body_cut_off_without_a_mark_is_the_only_one_that_it_can_be(octets: int) -> None:
    body = encoded(members(documented()[8]))[:octets]
    result = match(401, (), body)
    assert result is not None
    assert (result.documented, result.how) == (documented()[8], "cut")
    assert result.error == "insufficient_scope"


@pytest.mark.parametrize(
    "body",
    [
        '{"error":"invalid_request","error_description":"The ',
        '{"error":"unauthorized_client","error_description":"The grant type...',
        '{"error":"invalid_token","error_description":"The access token provided...',
        '{"error":"invalid_token","error_description":"The access token provided is...',
        '{"error":"invalid_grant","error_description":"Invalid refresh..."}',
        '{"error":"invalid_client","error_description":"The request requires higher privileges tha...',
        '{"error":"invalid_grant","error_description":"Something else that was cut...',
    ],
)
def test_cut_text_that_can_be_another_is_unknown(body: str) -> None:
    result = match(400, (), body.encode())
    assert result is not None
    if "provided is" in body:
        assert result.how == "cut"
    else:
        assert (result.documented, result.how) == (None, None)


def test_text_that_was_whole_before_the_cut_is_exact() -> None:
    body = '{"error":"invalid_grant","error_description":"Invalid refresh token","error_human_ti'
    result = match(400, (), body.encode())
    assert result is not None
    assert (result.documented, result.how) == (documented()[11], "exact")


def test_cut_code_is_not_read() -> None:
    assert match(400, (), b'{"error":"invalid_gra') is None


def test_caller_may_know_that_the_body_was_cut() -> None:
    body = encoded({"error": "insufficient_scope", "error_description": documented()[8].description[:60]})
    whole, cut = match(401, (), body), match(401, (), body, cut=True)
    assert whole is not None
    assert cut is not None
    assert (whole.documented, cut.how) == (None, "cut")


@pytest.mark.parametrize(
    ("body", "where", "text"),
    [
        ("error=invalid_grant&error_description=Invalid+refresh+token", Where.FORM,
         "error_description=Invalid+refresh+token"),
        ("<error>invalid_grant</error><error_description>Invalid refresh token</error_description>", Where.XML,
         "Invalid refresh token"),
        ('{"response":{"error":"invalid_grant","error_description":"Invalid refresh token"}}', Where.WRAPPED,
         '"Invalid refresh token"'),
    ],
)  # fmt: skip
def test_body_of_another_format_is_read(body: str, where: Where, text: str) -> None:
    result = match(200, (), body.encode())
    assert result is not None
    assert (result.documented, result.where, result.matched_text) == (documented()[11], where, text)


def test_error_of_another_server_in_a_message_is_read() -> None:
    text = "Error getting token: OAuth2TokenResponse{params: error=bad_code_x&error_description=It+is+old}"
    result = match(400, (), encoded({"error": {"code": 400, "message": text, "errors": [{"reason": "invalid"}]}}))
    assert result is not None
    assert (result.error, result.description) == ("bad_code_x", "It is old")


def test_request_id_and_shape_are_returned() -> None:
    result = match(400, (), encoded({"error": "invalid_grant", "error_description": "No", "request_id": "r-1"}))
    assert result is not None
    assert (result.request_id, result.shape) == ("r-1", "RFC 6749")


def test_status_stated_in_the_body_is_returned() -> None:
    result = match(None, (), encoded({"error": {"status": 422, "title": "Unprocessable", "detail": "No"}}))
    assert result is not None
    assert (result.stated_status, result.description, result.error) == (422, "No", "")


def test_title_replaces_a_missing_detail() -> None:
    result = match(404, (), encoded({"error": {"status": 404, "title": "Not Found"}}))
    assert result is not None
    assert result.description == "Not Found"


@pytest.mark.parametrize("number", NUMBERS)
def test_error_in_a_challenge_is_found(number: int) -> None:
    entry = documented()[number]
    text = entry.description.replace('"', '\\"')
    code = f'error="{entry.error}", ' if entry.error else ""
    headers = (
        ("Content-Type", "text/html"),
        ("www-authenticate", f'Basic realm="a, b", Bearer realm="api", {code}error_description="{text}", scope="v2"'),
    )
    result = match(401, headers, b"")
    assert result is not None
    assert (result.documented, result.where, result.how) == (entry, Where.CHALLENGE, "exact")
    assert result.matched_text in headers[1][1]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("separator", ["?", "?a=b&", "#", "?a=b#"])
def test_error_in_a_redirect_is_found(number: int, separator: str) -> None:
    entry = documented()[number]
    query = urlencode({"error": entry.error or "invalid_request", "error_description": entry.description, "state": "x"})
    address = f"https://client.example/callback{separator}{query}"
    in_header = match(302, (("Location", address),), b"")
    in_address = match(None, (), b"", address=address)
    assert in_header is not None
    assert in_address is not None
    assert (in_header.documented, in_header.where) == (entry, Where.LOCATION)
    assert (in_address.documented, in_address.where) == (entry, Where.ADDRESS)
    assert in_address.matched_text == "error_description=" + query.split("error_description=")[1].split("&")[0]


def test_redirect_with_a_code_has_no_error() -> None:
    assert match(302, (("Location", "/callback?code=abc&state=x"),), b"") is None


def test_documented_text_wins_over_other_places() -> None:
    challenge = (("WWW-Authenticate", 'Bearer error="invalid_token", error_description="Expired"'),)
    body = encoded(members(documented()[7]))
    result = match(401, challenge, body)
    assert result is not None
    assert result.where is Where.BODY
    other_way = (("WWW-Authenticate", f'Bearer error_description="{documented()[7].description}"'),)
    result = match(401, other_way, encoded({"error": "invalid_token", "error_description": "Expired"}))
    assert result is not None
    assert (result.where, result.documented) == (Where.CHALLENGE, documented()[7])


@pytest.mark.parametrize(
    ("headers", "step", "reference"),
    [
        ((), Step.TOKEN, "RFC 6749 §5.2"),
        ((), Step.REFRESH, "RFC 6749 §5.2"),
        ((), Step.API, "RFC 6750 §3.1"),
        ((), Step.AUTHORIZE, "RFC 6749 §4.1.2.1"),
        ((), None, "RFC 6749 §5.2"),
        ((("WWW-Authenticate", 'Bearer error="invalid_request"'),), None, "RFC 6750 §3.1"),
        ((("Location", "/?error=invalid_request"),), None, "RFC 6749 §4.1.2.1"),
    ],
)
def test_step_or_place_selects_the_meaning(
    headers: tuple[tuple[str, str], ...], step: Step | None, reference: str
) -> None:
    body = b"" if headers else encoded({"error": "invalid_request", "error_description": "No"})
    result = match(400, headers, body, step=step)
    assert result is not None
    assert result.registered is not None
    assert result.registered.reference == reference


@pytest.mark.parametrize("number", NUMBERS)
def test_matched_text_is_part_of_the_documented_body(number: int, bodies: dict[int, bytes]) -> None:
    result = match(400, (), bodies[number])
    assert result is not None
    text = bodies[number].decode()
    assert text.count(result.matched_text) >= 1
    assert json.loads(result.matched_text) == documented()[number].description


def test_matched_text_keeps_the_escapes_of_the_body() -> None:
    body = b'{"error":"invalid_grant","error_description":"Authorization code doesn\\u0027t exist"}'
    result = match(400, (), body)
    assert result is not None
    assert result.matched_text == '"Authorization code doesn\\u0027t exist"'


def test_code_without_text_is_the_matched_text() -> None:
    result = match(400, (), b'{"error": "invalid_grant"}')
    assert result is not None
    assert result.matched_text == '"invalid_grant"'


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"null", b'"error"', b"<html></html>", b'{"error": null}', b'{"error": []}', b'{"data": {}}',
     b'{"access_token": "a"}', b'{"error": {}}', b"\xff\xfe", b'{"error": false, "error_description": 3}'],
)  # fmt: skip
def test_body_without_error_has_no_match(body: bytes) -> None:
    assert match(400, (), body) is None


def test_byte_order_mark_is_ignored() -> None:
    assert number_of(b"\xef\xbb\xbf" + encoded(members(documented()[5]))) == 5


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"data":' * 200_000,
        b'{"error":' * 200_000 + b"1" + b"}" * 200_000,
        b'{"a":' + b"9" * 10_000 + b"}",
        b'{"error": "x", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_extreme_bodies_are_matched_without_raising(body: bytes) -> None:
    assert match(400, (), body) is None


@given(st.binary(max_size=200), st.lists(st.tuples(st.text(), st.text())), st.text(), st.integers() | st.none())
def test_any_input_is_matched_without_raising(
    body: bytes, headers: list[tuple[str, str]], address: str, status: int | None
) -> None:
    named = [(name, value) for _, value in headers for name in ("WWW-Authenticate", "Location")]
    result = match(status, tuple(headers + named), body, address=address)
    assert result is None or result.documented is None


@given(JSON, st.sampled_from([None, *Step]))
def test_any_json_is_matched_without_raising(value: object, step: Step | None) -> None:
    result = match(400, (), encoded(value), step=step)
    assert result is None or result.documented is None


@given(st.text())
def test_folding_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(JSON.filter(lambda value: value == value))
def test_valid_json_is_parsed_unchanged(value: object) -> None:
    assert json.dumps(read_json(encoded(value))) == json.dumps(value)


def test_percent_encoded_url_is_decoded_once() -> None:
    text = quote(quote("Client is not active"))
    result = match(None, (), b"", address=f"/callback?error=invalid_client&error_description={text}")
    assert result is not None
    assert result.documented is None
