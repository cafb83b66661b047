"""Discovery against servers that are not ours, over real HTTP and recorded."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from oauth import providers
from oauth.client import send
from oauth.exchange import Exchange, Request, Step
from oauth.history.filters import Filters
from oauth.installation import Installation
from oauth.providers.discovery import Discovery, discover
from oauth.providers.metadata import provider
from oauth.recorder import Recorder
from tests.servers.running import django_oauth_toolkit, oidc_provider

pytestmark = pytest.mark.servers

GENERIC = providers.load("http://localhost:8501")["generic"]
CALLBACK = "http://localhost:8501/callback"


@pytest.fixture(scope="module")
def django(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with django_oauth_toolkit(tmp_path_factory.mktemp("django"), CALLBACK) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with oidc_provider(CALLBACK) as issuer:
        yield issuer


def run(text: str, recorder: Recorder) -> Discovery:
    def ask(request: Request) -> Exchange:
        return send(Exchange(Step.DISCOVERY, request, datetime.now(UTC)), recorder).live

    return discover(text, ask)


def test_issuer_with_a_path_is_found_by_both_documents(django: str, console: Installation) -> None:
    result = run(django, console.recorder())
    host, _, path = django.rpartition("/")
    assert result.metadata is not None
    assert [attempt.url for attempt in result.attempts] == [
        f"{django}/.well-known/openid-configuration",
        f"{host}/.well-known/oauth-authorization-server/{path}",
    ]
    profile = provider(result.metadata, GENERIC)
    assert (profile.issuer, profile.token_endpoint) == (django, f"{django}/token/")
    assert (profile.pkce, profile.client_authentication) == ("S256", "client_secret_post")
    # The first is only in the document of OpenID Connect, the second only in that of RFC 8414.
    assert (profile.userinfo_endpoint, profile.revocation_endpoint) == (
        f"{django}/userinfo/",
        f"{django}/revoke_token/",
    )
    rows = list(console.history.rows(Filters()))
    assert [row.exchange.step for row in rows] == [Step.DISCOVERY, Step.DISCOVERY]


def test_endpoint_below_the_issuer_is_enough(django: str, console: Installation) -> None:
    result = run(f"{django}/token/", console.recorder())
    assert result.metadata is not None
    assert result.metadata.issuer == django


def test_document_of_rfc_8414_has_the_path_at_the_end(django: str, console: Installation) -> None:
    host, _, path = django.rpartition("/")
    result = run(f"{host}/.well-known/oauth-authorization-server/{path}", console.recorder())
    assert result.metadata is not None
    assert result.metadata.issuer == django


def test_issuer_without_a_path_is_found_from_its_endpoint(node: str, console: Installation) -> None:
    recorder = console.recorder()
    by_issuer, by_endpoint = run(node, recorder).metadata, run(f"{node}/token", recorder).metadata
    assert by_issuer is not None
    assert by_endpoint is not None
    assert by_issuer.members == by_endpoint.members
    profile = provider(by_issuer, GENERIC)
    assert profile.pushed_authorization_request_endpoint.startswith(node)
    assert profile.jwks_uri.startswith(node)
    assert by_issuer.flag("authorization_response_iss_parameter_supported")


def test_unreachable_server_is_reported_by_both_names(console: Installation) -> None:
    result = run("http://127.0.0.1:1", console.recorder())
    assert result.metadata is None
    assert [attempt.problem for attempt in result.attempts] == ["No response was received."] * 2
    assert [attempt.url.partition("//")[2].partition(":")[0] for attempt in result.attempts] == [
        "127.0.0.1",
        "localhost",
    ]


def test_issuer_with_this_machine_s_other_name_is_used_and_reported(node: str, console: Installation) -> None:
    result = run(node.replace("127.0.0.1", "localhost"), console.recorder())
    assert result.metadata is not None
    assert result.metadata.issuer == node
    assert any("the same machine by its other name" in problem for problem in result.metadata.problems)
