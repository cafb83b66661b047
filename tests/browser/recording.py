"""A tiny web application with a login at an authorization server, and a Chromium that records it as HAR."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

VERIFIER = "a-verifier-of-the-tiny-client-" + "v" * 20
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
FILES = {
    "/app.css": ("text/css", b"body { font: 16px sans-serif; }"),
    "/app.js": ("text/javascript", b"fetch('/session'); fetch('/collect', {method: 'POST', body: 'page=login'});"),
    "/logo.gif": ("image/gif", PIXEL),
}
HEAD = """<!doctype html><html><head><title>Tiny client</title><link rel="stylesheet" href="/app.css"></head>
<body><img src="/logo.gif" alt=""><script src="/app.js"></script>"""


@dataclass(frozen=True)
class Login:
    """The server and the client of a login. ``secret`` is sent with the code; ``body`` is ``form`` or ``json``."""

    authorize: str
    token: str
    client_id: str
    secret: str
    scope: str
    approve: Callable[[Page], None]
    api: str
    body: str = "form"


def application() -> Starlette:
    """Return the tiny client: a page, its files, a call for the session and one that counts visits."""

    def page(_: Request) -> Response:
        return HTMLResponse(f"{HEAD}<p id=ready>Tiny client</p></body></html>")

    def file(request: Request) -> Response:
        media_type, content = FILES[request.url.path]
        return Response(content, media_type=media_type)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/callback", page),
            *(Route(path, file) for path in FILES),
            Route("/session", lambda _: JSONResponse({"user": None})),
            Route("/collect", lambda _: Response(status_code=204), methods=["POST"]),
        ]
    )


def record(browser: Browser, client: str, login: Login, path: Path, *, by_page: bool = False) -> None:
    """Log in at the server from the tiny client at ``client``, and save what the browser did as a HAR.

    The code is exchanged by the client, whose calls are added to the file, or ``by_page`` with a form.
    """
    context = browser.new_context(record_har_path=path, record_har_content="embed")
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(client)
    page.wait_for_load_state("networkidle")
    query = {
        "response_type": "code", "client_id": login.client_id, "redirect_uri": f"{client}/callback",
        "scope": login.scope, "state": secrets.token_urlsafe(16),
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    page.evaluate("url => { location.href = url }", f"{login.authorize}?{urlencode(query)}")
    page.wait_for_url(lambda url: not url.startswith(client))
    login.approve(page)
    page.wait_for_url(f"{client}/callback?**")
    page.wait_for_load_state("networkidle")
    form = {
        "grant_type": "authorization_code", "code": parse_qs(urlsplit(page.url).query)["code"][0],
        "redirect_uri": f"{client}/callback", "client_id": login.client_id, "client_secret": login.secret,
        "code_verifier": VERIFIER,
    }  # fmt: skip
    if by_page:
        fields = "".join(f'<input name="{name}" value="{escape(value)}">' for name, value in form.items())
        page.set_content(f'<form method="post" action="{escape(login.token)}">{fields}<button>Send</button></form>')
        with page.expect_navigation():
            page.locator("button").click()
    context.close()
    if not by_page:
        _add(path, _exchange(login, form))


def _exchange(login: Login, form: dict[str, str]) -> list[httpx.Response]:
    """Exchange the code as the client, and call the API with the token."""
    with httpx.Client(trust_env=False) as http:
        answers = [http.post(login.token, json=form) if login.body == "json" else http.post(login.token, data=form)]
        if answers[0].is_success:
            headers = {"Authorization": f"Bearer {answers[0].json()['access_token']}", "Version": "2.0"}
            answers.append(http.get(login.api, headers=headers))
    return answers


def _add(path: Path, answers: list[httpx.Response]) -> None:
    """Add the exchanges of a client to a HAR."""
    har = json.loads(path.read_text())
    har["log"]["entries"] += [_entry(answer) for answer in answers]
    path.write_text(json.dumps(har))


def _entry(answer: httpx.Response) -> dict[str, Any]:
    request, text = answer.request, answer.request.content.decode()
    return {
        "startedDateTime": datetime.now(UTC).isoformat(),
        "time": answer.elapsed.total_seconds() * 1000,
        "request": {
            "method": request.method,
            "url": str(request.url),
            "headers": _headers(request.headers),
            "bodySize": len(text),
        }
        | ({"postData": {"mimeType": request.headers["Content-Type"], "text": text}} if text else {}),
        "response": {
            "status": answer.status_code,
            "statusText": answer.reason_phrase,
            "httpVersion": answer.http_version,
            "headers": _headers(answer.headers),
            "content": {"size": len(answer.content), "text": answer.text},
        },
    }


def _headers(headers: httpx.Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.multi_items()]
