from itertools import chain
from typing import get_args

import pytest

from oauth.catalogue import CatalogueError, answers, documented, find_entry, registered, registered_for, remedy_of
from oauth.catalogue.entries import Endpoint, Entry, read_answers, read_documented, read_registered
from oauth.catalogue.explain import explain_response
from oauth.exchange import Step

DOCUMENTED = """
[[error]]
number = 1
title = "A title"
description = "A text"
endpoint = "token"
cause = "A cause"
remedy = ["Do this."]
example = "{}"
"""
REGISTERED = """
[[error]]
code = "invalid_grant"
where = ["token"]
specification = "RFC 6749"
section = "5.2"
title = "A title"
cause = "A cause"
remedy = ["Do this."]
"""
TRANSPORT = {
    "refused", "unknown_host", "unreachable", "tls", "read_timeout", "reset", "malformed", "invalid_url", "no_answer",
}  # fmt: skip
SHAPES = {
    "redirect", "html", "empty", "invalid_json", "too_large", "not_found", "rate_limited", "server_error",
    "unknown_error", "missing_version", "content_type_on_get", "no_access_token",
}  # fmt: skip
# What each remedy must still say of the documented solution.
FACTS = {
    1: ["code parameter", "authorization_code", "read write v2", "client_id", "client_secret", "one-time"],
    2: ["valid code", "10 minutes"],
    3: ["grant_type"],
    4: ["scope", "API account is allowed"],
    5: ["client_id"],
    6: ["client_id", "client_secret"],
    7: ["access_token"],
    8: ["higher privileges", "read write v2 instead of read write"],
    9: ["user context", '"grant_type":"authorization_code" instead of "grant_type":"client_credentials"'],
    10: ["not allowed", "grant_type", "Reach out"],
    11: ["refresh_token is valid", "2592000 seconds", "changed when a new access token", "once again", "new one"],
}


def test_there_are_eleven_documented_errors() -> None:
    assert list(documented()) == list(range(1, 12))


@pytest.mark.parametrize("number", range(1, 12))
def test_documented_error_matches_the_documentation(
    number: int, blocks: dict[int, str], bodies: dict[int, bytes]
) -> None:
    entry = documented()[number]
    assert blocks[number].startswith(f"{number}. {entry.title}\n")
    assert entry.example.encode() == bodies[number]
    assert entry.description.replace('"', '\\"') in entry.example
    for member in (entry.error, entry.human_title):
        assert f'"{member}"' in entry.example or not member
    assert ('"error_human_title"' in entry.example) is bool(entry.human_title)
    printed = f"HTTP code: {entry.status} " in blocks[number] or f'"status": {entry.status}' in blocks[number]
    assert printed if entry.status else "HTTP code" not in blocks[number]


def test_example_request_of_error_1_matches_the_documentation(blocks: dict[int, str]) -> None:
    assert documented()[1].example_request in blocks[1]
    assert '"grant_type":"authorization_code"\n' in documented()[1].example_request


@pytest.mark.parametrize("number", range(1, 12))
def test_remedy_keeps_every_documented_fact(number: int) -> None:
    entry = documented()[number]
    remedy = " ".join(entry.remedy)
    assert [fact for fact in FACTS[number] if fact not in remedy] == []
    assert entry.cause.endswith(".")


def test_documented_errors_have_distinct_texts() -> None:
    assert len({entry.description.casefold() for entry in documented().values()}) == 11


@pytest.mark.parametrize(
    ("code", "endpoint", "reference"),
    [
        *((code, "authorization", "RFC 6749 §4.1.2.1") for code in (
            "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
            "server_error", "temporarily_unavailable",
        )),
        *((code, "token", "RFC 6749 §5.2") for code in (
            "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
            "invalid_scope",
        )),
        *((code, "resource", "RFC 6750 §3.1") for code in ("invalid_request", "invalid_token", "insufficient_scope")),
        ("access_denied", "token", "RFC 8628 §3.5"),
        ("use_dpop_nonce", "token", "RFC 9449 §8"),
        ("use_dpop_nonce", "resource", "RFC 9449 §9"),
        ("invalid_redirect_uri", "registration", "RFC 7591 §3.2.2"),
        ("unsupported_token_type", "revocation", "RFC 7009 §2.2.1"),
        ("login_required", "authorization", "OpenID Connect Core 1.0 §3.1.2.6"),
        ("redirect_uri_mismatch", "token", "Not registered"),
    ],
)  # fmt: skip
def test_code_has_the_meaning_of_its_endpoint(code: str, endpoint: str, reference: str) -> None:
    entry = registered_for(code, endpoint)
    assert entry is not None
    assert entry.reference == reference
    assert endpoint in entry.where


def test_code_unregistered_for_an_endpoint_has_its_first_meaning() -> None:
    entry = registered_for("server_error", "token")
    assert entry is not None
    assert entry.where == ("authorization",)
    assert registered_for("no_such_code", "token") is None


def test_meanings_of_a_code_are_unique() -> None:
    for code, entries in registered().items():
        meanings = [(entry.where, entry.specification, entry.section) for entry in entries]
        assert len(set(meanings)) == len(meanings), code


def test_only_names_of_a_wrong_redirect_uri_are_unregistered() -> None:
    assert [code for code, entries in registered().items() for entry in entries if not entry.registered] == [
        "redirect_uri_mismatch",
        "mismatching_redirect_uri",
    ]


def test_every_failure_and_shape_has_an_entry() -> None:
    assert set(answers()) >= TRANSPORT | SHAPES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DOCUMENTED.replace('title = "A title"', ""), "x.toml, error 1: Object missing required field `title`"),
        (
            DOCUMENTED + 'colour = "red"',
            "x.toml, error 1: Object contains unknown field `colour`; the fields are number",
        ),
        (DOCUMENTED.replace("number = 1", ""), "x.toml, error number 1: Object missing required field `number`"),
        (DOCUMENTED.replace("number = 1", 'number = "1"'), "error 1: number: Expected `int`, got `str`"),
        (DOCUMENTED.replace("number = 1", "number = true"), "number: Expected `int`, got `bool`"),
        (DOCUMENTED.replace('"A cause"', '" "'), r"error 1: cause: Expected `str` matching regex '\\S'"),
        (DOCUMENTED.replace('["Do this."]', "[]"), "remedy: Expected `array` of length >= 1"),
        (DOCUMENTED.replace('["Do this."]', '"Do this."'), "remedy: Expected `array`, got `str`"),
        (DOCUMENTED.replace('"token"', '"tokn"'), "error 1: endpoint: Invalid enum value 'tokn'"),
        (DOCUMENTED + DOCUMENTED, "two entries have the same number"),
        ("[[errors]]", "must contain entries under [[error]]"),
        ("error = 1", "must contain entries under [[error]]"),
        ("number =", "x.toml is not valid TOML"),
    ],
)
def test_invalid_documented_file_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_documented(text, "x.toml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (REGISTERED.replace('["token"]', '["tokens"]'), "error invalid_grant: where[0]: Invalid enum value 'tokens'"),
        (REGISTERED.replace('section = "5.2"', ""), "specification or section is missing"),
        (REGISTERED + 'registered = "no"', "registered: Expected `bool`, got `str`"),
    ],
)
def test_invalid_registered_file_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_registered(text, "x.toml")
    assert message in str(caught.value)


def test_error_is_added_by_its_entry_alone() -> None:
    errors = read_documented(DOCUMENTED + DOCUMENTED.replace("number = 1", "number = 12"), "x.toml")
    assert list(errors) == [1, 12]
    assert errors[12].status is None


def test_duplicate_kinds_are_refused() -> None:
    answer = '[[answer]]\nkind = "tls"\ntitle = "T"\ncause = "C"\nremedy = ["R"]\n'
    with pytest.raises(CatalogueError, match="two entries have the same kind"):
        read_answers(answer * 2, "x.toml")


def test_every_endpoint_has_an_entry() -> None:
    used = {place for entries in registered().values() for entry in entries for place in entry.where}
    assert used == set(get_args(Endpoint))


def test_every_entry_has_one_id_that_leads_back_to_it() -> None:
    entries: list[Entry] = [*documented().values(), *chain.from_iterable(registered().values()), *answers().values()]
    assert len({entry.entry for entry in entries}) == len(entries)
    for entry in entries:
        assert find_entry(entry.entry) is entry
        assert remedy_of(entry.entry) == entry.remedy


@pytest.mark.parametrize(
    ("entry", "title"),
    [
        ("partner/2", documented()[2].title),
        ("rfc6749/invalid_grant", registered()["invalid_grant"][0].title),
        ("rfc6749/invalid_request/token", registered()["invalid_request"][1].title),
        ("rfc9449/use_dpop_nonce/resource", registered()["use_dpop_nonce"][1].title),
        ("openidconnectcore1.0/login_required", registered()["login_required"][0].title),
        ("unregistered/redirect_uri_mismatch", registered()["redirect_uri_mismatch"][0].title),
        ("answer/html", answers()["html"].title),
    ],
)
def test_ids_of_entries_are_stable(entry: str, title: str) -> None:
    match = find_entry(entry)
    assert match is not None
    assert match.title == title


@pytest.mark.parametrize("entry", ["", "partner/12", "partner/02", "rfc6749/invalid_request", "answer/", "html"])
def test_unknown_id_has_no_entry_and_no_remedy(entry: str) -> None:
    assert find_entry(entry) is None
    assert remedy_of(entry) == ()


def test_registered_entries_with_the_same_id_are_refused() -> None:
    other = REGISTERED.replace('["token"]', '["authorization"]').replace('"5.2"', '"4.1.2.1"')
    with pytest.raises(CatalogueError, match="another entry has the id rfc6749/invalid_grant; set id"):
        read_registered(REGISTERED + other, "x.toml")
    assert len(read_registered(REGISTERED + other + 'id = "rfc6749/other"', "x.toml")["invalid_grant"]) == 2


NEWER = {
    10: ("exactly authorization_code, client_credentials or refresh_token", "misspelt", "client_id"),
    11: ("keeps using the first one", "expired token", "every response"),
}
"""What newer pages of the documentation add to a documented error."""


@pytest.mark.parametrize("number", NEWER)
def test_newer_facts_stand_apart_from_the_documented_remedy(number: int) -> None:
    entry = documented()[number]
    assert [fact for fact in NEWER[number] if fact not in " ".join(entry.newer)] == []
    assert not set(entry.newer) & set(entry.remedy)
    assert entry.newer_source.startswith("https://developer.olx.pl/docs/")
    explanation = explain_response(401, (), entry.example.encode(), step=Step.TOKEN)
    assert explanation is not None
    assert (explanation.remedy, explanation.newer) == (entry.remedy, entry.newer)
