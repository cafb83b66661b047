import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.catalogue import documented
from oauth.catalogue.entries import DocumentedError
from oauth.catalogue.matcher import Where, fold, match, read_json
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
    found = match(400, (), value if isinstance(value, bytes) else encoded(value))
    assert found is not None
    return found.documented.number if found.documented else None


@pytest.mark.parametrize("number", NUMBERS)
def test_the_body_as_printed_is_that_error_exactly(number: int, bodies: dict[int, bytes]) -> None:
    entry = documented()[number]
    found = match(entry.status, (), bodies[number])
    assert found is not None
    assert (found.documented, found.how, found.where) == (entry, "exact", Where.BODY)
    assert (found.error, found.description) == (entry.error, entry.description)
    assert found.status_as_documented is (None if entry.status is None else True)
    assert found.registered is None


@pytest.mark.parametrize("number", NUMBERS)
def test_another_status_is_said_to_differ(number: int) -> None:
    entry = documented()[number]
    for status in (200, 403, 500):
        found = match(status, (), encoded(members(entry)))
        assert found is not None
        assert found.documented == entry
        assert found.status_as_documented is (None if entry.status is None else False)
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
def test_form_wrapping_and_order_change_nothing(
    number: int, indent: int | str | None, ascii_only: bool, wrapped: bool, backwards: bool, more: dict[str, Any]
) -> None:
    pairs = list({**members(documented()[number]), **more}.items())
    value: dict[str, Any] = dict(reversed(pairs) if backwards else pairs)
    text = json.dumps({"data": value} if wrapped else value, indent=indent, ensure_ascii=ascii_only)
    found = match(400, (), text.encode("utf-8", "replace"))
    assert found is not None
    assert found.documented is not None
    assert (found.documented.number, found.how) == (number, "exact")
    assert found.where is (Where.DATA if wrapped else Where.BODY)


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
    found = match(400, (), encoded(value))
    assert found is not None
    assert (found.documented, found.how) == (entry, "folded")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "Missing parameter: “code” is required"),
        (1, "Missing parameter: „code” is required"),
        (2, "Authorization code doesn’t exist or is invalid for the client"),
    ],
)
def test_typographic_quotes_are_folded(number: int, text: str) -> None:
    found = match(400, (), encoded({"error": documented()[number].error, "error_description": text}))
    assert found is not None
    assert found.documented is not None
    assert (found.documented.number, found.how) == (number, "folded")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("invalid_request", 'Missing parameter: "refresh_token" is required'),
        ("invalid_request", "Missing parameter: code is required"),
        ("invalid_request", "Missing parameter: 'code' is required"),
        ("invalid_grant", "The authorization code has expired"),
        ("invalid_grant", "Authorization code doesn't exist or is invalid for the client."),
        ("invalid_grant", "Invalid refresh token 2"),
        ("invalid_grant", "refresh token"),
        ("invalid_grant", ""),
        ("invalid_client", "Client is inactive"),
        ("insufficient_scope", "Insufficient scope"),
        ("redirect_uri_mismatch", "The redirect URI is missing or do not match"),
    ],
)
def test_an_undocumented_text_has_no_number_and_keeps_its_code(code: str, text: str) -> None:
    found = match(400, (), encoded({"error": code, "error_description": text}), step=Step.TOKEN)
    assert found is not None
    assert (found.documented, found.how, found.status_as_documented) == (None, None, None)
    assert (found.error, found.description) == (code, text)
    assert found.registered is not None
    assert found.registered.code == code


@given(number=st.sampled_from(NUMBERS), place=st.integers(0, 80), letter=st.characters(categories=["Ll", "Nd"]))
def test_one_more_letter_is_another_text(number: int, place: int, letter: str) -> None:
    entry = documented()[number]
    text = entry.description[:place] + letter + entry.description[place:]
    assert number_of({"error": entry.error or None, "error_description": text}) is None


@pytest.mark.parametrize("number", [number for number in NUMBERS if number != 9])
def test_a_documented_text_under_another_code_is_not_that_error(number: int) -> None:
    entry = documented()[number]
    for code in {other.error for other in documented().values() if other.error} - {entry.error}:
        assert number_of({"error": code, "error_description": entry.description}) is None


@pytest.mark.parametrize("number", NUMBERS)
def test_the_shape_of_the_api_may_carry_any_of_them(number: int) -> None:
    entry = documented()[number]
    detail = {"error": {"status": 400, "title": "Bad Request", "detail": entry.description, "validation": []}}
    assert number_of(detail) == number
    assert number_of({"data": detail}) == number


def test_the_status_that_a_body_states_is_kept() -> None:
    found = match(None, (), encoded({"error": {"status": 422, "title": "Unprocessable", "detail": "No"}}))
    assert found is not None
    assert (found.stated_status, found.description, found.error) == (422, "No", "")


def test_a_title_stands_in_for_a_missing_detail() -> None:
    found = match(404, (), encoded({"error": {"status": 404, "title": "Not Found"}}))
    assert found is not None
    assert found.description == "Not Found"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_challenge_is_read(number: int) -> None:
    entry = documented()[number]
    text = entry.description.replace('"', '\\"')
    code = f'error="{entry.error}", ' if entry.error else ""
    headers = (
        ("Content-Type", "text/html"),
        ("www-authenticate", f'Basic realm="a, b", Bearer realm="api", {code}error_description="{text}", scope="v2"'),
    )
    found = match(401, headers, b"")
    assert found is not None
    assert (found.documented, found.where, found.how) == (entry, Where.CHALLENGE, "exact")
    assert found.matched_text in headers[1][1]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("separator", ["?", "?a=b&", "#", "?a=b#"])
def test_an_error_redirect_is_read(number: int, separator: str) -> None:
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


def test_a_redirect_with_a_code_is_no_error() -> None:
    assert match(302, (("Location", "/callback?code=abc&state=x"),), b"") is None


def test_the_place_with_a_documented_text_counts() -> None:
    challenge = (("WWW-Authenticate", 'Bearer error="invalid_token", error_description="Expired"'),)
    body = encoded(members(documented()[7]))
    found = match(401, challenge, body)
    assert found is not None
    assert found.where is Where.BODY
    other_way = (("WWW-Authenticate", f'Bearer error_description="{documented()[7].description}"'),)
    found = match(401, other_way, encoded({"error": "invalid_token", "error_description": "Expired"}))
    assert found is not None
    assert (found.where, found.documented) == (Where.CHALLENGE, documented()[7])


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
def test_the_step_or_place_chooses_the_meaning(
    headers: tuple[tuple[str, str], ...], step: Step | None, reference: str
) -> None:
    body = b"" if headers else encoded({"error": "invalid_request", "error_description": "No"})
    found = match(400, headers, body, step=step)
    assert found is not None
    assert found.registered is not None
    assert found.registered.reference == reference


@pytest.mark.parametrize("number", NUMBERS)
def test_the_matched_text_is_the_part_of_the_printed_body(number: int, bodies: dict[int, bytes]) -> None:
    found = match(400, (), bodies[number])
    assert found is not None
    text = bodies[number].decode()
    assert text.count(found.matched_text) >= 1
    assert json.loads(found.matched_text) == documented()[number].description


def test_the_matched_text_keeps_the_escapes_of_the_body() -> None:
    body = b'{"error":"invalid_grant","error_description":"Authorization code doesn\\u0027t exist"}'
    found = match(400, (), body)
    assert found is not None
    assert found.matched_text == '"Authorization code doesn\\u0027t exist"'


def test_a_code_without_text_is_the_matched_part() -> None:
    found = match(400, (), b'{"error": "invalid_grant"}')
    assert found is not None
    assert found.matched_text == '"invalid_grant"'


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"null", b'"error"', b"<html></html>", b'{"error": null}', b'{"error": []}', b'{"data": {}}',
     b'{"access_token": "a"}', b'{"error": {}}', b"\xff\xfe", b'{"error": false, "error_description": 3}'],
)  # fmt: skip
def test_a_body_without_error_has_no_match(body: bytes) -> None:
    assert match(400, (), body) is None


def test_a_byte_order_mark_is_no_obstacle() -> None:
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
def test_extreme_bodies_do_no_harm(body: bytes) -> None:
    assert match(400, (), body) is None


@given(st.binary(max_size=200), st.lists(st.tuples(st.text(), st.text())), st.text(), st.integers() | st.none())
def test_no_input_raises(body: bytes, headers: list[tuple[str, str]], address: str, status: int | None) -> None:
    named = [(name, value) for _, value in headers for name in ("WWW-Authenticate", "Location")]
    found = match(status, tuple(headers + named), body, address=address)
    assert found is None or found.documented is None


@given(JSON, st.sampled_from([None, *Step]))
def test_no_json_raises(value: object, step: Step | None) -> None:
    found = match(400, (), encoded(value), step=step)
    assert found is None or found.documented is None


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(JSON.filter(lambda value: value == value))
def test_valid_json_is_read_as_it_is(value: object) -> None:
    assert json.dumps(read_json(encoded(value))) == json.dumps(value)


def test_a_percent_encoded_address_is_decoded_once() -> None:
    text = quote(quote("Client is not active"))
    found = match(None, (), b"", address=f"/callback?error=invalid_client&error_description={text}")
    assert found is not None
    assert found.documented is None
