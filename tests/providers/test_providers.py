from pathlib import Path

import pytest

from oauth import providers
from oauth.connection_settings import ConnectionSettings
from oauth.providers import ProfileError

COMPLETE = """
name = "X"
order = 1
authorization_endpoint = "https://x.example/a"
token_endpoint = "https://x.example/t"
api = "https://x.example/api"
scope = "read"
accepts_loopback = true
notes = ""
[lifetimes]
code = 600
access_token = 86400
refresh_token = 2592000
"""


def test_sandbox_is_first_and_at_the_consoles_own_address() -> None:
    profiles = providers.load("http://localhost:9999")
    assert next(iter(profiles)) == "sandbox"
    assert profiles["sandbox"].token_endpoint == "http://localhost:9999/sandbox/api/open/oauth/token"


def test_each_of_the_six_sites_is_a_provider_with_its_own_addresses() -> None:
    sites = [p for i, p in providers.load("http://localhost:8501").items() if i.startswith("olx-")]
    assert [p.authorization_endpoint for p in sites] == [
        f"https://www.olx.{country}/oauth/authorize/" for country in ("pl", "bg", "ro", "pt", "ua", "kz")
    ]
    assert all(not p.accepts_loopback and not p.clients for p in sites)
    assert {p.family for p in sites} == {"olx"}
    assert [p.title for p in sites[:2]] == ["OLX Partner API, Poland", "OLX Partner API, Bulgaria"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("notes", "remarks"), "remarks: is not a field. Fields: "),
        (('name = "X"', ""), "name: is missing"),
        (("code = 600", 'code = "long"'), "lifetimes.code: is 'long', and must be a whole number"),
        (("[lifetimes]", "[lifetime]"), "lifetime: is not a field"),
        (("accepts_loopback = true", "accepts_loopback = 1"), "accepts_loopback: is 1, and must be true or false"),
        (('scope = "read"', 'pkce = "S512"'), "pkce: is 'S512', and must be one of: off, S256, plain"),
        (('scope = "read"', "headers = 7"), "headers: must be a list of tables"),
        (('scope = "read"', 'headers = [{name = "A", value = "1"}, {name = "B"}]'), "headers[2].value: is missing"),
        (('scope = "read"', "connection = {verify = 1}"), "connection.verify: is 1"),
        (("https://x.example/t", "ftp://x.example/t"), "token_endpoint: must begin with https://"),
        (("https://x.example/t", "https://x.example:http/t"), "token_endpoint: is not an address"),
        (("https://x.example/t", "https://x.example/t#a"), "token_endpoint: must not have a fragment"),
        (("https://x.example/t", "https://x.example/a t"), "token_endpoint: contains whitespace"),
        (('name = "X"', "name = "), "not valid TOML"),
    ],
)
def test_invalid_profile_names_the_file_and_the_field(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    (tmp_path / "mine.toml").write_text(COMPLETE.replace(*change))
    with pytest.raises(ProfileError, match=r"mine\.toml") as caught:
        providers.load("", tmp_path)
    assert problem in str(caught.value)


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        COMPLETE.replace("code = 600", "code = true").replace('scope = "read"', "pkce = 1")
    )
    with pytest.raises(ProfileError) as caught:
        providers.load("", tmp_path)
    assert [item.field for item in caught.value.problems] == ["pkce", "lifetimes.code"]


def test_profile_needs_only_a_name_and_has_defaults(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "X"')
    profile = providers.load("", tmp_path)["mine"]
    assert (profile.token_body, profile.client_authentication, profile.pkce) == ("form", "client_secret_post", "off")
    assert profile.lifetimes.code is None
    assert profile.scope_separator == " "
    assert profile.connection == ConnectionSettings()


def test_new_provider_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(COMPLETE)
    assert providers.load("", tmp_path)["mine"].token_endpoint == "https://x.example/t"


def test_published_secret_is_not_in_the_repr() -> None:
    assert "demo-secret" not in repr(providers.load("http://localhost:8501")["sandbox"])


def test_scopes_are_told_apart_by_what_the_profile_says_stands_between_them(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "X"\nscope_separator = ","\n')
    mine = providers.load("", tmp_path)["mine"]
    assert mine.scopes("read:user,repo, gist") == ["read:user", "repo", "gist"]
    assert providers.load("http://localhost:8501")["sandbox"].scopes("read write  v2") == ["read", "write", "v2"]
