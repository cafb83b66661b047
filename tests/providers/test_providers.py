from pathlib import Path

import pytest

from oauth import providers
from oauth.providers import ProfileError

WHOLE = """
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


def test_the_sandbox_comes_first_and_stands_at_the_console_s_own_address() -> None:
    found = providers.load("http://localhost:9999")
    assert next(iter(found)) == "sandbox"
    assert found["sandbox"].token_endpoint == "http://localhost:9999/sandbox/api/open/oauth/token"


def test_each_of_the_six_sites_is_a_provider_with_its_own_addresses() -> None:
    sites = [p for i, p in providers.load("http://localhost:8501").items() if i.startswith("olx-")]
    assert [p.authorization_endpoint for p in sites] == [
        f"https://www.olx.{country}/oauth/authorize/" for country in ("pl", "bg", "ro", "pt", "ua", "kz")
    ]
    assert all(not p.accepts_loopback and not p.clients for p in sites)
    assert len({p.name for p in sites}) == 6


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("notes", "remarks"), "remarks"),
        (('scope = "read"', ""), "scope"),
        (("code = 600", ""), "code"),
        (("[lifetimes]", "[lifetime]"), "lifetime"),
        (('name = "X"', "name = "), "not valid TOML"),
    ],
)
def test_a_profile_that_is_wrong_names_the_file_and_the_field(
    tmp_path: Path, change: tuple[str, str], named: str
) -> None:
    (tmp_path / "mine.toml").write_text(WHOLE.replace(*change))
    with pytest.raises(ProfileError, match=r"mine\.toml") as caught:
        providers.load("", tmp_path)
    assert named in str(caught.value)


def test_a_new_provider_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(WHOLE)
    assert providers.load("", tmp_path)["mine"].token_endpoint == "https://x.example/t"


def test_published_secrets_do_not_show_in_a_repr() -> None:
    assert "demo-secret" not in repr(providers.load("http://localhost:8501")["sandbox"])
