import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth import providers
from oauth.connection_settings import ConnectionSettings
from oauth.exchange import Step
from oauth.providers import (
    ApiHeader,
    BodyFormat,
    ClientAuthentication,
    Endpoint,
    Lifetimes,
    Link,
    Pkce,
    ProfileError,
    Provider,
    StepNote,
    custom,
)
from oauth.providers.validation import LARGEST

MINE = Provider(
    "mine",
    "My server",
    notes="Ask Ada.",
    token_endpoint="https://as.example/token",
    scope="read:all write",
    token_body=BodyFormat.JSON,
    lifetimes=Lifetimes(code=60),
    headers=(ApiHeader("Version", "2.0"),),
    endpoints=(Endpoint("/me", "Me"),),
    step_notes=(StepNote(Step.TOKEN, "Once."),),
    links=(Link("Docs", "https://as.example/docs"),),
    connection=ConnectionSettings(read_timeout=5.5, ca_bundle="/etc/ca.pem", verify=False),
)

# Text with these signs may look like a field with its value, and be refused as a secret.
SIGNS = "=:@&?"
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters=SIGNS), max_size=30)
lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=SIGNS), max_size=60)
paths = st.text(st.sampled_from("abc/é%"), max_size=10).map(lambda text: f"/{text}")
addresses = st.one_of(st.just(""), paths.map(lambda path: f"https://as.example:8443{path}"))


@st.composite
def profiles(draw: st.DrawFn) -> Provider:
    return Provider(
        "mine",
        draw(words.filter(lambda text: bool(text.strip()) and text.isprintable())),
        notes=draw(lines),
        token_endpoint=draw(addresses),
        jwks_uri=draw(addresses),
        scope=draw(words),
        scope_separator=draw(st.sampled_from(" ,+;")),
        token_body=draw(st.sampled_from(BodyFormat)),
        client_authentication=draw(st.sampled_from(ClientAuthentication)),
        pkce=draw(st.sampled_from(Pkce)),
        dpop=draw(st.booleans()),
        accepts_loopback=draw(st.booleans()),
        lifetimes=Lifetimes(draw(st.none() | st.integers(1, LARGEST)), None, draw(st.none() | st.integers(1, LARGEST))),
        endpoints=tuple(Endpoint(path, draw(words)) for path in draw(st.lists(paths, max_size=3))),
        connection=ConnectionSettings(connect_timeout=draw(st.floats(0.1, 600)), verify=draw(st.booleans())),
    )


@given(profiles())
def test_profile_survives_the_round_trip_through_its_file(profile: Provider) -> None:
    assert custom.read("mine", custom.to_toml(profile).encode(), "mine.toml") == profile


def test_saved_profile_is_loaded_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    custom.write(tmp_path, MINE)
    (saved,) = custom.load(tmp_path)
    assert saved.provider == MINE
    path = tmp_path / "providers" / "mine.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [item.name for item in path.parent.iterdir()] == ["mine.toml"]


def test_file_contains_only_what_differs_from_the_defaults(tmp_path: Path) -> None:
    assert custom.to_toml(Provider("mine", "My server")) == 'name = "My server"\n'


def test_profile_is_replaced_atomically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    custom.write(tmp_path, MINE)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ProfileError, match="cannot be written: No space left on device"):
        custom.write(tmp_path, replace(MINE, name="Another"))
    (saved,) = custom.load(tmp_path)
    assert saved.provider == MINE
    assert len(list((tmp_path / "providers").iterdir())) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"name = ", "file: is not valid TOML"),
        (b"\xff", "file: is not UTF-8 text"),
        (b"a = " + b"[" * 20_000, "file: is n"),
        (b"#" * 300_000, "file: is larger than 256 KiB"),
        (b"pkce = 'S256'", "name: is missing"),
        (b"name = 'X'\nid = 'sandbox'", "id: is not a field of a custom profile"),
        (b"name = 'X'\ncontrol = 'https://x.example'", "control: is not a field of a custom profile"),
        (b"name = 'X'\n[[sites]]\nhost = 'a'", "sites: is not a field"),
        (b"name = 7\n", "name: is 7, and must be a string"),
        (b"name = ' '\n", "name: must be one line of text"),
        (b"name = 'X'\nscope_separator = '|'", "scope_separator: must be one of: a space"),
        (b"name = 'X'\nheaders = [{name = 'A B', value = '1'}]", "headers[1].name: is not a header name"),
        (b'name = "X"\nheaders = [{name = "A", value = "1\\r\\nB: 2"}]', "headers[1].value: must be one line"),
        (b"name = 'X'\nendpoints = [{path = 'me'}]", "endpoints[1].path: must begin with /"),
        (b"name = 'X'\nlifetimes = {code = 0}", "lifetimes.code: must be more than 0"),
        (b"name = 'X'\nstep_notes = [{step = 'talk', text = ''}]", "step_notes[1].step: is 'talk', and must be one of"),
    ],
)
def test_invalid_file_is_listed_with_the_field(tmp_path: Path, content: bytes, problem: str) -> None:
    custom.write(tmp_path, MINE)
    (tmp_path / "providers" / "broken.toml").write_bytes(content)
    broken, mine = custom.load(tmp_path)
    assert (broken.id, broken.provider, mine.provider) == ("broken", None, MINE)
    problems = [f"{item.field}: {item.text}" for item in broken.problems]
    assert any(item.startswith(problem) for item in problems), problems


CANARY = "canary-9f2a41d07b-secret"


@pytest.mark.parametrize(
    ("added", "field"),
    [
        (f'client_secret = "{CANARY}"', "client_secret"),
        (f'[client]\npassword = "{CANARY}"', "client.password"),
        (f'[[clients]]\nid = "a"\nsecret = "{CANARY}"', "clients[1].secret"),
        (f'[lifetimes]\naccess_token = "{CANARY}"', "lifetimes.access_token"),
        (f'headers = [{{name = "X-Api-Key", value = "{CANARY}"}}]', "headers[1].value"),
        (f'headers = [{{name = "Authorization", value = "Bearer {CANARY}"}}]', "headers[1].value"),
        (f'headers = [{{name = "Version", value = "Bearer {CANARY}"}}]', "headers[1].value"),
        (f'token_endpoint = "https://ada:{CANARY}@as.example/token"', "token_endpoint"),
        (f'api = "https://as.example/api?api_key={CANARY}"', "api"),
        (f'endpoints = [{{path = "/me?access_token={CANARY}"}}]', "endpoints[1].path"),
        (f'notes = "Use client_secret={CANARY}"', "notes"),
        (f'[connection]\nproxy = "http://ada:{CANARY}@proxy.example:3128"', "connection.proxy"),
    ],
)
def test_file_with_a_secret_is_refused_with_the_field(tmp_path: Path, added: str, field: str) -> None:
    with pytest.raises(ProfileError) as caught:
        custom.read("mine", f'name = "X"\n{added}\n'.encode(), "mine.toml")
    problems = [item for item in caught.value.problems if item.field == field]
    assert problems, caught.value.problems
    assert "secret" in problems[0].text
    assert CANARY not in str(caught.value)


def test_proxy_with_a_password_is_refused_with_the_variable_to_use() -> None:
    with pytest.raises(ProfileError, match=r"connection\.proxy.*CONSOLE_PROXY_PROVIDER"):
        custom.check("mine", {"name": "X", "connection": {"proxy": f"http://a:{CANARY}@p.example"}}, "mine.toml")


def test_secret_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ProfileError):
        custom.write(tmp_path, replace(MINE, connection=ConnectionSettings(proxy=f"http://a:{CANARY}@p.example")))
    assert not list(tmp_path.rglob("*.toml"))


def test_deleting_a_profile_twice_is_not_an_error(tmp_path: Path) -> None:
    custom.write(tmp_path, MINE)
    custom.delete(tmp_path, "mine")
    custom.delete(tmp_path, "mine")
    assert custom.load(tmp_path) == []


@pytest.mark.parametrize("shipped", list(providers.load("http://localhost:8501").values()), ids=lambda item: item.id)
def test_every_built_in_profile_can_be_duplicated(tmp_path: Path, shipped: Provider) -> None:
    mine = custom.duplicate(shipped, "mine", "Mine")
    custom.write(tmp_path, mine)
    assert [item.provider for item in custom.load(tmp_path)] == [mine]
    assert (mine.clients, mine.control, mine.token_endpoint) == ((), "", shipped.token_endpoint)


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("My server", "my-server"),
        ("  ÄÖ ../../etc ", "etc"),
        ("Сервер", "provider"),
        ("Taken", "taken-3"),
        ("x" * 99, "x" * 40),
    ],
)
def test_new_id_is_derived_from_the_name_and_unused(name: str, id: str) -> None:
    assert custom.new_id(name, ["taken", "taken-2", "sandbox"]) == id


def test_every_problem_of_a_profile_is_reported() -> None:
    values: dict[str, Any] = {"name": "", "token_endpoint": "x", "pkce": "S1", "lifetimes": {"code": "soon"}}
    with pytest.raises(ProfileError) as caught:
        custom.check("mine", values, "mine.toml")
    assert {item.field for item in caught.value.problems} == {"name", "token_endpoint", "pkce", "lifetimes.code"}


@pytest.mark.parametrize("name", ["X-API-KEY", "Ocp-Apim-Subscription-Key", ""])
def test_header_of_the_api_key_is_kept(name: str, tmp_path: Path) -> None:
    custom.write(tmp_path, replace(MINE, api_key_header=name))
    (kept,) = custom.load(tmp_path)
    assert kept.provider is not None
    assert kept.provider.api_key_header == name


@pytest.mark.parametrize("value", ["crm-key-2042034a-0406-417a-bfa0", "X-API-KEY: 2042034a", "X-Partner", "not a name"])
def test_a_key_is_never_taken_for_its_header(value: str) -> None:
    with pytest.raises(ProfileError, match="api_key_header") as raised:
        custom.check("mine", {"name": "Mine", "api_key_header": value}, "mine.toml")
    assert "2042034a" not in str(raised.value)
