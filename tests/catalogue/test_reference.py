"""The reference: every entry once, in one form, found by id, number, code, words and answer."""

from pathlib import Path

import pytest

from oauth.catalogue import catalogues, find_entry, reference
from oauth.catalogue.entries import by_id
from oauth.catalogue.provider_errors import Catalogue
from tests.catalogue.test_catalogues import ACME


@pytest.fixture
def acme() -> Path:
    """A catalogue of your own."""
    path = catalogues.own_folder() / "acme.toml"
    path.parent.mkdir(parents=True)
    path.write_text(ACME)
    return path


def ids(articles: tuple[reference.Article, ...]) -> list[str]:
    return [article.entry for article in articles]


def test_every_entry_of_every_catalogue_is_listed_once_and_opened_by_its_id(acme: Path) -> None:
    articles = list(reference.everything())
    known = {*by_id(), *(error.entry for it in catalogues.all_catalogues() for error in it.errors)}
    assert len(articles) == len({article.entry for article in articles}) == len(known)
    assert {article.entry for article in articles} == known
    for article in articles:
        entry = find_entry(article.entry)
        assert entry is not None
        assert (article.title, article.remedy) == (entry.title, entry.remedy)
        assert article.cause.startswith(entry.cause)
    for entry_id in ("partner/2", "rfc6749/invalid_grant", "answer/html", "facebook/190/460", "acme/stale"):
        found = reference.find(entry_id)
        assert found is not None
        assert found.entry == entry_id


@pytest.mark.parametrize("entry", ["", "/", "partner/12", "entra/nothing", "nobody/1", "a" * 5000, "acme/../x"])
def test_an_unknown_id_is_no_entry(entry: str) -> None:
    assert reference.find(entry) is None


def test_one_catalogue_is_listed_without_reading_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(path: Path) -> Catalogue:
        loaded.append(path.stem)
        return original(path)

    original = catalogues.load
    monkeypatch.setattr(catalogues, "load", load)
    assert "Okta" in {section.name for section in reference.sections()}
    assert loaded == []
    assert len(reference.articles("entra")) > 60
    assert reference.find("entra/AADSTS700082")
    assert set(loaded) == {"entra"}


def test_partner_comes_first_and_then_your_own_with_its_problem(acme: Path) -> None:
    (acme.parent / "broken.toml").write_text('name = "Broken"')
    first, *others = reference.sections()
    assert first.id == "partner"
    assert [(it.id, it.name, it.is_own) for it in others[:2]] == [
        ("acme", "Acme", True),
        ("broken", "broken.toml", True),
    ]
    assert "must contain its errors" in others[1].problem
    assert reference.articles("broken") == ()


def test_changed_file_is_shown_as_it_is_now(acme: Path) -> None:
    assert reference.articles("acme")[0].title == "The token is stale"
    acme.write_text(ACME.replace("The token is stale", "The token has gone stale, it is said"))
    assert reference.articles("acme")[0].title == "The token has gone stale, it is said"


@pytest.mark.parametrize("name", ["registered", "answer", "rfc6749", "partner", "github"])
def test_your_own_catalogue_cannot_have_the_ids_of_another(acme: Path, name: str) -> None:
    acme.rename(acme.with_stem(name))
    (file,) = catalogues.own()
    assert "has the name of a built-in catalogue; rename it." in file.problem


def test_search_wants_all_words_wherever_they_are() -> None:
    assert ids(reference.search("inactive 2592000")) == []
    assert ids(reference.search("Invalid REFRESH token 2592000")) == ["partner/11"]
    assert "entra/AADSTS700082" in ids(reference.search("inactivity refresh sign-in"))
    assert "rfc9126/invalid_request" in ids(reference.search("rfc9126"))


def test_search_puts_the_named_entry_first_then_the_chosen_catalogue_then_titles() -> None:
    assert ids(reference.search("2", "okta"))[:2] == ["partner/2", "facebook/2"]
    hits = reference.search("token expired", "slack")
    sections = [hit.section == "slack" for hit in hits]
    assert any(sections)
    assert sections == sorted(sections, reverse=True)
    others = [{"token", "expired"} <= set(hit.title.casefold().split()) for hit in hits if hit.section != "slack"]
    assert others[0]


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("700082", ["entra/AADSTS700082"]),
        ("aadsts700082", ["entra/AADSTS700082"]),
        ("190/460", ["facebook/190/460"]),
        ("facebook/190/460", ["facebook/190/460"]),
        ("2", ["partner/2", "facebook/2"]),
        ("bad_verification_code", ["github/bad_verification_code"]),
        ("no such name", []),
        ("", []),
    ],
)
def test_a_number_code_or_id_names_its_entries(name: str, entries: list[str]) -> None:
    assert ids(reference.named(name)) == entries


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (
            "Authorization code doesn’t exist or is invalid for the client.",
            ["partner/2", "olxgroup/authorization_code"],
        ),
        ("AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 1", ["entra/AADSTS700082"]),
        (
            '{"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."}',
            ["github/bad_verification_code"],
        ),
        ("Good morning", []),
        ("", []),
    ],
)
def test_an_answer_is_recognised(text: str, entries: list[str]) -> None:
    assert ids(reference.recognised(text)) == entries
