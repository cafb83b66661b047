"""The provider that a request without a flow belongs to."""

import pytest

from oauth.providers import load
from oauth.providers.terms import is_of_another_provider


@pytest.mark.parametrize(
    ("url", "is_another"),
    [
        ("https://console.company.com/shared-sandbox/api/open/oauth/token", False),
        ("https://sandbox.company.com/api/open/oauth/token", False),
        ("https://console.company.com/sandbox/oauth/authorize/", False),
        ("https://sandbox.company.com/oauth/authorize/", False),
        ("https://console.company.com/shared-sandbox/api/partner/users/me", False),
        ("https://gitlab.company.com/gitlab/oauth/authorize/", True),
        ("https://login.company.com/oauth/token", True),
        ("https://login.company.com/api/open/oauth/token/more", True),
    ],
)
def test_a_sandbox_below_any_path_is_not_taken_for_another_provider(url: str, *, is_another: bool) -> None:
    assert is_of_another_provider(url) is is_another


def test_profiles_of_a_shared_sandbox_have_its_address() -> None:
    profiles = load("https://console.company.com", sandbox="https://console.company.com/shared-sandbox")
    assert profiles["sandbox"].control == "https://console.company.com/shared-sandbox/control"
    assert profiles["sandbox-olxgroup"].token_endpoint.endswith("/shared-sandbox/olxgroup/oauth/v1/token")
