"""Secrets of PAR, DPoP, assertions and devices do not appear at rest, in the log, in an export or on the page."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import ECKey
from playwright.sync_api import expect

from oauth_sandbox.testing import serving
from tests.browser.canaries import downloads, leaks
from tests.servers.authorization_server import Server

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

LOGIN_HINT = "canary-hint-ada@example.com"
SECRETS_OF_PAR = ("state", "nonce", "client_assertion", "login_hint")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(demands_nonce=True, opaque=False)
    with serving(server.app()) as url:
        server.issuer = url
        yield server


def test_secrets_of_optional_steps_stay_in_the_session(server: Server, walk: "Walk", running: "Console") -> None:
    page = walk.page
    (running.home / "providers").mkdir()
    (running.home / "providers" / "everything.toml").write_text(server.profile() + "\ndpop = true\n")
    key = ECKey.generate_key("P-256", parameters={"kid": "client-key"})
    server.client_key = key.as_dict(private=False)
    walk.open()
    walk.at("authorize.open").wait_for()
    walk.pick("walkthrough.provider", "Everything")
    walk.type("walkthrough.client_id", server.client_id)
    walk.untick("walkthrough.options")
    walk.untick("authorize.field.login_hint.send")
    walk.press("rail.par")
    walk.pick("par.secret_in", "private_key_jwt")
    walk.press("par.assertion")
    pasted = walk.at("par.assertion.key").locator("textarea")
    pasted.fill(json.dumps(key.as_dict(private=True)))
    pasted.press("Control+Enter")
    expect(page.get_by_text("The key signs with ES256")).to_be_visible()
    page.keyboard.press("Escape")
    walk.untick("par.field.login_hint.send")
    walk.type("par.field.login_hint.value", LOGIN_HINT)
    walk.press("par.send")
    walk.at("par.exchange").wait_for(state="attached")
    with page.context.expect_page() as opened:
        walk.at("authorize.open").locator("a").click()
    opened.value.get_by_text("tab").first.wait_for()
    opened.value.close()
    walk.at("callback.details").wait_for(state="attached")
    walk.press("token.send")
    walk.press("token.dpop.again")
    walk.at("tokens").wait_for()
    walk.press("tokens.jwks.send")
    walk.at("tokens.jwks").wait_for()
    walk.press("api.send")
    walk.at("api.exchange").wait_for()
    for action, label in (("introspect", "Introspect"), ("revoke", "Revoke")):
        walk.pick("call.action", label)
        walk.press(f"{action}.send")
        walk.at(f"{action}.exchange").wait_for()
    walk.press("rail.device")
    walk.press("device.send")
    walk.at("device.code").wait_for()
    button = walk.at("poll.send").locator("button")
    expect(button).to_be_enabled()
    button.click()
    walk.at("device_tokens").wait_for()

    forms = dict(server.received)
    secrets = {name: forms["/par"][name] for name in SECRETS_OF_PAR}
    secrets |= {
        "private key": str(key.as_dict(private=True)["d"]),
        "code_verifier": next(form["code_verifier"] for _, form in server.received if "code_verifier" in form),
        "code": next(form["code"] for _, form in server.received if "code" in form),
        "device_code": forms["/token"]["device_code"],
        "access_token": forms["/introspect"]["token"],
        "dpop_nonce": server.nonce,
        "user_code": "WDJB-MJHT",
    }
    secrets |= {f"proof {number}": proof.rpartition(".")[2] for number, proof in enumerate(server.proofs)}
    secrets |= {f"assertion {n}": form["client_assertion"] for n, (_, form) in enumerate(server.received)
                if "client_assertion" in form}  # fmt: skip
    assert len(server.proofs) >= 4
    walk.settle()
    shown = page.content() + str(
        page.evaluate("() => [...document.querySelectorAll('input, textarea')].map(field => field.value)")
    )
    assert leaks(secrets, shown.encode()) == []
    walk.open("/history")
    files = [*downloads(walk), running.log, *(path for path in running.home.rglob("*") if path.is_file())]
    for path in files:
        assert leaks(secrets, path.read_bytes()) == [], f"{path.name} has a secret"
    kept = b"".join(path.read_bytes() for path in files)
    for kind in ("dpop", "request_uri", "device_code", "client_assertion", "nonce", "login_hint", "dpop_nonce"):
        assert f"«{kind} ".encode() in kept, f"{kind} is nowhere, so the search proves nothing"
