"""How long reading, redacting and matching a HAR takes, as a ratio to ``json.loads`` of the same text; and diagnosing.

Run it with ``python -m tests.benchmarks.paste``, from the checkout. ``--most`` diagnoses as many exchanges as one paste
may hold, too, which takes a minute or two. ``--nothing`` reads texts of 1 MiB in which nothing is.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from oauth import paste
from oauth.catalogue import documented
from oauth.catalogue.explain import explain
from oauth.diagnosis.pasted import Paste
from oauth.redaction import Vault

ENTRIES = 10_000
DIAGNOSED = (1_000, 10_000)
AIM = 4.0
AIM_NOTHING = 0.8
MIB = 1024 * 1024
WORDS = (
    "the",
    "of",
    "and",
    "to",
    "was",
    "for",
    "with",
    "from",
    "this",
    "get",
    "return",
    "code",
    "answer",
    "like",
    "time",
)
CYRILLIC = ("это", "был", "самый", "обычный", "день", "когда", "сервер", "не", "отвечал", "и", "никто", "почему", "так")
ROUNDS = 5
LOADING = "json.loads"
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOST = "www.olx.pl"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"

T = TypeVar("T")


def har(entries: int) -> str:
    """A HAR as a browser saves it: token requests and API calls in turn, a third of them failing."""
    return json.dumps(
        {
            "log": {
                "version": "1.2",
                "creator": {"name": "benchmark", "version": "1"},
                "pages": [],
                "entries": [_entry(number) for number in range(entries)],
            }
        }
    )


def _entry(number: int) -> dict[str, Any]:
    return _token_entry(number) if number % 2 == 0 else _api_entry(number)


def _token_entry(number: int) -> dict[str, Any]:
    sent = {
        "grant_type": "authorization_code",
        "client_id": "200123",
        "client_secret": _secret("client", 0),
        "code": _secret("code", number),
        "scope": "read write v2",
        "redirect_uri": "https://app.example/callback",
    }
    if number % 3:
        answer = {
            "access_token": _secret("access", number),
            "expires_in": 86400,
            "token_type": "bearer",
            "scope": "read write v2",
            "refresh_token": _secret("refresh", number),
        }
        return _exchange(number, "POST", "/api/open/oauth/token", [], json.dumps(sent), 200, json.dumps(answer))
    entry = documented()[(1, 2, 4, 6)[number % 4]]
    body = json.dumps({"error": entry.error, "error_description": entry.description})
    return _exchange(number, "POST", "/api/open/oauth/token", [], json.dumps(sent), entry.status or 400, body)


def _api_entry(number: int) -> dict[str, Any]:
    headers = [("authorization", f"Bearer {_secret('access', number - 1)}"), ("version", "2.0")]
    if number % 3:
        answer = json.dumps(
            {
                "data": [
                    {
                        "id": number * 100 + place,
                        "name": f"City {place}",
                        "county": "Mazowieckie",
                        "municipality": f"Gmina {place}",
                        "latitude": 52.2,
                        "longitude": 21.0,
                    }
                    for place in range(10)
                ]
            }
        )
        return _exchange(number, "GET", "/api/partner/cities?offset=0&limit=10", headers, "", 200, answer)
    entry = documented()[7]
    body = json.dumps({"error": entry.error, "error_description": entry.description})
    return _exchange(number, "GET", "/api/partner/users/me", headers, "", 401, body)


def _exchange(
    number: int, method: str, path: str, headers: list[tuple[str, str]], sent: str, status: int, answer: str
) -> dict[str, Any]:
    at = START + timedelta(milliseconds=250 * number)
    request_headers = [
        ("accept", "application/json, text/plain, */*"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("accept-language", "en-US,en;q=0.9,pl;q=0.8"),
        ("cache-control", "no-cache"),
        ("host", HOST),
        ("origin", "https://app.example"),
        ("pragma", "no-cache"),
        ("referer", "https://app.example/settings"),
        ("sec-ch-ua", '"Chromium";v="142", "Not_A Brand";v="99"'),
        ("sec-ch-ua-mobile", "?0"),
        ("sec-ch-ua-platform", '"Linux"'),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "cross-site"),
        ("user-agent", BROWSER),
        *headers,
    ]
    response_headers = [
        ("cache-control", "no-store"),
        ("content-length", str(len(answer))),
        ("content-type", "application/json"),
        ("date", f"{at:%a, %d %b %Y %H:%M:%S} GMT"),
        ("pragma", "no-cache"),
        ("server", "nginx"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("vary", "Accept-Encoding"),
        ("via", "1.1 cdn.example (CloudFront)"),
        ("x-amz-cf-pop", "WAW51-P1"),
        ("x-cache", "Miss from cloudfront"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "SAMEORIGIN"),
        ("x-request-id", _secret("request", number)[:32]),
    ]
    request: dict[str, Any] = {
        "method": method,
        "url": f"https://{HOST}{path}",
        "httpVersion": "http/2.0",
        "cookies": [],
        "queryString": [],
        "headers": _named(request_headers),
        "headersSize": -1,
        "bodySize": len(sent),
    }
    if sent:
        request["headers"] += _named([("content-type", "application/json")])
        request["postData"] = {"mimeType": "application/json", "text": sent}
    return {
        "_initiator": {"type": "script"},
        "_priority": "High",
        "_resourceType": "fetch",
        "cache": {},
        "connection": "443",
        "pageref": "page_1",
        "serverIPAddress": "192.0.2.7",
        "startedDateTime": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "time": 87.4,
        "request": request,
        "response": {
            "status": status,
            "statusText": "",
            "httpVersion": "http/2.0",
            "cookies": [],
            "headers": _named(response_headers),
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
            "content": {"size": len(answer), "mimeType": "application/json", "text": answer},
            "_transferSize": 900,
        },
        "timings": {"blocked": 1.2, "dns": -1, "ssl": -1, "connect": -1, "send": 0.3, "wait": 84.1, "receive": 1.8},
    }


def short_har(entries: int) -> str:
    """A HAR of which a hundred thousand entries fit into a paste: a flow of refreshes and calls, a third failing."""
    return json.dumps({"log": {"entries": [_short_entry(number) for number in range(entries)]}}, separators=(",", ":"))


def _short_entry(number: int) -> dict[str, Any]:
    turn, kind = divmod(number, 6)
    token, refresh = _secret("access", turn), _secret("refresh", turn)
    headers: list[tuple[str, str]] = []
    sent, method, path = "", "GET", "/api/partner/users/me"
    failed = documented()[(11, 7)[kind % 2]] if kind in (2, 5) else None
    if kind % 2:
        headers = [("authorization", f"Bearer {token}")]
    else:
        method, path = "POST", "/api/open/oauth/token"
        headers = [("content-type", "application/x-www-form-urlencoded")]
        before = _secret("refresh", turn - 1)
        sent = f"grant_type=refresh_token&client_id=7&client_secret={_secret('client', 0)}&refresh_token={before}"
    if failed is not None:
        answer = json.dumps({"error": failed.error, "error_description": failed.description})
    else:
        answer = '{"data":{}}' if kind % 2 else json.dumps({"access_token": token, "refresh_token": refresh})
    at = START + timedelta(milliseconds=250 * number)
    request: dict[str, Any] = {"method": method, "url": f"https://{HOST}{path}", "headers": _named(headers)}
    if sent:
        request["postData"] = {"text": sent}
    response = {"status": (failed.status or 400) if failed else 200, "content": {"text": answer}}
    return {"startedDateTime": at.isoformat(timespec="milliseconds"), "request": request, "response": response}


def _named(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _secret(kind: str, number: int) -> str:
    return base64.b16encode(hashlib.sha256(f"{kind}{number}".encode()).digest())[:40].decode().lower()


@dataclass(frozen=True)
class Spent:
    """Seconds that a piece of work took: of the processor, which leaves other programs out, and by the clock."""

    processor: float
    clock: float


class Stopwatch:
    """The least time that each piece of work took in several rounds."""

    def __init__(self) -> None:
        self.least: dict[str, Spent] = {}

    def run(self, name: str, work: Callable[[], T]) -> T:
        """Do a piece of work and give its result."""
        processor, clock = time.process_time(), time.perf_counter()
        result = work()
        spent = Spent(time.process_time() - processor, time.perf_counter() - clock)
        least = self.least.get(name, spent)
        self.least[name] = Spent(min(least.processor, spent.processor), min(least.clock, spent.clock))
        return result


def _round(text: str, watch: Stopwatch) -> tuple[int, int]:
    """All work once, from nothing: exchanges read, and errors named in them."""
    watch.run(LOADING, lambda: json.loads(text))
    items = watch.run("reading", lambda: paste.read(text))
    exchanges = [item.to_exchange(START) for item in items]
    vault = Vault(b"key of the benchmark")
    redacted = watch.run("redacting", lambda: [vault.redact(exchange) for exchange in exchanges])
    return len(items), watch.run("matching", lambda: sum(explain(exchange) is not None for exchange in redacted))


def diagnosing(entries: int) -> str:
    """How long the diagnosis of a paste takes, in words."""
    items = paste.read(short_har(entries))
    processor = time.process_time()
    findings = Paste(items, Vault(b"key of the benchmark"), START).findings()
    causes = sum(finding.diagnosis is not None for finding in findings)
    spent = time.process_time() - processor
    return f"{entries:,} exchanges, {causes:,} failed: {spent:.1f} s, {spent / entries * 1000:.2f} s per 1,000"


def nothing() -> Iterator[tuple[str, str]]:
    """Yield texts of 1 MiB that have no exchange in them, and what they are."""
    pick = Random(7)

    def words(count: int) -> str:
        return " ".join(pick.choice(WORDS) for _ in range(count))

    kinds: dict[str, Callable[[], str]] = {
        "prose": lambda: f"{words(12).capitalize()}.\n",
        "Cyrillic": lambda: f"{' '.join(pick.choice(CYRILLIC) for _ in range(12))}.\n",
        "a log": lambda: (
            f"2026-11-{pick.randint(10, 28)} 10:24:59,{pick.randint(100, 999)} INFO [x] {words(8)}: 12 ms\n"
        ),
        "base64": lambda: base64.encodebytes(pick.randbytes(5_700)).decode(),
        "minified JavaScript": lambda: f"function a(b,c){{var d=b.{words(1)}||{{e:[1,2]}};return d?f(c):null}}",
    }
    for kind, make in kinds.items():
        text = ""
        while len(text) < MIB:
            text += "".join(make() for _ in range(500))
        yield kind, text[:MIB]
    yield "JSON", json.dumps([{"id": number, "name": words(5), "tags": [words(1)]} for number in range(MIB // 64)])


def reading_nothing(text: str) -> float:
    """Return the seconds of the processor in which a text is found to have nothing in it."""
    processor = time.process_time()
    with contextlib.suppress(paste.ParseError):
        paste.read(text)
    return time.process_time() - processor


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Read, redact, match and diagnose a HAR.")
    parser.add_argument("--most", action="store_true", help="diagnose as many exchanges as a paste may hold, too")
    parser.add_argument("--nothing", action="store_true", help="only read texts of 1 MiB in which nothing is")
    options = parser.parse_args()
    if options.nothing:
        for kind, text in nothing():
            least = min(reading_nothing(text) for _ in range(ROUNDS))
            print(f"1 MiB of {kind}, by the processor: {least:.2f} s (aim: {AIM_NOTHING:g} or less)", flush=True)
        return
    text = har(ENTRIES)
    watch = Stopwatch()
    for _ in range(ROUNDS):
        found, named = _round(text, watch)
    print(f"{found:,} exchanges, {len(text.encode()) / 1024 / 1024:.1f} MiB, {named:,} errors named")
    loading = watch.least.pop(LOADING)
    units: dict[str, Callable[[Spent], float]] = {
        "processor": lambda spent: spent.processor,
        "clock": lambda spent: spent.clock,
    }
    for unit, of in units.items():
        steps = ", ".join(f"{name} {of(spent):.3f} s" for name, spent in watch.least.items())
        ratio = sum(of(spent) for spent in watch.least.values()) / of(loading)
        print(f"by the {unit}: {LOADING} {of(loading):.3f} s; {steps}; ratio {ratio:.2f} (aim: {AIM:g} or less)")
    for entries in (*DIAGNOSED, paste.MOST_EXCHANGES) if options.most else DIAGNOSED:
        print(f"diagnosing by the processor: {diagnosing(entries)}", flush=True)
    print(f"memory at its most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
