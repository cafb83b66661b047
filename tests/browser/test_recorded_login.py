"""Logins that Chromium records as HAR over servers that are not ours and the sandbox, as a stranger would send them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from oauth_sandbox.testing import running as running_sandbox
from oauth_sandbox.testing import serving
from tests.browser import recording
from tests.browser.recording import Login
from tests.browser.test_real_servers import approve_at_django, approve_at_oidc_provider
from tests.paste.logins import assert_failed, assert_succeeded
from tests.servers.running import django_oauth_toolkit, oidc_provider


@pytest.fixture(scope="module")
def client() -> Iterator[str]:
    with serving(recording.application()) as url:
        yield url


def approve_at_sandbox(page: Page) -> None:
    page.locator("button[value=approve]").click()


@pytest.fixture(params=["sandbox", "oidc-provider", "django-oauth-toolkit"])
def login(request: pytest.FixtureRequest, client: str, tmp_path: Path) -> Iterator[Login]:
    callback = f"{client}/callback"
    if request.param == "sandbox":
        with running_sandbox() as sandbox:
            yield Login(
                f"{sandbox.url}/oauth/authorize/", f"{sandbox.url}/api/open/oauth/token", "demo-app", "demo-secret",
                "read write v2", approve_at_sandbox, f"{sandbox.url}/api/partner/users/me", "json",
            )  # fmt: skip
    elif request.param == "oidc-provider":
        with oidc_provider(callback) as issuer:
            yield Login(
                f"{issuer}/auth", f"{issuer}/token", "post-app", "post-app-secret-0123456789", "openid email",
                approve_at_oidc_provider, f"{issuer}/me",
            )  # fmt: skip
    else:
        with django_oauth_toolkit(tmp_path, callback) as issuer:
            yield Login(
                f"{issuer}/authorize/", f"{issuer}/token/", "web-app", "web-app-secret-0123456789", "openid read",
                approve_at_django, f"{issuer}/userinfo/",
            )  # fmt: skip


@pytest.mark.servers
def test_recorded_login_is_one_flow_with_the_failed_call_as_its_headline(
    browser: Browser, client: str, login: Login, tmp_path: Path
) -> None:
    entries = recording.record(browser, client, login, tmp_path / "login.har")
    failed = recording.exchanged(entries, client, login, "another-secret-0123456789")
    assert_failed(recording.har(failed), step="token", error="invalid_client")
    succeeded = recording.exchanged(entries, client, login, login.secret)
    assert_succeeded(recording.har(succeeded))
