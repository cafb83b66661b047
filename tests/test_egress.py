import ipaddress
import re
import socket
from pathlib import Path

import pytest

from oauth import egress
from oauth.catalogue.explain import explain
from oauth.client import send
from oauth.connection_settings import ConnectionSettings
from oauth.egress import Allowlist, NotAllowedError, Policy
from oauth.installation import Installation
from oauth.recorder import Recorder
from oauth.settings import load
from tests.exchanges import token_exchange
from tests.hostile.servers import OK, answering, proxying, response, serving

INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "0.0.0.0", "192.0.0.192", "168.63.129.16", "224.0.0.1", "255.255.255.255", "240.0.0.1",
    "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:7f00:1::",
    "2001:0:1::1", "2001:db8::1", "::127.0.0.1", "fec0::1",
]  # fmt: skip
OUTSIDE = ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


def refusal(allowlist: Allowlist, host: str, port: int = 443, addresses: list[str] | None = None) -> str:
    """Return the text of the refusal, empty when the destination is allowed."""
    try:
        allowlist.check(host, port)
        allowlist.reachable(host, port, addresses or ["93.184.216.34"])
    except NotAllowedError as error:
        return str(error)
    return ""


def resolving(monkeypatch: pytest.MonkeyPatch, **names: list[str]) -> list[str]:
    """Let names resolve to these addresses, the next one at each lookup; return the list of lookups."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *more: int, **options: int) -> list[object]:
        known = names.get(host.partition(".")[0])
        if known is None:
            return list(real(host, port, *more, **options))
        asked.append(host)
        address = known[min(asked.count(host), len(known)) - 1]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize("address", INSIDE)
def test_private_address_is_not_reached_by_an_allowed_name(address: str) -> None:
    assert not egress.is_public(ipaddress.ip_address(address))
    allowlist = egress.parse_allowlist("provider.example, *.internal.example")
    for host in ("provider.example", "a.internal.example"):
        assert address in refusal(allowlist, host, addresses=[address])


METADATA = [
    "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
    "fd20:ce::254", "fe80::1", "fe80::1%1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
]  # fmt: skip
NUMBERS = ["0251.0376.0251.0376", "0xa9fea9fe", "2852039166", "169.254.43518", "0xA9.254.0251.254"]
"""Spellings of 169.254.169.254 that a resolver, and so a proxy, reads as its number."""


@pytest.mark.parametrize("address", METADATA)
def test_published_console_reaches_metadata_only_when_it_is_listed(address: str) -> None:
    published = Allowlist(published=True)
    for host in (address, "metadata.example"):
        assert "link-local address or a cloud's metadata" in refusal(published, host, 80, addresses=[address])
    assert refusal(Allowlist(), address, 80, addresses=[address]) == ""
    listed = egress.parse_allowlist(address.partition("%")[0])
    assert refusal(listed, address.partition("%")[0], 80, addresses=[address.partition("%")[0]]) == ""


@pytest.mark.parametrize("host", NUMBERS)
def test_number_of_a_metadata_address_is_refused_before_a_proxy_reads_it(host: str) -> None:
    with pytest.raises(NotAllowedError):
        Allowlist(published=True).check(host, 80)


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "::1", "93.184.216.34", "fd12::1", "100.100.100.201"])
def test_published_console_reaches_other_addresses(address: str) -> None:
    assert refusal(Allowlist(published=True), "sso.example", addresses=[address]) == ""
    assert refusal(Allowlist(published=True), "sso.example", addresses=["169.254.169.254", address]) == ""


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_address_is_reached_by_an_allowed_name(address: str) -> None:
    assert egress.is_public(ipaddress.ip_address(address))
    assert refusal(egress.parse_allowlist("provider.example"), "provider.example", addresses=[address]) == ""


@pytest.mark.parametrize(
    ("allowed", "host", "port", "passes"),
    [
        ("provider.example", "provider.example", 443, True),
        ("provider.example", "PROVIDER.example.", 8443, True),
        ("provider.example:443", "provider.example", 443, True),
        ("provider.example:443", "provider.example", 8443, False),
        ("provider.example", "www.provider.example", 443, False),
        ("provider.example", "provider.example.evil.example", 443, False),
        ("provider.example", "evilprovider.example", 443, False),
        ("*.provider.example", "www.provider.example", 443, True),
        ("*.provider.example", "a.b.provider.example", 443, True),
        ("*.provider.example", "provider.example", 443, False),
        ("*.provider.example", "evilprovider.example", 443, False),
        ("*.provider.example:443", "www.provider.example", 80, False),
        ("a.example b.example,\n c.example", "c.example", 443, True),
        ("bücher.example", "xn--bcher-kva.example", 443, True),
        ("xn--bcher-kva.example", "bücher.example", 443, True),
        ("provider.example", "93.184.216.34", 443, False),
        ("provider.example", "2130706433", 80, False),
    ],
)
def test_name_is_allowed_by_its_rule_only(allowed: str, host: str, port: int, passes: bool) -> None:
    assert (refusal(egress.parse_allowlist(allowed), host, port) == "") is passes


@pytest.mark.parametrize(
    ("allowed", "host", "passes"),
    [
        ("10.0.0.7", "10.0.0.7", True),
        ("10.0.0.7", "10.0.0.8", False),
        ("10.0.0.0/8", "10.0.0.8", True),
        ("10.0.0.7:443", "10.0.0.7", True),
        ("10.0.0.7:80", "10.0.0.7", False),
        ("[::1]:443", "::1", True),
        ("::1", "::1", True),
        ("10.0.0.7", "::ffff:10.0.0.7", True),
    ],
)
def test_address_is_reached_when_it_is_listed_itself(allowed: str, host: str, passes: bool) -> None:
    assert (refusal(egress.parse_allowlist(allowed), host, addresses=[host]) == "") is passes


def test_private_name_is_reached_when_its_address_is_listed_too() -> None:
    allowlist = egress.parse_allowlist("sso.example, 10.0.0.7")
    assert allowlist.reachable("sso.example", 443, ["10.0.0.7", "10.0.0.8"]) == ["10.0.0.7"]
    assert "10.0.0.9" in refusal(allowlist, "sso.example", addresses=["10.0.0.9"])


def test_localhost_reaches_loopback_addresses_only() -> None:
    allowlist = egress.parse_allowlist("localhost:8501")
    assert allowlist.reachable("localhost", 8501, ["::1", "127.0.0.1"]) == ["::1", "127.0.0.1"]
    assert refusal(allowlist, "localhost", 22, ["127.0.0.1"])
    assert refusal(allowlist, "localhost", 8501, ["10.0.0.1"])


def test_without_an_allowlist_requests_go_anywhere() -> None:
    for address in INSIDE:
        assert refusal(Allowlist(), address, addresses=[address]) == ""


@pytest.mark.parametrize("address", INSIDE)
def test_every_public_host_is_no_private_one(address: str) -> None:
    everywhere = egress.parse_allowlist("*")
    assert refusal(everywhere, address, addresses=[address])
    assert address in refusal(everywhere, "provider.example", addresses=[address])
    assert everywhere.reachable("provider.example", 443, [address, "93.184.216.34"]) == ["93.184.216.34"]


@pytest.mark.parametrize("host", [*OUTSIDE, "provider.example", "localhost.example"])
def test_every_public_host_is_reached(host: str) -> None:
    assert refusal(egress.parse_allowlist("*"), host) == ""


@pytest.mark.parametrize("host", [*NUMBERS, "localhost", "a.localhost", "LOCALHOST.", "0x7f000001", "127.1"])
def test_private_host_is_refused_before_a_proxy_resolves_it(host: str) -> None:
    with pytest.raises(NotAllowedError):
        egress.parse_allowlist("*").check(host, 80)


def test_private_address_is_reached_beside_every_public_host_when_it_is_listed() -> None:
    allowlist = egress.parse_allowlist("*, 10.1.0.7")
    assert refusal(allowlist, "sso.example", addresses=["10.1.0.7"]) == ""
    assert refusal(allowlist, "10.1.0.7", addresses=["10.1.0.7"]) == ""
    assert "10.1.0.8" in refusal(allowlist, "sso.example", addresses=["10.1.0.8"])


@pytest.fixture(params=["", "*, 10.1.0.7", "provider.example"])
def signed_in(request: pytest.FixtureRequest, tmp_path: Path) -> Allowlist:
    """The allowlist of a console with a sign-in, without a list of its operator's, and with some."""
    environ = {"CONSOLE_HOME": str(tmp_path), "CONSOLE_SIGN_IN": "oidc", "CONSOLE_PORT": "8600"}
    public = {"CONSOLE_PUBLIC_URL": "https://console.example/oauth", "CONSOLE_ALLOWED_HOSTS": request.param}
    return load(environ | public).policy.allowlist


@pytest.mark.parametrize("address", [*INSIDE, *METADATA])
def test_console_with_a_sign_in_refuses_private_addresses(signed_in: Allowlist, address: str) -> None:
    assert refusal(signed_in, "provider.example", addresses=[address])
    assert refusal(signed_in, address, addresses=[address])
    assert refusal(signed_in, "provider.example") == ""


@pytest.mark.parametrize(
    ("host", "port", "address", "passes"),
    [
        ("console.example", 443, "127.0.0.1", True),
        ("Console.Example.", 443, "10.0.0.5", True),
        ("localhost", 8600, "127.0.0.1", True),
        ("127.0.0.1", 8600, "127.0.0.1", True),
        ("::1", 8600, "::1", True),
        ("console.example", 8600, "127.0.0.1", False),
        ("a.console.example", 443, "127.0.0.1", False),
        ("localhost", 5432, "127.0.0.1", False),
        ("127.0.0.2", 8600, "127.0.0.2", False),
    ],
)
def test_console_with_a_sign_in_reaches_its_own_sandbox(
    signed_in: Allowlist, host: str, port: int, address: str, passes: bool
) -> None:
    assert (refusal(signed_in, host, port, [address]) == "") is passes


def test_own_address_may_be_a_number() -> None:
    own = Allowlist(egress.parse_allowlist("*").rules, own=egress.own_addresses("fd12::7", 8443, 8501))
    assert refusal(own, "fd12::7", 8443, ["fd12::7"]) == ""
    assert refusal(own, "fd12::7", 443, ["fd12::7"])


@pytest.mark.parametrize("text", [" , ", "https://a.example", "a.example/x", "a.example:0", "a.example:99999", "*:80",
                                  "*.*.example", "a..example", "user@a.example", "10.0.0.1/8", "[::1"])  # fmt: skip
def test_invalid_allowlist_names_the_entry(text: str) -> None:
    with pytest.raises(ValueError, match="has no host" if text == " , " else re.escape(repr(text))):
        egress.parse_allowlist(text)


def guarded(console: Installation, allowed: str) -> Recorder:
    return Recorder(console.history, console.vault(), Policy(egress.parse_allowlist(allowed)))


def test_refusal_is_recorded_and_explained(console: Installation) -> None:
    with serving(answering(OK)) as server:
        refused = send(token_exchange(server.url), guarded(console, "provider.example")).live
    explanation = explain(refused)
    assert explanation is not None
    assert explanation.answer == "not_allowed"
    assert refused.id is not None
    row = console.history.get(refused.id)
    assert row is not None
    assert row.exchange.failure is not None
    assert "CONSOLE_ALLOWED_HOSTS" in row.exchange.failure.detail
    assert server.connections == 0


def test_name_of_a_private_address_is_refused_before_connecting(
    console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, provider=["127.0.0.1"])
    with serving(answering(OK)) as server:
        refused = send(
            token_exchange(f"http://provider.example:{server.port}/"), guarded(console, "provider.example")
        ).live
    assert refused.failure is not None
    assert refused.failure.kind == "not_allowed"
    assert "127.0.0.1" in refused.failure.detail
    assert server.connections == 0


def test_a_name_cannot_change_between_the_check_and_the_connection(
    console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A rebinding name: allowed at the first question, inside at every further one. The server listens inside.
    asked = resolving(monkeypatch, provider=["224.0.0.1", "127.0.0.1"])
    with serving(answering(OK)) as server:
        url = f"http://provider.example:{server.port}/"
        failed = send(token_exchange(url), guarded(console, "provider.example, 224.0.0.1")).live
    assert failed.failure is not None
    assert failed.failure.kind == "unreachable", "the address that was allowlist is the one that is connected to"
    assert asked == ["provider.example"], "the name is resolved once"
    assert server.connections == 0


def test_only_allowed_ones_of_several_addresses_are_connected_to(
    console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answering(OK)) as server:
        both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, server.port)) for host in ("127.0.0.1", "224.0.0.1")]
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
            url = f"http://provider.example:{server.port}/"
            failed = send(token_exchange(url), guarded(console, "provider.example, 224.0.0.1")).live
    assert failed.failure is not None
    assert failed.failure.kind == "unreachable"
    assert server.connections == 0


def test_host_header_has_the_name_and_not_the_address(console: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, provider=["127.0.0.1"])
    with serving(answering(OK)) as server:
        url = f"http://provider.example:{server.port}/token"
        answered = send(token_exchange(url), guarded(console, "provider.example, 127.0.0.1")).live
    assert answered.response is not None
    assert f"\r\nHost: provider.example:{server.port}\r\n".encode() in server.requests[0]


def test_redirect_is_not_followed(console: Installation) -> None:
    with serving(answering(OK)) as inside:
        redirect = response("307 Temporary Redirect", Location=inside.url)
        with serving(redirect) as server:
            answered = send(token_exchange(server.url), guarded(console, f"127.0.0.1:{server.port}")).live
    assert answered.response is not None
    assert answered.response.status == 307
    assert (len(server.requests), inside.connections) == (1, 0)


@pytest.mark.parametrize(
    ("allowed", "reached"),
    [("provider.example", False), ("127.0.0.1", False), ("provider.example, 127.0.0.1", True)],
)
def test_proxy_and_its_target_must_both_be_allowed(console: Installation, allowed: str, reached: bool) -> None:
    with serving(answering(OK)) as server, proxying(reaching=("127.0.0.1", server.port)) as proxy:
        connection = ConnectionSettings(proxy=f"http://127.0.0.1:{proxy.port}")
        sent = send(
            token_exchange("http://provider.example/token"), guarded(console, allowed), connection=connection
        ).live
    assert (sent.response is not None) is reached
    assert proxy.connections == (1 if reached else 0)
    if not reached:
        assert sent.failure is not None
        assert sent.failure.kind == "not_allowed"
