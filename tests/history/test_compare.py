from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from oauth.exchange import Exchange, Failure, Headers, Request, Response, Step
from oauth.history.compare import Compared, Verdict, compare, last_success
from oauth.history.store import History
from oauth.redaction import Vault

URL = "https://provider.example/oauth/token"
JSON: Headers = (("Content-Type", "application/json"),)
FORM: Headers = (("Content-Type", "application/x-www-form-urlencoded"),)


def fields(found: list[Compared], place: str = "") -> dict[str, tuple[str | None, str | None, str]]:
    return {
        item.name: (item.left, item.right, item.remark)
        for item in found
        if (not place or item.place == place) and item.verdict is not Verdict.SAME
    }


def test_an_exchange_is_the_same_as_itself(exchange: Callable[..., Exchange]) -> None:
    one = replace(exchange(), response=Response(200, headers=JSON, body=b'{"a": {"b": [1, {"c": null}]}}'))
    assert {item.verdict for item in compare(one, one)} == {Verdict.SAME}
    assert [item.name for item in compare(one, one) if item.place == "answer body"] == ["a.b[0]", "a.b[1].c"]


def test_every_part_of_the_request_is_compared_by_its_fields(exchange: Callable[..., Exchange]) -> None:
    left = exchange(request=Request("GET", f"{URL}?scope=read&x=1&x=2", (("Accept", "a"),)))
    right = exchange(request=Request("POST", "http://other.example:80/oauth/?scope=write&x=1", (("ACCEPT", "b"),)))
    found = compare(left, right)
    assert fields(found, "request") == {
        "method": ("GET", "POST", ""),
        "scheme": ("https", "http", ""),
        "host": ("provider.example", "other.example:80", ""),
        "path": ("/oauth/token", "/oauth/", ""),
    }
    assert fields(found, "query") == {"scope": ("read", "write", ""), "x (2)": ("2", None, "")}
    assert fields(found, "request header") == {"accept": ("a", "b", "")}


def test_a_form_and_json_are_compared_by_the_same_names(exchange: Callable[..., Exchange]) -> None:
    form = exchange(request=Request("POST", URL, FORM, b"grant_type=refresh_token&scope=a+b"))
    body = exchange(request=Request("POST", URL, JSON, b'{"grant_type": "refresh_token", "expires_in": 5}'))
    assert fields(compare(form, body), "request body") == {
        "scope": ("a b", None, ""),
        "expires_in": (None, "5", ""),
    }


def test_answers_are_compared_by_status_headers_and_members(exchange: Callable[..., Exchange]) -> None:
    good = replace(exchange(), response=Response(200, headers=(*JSON, ("Date", "1")), body=b'{"data": {"id": 1}}'))
    bad = replace(exchange(), response=Response(400, headers=(*JSON, ("date", "2")), body=b'{"error": "x"}'))
    found = compare(good, bad)
    assert fields(found, "answer") == {"status": ("200", "400", "")}
    assert fields(found, "answer header") == {"date": ("1", "2", "new in every answer")}
    assert fields(found, "answer body") == {"data.id": ("1", None, ""), "error": (None, "x", "")}


def test_no_response_is_compared_with_one(exchange: Callable[..., Exchange]) -> None:
    good, failed = replace(exchange(), response=Response(200)), replace(exchange(), failure=Failure("timeout"))
    assert fields(compare(good, failed), "answer") == {
        "status": ("200", None, ""),
        "no response": (None, "timeout", ""),
    }
    assert fields(compare(exchange(), failed))["no answer"] == ("none was recorded", None, "")


@pytest.mark.parametrize("body", [b"plain text", b"\x00\x01\x02\xff", b"[" * 50_000, b'{"a": ' * 50_000, b'"text"'])
def test_any_body_can_be_compared(exchange: Callable[..., Exchange], body: bytes) -> None:
    one = replace(exchange(), response=Response(200, body=body))
    assert len(fields(compare(one, exchange()), "answer body")) == 1


def test_fingerprints_tell_the_same_secret_from_another(exchange: Callable[..., Exchange]) -> None:
    vault = Vault(b"key")

    def sent(**form: str) -> Exchange:
        body = "&".join(f"{name}={value}" for name, value in form.items())
        return vault.redact(exchange(request=Request("POST", f"{URL}?state={form['state']}", FORM, body.encode())))

    left = sent(code="a" * 40, client_secret="s" * 20, refresh_token="short1", state="t" * 32)
    right = sent(code="b" * 40, client_secret="s" * 20, refresh_token="short2", state="t" * 32)
    remarks = {(item.place, item.name): item.remark for item in compare(left, right)}
    assert remarks["request body", "code"] == "a different secret"
    assert remarks["request body", "client_secret"] == "the same secret"
    assert remarks["request body", "refresh_token"] == "the same length, too short to compare"
    assert remarks["query", "state"] == "the same secret"
    other = exchange(request=Request("POST", URL, FORM, b"code=" + vault.placeholder("id_token", "c" * 40).encode()))
    assert fields(compare(left, other), "request body")["code"][2] == "a different kind of secret"


def test_the_last_success_is_of_the_same_step_client_and_provider(
    history: History, exchange: Callable[..., Exchange]
) -> None:
    def kept(minute: int, status: int, step: Step = Step.TOKEN, error: str = "", **values: str) -> int:
        sent = exchange(step, **({"client_id": "app", "provider": "p"} | values))
        sent = replace(sent, started_at=sent.started_at + timedelta(minutes=minute))
        id = history.begin(sent)
        answered = replace(sent, response=Response(status))
        history.complete(id, answered, documented_error=None, error=error, error_description="")
        return id

    def compared_with(id: int) -> int | None:
        row = history.get(id)
        assert row is not None
        found = last_success(history, row)
        return found.exchange.id if found else None

    kept(0, 200)
    wanted = kept(1, 200)
    kept(2, 200, client_id="other")
    kept(3, 200, provider="other")
    kept(4, 200, step=Step.REFRESH)
    asked = kept(5, 302, step=Step.AUTHORIZE)
    refused = kept(5, 302, step=Step.AUTHORIZE, error="access_denied")
    failed = kept(6, 400)
    later = kept(7, 200)
    assert compared_with(failed) == wanted
    assert compared_with(refused) == asked
    assert compared_with(later) == wanted
    lonely = kept(8, 400, client_id="")
    assert compared_with(lonely) is None
    only_later = kept(-5, 400)
    assert compared_with(only_later) is not None
