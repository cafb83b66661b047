from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.history.filters import FilterError, Filters, where
from oauth.history.schema import exchanges
from oauth.history.store import History

FACTS: dict[str, dict[str, Any]] = {
    "ok": {"step": Step.API, "status": 200, "owner": "ada"},
    "moved": {"step": Step.AUTHORIZE, "status": 302, "owner": "ada", "flow": "f1"},
    "grant": {"status": 400, "number": 2, "error": "invalid_grant", "flow": "f1"},
    "token": {"step": Step.API, "status": 401, "number": 7, "error": "invalid_token"},
    "odd": {"status": 400, "error": "mystery"},
    "gone": {"failure": "timeout", "owner": "bob"},
    "open": {"step": Step.REFRESH},
}


@pytest.fixture
def filled(history: History, exchange: Callable[..., Exchange]) -> History:
    for case, facts in FACTS.items():
        sent = exchange(
            facts.get("step", Step.TOKEN), case=case, owner=facts.get("owner", ""), flow=facts.get("flow", "")
        )
        id = history.begin(sent)
        if "status" in facts or "failure" in facts:
            answered = replace(
                sent,
                response=Response(facts["status"]) if "status" in facts else None,
                failure=Failure(facts["failure"]) if "failure" in facts else None,
            )
            history.complete(
                id, answered, documented_error=facts.get("number"), error=facts.get("error", ""), error_description=""
            )
    return history


def cases(history: History, filters: Filters) -> list[str]:
    found = [row.exchange.case for row in history.rows(filters)]
    assert history.count(filters) == len(found)
    return found[::-1]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), list(FACTS)),
        (Filters(step="api"), ["ok", "token"]),
        (Filters(status="4xx"), ["grant", "token", "odd"]),
        (Filters(status="401"), ["token"]),
        (Filters(status="404"), []),
        (Filters(status="failed"), ["gone"]),
        (Filters(status="none"), ["open"]),
        (Filters(error="2"), ["grant"]),
        (Filters(error="invalid_token"), ["token"]),
        (Filters(error="mystery"), ["odd"]),
        (Filters(flow="f1"), ["moved", "grant"]),
        (Filters(owner="ada"), ["ok", "moved"]),
        (Filters(owner=""), ["grant", "token", "odd", "open"]),
        (Filters(step="token", status="4xx", error="invalid_grant", text="GRANT", flow="f1", owner=""), ["grant"]),
    ],
)
def test_each_filter_shows_what_it_says(filled: History, filters: Filters, expected: list[str]) -> None:
    assert cases(filled, filters) == expected


@pytest.mark.parametrize(
    "text",
    [
        "P.EXAMPLE/Path",
        "x-trace: ABC",
        'realm="Partner"',
        "SEARCHED_body",
        "www-authenticate: bearer",
        "answer 100%",
        "strange_error",
        "КОДЪТ Е НЕВАЛИДЕН",
        "t-1234",
        "DEMO-app",
    ],
)
def test_text_is_found_anywhere_in_any_letter_case(
    history: History, exchange: Callable[..., Exchange], text: str
) -> None:
    sent = exchange(
        request=Request("POST", "https://p.example/path", (("X-Trace", "abc"),), b"searched_BODY"),
        case="T-1234",
        client_id="demo-app",
    )
    answer = Response(401, headers=(("WWW-Authenticate", 'Bearer realm="partner"'),), body=b"Answer 100%")
    id = history.begin(sent)
    history.complete(
        id,
        replace(sent, response=answer),
        documented_error=None,
        error="strange_error",
        error_description="Кодът е невалиден",
    )
    history.begin(exchange())
    assert [row.exchange.id for row in history.rows(Filters(text=text))] == [id]


@pytest.mark.parametrize("text", ["100_", "%%", "1%0", "\\", "/%"])
def test_wildcards_are_ordinary_characters(history: History, exchange: Callable[..., Exchange], text: str) -> None:
    history.begin(exchange(case="100%"))
    assert history.count(Filters(text=text)) == 0
    wanted = history.begin(exchange(case=f"<{text}>"))
    assert [row.exchange.id for row in history.rows(Filters(text=text))] == [wanted]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"step": "tokens"}, "step is 'tokens'; it can be authorize, callback, token, api, refresh"),
        ({"status": "4xy"}, "status is '4xy'; it can be 2xx"),
        ({"status": "99"}, "status"),
        ({"status": "4００"}, "status"),
        ({"status": "404\n"}, "status"),
        ({"error": "a\nb"}, "error is"),
        ({"error": "e" * 101}, "at most 100"),
        ({"text": "t" * 1001}, "text has 1001 characters; it can have 1000"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: dict[str, str], message: str) -> None:
    with pytest.raises(FilterError, match=message):
        Filters.from_query(values)


def test_an_address_gives_the_filters_back_and_never_the_owner() -> None:
    filters = Filters(step="token", status="4xx", error="2", text="a&b", flow="f", owner="ada")
    query = filters.to_query()
    assert query == {"step": "token", "status": "4xx", "error": "2", "text": "a&b", "flow": "f"}
    assert Filters.from_query(query | {"exchange": "118", "owner": "bob"}, "ada") == filters
    assert Filters().to_query() == {}


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(step="token"), "step"),
        (Filters(status="4xx"), "outcome"),
        (Filters(status="404"), "status"),
        (Filters(error="2"), "documented_error"),
        (Filters(error="invalid_grant"), "error"),
        (Filters(flow="f"), "flow"),
        (Filters(owner="ada"), "owner"),
    ],
)
def test_a_page_is_read_from_an_index_without_sorting(history: History, filters: Filters, index: str) -> None:
    query = select(exchanges).where(*where(filters), exchanges.c.id < 500).order_by(exchanges.c.id.desc()).limit(50)
    with history.database.reading() as connection:
        sql = query.compile(connection, compile_kwargs={"literal_binds": True}).string
        plan = [line[-1] for line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
    assert plan == [f"SEARCH exchanges USING INDEX exchanges_by_{index} ({index}=? AND id<?)"]
