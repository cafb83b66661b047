"""How a provider is connected to: time-outs, proxy, own certificate authorities, client certificate."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection settings of one provider profile.

    The time-outs are in seconds: for the connection with its TLS handshake, for each wait for more of the answer, and
    for everything together. ``proxy`` is an ``http://`` address, which may hold a user and a password; it is never
    printed. ``ca_bundle``, ``client_certificate`` and ``client_key`` are paths of PEM files. With ``verify`` off the
    server's certificate is not checked.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 10.0
    total_timeout: float = 30.0
    proxy: str = field(default="", repr=False)
    ca_bundle: str = ""
    client_certificate: str = ""
    client_key: str = ""
    verify: bool = True
