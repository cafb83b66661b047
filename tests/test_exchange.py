from datetime import UTC, datetime, timedelta

import pytest

from oauth.exchange import Exchange, Request, Response, Step, first_headers

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "until"),
    [
        ("120", NOW + timedelta(seconds=121)),
        (" 0 ", NOW + timedelta(seconds=1)),
        ("Sun, 01 Mar 2026 10:05:00 GMT", NOW + timedelta(minutes=5)),
        ("Sunday, 01-Mar-26 10:05:00 GMT", NOW + timedelta(minutes=5)),
        ("Sun Mar  1 10:05:00 2026", NOW + timedelta(minutes=5)),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 30, None),
    ],
)
def test_retry_after_gives_the_time_of_the_next_request(value: str, until: datetime | None) -> None:
    response = Response(429, headers=(("retry-after", value),))
    assert Exchange(Step.API, Request("GET", "x"), NOW, response, duration_ms=1000).retry_at == until


def test_without_retry_after_there_is_no_wait() -> None:
    assert Exchange(Step.API, Request("GET", "x"), NOW, Response(429)).retry_at is None
    assert Exchange(Step.API, Request("GET", "x"), NOW).retry_at is None


def test_the_first_of_several_headers_counts_in_any_letter_case() -> None:
    headers = (("Accept", "a"), ("DPoP", "b"), ("dpop", "c"), ("X", "d"))
    assert first_headers(headers, frozenset({"dpop", "accept", "origin"})) == {"accept": "a", "dpop": "b"}
