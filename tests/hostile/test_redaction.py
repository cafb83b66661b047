"""Names, places and spellings of secrets that redaction must hide, and texts that it must leave readable."""

import base64
import html
import json
import quopri
import re
import textwrap
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from oauth.exchange import Failure
from oauth.redaction import Vault
from oauth.redaction.by_name.prefixes import PREFIXES
from tests.redaction.samples import KEY, everything, exchange

FOLDER = Path(__file__).parent
HIDDEN: dict[str, Any] = tomllib.loads((FOLDER / "hidden.toml").read_text())
READABLE: dict[str, Any] = tomllib.loads((FOLDER / "readable.toml").read_text())

WHOLE = [case for case in HIDDEN["text"] if "text" in case]

SECRET = "Zq7hidden4Xw9pLm2"
KNOWN = "kN0wn/Secret+of=40~characters.aB3dE5gH7jK9mN1pQ3sT5vW7"
RANDOM = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
WORDS = ("see {}", "[{}]", "https://a.test/x/{}/y", '{{"note": "{}"}}', "x,{},y")


def _mime(secret: str, width: int, line_break: str, before: str = "") -> str:
    text = base64.b64encode(f"{before}{secret} and much text behind it, so that it spans lines".encode()).decode()
    return line_break.join(text[at : at + width] for at in range(0, len(text), width))


ECHOES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "in capitals": str.upper,
    "in lower case": str.lower,
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "percent-encoded twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "form-encoded": quote_plus,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64url": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    "base64 of a sentence": lambda secret: base64.b64encode(f"x{secret}y".encode()).decode(),
    "base64 of a form": lambda secret: base64.b64encode(f"code={quote_plus(secret)}&a=b".encode()).decode(),
    "hex": lambda secret: secret.encode().hex(),
    "hex in capitals": lambda secret: secret.encode().hex().upper(),
    "JSON-escaped": lambda secret: json.dumps(secret).replace("/", "\\/"),
    "JSON-escaped twice": lambda secret: json.dumps(json.dumps(secret).replace("/", "\\/")),
    "HTML-escaped": html.escape,
    "HTML references": lambda secret: "".join(f"&#{ord(character)};" for character in secret),
    "MIME base64, 76 characters": lambda secret: _mime(secret, 76, "\n"),
    "MIME base64 with CRLF": lambda secret: _mime(secret, 76, "\r\n", "some text before "),
    "MIME base64 with spaces": lambda secret: _mime(secret, 60, "\n    "),
    "PEM lines, 64 characters": lambda secret: _mime(secret, 64, "\n", "01"),
    "quoted-printable, soft break": lambda secret: quopri.encodestring(f"{'x' * 50}{secret}".encode()).decode(),
    "quoted-printable, CRLF": lambda secret: (
        quopri.encodestring(f"{'x' * 40} {secret}".encode()).decode().replace("\n", "\r\n")
    ),
    "cut after 12": lambda secret: secret[:12],
    "cut after 20": lambda secret: secret[:20],
    "cut and dotted": lambda secret: f"{secret[:16]}...",
    "cut, percent-encoded": lambda secret: quote(secret[:18], safe=""),
    "cut, in JSON": lambda secret: json.dumps({"message": f"bad value {secret[:24]}"}),
    "wrapped at 64": lambda secret: textwrap.fill("x" * 44 + secret, 64),
    "wrapped and indented": lambda secret: textwrap.fill("x" * 44 + secret, 64, subsequent_indent="    "),
    "in a URL's path": lambda secret: f"https://a.test/t/{quote(secret, safe='')}/x",
    "quoted": lambda secret: f"'{secret}'",
}


def redacted(case: dict[str, Any], vault: Vault) -> str:
    """Return the redacted text of a case: of its ``url``, ``header``, ``response`` or ``text``."""
    if "url" in case:
        return vault.redact_url(case["url"])
    if "header" in case:
        name, value = case["header"]
        return vault.redact_value(name, value)
    if "response" in case:
        response = vault.redact(exchange(response_body=case["response"])).response
        assert response is not None
        return response.body.decode()
    return vault.redact_text(case["text"])


@pytest.mark.parametrize("name", HIDDEN["names"])
def test_a_secret_name_hides_its_value_in_every_place(name: str) -> None:
    texts = {
        place: template.replace("SECRET", SECRET).format(name=name) for place, template in HIDDEN["places"].items()
    }
    vault = Vault(KEY)
    readable = [place for place, text in texts.items() if SECRET in vault.redact_text(text)]
    assert readable == []
    assert SECRET not in vault.redact_value(name, SECRET)
    assert SECRET not in vault.redact_value("Cookie", f"{name}={SECRET}")
    assert SECRET not in vault.redact_url(f"/cb?{quote(name)}={SECRET}")
    assert SECRET not in redacted({"response": json.dumps({name: SECRET})}, vault)


@pytest.mark.parametrize("case", HIDDEN["text"], ids=lambda case: case["name"])
def test_a_secret_in_its_place_is_hidden(case: dict[str, Any]) -> None:
    secret = case.get("secret", SECRET)
    assert secret not in redacted(_filled(case, secret), Vault(KEY))


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case["name"])
def test_a_secret_in_a_whole_exchange_is_hidden(case: dict[str, Any]) -> None:
    """The same text as the body of a response, and as words about a failure."""
    secret = case.get("secret", SECRET)
    text = _filled(case, secret)["text"]
    answered = exchange(response_body=text, status=400)
    for before in (answered, replace(exchange(), failure=Failure("refused", text))):
        assert secret not in everything(Vault(KEY).redact(before))


def _filled(case: dict[str, Any], secret: str) -> dict[str, Any]:
    def fill(value: Any) -> Any:
        return re.sub(r"\bSECRET\b", lambda _: secret, value) if isinstance(value, str) else list(map(fill, value))

    return {kind: fill(value) for kind, value in case.items()}


@pytest.mark.parametrize("prefix", [*PREFIXES, *HIDDEN["issued"]["words"]])
def test_a_secret_is_known_by_the_prefix_of_its_issuer(prefix: str) -> None:
    for template in WORDS:
        assert RANDOM not in Vault(KEY).redact_text(template.format(prefix + RANDOM))


@pytest.mark.parametrize("spelling", HIDDEN["echoes"]["spellings"])
def test_a_known_secret_is_hidden_however_it_is_spelled(spelling: str) -> None:
    vault = Vault(KEY)
    vault.add("access_token", KNOWN)
    echo = ECHOES[spelling](KNOWN)
    lines = [line.strip().rstrip("=.") for line in echo.splitlines()]
    for text in (echo, f"before\n{echo}\nafter"):
        left = vault.redact_text(text)
        assert "«access_token" in left
        # Of what was wrapped, the lines that held nothing but the secret are gone too.
        assert not any(
            line in left for line in lines if "x" * 9 not in line and not spelling.startswith(("MIME", "PEM"))
        )
        assert not any(left.count(KNOWN[at : at + 12]) for at in range(len(KNOWN) - 12))


@pytest.mark.parametrize("name", READABLE["names"])
def test_other_names_leave_their_values(name: str) -> None:
    vault = Vault(KEY)
    value = READABLE["value"]
    for template in READABLE["places"].values():
        text = template.format(name=name, value=value)
        assert vault.redact_text(text) == text
    assert vault.redact_value(name, value) == value
    assert vault.redact_url(f"/x?{name}={value}") == f"/x?{name}={value}"


@pytest.mark.parametrize("case", READABLE["text"], ids=lambda case: case["name"])
def test_text_without_a_secret_is_left_as_it_is(case: dict[str, Any]) -> None:
    text = next(case[kind] for kind in ("url", "header", "response", "text") if kind in case)
    assert redacted(case, Vault(KEY)) == (text[1] if "header" in case else text)


def test_the_lists_are_long_enough_to_mean_something() -> None:
    assert len(HIDDEN["names"]) + len(HIDDEN["text"]) + len(HIDDEN["issued"]["words"]) + len(ECHOES) >= 390
    assert sorted(ECHOES) == sorted(HIDDEN["echoes"]["spellings"])
    assert len(READABLE["names"]) + len(READABLE["text"]) >= 235
