"""Documented errors 5 and 6: who asks."""

import base64
from collections.abc import Callable
from dataclasses import replace

from oauth.exchange import Request
from oauth.providers import ClientAuthentication
from tests.diagnosis.harness import Walk, cause, setting, text, verdict, with_header

LONG = "a-secret-that-was-changed-in-march"


def basic(value: str) -> Callable[[Request], Request]:
    return lambda request: with_header(request, "Authorization", f"Basic {value}")


def encoded(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()


def test_a_missing_secret(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_secret=None)))
    missing = cause(found, "client.credentials_missing")
    assert missing.verdict == "proven"
    assert missing.fix is not None
    assert walk.vault.resolve(str(missing.fix.changes[0].after)) == walk.client.secret


def test_white_space_around_the_secret(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_secret=f"{walk.client.secret} ")))
    stray = cause(found, "client.white_space")
    assert stray.verdict == "proven"
    assert "client_secret: 1 white-space character after it" in text(stray)
    assert verdict(found, "client.quotes") == "ruled out"
    assert stray.fix is not None
    assert stray.fix.label == "ready"
    assert walk.vault.resolve(str(stray.fix.changes[0].after)) == walk.client.secret


def test_quotes_around_the_id(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_id='"demo-app"')))
    stray = cause(found, "client.quotes")
    assert stray.verdict == "proven"
    assert "client_id: a quote before it, a quote after it" in text(stray)
    assert verdict(found, "client.white_space") == "ruled out"
    assert stray.fix is not None
    assert stray.fix.changes[0].after == "demo-app"


def test_id_and_secret_swapped(walk: Walk) -> None:
    walk.authorize()
    swap = setting(client_id=walk.client.secret, client_secret=walk.client.id)
    found = walk.diagnosed(walk.token(swap))
    swapped = cause(found, "client.swapped")
    assert swapped.verdict == "proven"
    assert "what stands in client_id is the client's secret" in text(swapped)
    assert "what stands in client_secret is the client's id" in text(swapped)
    assert swapped.fix is not None
    assert swapped.fix.changes[0].after == "demo-app"


def test_another_secret_than_the_one_that_last_worked(walk: Walk) -> None:
    worked = walk.got_tokens()
    walk.provider = replace(walk.provider, clients=())  # as at a provider that publishes no secrets
    walk.begin()
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_secret=LONG)))
    differs = cause(found, "client.secret_differs")
    assert differs.verdict == "proven"
    assert differs.evidence[0].row == worked.id
    assert "what last worked was «client_secret 11ch»" in text(differs)
    for id in ("client.white_space", "client.quotes", "client.swapped", "client.both", "client.other_provider"):
        assert verdict(found, id) == "ruled out", id
    assert verdict(found, "client.basic_encoding") == "ruled out"
    assert verdict(found, "client.credentials_missing") == "ruled out"
    assert verdict(found, "client.id_differs") == "ruled out"


def test_another_secret_than_the_published_one(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_secret=LONG)))
    assert "the published secret of demo-app" in text(cause(found, "client.secret_differs"))
    assert verdict(found, "client.secret_differs") == "proven"


def test_the_right_secret_is_ruled_out(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_id='"demo-app"')))
    assert verdict(found, "client.secret_differs") == "ruled out"


def test_an_unknown_client_id(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_id="demo-ap")))
    differs = cause(found, "client.id_differs")
    assert differs.verdict == "proven"
    assert "sent demo-ap, and the client of this flow is demo-app" in text(differs)
    assert differs.fix is not None
    assert differs.fix.changes[0].after == "demo-app"


def test_a_client_id_of_another_provider(new_walk: Callable[..., Walk], walk: Walk) -> None:
    """The sandbox has one site only: the success at the other one is kept under another provider's name."""
    other = new_walk()
    other.provider = replace(other.provider, id="olx-pl")
    other.begin()
    row = other.got_tokens()
    walk.provider = replace(walk.provider, clients=())
    walk.begin()
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_secret=LONG)))
    foreign = cause(found, "client.other_provider")
    assert foreign.verdict == "proven"
    assert "this client id worked at olx-pl, never at sandbox" in text(foreign)
    assert foreign.evidence[0].row == row.id


def test_basic_and_body_at_once(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(raw=basic(encoded("demo-app:another-secret"))))
    both = cause(found, "client.both")
    assert both.verdict == "proven"
    assert "the two differ" in text(both)
    assert "another-secret" not in text(both)


def test_basic_and_body_with_the_same_wrong_secret(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_secret=LONG), raw=basic(encoded(f"demo-app:{LONG}"))))
    assert verdict(found, "client.both") == "possible"


def test_basic_that_is_no_base64(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(by=ClientAuthentication.BASIC, raw=basic("demo-app:demo-secret")))
    wrong = cause(found, "client.basic_encoding")
    assert wrong.verdict == "proven"
    assert "cannot be decoded as base64" in text(wrong)
    assert verdict(found, "client.both") == "ruled out"


def test_basic_that_is_encoded_twice(walk: Walk) -> None:
    walk.authorize()
    pair = encoded("demo-app:demo%252Dsecret")
    found = walk.diagnosed(walk.token(by=ClientAuthentication.BASIC, raw=basic(pair)))
    wrong = cause(found, "client.basic_encoding")
    assert wrong.verdict == "proven"
    assert "client_secret is form-encoded twice" in text(wrong)


def test_basic_that_is_not_form_encoded(new_walk: Callable[..., Walk]) -> None:
    """A secret with a plus sign, sent as it is: the server reads a space."""
    walk = new_walk(secret="demo+secret-with-a-plus")
    pair = encoded("demo-app:demo+secret-with-a-plus")
    only_header = setting(client_id=None, client_secret=None)
    found = walk.diagnosed(walk.application(only_header, raw=basic(pair)))
    wrong = cause(found, "client.basic_encoding")
    assert wrong.verdict == "proven"
    assert "client_secret is not form-encoded" in text(wrong)


def test_basic_that_is_right_is_ruled_out(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(client_secret=LONG), by=ClientAuthentication.BASIC))
    assert verdict(found, "client.basic_encoding") == "ruled out"
    assert verdict(found, "client.both") == "ruled out"
    assert verdict(found, "client.secret_differs") == "proven"


def test_a_client_that_worked_and_was_deactivated(walk: Walk) -> None:
    worked = walk.got_tokens()
    walk.running.sandbox.set_active("demo-app", False)
    found = walk.diagnosed(walk.refresh())
    gone = cause(found, "client.deactivated")
    assert gone.verdict == "proven"
    assert gone.evidence[0].row == worked.id
    assert verdict(found, "client.never_active") == "ruled out"
    assert verdict(found, "client.other_provider") == "ruled out"


def test_a_client_that_never_worked(new_walk: Callable[..., Walk]) -> None:
    walk = new_walk("inactive-app")
    found = walk.diagnosed(walk.application())
    never = cause(found, "client.never_active")
    assert never.verdict == "possible"
    assert "inactive-app never worked here" in text(never)
    assert verdict(found, "client.deactivated") == "ruled out"
    assert verdict(found, "client.other_provider") == "ruled out"


def test_an_inactive_client_of_another_provider(new_walk: Callable[..., Walk]) -> None:
    other, walk = new_walk("inactive-app"), new_walk("inactive-app")
    other.running.sandbox.set_active("inactive-app", True)
    other.provider = replace(other.provider, id="olx-pl")
    row = other.application()
    other.running.sandbox.set_active("inactive-app", False)
    foreign = cause(walk.diagnosed(walk.application()), "client.other_provider")
    assert foreign.verdict == "proven"
    assert foreign.evidence[0].row == row.id
