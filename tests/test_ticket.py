from dataclasses import replace
from datetime import UTC, datetime

from oauth import ticket
from oauth.catalogue import documented
from oauth.exchange import Exchange, Request, Response, Step
from oauth.history.store import Row

START = datetime(2026, 11, 23, 10, 16, 19, tzinfo=UTC)


def rows(said: str) -> list[Row]:
    sent = Exchange(
        Step.AUTHORIZE, Request("GET", "https://p.example/authorize"), START, id=7, flow="f1", case="T-1|<b>"
    )
    known = documented()[2]
    body = f'{{"error": "{known.error}", "error_description": "{known.description}", "more": "{said}"}}'.encode()
    token = replace(sent, id=8, step=Step.TOKEN, request=Request("POST", "https://p.example/token"), duration_ms=2306)
    return [
        Row(sent),
        Row(replace(token, response=Response(400, "Bad Request", (("X-Request-Id", "r-1"),), body)), 2, known.error),
        Row(replace(token, id=9, response=Response(400, body=b'{"error": "a|b"}')), None, "a|b"),
    ]


def test_flow_is_a_table_with_failures_in_full() -> None:
    text = ticket.flow_summary(rows("plain"))
    lines = text.splitlines()
    assert lines[0] == "**Flow f1**, 2026-11-23 10:16:19 UTC"
    assert lines[1] == r"Case: T\-1\|&lt;b\>"
    assert lines[5] == "| 7 | 10:16:19 | authorize | no response |  |  |"
    assert lines[6].startswith("| 8 | 10:16:19 | token | 400 | 2.31 s | 2\\. ")
    assert lines[7] == r"| 9 | 10:16:19 | token | 400 | 2.31 s | a\|b |"
    assert "Row 8:" in lines
    assert "Request ID: r-1" in lines
    assert "Remedy:" in lines


def test_provider_text_cannot_leave_its_code_block() -> None:
    text = ticket.flow_summary(rows("x\n````\n# <script>"))
    assert "`````\n" in text
    outside = [part for number, part in enumerate(text.split("`````")) if number % 2 == 0]
    assert not any("<script>" in part for part in outside[:2])


def test_empty_flow_has_no_text() -> None:
    assert ticket.flow_summary([]) == ""
