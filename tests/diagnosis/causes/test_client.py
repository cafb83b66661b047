"""Documented errors 5 and 6: who asks."""

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from msgspec import structs

import oauth_sandbox as sandbox
from oauth.exchange import Request
from oauth.providers import ClientAuthentication
from oauth_sandbox.faults.kinds import fault_from
from tests.diagnosis.harness import Site, Walk, cause, setting, text, verdict, with_header

LONG = "a-secret-that-was-changed-in-march"


def shop() -> sandbox.Client:
    """A client with a secret that is long enough for a fingerprint."""
    return sandbox.Client(
        client_id="shop-app",
        name="Shop",
        secret=LONG,
        grants=tuple(sandbox.GrantType),
        scopes=("read", "write", "v2"),
        redirect_uris=(),
    )


def basic(value: str) -> Callable[[Request], Request]:
    return lambda request: with_header(request, "Authorization", f"Basic {value}")


def encoded(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()


@pytest.mark.proves(6, "client.credentials_missing")
def test_missing_secret_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_secret=None)))
    missing = cause(diagnosis, "client.credentials_missing")
    assert missing.verdict == "proven"
    assert missing.fix is not None
    assert walk.vault.resolve(str(missing.fix.changes[0].after)) == walk.client.secret


@pytest.mark.proves(6, "client.white_space")
@pytest.mark.rules_out(6, "client.quotes")
def test_whitespace_around_the_secret_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_secret=f"{walk.client.secret} ")))
    stray = cause(diagnosis, "client.white_space")
    assert stray.verdict == "proven"
    assert "client_secret: 1 whitespace character after it" in text(stray)
    assert verdict(diagnosis, "client.quotes") == "ruled out"
    assert stray.fix is not None
    assert stray.fix.label == "ready"
    assert walk.vault.resolve(str(stray.fix.changes[0].after)) == walk.client.secret


def test_whitespace_around_a_secret_is_not_a_different_secret(walk: Walk) -> None:
    """The demo secret is too short for a fingerprint: that what is inside differs cannot be told of the row."""
    walk.got_tokens()
    walk.begin()
    walk.authorize()
    kept = walk.kept(walk.token(setting(client_secret=f"{walk.client.secret} ")))
    assert verdict(kept, "client.white_space") == "proven"
    differs = cause(kept, "client.secret_differs")
    assert differs.verdict == "unknown"
    assert "Extra characters surround the secret, and the rest is too short" in text(differs)


@pytest.mark.proves(6, "client.quotes")
@pytest.mark.rules_out(6, "client.white_space")
def test_quotes_around_the_id_are_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_id='"demo-app"')))
    stray = cause(diagnosis, "client.quotes")
    assert stray.verdict == "proven"
    assert "client_id: a quote before it, a quote after it" in text(stray)
    assert verdict(diagnosis, "client.white_space") == "ruled out"
    assert stray.fix is not None
    assert stray.fix.changes[0].after == "demo-app"


@pytest.mark.proves(6, "client.swapped")
def test_swapped_id_and_secret_are_proven(walk: Walk) -> None:
    walk.authorize()
    swap = setting(client_id=walk.client.secret, client_secret=walk.client.id)
    diagnosis = walk.diagnosed(walk.token(swap))
    swapped = cause(diagnosis, "client.swapped")
    assert swapped.verdict == "proven"
    assert "client_id contains the client's secret" in text(swapped)
    assert "client_secret contains the client's id" in text(swapped)
    assert swapped.fix is not None
    assert swapped.fix.changes[0].after == "demo-app"


@pytest.mark.proves(6, "client.secret_differs")
@pytest.mark.rules_out(
    6,
    "client.credentials_missing",
    "client.white_space",
    "client.quotes",
    "client.swapped",
    "client.basic_encoding",
    "client.both",
    "client.id_differs",
    "client.other_provider",
)
def test_secret_other_than_the_last_working_one_is_proven(walk: Walk) -> None:
    worked = walk.got_tokens()
    walk.provider = replace(walk.provider, clients=())  # as at a provider that publishes no secrets
    walk.begin()
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_secret=LONG)))
    differs = cause(diagnosis, "client.secret_differs")
    assert differs.verdict == "proven"
    assert differs.evidence[0].row == worked.id
    assert "the secret that last worked was «client_secret 11ch»" in text(differs)
    for id in ("client.white_space", "client.quotes", "client.swapped", "client.both", "client.other_provider"):
        assert verdict(diagnosis, id) == "ruled out", id
    assert verdict(diagnosis, "client.basic_encoding") == "ruled out"
    assert verdict(diagnosis, "client.credentials_missing") == "ruled out"
    assert verdict(diagnosis, "client.id_differs") == "ruled out"


def test_secret_other_than_the_published_one_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_secret=LONG)))
    assert "the published secret of demo-app" in text(cause(diagnosis, "client.secret_differs"))
    assert verdict(diagnosis, "client.secret_differs") == "proven"


def test_two_short_secrets_of_one_length_are_not_shown_alike(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_secret="wrong-first")))
    evidence = text(cause(diagnosis, "client.secret_differs"))
    assert len("wrong-first") == len(walk.client.secret)
    assert "is another one of the same length" in evidence


@pytest.mark.rules_out(6, "client.secret_differs")
def test_the_right_secret_is_ruled_out(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_id='"demo-app"')))
    assert verdict(diagnosis, "client.secret_differs") == "ruled out"


@pytest.mark.proves(6, "client.id_differs")
def test_unknown_client_id_is_diagnosed(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_id="demo-ap")))
    differs = cause(diagnosis, "client.id_differs")
    assert differs.verdict == "proven"
    assert "Sent demo-ap; the client of this flow is demo-app" in text(differs)
    assert differs.fix is not None
    assert differs.fix.changes[0].after == "demo-app"


@pytest.mark.proves(6, "client.other_provider")
def test_client_id_of_another_site_is_proven(new_walk: Callable[..., Walk], other_site: Site) -> None:
    """Two sandboxes on two ports: the client is known at one, and its credentials are sent to the other."""
    other_site.running.sandbox.put_client(shop())
    row = new_walk("shop-app", LONG, at=other_site).application()
    walk = new_walk("shop-app", LONG)
    diagnosis = walk.diagnosed(walk.application())
    foreign = cause(diagnosis, "client.other_provider")
    assert foreign.verdict == "proven"
    assert "This client id worked at other-site, but never at sandbox" in text(foreign)
    assert "It used the same secret" in text(foreign)
    assert foreign.evidence[0].row == row.id
    assert foreign.fix is not None
    assert foreign.fix.label == "needs a value"


def test_the_same_id_with_another_secret_may_be_another_client(new_walk: Callable[..., Walk], other_site: Site) -> None:
    """Numbers are given out by each site for itself, and two of them may give out the same one."""
    other_site.running.sandbox.put_client(shop())
    new_walk("shop-app", LONG, at=other_site).application()
    walk = new_walk("shop-app", LONG[::-1])
    assert verdict(walk.diagnosed(walk.application()), "client.other_provider") == "possible"


@pytest.mark.proves("invalid_request", "client.both")
def test_credentials_in_header_and_body_are_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(raw=basic(encoded("demo-app:another-secret"))))
    both = cause(diagnosis, "client.both")
    assert both.verdict == "proven"
    assert "The two differ" in text(both)
    assert "another-secret" not in text(both)


@pytest.mark.suspects(6, "client.both")
def test_credentials_in_both_places_are_possible_with_the_same_wrong_secret(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_secret=LONG), raw=basic(encoded(f"demo-app:{LONG}"))))
    assert verdict(diagnosis, "client.both") == "possible"


@pytest.mark.proves(6, "client.both", "client.basic_encoding")
def test_unreadable_header_beside_the_right_body_is_proven(walk: Walk) -> None:
    """The body alone would have been enough, and the provider looks at the header first."""
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(raw=basic("demo-app:demo-secret")))
    both = cause(diagnosis, "client.both")
    assert both.verdict == "proven"
    assert "It is the published secret of demo-app" in text(both)
    assert verdict(diagnosis, "client.secret_differs") == "ruled out"


@pytest.mark.proves(6, "client.basic_encoding")
@pytest.mark.rules_out(6, "client.both")
def test_invalid_base64_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(by=ClientAuthentication.BASIC, raw=basic("demo-app:demo-secret")))
    wrong = cause(diagnosis, "client.basic_encoding")
    assert wrong.verdict == "proven"
    assert "is not valid base64" in text(wrong)
    assert verdict(diagnosis, "client.both") == "ruled out"


def test_basic_encoded_twice_is_proven(walk: Walk) -> None:
    walk.authorize()
    pair = encoded("demo-app:demo%252Dsecret")
    diagnosis = walk.diagnosed(walk.token(by=ClientAuthentication.BASIC, raw=basic(pair)))
    wrong = cause(diagnosis, "client.basic_encoding")
    assert wrong.verdict == "proven"
    assert "client_secret is form-encoded twice" in text(wrong)


def test_basic_without_form_encoding_is_proven(new_walk: Callable[..., Walk]) -> None:
    """A secret with a plus sign, sent as it is: the server reads a space."""
    walk = new_walk(secret="demo+secret-with-a-plus")
    pair = encoded("demo-app:demo+secret-with-a-plus")
    only_header = setting(client_id=None, client_secret=None)
    diagnosis = walk.diagnosed(walk.application(only_header, raw=basic(pair)))
    wrong = cause(diagnosis, "client.basic_encoding")
    assert wrong.verdict == "proven"
    assert "client_secret is not form-encoded" in text(wrong)


def test_correct_basic_is_ruled_out(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_secret=LONG), by=ClientAuthentication.BASIC))
    assert verdict(diagnosis, "client.basic_encoding") == "ruled out"
    assert verdict(diagnosis, "client.both") == "ruled out"
    assert verdict(diagnosis, "client.secret_differs") == "proven"


@pytest.mark.proves(5, "client.deactivated")
@pytest.mark.rules_out(5, "client.never_active", "client.other_provider")
def test_deactivated_client_is_proven(walk: Walk) -> None:
    worked = walk.got_tokens()
    walk.running.sandbox.change_client("demo-app", active=False)
    diagnosis = walk.diagnosed(walk.refresh())
    gone = cause(diagnosis, "client.deactivated")
    assert gone.verdict == "proven"
    assert gone.evidence[0].row == worked.id
    assert verdict(diagnosis, "client.never_active") == "ruled out"
    assert verdict(diagnosis, "client.other_provider") == "ruled out"


@pytest.mark.proves(5, "client.never_active")
@pytest.mark.rules_out(5, "client.deactivated")
def test_never_active_client_is_proven(new_walk: Callable[..., Walk]) -> None:
    new_walk("machine-app").application()
    walk = new_walk("inactive-app")
    diagnosis = walk.diagnosed(walk.application())
    never = cause(diagnosis, "client.never_active")
    assert never.verdict == "proven"
    assert "The provider returns 401 invalid_client" in text(never)
    assert "inactive-app has never worked here, in the newest 20,000 rows" in text(never)
    assert verdict(diagnosis, "client.deactivated") == "ruled out"
    assert verdict(diagnosis, "client.other_provider") == "ruled out"


@pytest.mark.proves(5, "client.other_provider")
def test_client_active_at_another_site_is_diagnosed(new_walk: Callable[..., Walk], other_site: Site) -> None:
    """Two sandboxes on two ports: registered at both, and activated at one."""
    other_site.running.sandbox.put_client(shop())
    row = new_walk("shop-app", LONG, at=other_site).application()
    walk = new_walk("shop-app", LONG)
    walk.running.sandbox.put_client(structs.replace(shop(), active=False))
    diagnosis = walk.diagnosed(walk.application())
    foreign = cause(diagnosis, "client.other_provider")
    assert foreign.verdict == "proven"
    assert foreign.evidence[0].row == row.id
    assert verdict(diagnosis, "client.deactivated") == "ruled out"
    assert verdict(diagnosis, "client.never_active") == "possible"
    assert f"shop-app has never worked here, in the newest {walk.past.reach:,} rows" in text(
        cause(diagnosis, "client.never_active")
    )


def test_refused_secret_does_not_prove_deactivation(walk: Walk) -> None:
    """``invalid_client`` in a text of its own does not say whether the client or its secret is refused."""
    walk.application()
    walk.running.sandbox.faults.add(fault_from("error", {"error": "invalid_client", "error_description": "Go away"}))
    assert verdict(walk.diagnosed(walk.application()), "client.deactivated") == "possible"


def test_refused_secret_does_not_prove_a_never_active_client(walk: Walk) -> None:
    walk.running.sandbox.faults.add(fault_from("error", {"error": "invalid_client", "error_description": "Go away"}))
    diagnosis = walk.diagnosed(walk.application())
    assert "client.never_active" not in {item.id for item in diagnosis.causes if item.verdict == "proven"}
