"""An entry is drafted from an answer: by its code, else by its words, and without its secrets."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from oauth.catalogue import drafting, editing, examples
from oauth.catalogue.catalogues import all_catalogues
from oauth.catalogue.provider_errors import ProviderError, read
from oauth.exchange import Exchange, Request, Response, Step
from oauth.redaction import Vault
from tests.catalogue.test_catalogues import ACME

TODAY = date(2026, 11, 29)
TOKEN = "0a1b2c3d4e5f60718293"
TELLING = ("code", "number", "description", "pattern", "status", "endpoint", "spec", "id", "title")


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ('{"code": "quota_used_up", "message": "Come back at 10:15."}', 403, ["quota_used_up", "", "", "", 403]),
        (
            '{"error": "invalid_grant", "error_description": "It went."}',
            400,
            ["invalid_grant", "", "It went.", "", 400],
        ),
        ('{"error": "Forbidden", "message": "Not your shop."}', 403, ["Forbidden", "", "Not your shop.", "", 403]),
        ('{"code": 403, "message": "Not your shop."}', 403, ["", "", "Not your shop.", "", 403]),
        ('{"code": "gone_for_good", "status": 410, "detail": "It went."}', 0, ["gone_for_good", "", "", "", 410]),
        ("<html>", 502, ["", "", "", "", 502]),
    ],
)
def test_a_code_of_the_provider_s_own_tells_the_error_and_else_its_words(
    exchange: Callable[..., Exchange], body: str, status: int, fields: list[Any]
) -> None:
    answer = exchange(Step.API, response=Response(status, body=body.encode()))
    values = drafting.draft(answer, today=TODAY)
    assert [values.get(name, "") for name in TELLING[:5]] == fields


@pytest.mark.parametrize(
    ("code", "words", "title"),
    [
        ("insufficient_permissions", "See the details.", "Insufficient permissions"),
        ("TokenExpired", "It is over.", "Token expired"),
        ("E-17", "The quota is used up. Wait.", "The quota is used up"),
    ],
)
def test_the_title_is_what_says_more(exchange: Callable[..., Exchange], code: str, words: str, title: str) -> None:
    answer = exchange(Step.API, response=Response(403, body=f'{{"code": "{code}", "message": "{words}"}}'.encode()))
    assert drafting.draft(answer, today=TODAY)["title"] == title


def test_a_value_that_was_redacted_becomes_a_part_of_a_pattern(exchange: Callable[..., Exchange]) -> None:
    vault = Vault(b"key")
    request = Request("GET", "https://api.acme.example/me", (("Authorization", f"Bearer {TOKEN}"),))
    body = f'{{"error": "invalid_token", "error_description": "The token {TOKEN} is not one of ours."}}'
    answer = vault.redact(exchange(Step.API, request=request, response=Response(401, body=body.encode())))
    values = drafting.draft(answer, today=TODAY)
    assert values["pattern"] == "The token {access_token} is not one of ours."
    values["example"] = drafting.without_secrets("example", values["example"], vault, str)
    assert (
        values["example"]
        == '{"error": "invalid_token", "error_description": "The token example-value is not one of ours."}'
    )
    entry = drafting.entry_of({**values, "source": "https://a.example"}, "acme")
    trial = drafting.try_out(entry, drafting.new_catalogue({"hosts": ["api.acme.example"]}), answer)
    assert (trial.answer, trial.example, trial.silent, trial.claimed) == (True, True, "", ())


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("The shop 'ada and co' was closed on 2026-11-23.", "The shop '{quoted}' was closed on {time}."),
        (
            "Limit of 1,000 requests reached, wait 30 seconds.",
            "Limit of {number} requests reached, wait {number} seconds.",
        ),
        ("The user ada@acme.example is unknown to us.", "The user {email} is unknown to us."),
        ("Trace 0f8fad5b-d9cb-469f-a165-70867728950e: see the log.", "Trace {id}: see the log."),
        ("See https://acme.example/e/17, then try again later.", "See {address}, then try again later."),
        ("The token is not one of ours.", ""),
        ("It's over, isn't it? Then it's not on us.", ""),
        ("Error 17", ""),
        ("{a} 17 {b}", ""),
    ],
)
def test_values_in_words_become_names_of_a_pattern(words: str, pattern: str) -> None:
    assert drafting.pattern_of(words) == pattern


def test_entries_that_cannot_be_told_apart_are_named(exchange: Callable[..., Exchange]) -> None:
    acme = read(ACME, "acme", "acme.toml")
    example = '{"code": "stale", "message": "The token of user bob went stale at 9."}'
    values = {"id": "new", "code": "stale", "example": example, "source": "https://a.example"}
    assert drafting.try_out(drafting.entry_of(values, "acme"), acme, None).same == ("stale",)
    values["description"] = "The token of user bob went stale at 9."
    assert drafting.try_out(drafting.entry_of(values, "acme"), acme, None).same == ()


def test_a_callback_is_drafted_from_its_address(exchange: Callable[..., Exchange]) -> None:
    address = "https://app.example/callback?error=plan_expired&error_description=Pay+first&state=%C2%ABstate+9ch%C2%BB"
    values = drafting.draft(exchange(Step.CALLBACK, request=Request("GET", address)), today=TODAY)
    assert (values["code"], values["endpoint"], "status" in values) == ("plan_expired", "authorization", False)
    assert examples.words_in(values["example"]).code == "plan_expired"
    assert drafting.draft_head(exchange(Step.CALLBACK, request=Request("GET", address))) == {}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.acme.example/me", "Acme"),
        ("https://api.acme.co.uk/me", "Acme"),
        ("https://acme.com/me", "Acme"),
        ("http://127.0.0.1:8080/me", "127.0.0.1:8080"),
        ("http://localhost/me", "localhost"),
    ],
)
def test_a_new_catalogue_is_named_after_the_host(exchange: Callable[..., Exchange], url: str, name: str) -> None:
    assert drafting.draft_head(exchange(Step.API, request=Request("GET", url)))["name"] == name


def test_a_secret_is_found_in_any_field_and_an_invented_value_is_none() -> None:
    vault = Vault(b"key")
    vault.add("client_secret", "canary-of-the-operator")

    def seen(word: str) -> str:
        return "«token #0123456789 20ch»" if word == TOKEN else word

    values = {
        "title": "Said canary-of-the-operator",
        "cause": "It was not used.",
        "remedy": ["Wait.", f"Send {TOKEN}."],
        "example": '{"access_token": "abc", "code": 17}',
    }
    assert [it.field for it in drafting.secrets_in(values, vault, seen)] == ["title", "remedy", "example"]
    invented = {
        name: drafting.without_secrets(name, text, vault, seen)
        for name, text in values.items()
        if isinstance(text, str)
    }
    assert invented["example"] == '{"access_token": "example-value", "code": 17}'
    assert list(drafting.secrets_in(invented, vault, seen)) == []


def test_no_text_of_a_built_in_catalogue_but_an_example_is_taken_for_a_secret() -> None:
    vault = Vault(b"key")
    for catalogue in all_catalogues():
        for error in catalogue.errors:
            fields = {problem.field for problem in drafting.secrets_in(editing.fields_of(error), vault, str)}
            assert fields <= {"example"}, error.entry


def test_every_field_has_a_meaning_and_its_problem_has_its_name() -> None:
    assert [*drafting.MEANINGS, "catalogue"] == sorted(
        ProviderError.__struct_fields__, key=[*drafting.MEANINGS, "catalogue"].index
    )
    wrong = {"id": "a b", "status": 99, "source": "docs", "date": "soon", "endpoint": "x", "spec": "y", "remedy": []}
    assert {it.field for it in drafting.problems(wrong)} == {*wrong, "title", "cause", "example", "code"}
    assert {it.field for it in drafting.head_problems({"documentation": "x", "hosts": ["https://x"]})} == {
        "name",
        "documentation",
        "hosts",
    }
