"""Config files: what they may leave out, and that a wrong one is refused with the place and what to do."""

from pathlib import Path

import pytest

from oauth_sandbox.clients import GrantType
from oauth_sandbox.configuration import READY_MADE, ConfigurationError, Lifetimes, Replacement, load, ready_made
from oauth_sandbox.rate_limit import RequestLimit


def test_omitted_tables_have_defaults(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    own = "refresh_ends_access_tokens = true\n[request_limit]\nrequests = 4500\n[lifetimes]\ncode = 5\n"
    path.write_text(own + '[[clients]]\nclient_id = "mine"\nsecret = "s"\n', encoding="utf-8")
    configuration = load(path)
    basis = ready_made()
    assert configuration.lifetimes == Lifetimes(5, 86_400, 2_592_000)
    assert (configuration.users, configuration.scopes) == (basis.users, basis.scopes)
    assert configuration.refresh_token_replaced is Replacement.ALWAYS
    assert configuration.refresh_ends_access_tokens is True
    assert configuration.request_limit == RequestLimit(4500, 300, 1800)
    assert list(configuration.clients) == ["mine"]
    mine = configuration.clients["mine"]
    assert (mine.name, mine.scopes, mine.redirect_uris, mine.active) == ("mine", ("read", "write", "v2"), (), True)
    assert mine.grants == tuple(GrantType)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("[scopes]", "[scope]", ["unknown field `scope`", "Known fields: preset, refresh_token_replaced"]),
        ('client_id = "machine-app"', 'client_id = "demo-app"', ["[[clients]] number 3, field client_id", "its own"]),
        ('client_id = "machine-app"', 'client_id = ""', ["[[clients]] number 3, field client_id", "letters, digits"]),
        (
            'grants = ["client_credentials"]',
            'grants = ["password"]',
            ["number 3, field grants", '"password"', "Allowed: authorization_code, "],
        ),
        ('grants = ["client_credentials"]', 'grants = "x"', ["number 3, field grants", "The grants it may use"]),
        (
            'name = "Machine app"',
            'title = "Machine app"',
            ["number 3:", "unknown field `title`", "Known fields: client_id"],
        ),
        ('secret = "machine-secret"', "", ["[[clients]] number 3:", "missing required field `secret`"]),
        (
            '["http://localhost:8501/callback"]\nactive = false',
            '["javascript:alert(1)"]\nactive = false',
            ["number 2, field redirect_uris: The redirect URI", "would run", "Use http or https."],
        ),
        ('v2 = "Use version 2 of the partner API"', "", ["number 1, field scopes", 'Unknown scope "v2"', "[scopes]"]),
        ("active = false", 'active = "no"', ["[[clients]] number 2, field active", "Expected `boolean`, got `string`"]),
        ("code = 600", "code = 0", ["[lifetimes], field code", "Expected `integer` >= 1"]),
        ("code = 600", "codes = 600", ["[lifetimes]:", "`codes`", "Known fields: code, access_token, refresh_token"]),
        ("requests = 0", "requests = -1", ["[request_limit], field requests", "Expected `integer` >= 0"]),
        ("pause = 1_800", "pauses = 1", ["[request_limit]:", "`pauses`", "Known fields: requests, seconds, pause"]),
        (
            "refresh_ends_access_tokens = false",
            "refresh_ends_access_tokens = 0",
            ["field refresh_ends_access_tokens: Expected `boolean`, got `integer`"],
        ),
        ('"always"', '"weekly"', ["field refresh_token_replaced", "Allowed: always, daily"]),
        ("id = 402215", 'id = "402215"', ["[[users]] number 1, field id", "number"]),
        ('"2019-04-11T09:24:51+02:00"', "2019-04-11", ["[[users]] number 1, field created_at", "in quotes"]),
        ('"2019-04-11T09:24:51+02:00"', "nan", ["[[users]] number 1, field created_at", "a finite number"]),
        ('"2019-04-11T09:24:51+02:00"', "{ a = [-inf] }", ["[[users]] number 1, field created_at", "a finite number"]),
        ("[scopes]", "[scopes", ["not TOML", "Begin with a line such as"]),
        ('v2 = "Use', '"a b" = "Use', ["[scopes]: A name in it is not valid. A scope has 1 to 100 characters"]),
    ],
)
def test_invalid_file_is_refused_naming_the_field(tmp_path: Path, old: str, new: str, parts: list[str]) -> None:
    path = tmp_path / "mine.toml"
    text = READY_MADE.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.toml: ") as caught:
        load(path)
    message = str(caught.value)
    assert [part for part in parts if part not in message] == [], message
    assert "\n" not in message


def test_duplicate_user_id_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[users]]\nid = 1\nname = "A"\n[[users]]\nid = 1\nname = "B"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"\[\[users\]\] number 2, field id: 1 is used already"):
        load(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: cannot be read: No such file"):
        load(tmp_path / "none.toml")
