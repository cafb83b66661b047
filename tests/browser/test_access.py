"""The page Access, and the API with a token of it, on a console behind a proxy that signs people in."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwk, jwt
from playwright.sync_api import Browser, expect

from tests.browser.test_accessibility import check

HEADER, ISSUER, AUDIENCE = "X-Voucher", "https://login.example", "console"


@contextmanager
def serving_keys(key: jwk.ECKey) -> Iterator[str]:
    """Serve the public keys of the proxy; yields their address."""
    document = json.dumps({"keys": [key.as_dict(private=False)]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/keys"
        server.shutdown()


def test_admin_creates_a_token_that_reads_the_history_and_finds_both_in_the_audit(
    tools: Any, browser: Browser, tmp_path: Path
) -> None:
    key, port = jwk.ECKey.generate_key("P-256", {"kid": "1"}), tools.free_port()

    def voucher() -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "name": "Ada", "iat": now, "exp": now + 600}
        return jwt.encode({"alg": "ES256", "kid": "1"}, claims, key)

    with serving_keys(key) as jwks:
        running = tools.start_console(
            tmp_path / "home",
            port=port,
            CONSOLE_SIGN_IN="proxy",
            CONSOLE_PUBLIC_URL=f"http://localhost:{port}",
            CONSOLE_ROLES="admin=sub:ada, reader=*",
            CONSOLE_JWT_HEADER=HEADER,
            CONSOLE_JWT_ISSUER=ISSUER,
            CONSOLE_JWT_AUDIENCE=AUDIENCE,
            CONSOLE_JWT_JWKS=jwks,
        )
        context = browser.new_context(extra_http_headers={HEADER: voucher()})
        context.set_default_timeout(tools.PATIENCE)
        try:
            walk = tools.Walk(context.new_page(), running.url)
            walk.open("/access")
            walk.type("access.token.name", "nightly")
            walk.at("access.token.scopes").get_by_role("button", name=re.compile("^history:read")).click()
            walk.press("access.token.create")
            secret = walk.at("access.token.created").locator("code").inner_text().strip()
            expect(walk.at("access.token.1")).to_contain_text("never used")

            answer = httpx.get(
                f"{running.url}/api/exchanges?filter=step:token",
                headers={"Authorization": f"Bearer {secret}"},
                trust_env=False,
            )
            assert (answer.status_code, answer.json()) == (200, {"exchanges": [], "next": None})
            assert httpx.get(f"{running.url}/api/exchanges", trust_env=False).status_code == 401
            assert httpx.get(f"{running.url}/api/openapi.json", trust_env=False).status_code == 200

            walk.press("access.token.seen")
            walk.at("access.token.created").wait_for(state="detached")
            expect(walk.at("access.token.1")).to_contain_text("last used just now")
            check(walk, "the tokens")
            walk.page.get_by_role("tab", name="Audit").click()
            walk.at("access.audit.table").wait_for()
            check(walk, "the audit")
            walk.page.emulate_media(color_scheme="dark")
            check(walk, "the audit in the dark")
            walk.at("shell.person").locator("button").click()
            expect(walk.page.get_by_text("Who am I?")).to_be_visible()
            check(walk, "who is signed in")
            walk.page.keyboard.press("Escape")
            with walk.page.expect_download() as download:
                walk.press("access.audit.download")
            # The browser of the tests sends no header of ours with a download, which the proxy would add.
            file = download.value.url
            assert httpx.get(file, trust_env=False).status_code == 401
            text = httpx.get(file, headers={HEADER: voucher()}, trust_env=False).content.decode("utf-8-sig")
            assert text.splitlines()[0] == "id,at,person,name,role,address,event,object,detail,allowed"
            assert "ada@login.example,Ada,admin" in text
            assert ',export,step:token,"0 exchanges, API",true' in text
            assert ",token,nightly,created for 90 days: history:read,true" in text
            assert secret not in text

        finally:
            context.close()
            tools.stop_console(running)
        log = running.log.read_text()
        assert secret not in log
