"""Where requests may go: anywhere on a personal console, and on a shared one only where the installation says.

A name is allowed by its entry in the list, and then only at public addresses: a name that leads to the machine itself,
into its network or to a cloud's metadata reaches nothing, unless that address is in the list as well. What is judged is
the address that is connected to, so that a name cannot change between the check and the connection.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ENTRY = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<host>[^\s:/@\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
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
"""Networks that are no place for a provider, beyond those that ``ipaddress`` knows of in every release of Python."""

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Allowed:
    """An entry of the list: a name, ``*.`` and a name, or a network of addresses; at one port or, with none, at all."""

    name: str = ""
    network: Network | None = None
    port: int | None = None

    def matches_name(self, host: str, port: int) -> bool:
        """Whether this entry is about that name: equal, or below it where it begins with ``*.``."""
        if self.port not in (None, port) or not self.name:
            return False
        return host.endswith(self.name[1:]) if self.name.startswith("*.") else host == self.name

    def matches_address(self, address: Address, port: int) -> bool:
        """Whether this entry is about that address."""
        return self.port in (None, port) and self.network is not None and address in self.network


class Refused(Exception):
    """The guard lets no request go there; the text says what was asked for, and what would allow it."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The list of a console. Without entries requests go anywhere."""

    allowed: tuple[Allowed, ...] = ()

    def check(self, host: str, port: int) -> None:
        """Judge the host of an address, before its name is resolved. Raises ``Refused``."""
        if not self.allowed:
            return
        address = literal(host)
        if address is None:
            found = any(entry.matches_name(_name(host), port) for entry in self.allowed)
        else:
            found = self._listed(address, port)
        if not found:
            raise Refused(
                f"{_shown(host)}:{port} is not in CONSOLE_ALLOWED_HOSTS. Whoever runs this console decides what is: "
                "ask for it to be added, or use an address that is allowed."
            )

    def reachable(self, host: str, port: int, addresses: Sequence[str]) -> list[str]:
        """Those of the addresses of a host that may be connected to, in their order. Raises ``Refused`` for none."""
        if not self.allowed:
            return list(addresses)
        # The name localhost means this machine by itself (RFC 6761 §6.3): who lists it means it.
        local = _name(host) == "localhost"
        found = [
            text
            for text in addresses
            if (address := literal(text)) is not None
            and (is_public(address) or self._listed(address, port) or (local and address.is_loopback))
        ]
        if not found:
            raise Refused(
                f"{_shown(host)} leads to {', '.join(addresses)}, inside a network and not on the internet. On this "
                "console such an address is reached only when it is in CONSOLE_ALLOWED_HOSTS itself, beside the name."
            )
        return found

    def _listed(self, address: Address, port: int) -> bool:
        return any(entry.matches_address(form, port) for entry in self.allowed for form in _forms(address))


@dataclass(frozen=True, slots=True)
class Policy:
    """What an installation lets requests do. ``insecure_tls`` lets a profile switch the check of certificates off."""

    guard: Guard = Guard()
    insecure_tls: bool = False


def read(text: str) -> Guard:
    """The guard of a list of hosts, separated by commas or white space. Raises ``ValueError`` naming the entry."""
    entries = text.replace(",", " ").split()
    if not entries:
        raise ValueError("names no host; leave it out to let requests go anywhere")
    return Guard(tuple(_entry(entry.lower()) for entry in entries))


def literal(host: str) -> Address | None:
    """The address that a host is written as, or ``None`` for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet, judged by the IPv4 address inside it where there is one."""
    return all(_is_public(form) for form in _forms(address))


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (address in _NAT64 or address.ipv4_mapped is not None):
        return True  # as public as the address inside, which is judged beside it
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    inside = any(address in network for network in _NOT_PUBLIC if network.version == address.version)
    return address.is_global and not address.is_multicast and not inside


def _forms(address: Address) -> Iterable[Address]:
    """The address, and the IPv4 address that a mapped (RFC 4291 §2.5.5.2) or translated one (RFC 6052) stands for."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped
        elif address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _entry(text: str) -> Allowed:
    try:
        return Allowed(network=ipaddress.ip_network(text))
    except ValueError:
        pass  # no bare address and no network: a name, or with a port
    found = _ENTRY.fullmatch(text)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port is not None and not 0 < port < 65536):
        raise ValueError(
            f"has the entry {text!r}; write a host, host:port, *.example.com, an address or a network such as "
            "10.1.0.0/16, without https:// and without a path"
        )
    if (address := literal(found["v6"] or found["host"])) is not None:
        return Allowed(network=ipaddress.ip_network(address), port=port)
    name = _name(found["host"] or "")
    if not _NAME.fullmatch(name):
        raise ValueError(f"has the entry {text!r}, whose host is neither a name nor an address")
    return Allowed(name, port=port)


def _name(host: str) -> str:
    """A host name as it is compared: lower case, in its ASCII form (RFC 5891), without a dot at its end."""
    name = host.lower().rstrip(".")
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
