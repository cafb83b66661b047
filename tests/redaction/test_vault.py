import json
import re
from dataclasses import fields, replace

import pytest
from hypothesis import assume, given, settings

from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.redaction import Vault
from oauth.redaction.by_name import ERROR_CODE
from tests.redaction.samples import AT, KEY, NAMED_PLACES, PLACES, SECRETS, TOKEN, everything, exchange, spellings


def test_remembered_secret_is_resolved_and_is_not_in_the_repr(vault: Vault) -> None:
    placeholder = vault.add("access_token", TOKEN)
    assert vault.resolve(placeholder) == TOKEN
    assert vault.resolve(f"Bearer {placeholder}, twice {placeholder}") == f"Bearer {TOKEN}, twice {TOKEN}"
    assert vault.resolve("«code 3ch»") == "«code 3ch»"
    assert vault.kind_of(TOKEN) == "access_token"
    assert vault.kind_of("other") is None
    assert vault.secrets() == {placeholder: "access_token"}
    assert TOKEN not in repr(vault)


def test_short_secrets_that_share_a_placeholder_resolve_to_the_latest(vault: Vault) -> None:
    first, second = vault.add("client_secret", "secret-one"), vault.add("client_secret", "secret-two")
    assert first == second
    assert vault.resolve(first) == "secret-two"


def test_empty_text_and_placeholder_are_not_remembered(vault: Vault) -> None:
    assert vault.add("code", "") == ""
    assert vault.add("code", "«code 3ch»") == "«code 3ch»"
    assert vault.secrets() == {}


def test_known_value_keeps_its_kind_in_another_field(vault: Vault) -> None:
    refresh = vault.add("refresh_token", TOKEN)
    assert vault.add("access_token", TOKEN) == refresh
    redacted = vault.redact(exchange(headers=(("Authorization", f"Bearer {TOKEN}"),)))
    assert redacted.request.headers == (("Authorization", f"Bearer {refresh}"),)


def test_concealed_field_can_be_sent_again(vault: Vault) -> None:
    for name, typed in (
        ("Authorization", f"Bearer {TOKEN}"),
        ("client_secret", "abc "),
        ("redirect_uri", "/cb?code=x1"),
    ):
        redacted = vault.conceal(name, typed)
        assert redacted != typed
        assert vault.resolve(redacted) == typed


@pytest.mark.parametrize("place", NAMED_PLACES)
@given(secret=SECRETS)
@settings(max_examples=40, deadline=None)
def test_named_secret_is_redacted_in_the_whole_exchange(place: str, secret: str) -> None:
    # A code in the body of a response that looks like an error code is taken for one.
    assume(place not in ("JSON in JSON", "hidden input") or not ERROR_CODE.fullmatch(secret))
    assume(place != "JSON in JSON" or not re.fullmatch("[-A-Z_0-9]+|[-a-z_./]+", secret))
    planted = NAMED_PLACES[place](secret)
    echo = Response(400, "Bad", (("X-Echo", secret),), json.dumps({"error_description": f"bad {secret}"}).encode())
    echoed = replace(planted, response=planted.response or echo, failure=Failure("x", f"about {secret}"))
    for before in (planted, echoed):
        text = everything(Vault(KEY).redact(before))
        assert not [spelled for spelled in spellings(secret) if spelled in text]


def test_word_of_the_protocol_as_a_secret_leaves_the_protocol_readable(vault: Vault) -> None:
    body = '{"client_secret":"client_secret","grant_type":"authorization_code","code":"authorization_code"}'
    vault.add("client_secret", "client_secret")
    redacted = vault.redact(exchange(body=body)).request.body.decode()
    assert json.loads(redacted) == {
        "client_secret": "«client_secret 13ch»",
        "grant_type": "authorization_code",
        "code": vault.placeholder("code", "authorization_code"),
    }


def test_known_secret_is_redacted_everywhere_and_the_structure_stays(vault: Vault) -> None:
    secret = vault.add("client_secret", "demo-secret")
    before = exchange(
        "https://a.test/demo-secret?x=1",
        headers=(("Content-Length", "42"), ("X-demo-secret-is", "1")),
        body='{"client_secret":"demo-secret","client_id":"demo-app"}',
        response_body='{"error":"invalid_client","error_description":"demo-secret is wrong"}',
        status=401,
    )
    after = vault.redact(before)
    assert after.request.url == f"https://a.test/{secret}?x=1"
    assert after.request.headers == (("Content-Length", "42"), (f"X-{secret}-is", "1"))
    assert json.loads(after.request.body) == {"client_secret": secret, "client_id": "demo-app"}
    assert after.response is not None
    assert json.loads(after.response.body) == {"error": "invalid_client", "error_description": f"{secret} is wrong"}
    assert (after.response.status, after.started_at, after.step) == (401, AT, Step.TOKEN)


@pytest.mark.parametrize("planted", [*PLACES, *NAMED_PLACES])
def test_used_vault_redacts_like_a_new_one(planted: str) -> None:
    """The cache of texts without a secret changes no result, whatever was redacted before."""
    place = PLACES.get(planted) or NAMED_PLACES[planted]
    used, secret = Vault(KEY), "Known-Secret-1234"
    used.redact(place("harmless"))
    used.redact(place(secret))
    for vault in (used, fresh := Vault(KEY)):
        vault.add("code", secret)
    assert used.redact(place(secret)) == fresh.redact(place(secret))
    assert used.redact(place("harmless")) == fresh.redact(place("harmless"))


def test_fields_without_text_are_unchanged(vault: Vault) -> None:
    response = Response(418, "I am", (("A", "b"),), b"c", cut=True, http_version="HTTP/2")
    request = Request("BREW", "https://a.test/", (("A", "b"),), b"c")
    planted = Exchange(
        Step.DEVICE, request, AT, response, Failure("x", "y"), 12, 34, "f", "o", "c", "p", "i", ("proxy",)
    )
    for kind, value in ((Response, response), (Request, request), (Exchange, planted)):
        assert len(fields(kind)) == len([name for name in kind.__slots__ if getattr(value, name) is not None])
    assert vault.redact(planted) == planted


@pytest.mark.parametrize("around", ['"{}"', "'{}'", " {} ", '"{}', "\\{}"])
def test_secret_in_quotes_leaves_the_json_around_it_valid(vault: Vault, around: str) -> None:
    vault.add("code", TOKEN)
    body = json.dumps({"client_secret": around.format(TOKEN), "code": TOKEN, "said": f"got {TOKEN}"})
    redacted = json.loads(vault.redact(exchange(body=body)).request.body)
    assert redacted["code"] == vault.placeholder("code", TOKEN)
    assert TOKEN not in str(redacted)


def test_status_line_behind_a_secret_is_not_taken_for_its_rest(vault: Vault) -> None:
    command = "curl https://p.example/token -d client_id=7 -d client_secret=a-customers-real-secret-0001"
    redacted = vault.redact_text(f"{command}\nHTTP/1.1 400 Bad Request")
    assert redacted.endswith(" 28ch»\nHTTP/1.1 400 Bad Request")
