import pytest

from oauth.addresses import host_of, is_loopback


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Provider.Example/token?x=1", "provider.example"),
        ("https://user:secret@provider.example:8443/token", "provider.example:8443"),
        ("http://[::1]:80/", "[::1]:80"),
        ("https://provider.example#fragment", "provider.example"),
        ("/token", ""),
        ("http:/token", ""),
        ("", ""),
    ],
)
def test_host_is_lower_case_and_keeps_its_port(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.2", "127.255.255.254", "::1", "[::1]", "localhost", "LocalHost", "app.localhost"]
)
def test_loopback_hosts_are_recognised(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "128.0.0.1", "10.0.0.1", "::2", "localhost.example", "nolocalhost", "["])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)
