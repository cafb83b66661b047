"""The catalogues of providers: each entry by its documented example, and which catalogue speaks for an answer."""

import json
from pathlib import Path

import pytest

from oauth.catalogue import CatalogueError, catalogues, documented, examples, find_entry, remedy_of
from oauth.catalogue.catalogues import FOLDER, all_catalogues, load, own, own_folder, that_may_have
from oauth.catalogue.explain import Explanation, explain, explain_response
from oauth.catalogue.provider_errors import Catalogue, ProviderError, Words, read
from oauth.exchange import Exchange, Request, Response, Step
from tests.catalogue.test_explain import exchange

FILES = sorted(FOLDER.glob("*.toml"))
IDS = [path.stem for path in FILES]

ACME = """
name = "Acme"
hosts = ["*.acme.example"]
documentation = "https://docs.acme.example/errors"
request_id = "The acme-request header"

[[error]]
id = "stale"
code = "stale"
pattern = "The token of user {name} went stale at {time}."
title = "The token is stale"
cause = "It was not used for a week."
remedy = ["Refresh the token."]
source = "https://docs.acme.example/errors"
date = 2026-11-29
spec = "invalid_token"
example = '{"code": "stale", "message": "The token of user ada went stale at 10:15."}'
"""


def entries() -> list[ProviderError]:
    return [error for path in FILES for error in load(path).errors]


def host_of(catalogue: Catalogue) -> str:
    return next(iter(catalogue.hosts), "").replace("*.", "tenant.")


def answer(error: ProviderError, url: str, provider: str = "") -> Explanation | None:
    """Explain the example of an entry as the response to a request to ``url``."""
    text = error.example.strip()
    request = Request("POST", url)
    headers: tuple[tuple[str, str], ...] = ()
    if text.lower().startswith("www-authenticate:"):
        headers, text = (("WWW-Authenticate", text.partition(":")[2].strip()),), ""
    elif not text.startswith(("{", "[", "<", "error=")):
        text = json.dumps({"error_description": text})
    return explain_response(error.status or 400, headers, text.encode(), request=request, provider=provider)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_every_example_is_recognised_as_its_entry(path: Path) -> None:
    assert list(examples.faults(load(path))) == []


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_the_provider_s_host_decides(path: Path) -> None:
    catalogue = load(path)
    for error in catalogue.errors:
        if not host_of(catalogue) or "?" in error.example.partition("=")[0]:
            continue
        explanation = answer(error, f"https://{host_of(catalogue)}/oauth/token")
        assert explanation is not None, error.entry
        assert explanation.entry.startswith(f"{catalogue.id}/"), error.entry
        assert f"the host {host_of(catalogue)}" in explanation.known_by
        assert explanation.number is None


def test_no_answer_of_one_provider_is_claimed_for_another() -> None:
    for error in entries():
        explanation = answer(error, "")
        claimed = explanation.entry.partition("/")[0] if explanation and explanation.kind == "provider" else ""
        assert claimed in ("", error.catalogue), error.entry


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_provider_s_words_at_another_host_are_not_claimed(path: Path) -> None:
    catalogue = load(path)
    others = [host_of(it) for it in all_catalogues() if it.id != catalogue.id and host_of(it)]
    for number, error in enumerate(catalogue.errors):
        for host in (*others[number % 7 :: 7], "api.unknown-server.com"):
            explanation = answer(error, f"https://{host}/oauth/token")
            if explanation is not None and explanation.kind == "provider" and not any(map(str.isalpha, error.number)):
                assert explanation.entry.partition("/")[0] != catalogue.id, (error.entry, host)


def test_every_entry_is_found_without_parsing_the_others() -> None:
    for error in entries():
        words = examples.words_in(error.example, error.status)
        assert error.catalogue in {catalogue.id for catalogue in that_may_have(words)}, error.entry


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_hosts_are_listed_as_they_are_parsed(path: Path) -> None:
    catalogue = load(path)
    for host in catalogue.hosts:
        speaker = catalogues.for_host(host.replace("*.", "tenant."))
        assert speaker is not None
        assert speaker.id == catalogue.id


def test_hosts_of_two_catalogues_differ() -> None:
    hosts = [host for path in FILES for host in load(path).hosts]
    assert len(hosts) == len(set(hosts))


def test_every_id_leads_back_to_its_entry() -> None:
    for error in entries():
        assert find_entry(error.entry) is error
        assert remedy_of(error.entry) == error.remedy


@pytest.mark.parametrize("number", sorted(documented()))
def test_documented_errors_keep_their_numbers(number: int) -> None:
    entry = documented()[number]
    explanation = explain_response(entry.status or 400, (), entry.example.encode())
    assert explanation is not None
    assert (explanation.kind, explanation.number) == ("documented", number)


# Your own catalogues.


@pytest.fixture
def acme(home: Path) -> Path:
    own_folder().mkdir(parents=True)
    path = own_folder() / "acme.toml"
    path.write_text(ACME, "utf-8")
    return path


BODY = b'{"code": "stale", "message": "The token of user bob went stale at 23:59."}'


def api(url: str) -> Exchange:
    return exchange(Step.API, Response(401, body=BODY), request=Request("GET", url))


@pytest.mark.usefixtures("acme")
def test_your_own_catalogue_speaks_for_its_hosts() -> None:
    explanation = explain(api("https://eu.acme.example/me"))
    assert explanation is not None
    assert (explanation.entry, explanation.title) == ("acme/stale", "The token is stale")
    assert (explanation.code, explanation.reference) == ("invalid_token", "Acme: https://docs.acme.example/errors")


def test_host_has_the_catalogue_that_names_it_or_a_domain_above_it_with_and_without_a_port() -> None:
    catalogues_of_hosts = [load(path) for path in FILES]
    named = [host for it in catalogues_of_hosts for host in it.hosts]
    hosts = [start + host.removeprefix("*") for host in named for start in ("", "a", "a.b")]
    for host in (*hosts, *(f"{host}:8443" for host in hosts), "", ".", "a.example", "a." * 9_999):
        speakers = (it for it in catalogues_of_hosts if host and it.speaks_for(host))
        assert catalogues.for_host(host) == next(speakers, None), host


@pytest.mark.usefixtures("acme")
def test_your_own_words_are_known_where_the_host_is_not() -> None:
    explanation = explain_response(401, (), BODY)
    assert explanation is not None
    assert explanation.entry == "acme/stale"
    assert explanation.known_by == "these words, which no other catalogue of this console has"


@pytest.mark.usefixtures("acme")
def test_an_answer_that_the_own_catalogue_lacks_falls_back_to_the_registered_code() -> None:
    response = Response(401, headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),))
    request = Request("GET", "https://eu.acme.example/me")
    explanation = explain(exchange(Step.API, response, request=request))
    assert explanation is not None
    assert (explanation.kind, explanation.entry) == ("registered", "rfc6750/invalid_token")


def test_a_change_of_the_file_counts_at_once(acme: Path) -> None:
    acme.write_text(ACME.replace("The token is stale", "Too old"), "utf-8")
    explanation = explain(api("https://acme.example.eu.acme.example/me"))
    assert explanation is not None
    assert explanation.title == "Too old"


def test_an_invalid_file_is_listed_and_not_used(acme: Path) -> None:
    acme.write_text(ACME.replace('code = "stale"\n', 'kode = "stale"\n'), "utf-8")
    (file,) = own()
    assert file.catalogue is None
    assert "acme.toml, error stale: Object contains unknown field `kode`" in file.problem
    explanation = explain(api("https://eu.acme.example/me"))
    assert explanation is not None
    assert explanation.kind == "answer"


def test_a_registered_code_alone_is_every_servers_and_offers_no_provider() -> None:
    request = Request("POST", "https://as.example/token")
    explanation = explain_response(401, (), b'{"error": "invalid_client"}', request=request)
    assert explanation is not None
    assert explanation.entry == "rfc6749/invalid_client"
    assert explanation.offered == ()


def test_words_of_two_catalogues_are_offered_and_not_claimed(acme: Path) -> None:
    acme.with_name("umbrella.toml").write_text(ACME.replace("Acme", "Umbrella").replace("acme", "umbrella"), "utf-8")
    explanation = explain_response(401, (), BODY)
    assert explanation is not None
    assert explanation.kind == "answer"
    assert [error.entry for error in explanation.offered] == ["acme/stale", "umbrella/stale"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "Acme"', "", "acme.toml: Object missing required field `name`"),
        ("[[error]]", "[error]", "acme.toml must contain its errors under [[error]]."),
        ('id = "stale"', 'id = "st ale"', "acme.toml, error st ale: id: use at most 80 letters, digits and . _ - /"),
        ('spec = "invalid_token"', 'spec = "stale"', "error stale: spec: 'stale' is not a registered code."),
        ('["*.acme.example"]', '["https://acme.example"]', "hosts: 'https://acme.example' is not a host"),
        ("The token of user {name} went stale at {time}.", "{name} at {time}", "pattern: it must have at least 12"),
        ("date = 2026-11-29", 'date = "soon"', "acme.toml, error stale: date: Invalid RFC3339 encoded date"),
        ('source = "https://docs', 'source = "docs', "acme.toml, error stale: source"),
        ('name = "Acme"', 'name = "Acme', "acme.toml is not valid TOML"),
    ],
)
def test_an_invalid_catalogue_is_refused_with_file_entry_and_field(old: str, new: str, message: str) -> None:
    assert old in ACME
    with pytest.raises(CatalogueError) as error:
        read(ACME.replace(old, new, 1), "acme", "acme.toml")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "is_error"),
    [
        ("The token of user ada went stale at 10:15.", True),
        ("the token of user  Ada Lovelace went stale at 10:15", True),
        ("The token of user ada grew stale at once", False),
        ("The token of user went stale at 10:15.", False),
        ("Yes: the token of user ada went stale at 10:15.", False),
    ],
)
def test_a_pattern_fits_its_words_with_any_values(text: str, is_error: bool) -> None:
    catalogue = read(ACME, "acme", "acme.toml")
    assert (catalogues.first_match(catalogue.errors, Words("stale", text)) is not None) is is_error
