"""Redaction in linear time."""

import hashlib
import json
from collections.abc import Callable
from time import process_time

import pytest

from oauth.redaction import Vault
from tests.redaction.samples import KEY


@pytest.mark.parametrize(
    "scrap",
    [
        '"code":',
        "'code':",
        "code=",
        '{"token":',
        '"',
        "\\",
        "%255C%2526amp;\\u0025",
        "<code><![CDATA[",
        "//",
        "eyJ-",
        "code: \n",
        '<input name="code" value="',
        "«code 3ch»",
        'Content-Disposition: form-data; name="code"\r\n\r\n',
        "Bearer ",
        " ",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN A-----",
        "?code=x",
        "&a=x",
        "a=b; ",
        "%",
        "+",
        "a",
        "AbC0",
        "[",
        '[{"code":[',
        '\\"',
        '{"name":"code","value":"x',
        'Content-Disposition: form-data; name="code"\r\n',
        "content-disposition: ",
        "code:\n  ",
        "code: |\n",
        "a_b-C.",
        "=\n",
        "=3D",
        "\r\n",
        "ghp_",
        "EAA",
        "a is ",
        "curl -u a:b ",
        '{"kty":"',
        '"key":"code","type":"',
        "access token ",
        "password ",
        "client_secret' => ",
        "--password x ",
        "password\n",
        "insert into t (token) values (?) ",
        "insert into t (token) values (?)\n",
        "a code\n-- --\n",
        "-- ",
        "base64(",
        "auth(a, ",
        "eyJjb2RlIjoi ",
        "{eyJ bearer ",
        "kind: Secret\ndata:\n",
        "<name>password</name> <value>",
        "token: ",
        "token/",
        'token=>("',
        "id,token\n",
        "1,a1b2c3d4e5\n",
        "(token) values (",
        "code is not valid ",
        "AccessToken(",
        "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4\n",
    ],
)
def test_time_grows_linearly_with_the_text(vault: Vault, scrap: str) -> None:
    """Four times the text must take far less than sixteen times the processor time."""
    short, long = (scrap * (length // len(scrap)) for length in (12_000, 48_000))
    assert best_seconds(vault, long, everywhere) < 8 * best_seconds(vault, short, everywhere) + 0.1


def test_time_grows_linearly_with_the_number_of_different_secrets(vault: Vault) -> None:
    short, long = (json.dumps([{"token": f"token-{number}"} for number in range(count)]) for count in (1000, 4000))
    assert best_seconds(vault, long) < 10 * best_seconds(vault, short) + 0.05


def best_seconds(vault: Vault, text: str, redact: Callable[[Vault, str], object] = Vault.redact_text) -> float:
    times = []
    for _ in range(2):
        started = process_time()
        redact(vault, text)
        times.append(process_time() - started)
    return min(times)


def everywhere(vault: Vault, text: str) -> None:
    """Redact a text as a message, as a URL and as headers."""
    vault.redact_text(text)
    vault.redact_url(f"https://provider.example/{text}")
    for name in ("Location", "Authorization", "Cookie", "token"):
        vault.redact_value(name, text)


def test_time_does_not_grow_with_the_number_of_remembered_secrets() -> None:
    """A paste of ten thousand exchanges has as many secrets, and each is searched for in all of them."""
    text = json.dumps({"error_description": " ".join(f"word-{number}" for number in range(2000))})
    few, many = Vault(KEY), Vault(KEY)
    for vault, count in ((few, 2_500), (many, 10_000)):
        for number in range(count):
            vault.add("access_token", hashlib.sha256(f"{number}".encode()).hexdigest())
    assert best_seconds(many, text) < 2 * best_seconds(few, text) + 0.02
