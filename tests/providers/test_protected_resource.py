"""Discovery from an API's address (RFC 9728), from any address of a server, and by this machine's other name."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from oauth import providers
from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.providers.discovery import MAX_ATTEMPTS, MAX_SECONDS, Discovery, discover
from oauth.providers.metadata import provider

GENERIC = providers.load("http://localhost:8501")["generic"]
API = "https://api.example/v1/items"
SERVER = "https://login.example"
DOCUMENT = "https://api.example/.well-known/oauth-protected-resource"


def metadata(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "everything"],
    }


def challenge(named: str = "", **parameters: str) -> Response:
    parameters |= {"resource_metadata": named} if named else {}
    listed = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    return Response(401, "", (("WWW-Authenticate", f"Bearer {listed}"),), b"")


def found(places: Mapping[str, Any], text: str = API) -> tuple[Discovery, list[str]]:
    """Run discovery against responses by URL, 404 elsewhere. Returns the result and the requested URLs."""
    urls: list[str] = []

    def ask(request: Request) -> Exchange:
        urls.append(request.url)
        place = places.get(request.url, Response(404, "Not Found", (), b""))
        response = Response(200, "", (), json.dumps(place).encode()) if isinstance(place, dict) else place
        failure = None if response else Failure("refused")
        return Exchange(Step.DISCOVERY, request, datetime(2026, 11, 1, tzinfo=UTC), response, failure, 10)

    return discover(text, ask), urls


SERVED = {f"{SERVER}/.well-known/oauth-authorization-server": metadata(SERVER)}


@pytest.mark.parametrize(
    "places",
    [
        {API: challenge(f"{DOCUMENT}/v1/items"), f"{DOCUMENT}/v1/items": {"resource": API}},
        {API: challenge("https://meta.example/api"), "https://meta.example/api": {"resource": API}},
        {f"{DOCUMENT}/v1/items": {"resource": API}},
        {f"{API}": challenge(), f"{DOCUMENT}/v1/items": {"resource": f"{API}/"}},
    ],
)
def test_api_leads_to_its_server_its_scopes_and_its_resource(places: dict[str, Any]) -> None:
    more = {"authorization_servers": [SERVER], "scopes_supported": ["read", "write"]}
    documents = {url: place | more if isinstance(place, dict) else place for url, place in places.items()}
    result, _ = found(documents | SERVED)
    assert result.metadata is not None
    profile = provider(result.metadata, GENERIC, result.resource)
    assert (profile.issuer, profile.api, profile.scope) == (SERVER, API, "read write")
    assert profile.resource.rstrip("/") == API


def test_scope_of_the_challenge_precedes_all_that_the_api_knows() -> None:
    document = {"resource": API, "authorization_servers": [SERVER], "scopes_supported": ["read", "write"]}
    places = {API: challenge(f"{DOCUMENT}/v1/items", scope="read"), f"{DOCUMENT}/v1/items": document}
    result, _ = found(places | SERVED)
    assert result.metadata is not None
    assert provider(result.metadata, GENERIC, result.resource).scope == "read"


def test_document_of_the_whole_host_speaks_for_what_is_below_it() -> None:
    document = {"resource": "https://api.example", "authorization_servers": [SERVER]}
    result, _ = found({DOCUMENT: document} | SERVED)
    assert result.resource is not None
    assert result.resource.identifier == "https://api.example"
    assert result.metadata is not None


def test_server_of_an_api_that_names_none_is_searched_above_it() -> None:
    own = "https://api.example"
    places = {API: challenge(f"{DOCUMENT}/v1/items"), f"{DOCUMENT}/v1/items": {"resource": API}}
    result, _ = found(places | {f"{own}/.well-known/oauth-authorization-server": metadata(own)})
    assert (result.metadata and result.metadata.issuer, result.resource and result.resource.identifier) == (own, API)


@pytest.mark.parametrize(
    "resource",
    [
        "https://api.example/v2",
        "https://api.example",
        "https://evil.example/v1/items",
        f"{API}/7",
        "http://api.example/v1/items",
    ],
)
def test_document_about_another_resource_is_refused(resource: str) -> None:
    place = "https://meta.example/api"
    document = {"resource": resource, "authorization_servers": [SERVER]}
    result, urls = found({API: challenge(place), place: document} | SERVED)
    assert result.resource is None
    assert not any(url.startswith(SERVER) for url in urls)
    assert any("RFC 9728 §3.3" in attempt.problem for attempt in result.attempts)


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ("http://api.example/meta", "is an http address, named by an https one"),
        ("/meta", "must begin with https://"),
        ("javascript:alert(1)", "must begin with https://"),
        ("https://ada:canary-5d1f0b7a@meta.example/", "contains a user"),
        ("https://[::1/", "is not an address"),
    ],
)
def test_invalid_address_in_a_challenge_is_not_followed(named: str, problem: str) -> None:
    result, urls = found({API: challenge(named)})
    assert named not in urls
    assert any(problem in attempt.problem and "It is not followed" in attempt.problem for attempt in result.attempts)
    assert not any("canary" in attempt.problem for attempt in result.attempts)


@pytest.mark.parametrize("named", ["http://login.example", "login.example", 7, "https://a:b@login.example"])
def test_invalid_authorization_server_is_reported_and_not_asked(named: object) -> None:
    result, urls = found({f"{DOCUMENT}/v1/items": {"resource": API, "authorization_servers": [named]}})
    assert result.resource is not None
    assert result.resource.problems
    assert all(url.startswith("https://api.example/") for url in urls)


def test_issuer_check_of_a_named_server_is_strict() -> None:
    document = {"resource": API, "authorization_servers": [SERVER]}
    place = f"{SERVER}/.well-known/oauth-authorization-server"
    result, _ = found({f"{DOCUMENT}/v1/items": document, place: metadata("https://evil.example")})
    assert result.metadata is None
    assert result.resource is not None, "the page says which servers the API named"


def test_every_prefix_is_tried_with_every_form_the_longest_first() -> None:
    _, urls = found({}, "https://x.example/a/b/c")
    documents = [url for url in urls if "openid-configuration" in url or "oauth-authorization-server" in url]
    assert len(documents) == 4 * 3 + 2 + 4
    assert documents[0] == "https://x.example/a/b/c/.well-known/openid-configuration"
    assert documents[4] == "https://x.example/a/b/.well-known/openid-configuration"
    assert documents[-4] == "https://x.example/api/auth/.well-known/openid-configuration"


@pytest.mark.parametrize("typed", ["http://localhost:3000", "http://localhost:3000/", "http://localhost:3000/api/auth"])
def test_server_below_api_auth_may_have_the_host_for_its_issuer(typed: str) -> None:
    issuer = "http://localhost:3000"
    place = f"{issuer}/api/auth/.well-known/openid-configuration"
    result, _ = found({place: metadata(issuer)}, typed)
    assert result.metadata is not None
    assert result.metadata.issuer == issuer


def test_document_below_another_path_may_not_have_the_host_for_its_issuer() -> None:
    issuer = "https://x.example"
    result, _ = found({f"{issuer}/tenant/.well-known/openid-configuration": metadata(issuer)}, f"{issuer}/tenant")
    assert result.metadata is None


def test_other_name_of_this_machine_is_tried_and_reported() -> None:
    other = "http://127.0.0.1:9000"
    places = {"http://localhost:9000/.well-known/openid-configuration": None}
    result, _ = found(places | {f"{other}/.well-known/openid-configuration": metadata(other)}, "localhost:9000")
    assert (result.metadata and result.metadata.issuer) == other
    named, _ = found({"http://localhost:9000/.well-known/openid-configuration": metadata(other)}, "localhost:9000")
    assert named.metadata is not None
    assert named.metadata.issuer == other
    assert any("same machine by its other name" in problem for problem in named.metadata.problems)


@pytest.mark.parametrize(
    "issuer", ["http://localhost:9001", "https://localhost:9000", "http://localhost:9000/t", "http://[::1]:9000"]
)
def test_other_name_is_no_other_port_scheme_or_path(issuer: str) -> None:
    place = "http://127.0.0.1:9000/.well-known/openid-configuration"
    result, _ = found({place: metadata(issuer)}, "http://127.0.0.1:9000")
    assert result.metadata is None


def test_resource_may_be_named_by_this_machine_s_other_name() -> None:
    api, document = "http://127.0.0.1:9000/mcp", "http://localhost:9000/.well-known/oauth-protected-resource/mcp"
    own = "http://localhost:9000"
    places = {
        api: challenge(document),
        document: {"resource": f"{own}/mcp", "authorization_servers": [own]},
        f"{own}/.well-known/oauth-authorization-server": metadata(own),
    }
    result, _ = found(places, api)
    assert result.metadata is not None
    assert result.resource is not None
    assert result.resource.identifier == f"{own}/mcp"
    assert result.resource.problems


def test_number_and_time_of_the_requests_are_limited() -> None:
    address = "http://127.0.0.1:9000/" + "/".join(f"p{number}" for number in range(40))
    _, urls = found({}, address)
    assert len(urls) <= MAX_ATTEMPTS
    assert len(urls) == len(set(urls))

    def slow(request: Request) -> Exchange:
        seen.append(request.url)
        at = datetime(2026, 11, 1, tzinfo=UTC)
        return Exchange(Step.DISCOVERY, request, at, Response(404), None, MAX_SECONDS * 500)

    seen: list[str] = []
    discover(API, slow)
    assert len(seen) <= 3
