from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, tuple_

from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.history.filters import FilterError, Filters, where
from oauth.history.past import HistoryPast
from oauth.history.schema import exchanges
from oauth.history.store import History
from oauth.history.terms import TERMS, Term

FACTS: dict[str, dict[str, Any]] = {
    "ok": {"step": Step.API, "status": 200, "owner": "ada"},
    "moved": {"step": Step.AUTHORIZE, "status": 302, "owner": "ada", "flow": "f1"},
    "grant": {"status": 400, "number": 2, "error": "invalid_grant", "flow": "f1"},
    "token": {"step": Step.API, "status": 401, "number": 7, "error": "invalid_token"},
    "odd": {"status": 400, "error": "mystery", "note": "Called back"},
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
        history.set_note(id, facts.get("note", ""))
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
        (Filters(by="ada"), ["ok", "moved"]),
        (Filters(by=""), ["grant", "token", "odd", "open"]),
        (Filters(step="token", status="4xx", error="invalid_grant", text="GRANT", flow="f1", by=""), ["grant"]),
        (Filters.parse("step:api,refresh"), ["ok", "token", "open"]),
        (Filters.parse("status:3xx,401,none"), ["moved", "token", "open"]),
        (Filters.parse("error:*"), ["grant", "token", "odd"]),
        (Filters.parse("case:ok,gone"), ["ok", "gone"]),
        (Filters(by="bob"), ["gone"]),
        (Filters.parse("flow:*"), ["moved", "grant"]),
        (Filters(method="post"), list(FACTS)),
        (Filters(client="nobody"), []),
        (Filters(host="Provider.example"), list(FACTS)),
        (Filters.parse("-host:provider.example"), []),
        (Filters.parse("note:*"), ["odd"]),
        (Filters(note="CALLED"), ["odd"]),
        (Filters.parse("note:100%,back"), ["odd"]),
        (Filters.parse("-note:* status:4xx"), ["grant", "token"]),
        (Filters.parse("-status:2xx,3xx -step:refresh -error:2"), ["token", "odd", "gone"]),
        (Filters.parse("-flow:*"), ["ok", "token", "odd", "gone", "open"]),
        (Filters.parse("grant -invalid_grant"), ["ok", "moved", "token", "odd", "gone", "open"]),
        (Filters.parse("-mystery -invalid_token"), ["ok", "moved", "grant", "gone", "open"]),
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
    assert [row.exchange.id for row in history.rows(Filters.parse(text))] == [id]


@pytest.mark.parametrize("text", ["100_", "%%", "1%0", "\\", "/%"])
def test_signs_are_not_searched(history: History, exchange: Callable[..., Exchange], text: str) -> None:
    history.begin(exchange(case="5%"))
    assert history.count(Filters(text=text)) == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("step:tokens", "step is 'tokens'; it can be authorize, callback, token, api, refresh"),
        ("status:4xy", "status is '4xy'; it can be 2xx"),
        ("status:99", "status is '99'"),
        ("status:4００", "status is"),
        ("status:", "status has no value. A class such as 4xx"),
        ("status:4xx,", "status has no value"),
        ('status:"404\n"', "status is"),
        ('error:"a\nb"', "error is .* printable"),
        ("error:" + "e" * 201, "1 to 200 printable"),
        ("t" * 1001, "text has 1001 characters; it can have 1000"),
        ("case:" + ",".join(map(str, range(21))), "case has 21 values; it can have 20"),
        ("color:red", "Unknown filter 'color'; the filters are step, status, .* put it in quotation marks"),
        ("-color:red", "Unknown filter 'color'"),
        ('case:"T 1', 'case|"T 1 has an unclosed quotation mark'),
        ("since:tomorrow", "since is 'tomorrow'; it can be a date such as 2026-11-24, .* 2h"),
        ("since:2026-02-30", "since is '2026-02-30'"),
        ("since:1h,2h", "since has 2 values; it can have one"),
        ("-since:1h", "since and until cannot be negated"),
    ],
)
def test_a_wrong_term_is_refused_by_name_with_what_is_allowed(line: str, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        Filters.parse(line)


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("", {}),
        ("step:token status:4xx", {"step": "token", "status": "4xx"}),
        ("STATUS:4XX  step:Token", {"step": "token", "status": "4xx"}),
        ("step:token step:api", {"step": "token,api"}),
        ("-client:demo-app error:02", {"error": "2", "-client": "demo-app"}),
        ('case:T-1234,"T 5"', {"case": 'T-1234,"T 5"'}),
        ('invalid grant "two words" -not', {"text": 'invalid grant "two words"', "-text": "not"}),
        ("https://p.example/path 10:30", {"text": "https://p.example/path 10:30"}),
        ('"step:token" a,b say"so"', {"text": '"step:token" a,b say"so"'}),
        ('text:word "-5"', {"text": 'word "-5"'}),
        ('description:"a \\"quoted\\" back\\\\slash"', {"description": '"a \\"quoted\\" back\\\\slash"'}),
        ("since:2026-11-24t08:15z until:Today", {"since": "2026-11-24T08:15Z", "until": "today"}),
    ],
)
def test_a_line_is_read_and_is_an_address(line: str, query: dict[str, str]) -> None:
    filters = Filters.parse(line)
    assert filters.to_query() == query
    assert Filters.from_query(query) == filters
    assert Filters.parse(filters.line) == filters


def test_an_address_gives_the_filters_back() -> None:
    filters = Filters(step="token", status="4xx", error="2", text="a&b", flow="f")
    query = filters.to_query()
    assert query == {"step": "token", "status": "4xx", "error": "2", "flow": "f", "text": "a&b"}
    assert Filters.from_query(query | {"exchange": "118", "owner": "bob"}) == filters
    assert Filters().to_query() == {}


@pytest.mark.parametrize("value", ['"abc', "a b", "a:b", "-x", "*", "a,b", "\\", '"', "line\nbreak", "x" * 300])
def test_literal_value_selects_only_that_value(history: History, exchange: Callable[..., Exchange], value: str) -> None:
    other = value[:-1] + "y"
    for flow in ("", "a", "abc", other, value):
        history.begin(exchange(flow=flow, case=flow, client_id=flow, owner=flow))
    for filters in (Filters(flow=value), Filters(case=value), Filters(client=value), Filters().put("by", value)):
        assert [row.exchange.flow for row in history.rows(filters)] == [value]
    assert [row.exchange.flow for row in history.seen_by(value).rows(Filters())] == [value]
    assert HistoryPast(history).flow(value)[0].flow == value


@pytest.mark.parametrize("value", ['"abc', "a b", "a:b", "-x", "*", "", "a,b", "\\", '"'])
def test_literal_value_is_quoted_in_a_line_and_an_address(value: str) -> None:
    filters = Filters(flow=value)
    assert Filters.parse(filters.line) == filters
    assert Filters.from_query(filters.to_query()) == filters


def test_empty_value_selects_exchanges_without_one(history: History, exchange: Callable[..., Exchange]) -> None:
    for flow in ("", "a"):
        history.begin(exchange(flow=flow))
    assert [row.exchange.flow for row in history.rows(Filters(flow=""))] == [""]
    assert Filters(flow="").line == "-flow:*"
    assert Filters.parse("flow:a -flow:b").put("flow", "") == Filters(flow="")
    for term in ("step", "status", "since", "text"):
        with pytest.raises(FilterError, match=f"^{term} |^since and until"):
            Filters(**{term: ""})


values = st.text(st.characters(min_codepoint=32, max_codepoint=0x4FF), min_size=1, max_size=20).filter(
    lambda text: text.isprintable() and bool(text.strip())
)
words = st.one_of(values, st.sampled_from(['"', "-", "a,b", "step:token", "\\", '\\"', "-x", "https://x", "*"]))


@given(
    st.dictionaries(
        st.sampled_from(["client", "-client", "case", "-case", "error", "-error", "flow", "text", "-text", "by"]),
        st.lists(words, min_size=1, max_size=4),
    ),
    st.sampled_from(["", "step:token,api ", "-status:4xx,404 ", "since:2h until:2026-11-24 "]),
)
def test_whatever_the_values_are_a_line_and_an_address_give_them_back(wanted: dict[str, list[str]], more: str) -> None:
    terms = [
        f"{'-' if name.startswith('-') else ''}{'' if name.endswith('text') else name.removeprefix('-') + ':'}{quoted}"
        for name, found in wanted.items()
        for quoted in ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in found)
    ]
    filters = Filters.parse(more + " ".join(terms))
    for name, found in wanted.items():
        if not name.startswith("-") and name != "error":
            assert filters.get(name) == tuple(dict.fromkeys(found))
    assert Filters.parse(filters.line) == filters
    assert Filters.from_query(filters.to_query()) == filters


@given(st.text(max_size=60))
def test_any_line_is_understood_or_refused_and_never_changes_its_meaning(line: str) -> None:
    try:
        filters = Filters.parse(line)
    except FilterError:
        return
    assert Filters.parse(filters.line) == filters
    assert Filters.from_query(filters.to_query()) == filters


NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("since:2h", "since:2026-11-25T07:30:00.000000Z"),
        ("since:30min", "since:2026-11-25T09:00:00.000000Z"),
        ("since:2026-11-24", "since:2026-11-23T23:00:00.000000Z"),
        ("until:2026-11-24", "until:2026-11-24T22:59:59.999999Z"),
        ("since:today", "since:2026-11-24T23:00:00.000000Z"),
        ("until:yesterday", "until:2026-11-24T22:59:59.999999Z"),
        ("until:2026-11-24T08:15", "until:2026-11-24T07:15:59.999999Z"),
        ("until:2026-11-24T08:15:20", "until:2026-11-24T07:15:20.999999Z"),
        ("until:2026-10-25", "until:2026-10-25T22:59:59.999999Z"),  # the day on which the clocks go back
        ("since:2026-11-24T08:15Z", "since:2026-11-24T08:15Z"),
        ("step:token", "step:token"),
    ],
)
def test_dates_are_the_readers_and_times_ago_are_counted_from_now(line: str, expected: str) -> None:
    assert Filters.parse(line).resolved(NOW, WARSAW) == Filters.parse(expected)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", [UTC, WARSAW, ZoneInfo("America/Los_Angeles")])
def test_the_ends_of_the_calendar_are_dates_too(day: str, zone: tzinfo) -> None:
    resolved = Filters.parse(f"since:{day} until:{day}").resolved(NOW, zone)
    assert where(resolved)


def test_a_time_that_was_not_resolved_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="since:2h must be resolved"):
        where(Filters.parse("since:2h"))


def test_since_and_until_bound_the_list(history: History, exchange: Callable[..., Exchange]) -> None:
    begun = exchange().started_at
    ids = [history.begin(replace(exchange(), started_at=begun + timedelta(minutes=minute))) for minute in range(3)]
    line = f"since:{begun + timedelta(minutes=1):%Y-%m-%dT%H:%M}Z until:{begun + timedelta(minutes=1):%Y-%m-%dT%H:%M}Z"
    assert [row.exchange.id for row in history.rows(Filters.parse(line))] == [ids[1]]


def test_alternatives_fall_into_branches_of_one_value_each() -> None:
    found = Filters.parse("step:token,api status:4xx,5xx -client:a,b word").branches()
    assert [filters.line for filters in found] == [
        f"step:{step} status:{status} -client:a,b word" for step in ("token", "api") for status in ("4xx", "5xx")
    ]


def test_one_term_is_put_in_the_place_of_another() -> None:
    filters = Filters.parse("step:token -step:api word")
    assert filters.put("step", "api", "token").line == "step:api,token -step:api word"
    assert filters.put("step") == Filters.parse("-step:api word")
    assert filters.put("case", "T 1").line == 'step:token -step:api case:"T 1" word'


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_every_term_has_help_and_an_example_that_is_itself(term: type[Term]) -> None:
    assert term.help
    assert [type(found) for found in Filters.parse(term.example).terms] == [term]
    for option in term.options:
        assert Filters.parse(f"{term.name}:{option}").get(term.name) == (option,)


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(step="token"), "step"),
        (Filters(status="4xx"), "outcome"),
        (Filters(status="404"), "status"),
        (Filters(error="2"), "documented_error"),
        (Filters(error="invalid_grant"), "error"),
        (Filters(case="T-1"), "case"),
        (Filters(flow="f"), "flow"),
        (Filters(by="ada"), "owner"),
    ],
)
def test_a_page_is_read_from_an_index_without_sorting(history: History, filters: Filters, index: str) -> None:
    columns = exchanges.c.started_at, exchanges.c.id
    query = select(exchanges).where(*where(filters), tuple_(*columns) < (datetime(2026, 1, 1, tzinfo=UTC), 500))
    query = query.order_by(*(column.desc() for column in columns)).limit(50)
    with history.database.reading() as connection:
        sql = query.compile(connection, compile_kwargs={"literal_binds": True}).string
        if connection.dialect.name == "sqlite":
            plan = [line[-1] for line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
            assert plan == [f"SEARCH exchanges USING INDEX exchanges_by_{index} ({index}=? AND started_at<?)"]
        else:
            # Without statistics the plans cost about the same, so all others are ruled out: is there one by the index?
            with connection.begin_nested() as savepoint:
                connection.exec_driver_sql("DROP INDEX exchanges_by_started_at")
                for other in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
                    connection.exec_driver_sql(f"SET LOCAL enable_{other} = off")
                plan = [line[0] for line in connection.exec_driver_sql(f"EXPLAIN {sql}")]
                savepoint.rollback()
            # Another test of this server may have replaced the first partition: PostgreSQL names its indexes.
            parts = f"SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'exchanges_by_{index}'::regclass"
            names = connection.exec_driver_sql(parts).scalars().all()
            assert any(f"Index Scan Backward using {name} on" in line for name in names for line in plan), plan
            assert "Sort" not in " ".join(plan)
