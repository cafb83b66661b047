"""Destinations that requests may go to: any on a personal console, those of an allowlist on a shared one.

A console with a sign-in has an allowlist in any case: without one of its operator's, every public address.

A name is allowed by a rule in the list, and then only at public addresses: a name that leads to the machine itself,
into its network or to a cloud's metadata reaches nothing, unless a rule allows that address as well. The address that
is checked is the one that is connected to, so a name cannot change between the check and the connection.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_RULE = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<host>[^\s:/@\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
_NAME = re.compile(r"(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments, with Oracle's metadata
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # Azure's metadata, at an address that is public elsewhere
        "2001::/23",  # protocol assignments, with Teredo
        "2002::/16",  # 6to4: an IPv4 address inside
        "2001:db8::/32",
        "3fff::/20",
    )
)
"""Networks where no provider can be, beyond those that ``ipaddress`` knows in every release of Python."""

_METADATA = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local, with the metadata of AWS, Azure, Google and others
        "fe80::/10",  # link-local
        "168.63.129.16/32",  # Azure
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google
        "fd00:c1::a9fe:a9fe/128",  # Oracle
        "fd00:42::42/128",  # Scaleway
    )
)
"""Addresses of the machine's own link, where a cloud gives credentials to whatever runs on it."""

EVERY_NAME = "*"
"""The rule for every name and every public address."""

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

_NUMBER = re.compile(r"0x[0-9a-f]{1,8}|0[0-7]{0,11}|[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Rule:
    """A name, ``*.`` and a name, ``EVERY_NAME``, or a network of addresses; at one port or, without one, at any."""

    name: str = ""
    network: Network | None = None
    port: int | None = None

    def matches_name(self, host: str, port: int) -> bool:
        """Return whether this rule allows that name: equal, or a subdomain if the rule begins with ``*.``."""
        if self.port not in (None, port) or not self.name:
            return False
        if self.name == EVERY_NAME:  # but for the names of this machine, and of a proxy's (RFC 6761 §6.3)
            return host.rpartition(".")[2] != "localhost"
        return host.endswith(self.name[1:]) if self.name.startswith("*.") else host == self.name

    def matches_address(self, address: Address, port: int) -> bool:
        """Return whether this rule allows that address."""
        if self.name == EVERY_NAME:
            return self.port in (None, port) and is_public(address)
        return self.port in (None, port) and self.network is not None and address in self.network


class NotAllowedError(Exception):
    """The allowlist does not contain a destination; the text names it and says what would allow it."""


@dataclass(frozen=True, slots=True)
class Allowlist:
    """The destinations that an installation allows. Without rules any is allowed.

    Only a published console without rules refuses link-local addresses and those of a cloud's metadata. ``own`` are the
    rules of the console's own addresses, and of its sandbox, which are allowed wherever they lead.
    """

    rules: tuple[Rule, ...] = ()
    published: bool = False
    own: tuple[Rule, ...] = ()

    def check(self, host: str, port: int) -> None:
        """Check the host of a URL, before its name is resolved. Raises ``NotAllowedError``."""
        if self._is_own(host, port):
            return
        if not self.rules:
            self._not_metadata(host, [host])
            return
        address = parse_address(host) or _numbers(host.lower())
        if address is None:
            allowed = any(rule.matches_name(_normalized(host), port) for rule in self.rules)
        else:
            allowed = self._allows_address(address, port)
        if not allowed:
            raise NotAllowedError(
                f"{_in_url(host)}:{port} is not in CONSOLE_ALLOWED_HOSTS. Ask whoever runs this console to add it, or "
                "use an address that is allowed."
            )

    def reachable(self, host: str, port: int, addresses: Sequence[str]) -> list[str]:
        """Return the allowed ones of a host's addresses, in order. Raises ``NotAllowedError`` without any."""
        if self._is_own(host, port):
            return list(addresses)
        if not self.rules:
            return self._not_metadata(host, addresses)
        # The name localhost always means this machine (RFC 6761 §6.3), so a rule for it allows loopback.
        local = _normalized(host) == "localhost"
        allowed = [
            text
            for text in addresses
            if (address := parse_address(text)) is not None
            and (is_public(address) or self._allows_address(address, port) or (local and address.is_loopback))
        ]
        if not allowed:
            raise NotAllowedError(
                f"{_in_url(host)} resolves to {', '.join(addresses)}, which is not a public address. This console "
                "connects to such an address only when CONSOLE_ALLOWED_HOSTS has the address as well as the name."
            )
        return allowed

    def _is_own(self, host: str, port: int) -> bool:
        address, name = parse_address(host), _normalized(host)
        if address is None:
            return any(rule.matches_name(name, port) for rule in self.own)
        return any(rule.matches_address(address, port) for rule in self.own)

    def _not_metadata(self, host: str, addresses: Sequence[str]) -> list[str]:
        """Return the addresses that a console without rules connects to. Raises ``NotAllowedError`` without any."""
        allowed = [text for text in addresses if not (self.published and _is_metadata(text))]
        if addresses and not allowed:
            raise NotAllowedError(
                f"{_in_url(host)} is a link-local address or a cloud's metadata service. A console with "
                "CONSOLE_PUBLIC_URL connects to one only when CONSOLE_ALLOWED_HOSTS lists it."
            )
        return allowed

    def _allows_address(self, address: Address, port: int) -> bool:
        return any(rule.matches_address(form, port) for rule in self.rules for form in _forms(address))


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of an installation for requests.

    ``insecure_tls`` lets a profile switch off certificate checks. ``certificates`` is the folder of the files that a
    profile may name; without one it may name none.
    """

    allowlist: Allowlist = Allowlist()
    insecure_tls: bool = False
    certificates: Path | None = None


def parse_allowlist(text: str) -> Allowlist:
    """Parse a list of hosts, separated by commas or whitespace. Raises ``ValueError`` naming the invalid entry."""
    entries = text.replace(",", " ").split()
    if not entries:
        raise ValueError("has no host; unset it to let requests go anywhere")
    return Allowlist(tuple(_parse_rule(entry.lower()) for entry in entries))


def parse_address(host: str) -> Address | None:
    """Parse a host that is written as an IP address; return ``None`` for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_metadata(text: str) -> bool:
    address = parse_address(text) or _numbers(text.lower())
    if address is None:
        return False
    return any(form in network for form in _forms(address) for network in _METADATA if network.version == form.version)


def _numbers(host: str) -> Address | None:
    """Read an address in numbers as resolvers do, and so a proxy: 0251.0376.0251.0376, 0xa9fea9fe, 169.254.43518."""
    parts = host.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    *first, last = (int(part, 0 if part[:2] == "0x" else 8 if part[0] == "0" else 10) for part in parts)
    number = last + sum(value << 8 * (3 - position) for position, value in enumerate(first))
    return ipaddress.IPv4Address(number) if number < 2**32 else None


def is_public(address: Address) -> bool:
    """Return whether an address is on the internet, and the IPv4 address inside it too if it has one."""
    return all(_is_public(form) for form in _forms(address))


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (address in _NAT64 or address.ipv4_mapped is not None):
        return True  # as public as the address inside, which is checked as well
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    inside = any(address in network for network in _NOT_PUBLIC if network.version == address.version)
    return address.is_global and not address.is_multicast and not inside


def _forms(address: Address) -> Iterable[Address]:
    """Yield the address, and the IPv4 address in a mapped (RFC 4291 §2.5.5.2) or translated one (RFC 6052)."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped
        elif address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def own_addresses(public_host: str, public_port: int, port: int) -> tuple[Rule, ...]:
    """Return the rules of a console's own addresses: the published one, and its port on this machine."""
    local = (_parse_rule(f"{host}:{port}") for host in ("localhost", "127.0.0.1", "[::1]"))
    return own_address(public_host, public_port), *local


def own_address(host: str, port: int) -> Rule:
    """Return the rule of an address that the operator has set, such as that of a shared sandbox."""
    return _parse_rule(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _parse_rule(text: str) -> Rule:
    if text == EVERY_NAME:
        return Rule(EVERY_NAME)
    try:
        return Rule(network=ipaddress.ip_network(text))
    except ValueError:
        pass  # a name, or an address with a port
    parts = _RULE.fullmatch(text)
    port = int(parts["port"]) if parts and parts["port"] else None
    if parts is None or (port is not None and not 0 < port < 65536):
        raise ValueError(
            f"has the entry {text!r}; write a host, host:port, *.example.com, an address or a network such as "
            "10.1.0.0/16, without https:// and without a path"
        )
    if (address := parse_address(parts["v6"] or parts["host"])) is not None:
        return Rule(network=ipaddress.ip_network(address), port=port)
    name = _normalized(parts["host"] or "")
    if not _NAME.fullmatch(name):
        raise ValueError(f"has the entry {text!r}, whose host is neither a name nor an address")
    return Rule(name, port=port)


def _normalized(host: str) -> str:
    """Return a host name for comparison: lower case, in its ASCII form (RFC 5891), without a trailing dot."""
    name = host.lower().rstrip(".")
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
