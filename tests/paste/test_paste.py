import json

import pytest

from oauth import paste
from oauth.exchange import Part, Response
from oauth.paste import ParseError

GRANT = b'{"error":"invalid_grant","error_description":"Invalid refresh token"}'


def response(item: paste.Pasted) -> Response:
    assert item.response is not None
    return item.response


def test_several_exchanges_keep_their_order() -> None:
    text = f"HTTP/1.1 400 Bad\n\n{GRANT.decode()}\n\nHTTP/1.1 500 Oh\n\nx"
    assert [item.status for item in paste.read(text)] == [400, 500]


def test_byte_order_mark_is_removed() -> None:
    (result,) = paste.read("\ufeff" + GRANT.decode())
    assert response(result).body == GRANT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: the text is empty."),
        (" \n\t", "line 1, column 1: the text is empty."),
        ("\ufeff", "line 1, column 1: the text is empty."),
        (
            "It does not work.",
            "line 1, column 1: neither JSON nor an HTTP message, curl command, address or known message was found.",
        ),
        ("see {this}", "line 1, column 10: expected a colon between name and value."),
        ('one\ntwo {"x" 1}', "line 2, column 6: the string that begins here is not closed."),
    ],
)
def test_unreadable_text_is_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        paste.read(text)
    assert str(caught.value).endswith(message)
    assert "\n" not in str(caught.value)


def test_oversized_text_is_refused() -> None:
    with pytest.raises(ParseError, match="larger than 50 MiB"):
        paste.read("é" * (paste.MOST_OCTETS // 2 + 1))


def test_too_many_exchanges_are_refused() -> None:
    with pytest.raises(ParseError, match="more than 100,000 exchanges"):
        paste.read("HTTP/1.1 200 OK\n" * (paste.MOST_EXCHANGES + 1))


def test_the_documentations_bodies_are_repaired() -> None:
    (result,) = paste.read('1. Missing\nHTTP code: 400 Bad Request\n{\n"error": "invalid_request",\n}\nSolution:\n- x')
    assert (result.status, json.loads(response(result).body)) == (400, {"error": "invalid_request"})
    assert result.repairs == ("trailing comma removed",)


def test_pasted_addresses_and_files_are_never_opened() -> None:
    (result,) = paste.read("curl https://api.example/token -d @/etc/hostname -F file=@/etc/passwd")
    assert result.request is not None
    assert b"root" not in result.request.body
    assert "the file /etc/passwd of --form was not read" in result.repairs
    assert Part.REQUEST_BODY in result.unknown


def test_lone_surrogate_is_replaced() -> None:
    [result] = paste.read("curl https://h.example/token -d 'code=\ud800abc'")
    assert result.request is not None
    assert result.request.body.decode() == "code=\ufffdabc"
