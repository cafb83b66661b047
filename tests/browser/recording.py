"""A tiny web application with a login at an authorization server, and a Chromium that records it as HAR."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
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
HEADERS = frozenset(
    {"accept", "authorization", "content-type", "cookie", "location", "origin", "sec-fetch-dest", "sec-fetch-mode",
     "sec-fetch-site", "set-cookie", "upgrade-insecure-requests", "www-authenticate"}
)  # fmt: skip
"""Headers that are kept of a recording."""

LONGEST = 3_000
"""Characters of a body that are kept of a recording."""

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
    """A login at a server; ``approve`` does what the user does there, and ``body`` is ``form`` or ``json``."""

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


def record(browser: Browser, client: str, login: Login, path: Path) -> list[dict[str, Any]]:
    """Log in at the server from the tiny client at ``client``, and return the entries of the HAR of the browser."""
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
    context.close()
    entries: list[dict[str, Any]] = json.loads(path.read_text())["log"]["entries"]
    return entries


def exchanged(entries: list[dict[str, Any]], client: str, login: Login, secret: str) -> list[dict[str, Any]]:
    """Exchange the code of a recorded login as the client, call the API with the token, and return all entries."""
    callback = next(url for entry in entries if (url := entry["request"]["url"]).startswith(f"{client}/callback?"))
    form = {
        "grant_type": "authorization_code", "code": parse_qs(urlsplit(callback).query)["code"][0],
        "redirect_uri": f"{client}/callback", "client_id": login.client_id, "client_secret": secret,
        "code_verifier": VERIFIER,
    }  # fmt: skip
    with httpx.Client(trust_env=False) as http:
        answers = [http.post(login.token, json=form) if login.body == "json" else http.post(login.token, data=form)]
        if answers[0].is_success:
            headers = {"Authorization": f"Bearer {answers[0].json()['access_token']}", "Version": "2.0"}
            answers.append(http.get(login.api, headers=headers))
    return [*entries, *map(_entry, answers)]


def har(entries: list[dict[str, Any]]) -> str:
    """Return a HAR with what the reader of HARs reads, and with the beginnings of long bodies."""
    return json.dumps({"log": {"version": "1.2", "entries": [_short(entry) for entry in entries]}}, indent=1)


def _short(entry: dict[str, Any]) -> dict[str, Any]:
    request, response = entry["request"], entry["response"]
    content = {name: response["content"].get(name) for name in ("size", "mimeType", "encoding", "text")}
    content["text"] = (content["text"] or "")[:LONGEST]
    return {
        "startedDateTime": entry["startedDateTime"],
        "time": round(entry["time"], 1),
        "request": {name: request[name] for name in ("method", "url", "postData", "bodySize") if name in request}
        | {"headers": [item for item in request["headers"] if item["name"].lower() in HEADERS]},
        "response": {"status": response["status"], "statusText": response["statusText"]}
        | {"headers": [item for item in response["headers"] if item["name"].lower() in HEADERS]}
        | {"content": {name: value for name, value in content.items() if value}},
    } | ({"_resourceType": entry["_resourceType"]} if "_resourceType" in entry else {})


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
