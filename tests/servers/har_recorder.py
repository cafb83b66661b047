"""A client that records each exchange in order, with what is true of it, as HAR 1.2 and TOML."""

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import tomli_w

CALLBACK = "http://127.0.0.1:8501/callback"
RECORDED_HOST = "127.0.0.1:9000"
"""Host that stands in a recording in place of the server's own, whose port changes."""

SUCCESS = "success"


@dataclass(frozen=True)
class Form:
    """A form of a page: where it goes, its fields with their values, and the buttons that it can be sent with."""

    action: str
    fields: dict[str, str]
    buttons: tuple[tuple[str, str], ...]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form" and has.get("method", "").lower() == "post":
            self.forms.append(Form(has.get("action", ""), {}, ()))
        elif tag in ("input", "button") and self.forms and "name" in has:
            form = self.forms[-1]
            kind = has.get("type", "text" if tag == "input" else "submit")
            if kind == "submit":
                self.forms[-1] = Form(form.action, form.fields, (*form.buttons, (has["name"], has.get("value", ""))))
            elif kind not in ("checkbox", "radio") or "checked" in has:
                form.fields[has["name"]] = has.get("value", "on" if kind == "checkbox" else "")


def forms_of(response: httpx.Response) -> list[Form]:
    """Return the forms of a page that are sent with POST."""
    parser = _Forms()
    parser.feed(response.text)
    return parser.forms


@dataclass
class Recorder:
    """Send requests and record them. ``truths`` has a fault's name or ``SUCCESS`` for each, and ``notes`` a remark."""

    origin: str
    entries: list[dict[str, Any]] = field(default_factory=list)
    truths: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = self._browser()

    def _browser(self) -> httpx.Client:
        answer = httpx.MockTransport(lambda _: httpx.Response(200, html="<h1>You can close this tab</h1>"))
        return httpx.Client(mounts={"all://127.0.0.1:8501": answer}, timeout=30)

    def forget_cookies(self) -> None:
        """Begin a new browser session, without a login."""
        self.http = self._browser()

    def send(self, fault: str, method: str, url: str, **content: Any) -> httpx.Response:
        """Send one request with a fault, or ``SUCCESS``, and record it.

        Where the server answers a fault with a success, that is what is recorded as true, with a note.
        """
        started = datetime.now(UTC)
        response = self.http.request(method, urljoin(self.origin, url), **content)
        milliseconds = round((datetime.now(UTC) - started).total_seconds() * 1000, 1)
        self.entries.append(_entry(response, started, milliseconds))
        self.truths.append(fault)
        self.notes.append("")
        if fault != SUCCESS and not _is_refused(response):
            self.settle(SUCCESS, f"the server accepts {fault}")
        elif fault == SUCCESS and _is_refused(response):
            self.settle("server_error" if response.status_code >= 500 else "unplanned")
        return response

    def settle(self, truth: str, note: str = "", back: int = 1) -> None:
        """Set what is true of the newest exchange, or of one before it."""
        self.truths[-back], self.notes[-back] = truth, note

    def write(self, folder: Path, name: str) -> None:
        """Write NAME.har and NAME.toml, with one host in place of the server's."""
        own = urlsplit(self.origin).netloc
        entries = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in self.entries)
        creator = '{"name": "tests.servers.record", "version": "1"}'
        text = f'{{"log": {{"version": "1.2", "creator": {creator}, "entries": [\n{entries}\n]}}}}'
        for host in (own, own.replace(":", "%3A")):
            text = text.replace(host, RECORDED_HOST.replace(":", "%3A") if "%" in host else RECORDED_HOST)
        (folder / f"{name}.har").write_text(text + "\n")
        rows = [
            {
                "number": number,
                "request": f"{entry['request']['method']} {urlsplit(entry['request']['url']).path}",
                "status": entry["response"]["status"],
                "truth": truth,
                **({"note": note} if note else {}),
            }
            for number, (entry, truth, note) in enumerate(zip(self.entries, self.truths, self.notes, strict=True), 1)
        ]
        (folder / f"{name}.toml").write_text(tomli_w.dumps({"exchange": rows}))


def _is_refused(response: httpx.Response) -> bool:
    if response.status_code >= 400:
        return True
    if re.search(r"[?&#]error=", response.headers.get("location", "")):
        return True
    if response.request.url.path == urlsplit(CALLBACK).path and "error" in response.request.url.params:
        return True
    is_json = "json" in response.headers.get("content-type", "")
    return is_json and response.text.startswith("{") and "error" in response.json()


def _entry(response: httpx.Response, started: datetime, milliseconds: float) -> dict[str, Any]:
    request = response.request
    body, answer = request.content, response.content
    content: dict[str, Any] = {"size": len(answer), "mimeType": response.headers.get("content-type", "")}
    try:
        content["text"] = answer.decode()
    except UnicodeDecodeError:
        content |= {"text": base64.b64encode(answer).decode(), "encoding": "base64"}
    is_live = "network_stream" in response.extensions
    posted = {"mimeType": request.headers.get("content-type", ""), "text": body.decode()}
    return {
        "startedDateTime": started.isoformat(timespec="milliseconds"),
        "time": milliseconds,
        "request": {
            "method": request.method,
            "url": str(request.url),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _headers(request.headers),
            "queryString": [
                {"name": name, "value": value} for name, value in parse_qsl(request.url.query.decode(), True)
            ],
            **({"postData": posted} if body else {}),
            "headersSize": -1,
            "bodySize": len(body),
        },
        "response": {
            "status": response.status_code,
            "statusText": response.reason_phrase,
            "httpVersion": response.http_version if is_live else "HTTP/1.1",
            "cookies": [],
            "headers": _headers(response.headers),
            "content": content,
            "redirectURL": response.headers.get("location", ""),
            "headersSize": -1,
            "bodySize": len(answer),
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def _headers(headers: httpx.Headers) -> list[dict[str, str]]:
    left_out = ("user-agent", "accept-encoding", "connection", "content-encoding")
    return [
        {"name": name.decode(), "value": value.decode("latin-1")}
        for name, value in headers.raw
        if name.decode().lower() not in left_out
    ]
