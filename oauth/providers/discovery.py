"""Discovery, sans-IO: the search for a server's metadata, from its issuer, any address of it, or an API's address.

OpenID Connect Discovery 1.0 §4, RFC 8414 §3 and RFC 9728 §5. The requests made here are sent and recorded like any
other.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit, urlunsplit

from oauth.addresses import is_loopback, loopback_twin
from oauth.exchange import Exchange, Request, Response
from oauth.providers import protected_resource
from oauth.providers.metadata import OAUTH, OPENID, Candidate, Metadata, merge, read
from oauth.providers.protected_resource import Challenge, Resource
from oauth.providers.validation import address_faults
from oauth.providers.well_known import (
    WELL_KNOWN,
    DiscoveryError,
    appended,
    inserted,
    is_same,
    named_address_fault,
)
from oauth.request_builder import build_request

T = TypeVar("T")

USUAL_PATH = "/api/auth"
"""Path below which servers in use have everything, their document too, while their issuer has no path."""

MAX_PREFIXES = 8
"""Prefixes of an address that are tried: the longest, and the host."""

MAX_ATTEMPTS = 60
"""Requests of one discovery."""

MAX_SECONDS = 60
"""Seconds that the responses of one discovery may take together."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a discovery, the rule it follows, and the ``problem`` of its response, empty if it is used."""

    rule: str
    exchange: Exchange
    problem: str

    @property
    def url(self) -> str:
        """The address that was asked."""
        return self.exchange.request.url


@dataclass(frozen=True, slots=True)
class Discovery:
    """The result of discovery: every attempt in order, and what was found of the server and of the API."""

    attempts: tuple[Attempt, ...]
    metadata: Metadata | None
    resource: Resource | None = None


def discover(text: str, ask: Callable[[Request], Exchange]) -> Discovery:
    """Search from the address itself, then from an API's metadata, then above the address, then at its loopback twin.

    ``ask`` sends a request and records it. After an OpenID document that of RFC 8414 is tried too: some servers name
    their revocation and introspection endpoints only there. Raises ``DiscoveryError`` if the text is not an address.
    """
    address = _address(text)
    search = _Search(ask)
    metadata = resource = None
    for place in filter(None, (address, loopback_twin(address))):
        metadata, resource = _search_at(search, place)
        if metadata or resource:
            break
    return Discovery(tuple(search.attempts), metadata, resource)


def candidates(text: str) -> list[Candidate]:
    """Return the addresses of documents to try for an issuer, another URL of the server, or the document's own URL.

    They are in order, without those that only a response can name. Raises ``DiscoveryError`` if the text is not a valid
    address.
    """
    return list(_candidates(_address(text)))


def _address(text: str) -> str:
    """Return what was typed as an address without query and fragment, which may hold a secret."""
    text = text.strip()
    if "://" not in text:
        host = (urlsplit(f"//{text}").hostname or "") if not next(address_faults(f"https://{text}"), "") else ""
        text = f"{'http' if is_loopback(host) else 'https'}://{text}"
    text = text.partition("#")[0].partition("?")[0]
    if fault := next(address_faults(text), ""):
        raise DiscoveryError(f"This {fault}. Enter the issuer, such as https://login.example.com, or any URL of it.")
    if urlsplit(text).username is not None:
        raise DiscoveryError("This address contains a user, and perhaps a password. Remove everything before the @.")
    return text


def _candidates(address: str) -> Iterator[Candidate]:
    parts = urlsplit(address)
    if WELL_KNOWN in parts.path:
        yield _document(parts)
        return
    prefixes = list(_prefixes(address))
    yield from _unique(item for prefix in prefixes for item in _of_issuer(prefix))


def _unique(items: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield each address once."""
    by_url: dict[str, Candidate] = {}
    for item in items:
        by_url.setdefault(item.url, item)
    yield from by_url.values()


def _prefixes(address: str) -> Iterator[str]:
    """Yield the address and those above it, the longest first, and at last the usual path of the host."""
    parts = urlsplit(address)
    root = f"{parts.scheme}://{parts.netloc}"
    segments = [segment for segment in parts.path.split("/") if segment]
    above = [f"{root}/{'/'.join(segments[:length])}" for length in range(len(segments) - 1, 0, -1)]
    yield address
    yield from above[: MAX_PREFIXES - 2]
    yield root
    yield root + USUAL_PATH


def _of_issuer(issuer: str) -> Iterator[Candidate]:
    """Yield the possible addresses of the document of an issuer."""
    parts = urlsplit(issuer)
    others = (f"{parts.scheme}://{parts.netloc}",) if parts.path.rstrip("/") == USUAL_PATH else ()
    yield from _unique(
        Candidate(url, issuer, rule, others)
        for url, rule in (
            (appended(issuer, OPENID), "OpenID Connect Discovery 1.0 §4.1"),
            (inserted(issuer, OPENID), "RFC 8414 §5, the OpenID document with the path at the end"),
            (inserted(issuer, OAUTH), "RFC 8414 §3.1"),
            (appended(issuer, OAUTH), "no rule, but found in use"),
        )
    )


def _document(parts: SplitResult) -> Candidate:
    """Return the candidate for a document's own address: the issuer's path is before or after the well-known part."""
    before, _, after = parts.path.partition(WELL_KNOWN)
    path = before or after.partition("/")[2]
    issuer = urlunsplit((parts.scheme, parts.netloc, f"/{path.strip('/')}" if path else "", "", ""))
    return Candidate(urlunsplit(parts), issuer, "the address of the document")


def _search_at(search: "_Search", address: str) -> tuple[Metadata | None, Resource | None]:
    parts = urlsplit(address)
    if f"{WELL_KNOWN}{protected_resource.NAME}" in parts.path:
        return _of_resource(search, search.resource_document(address, _document(parts).issuer, "its own address"))
    if WELL_KNOWN in parts.path:
        return search.server([_document(parts)]), None
    if metadata := search.server(_of_issuer(address)):
        return metadata, None
    metadata, resource = _of_resource(search, search.resource(address))
    if metadata is None and not (resource and resource.servers):
        metadata = search.server(_candidates(address))
    return metadata, resource


def _of_resource(search: "_Search", resource: Resource | None) -> tuple[Metadata | None, Resource | None]:
    """Return the metadata of the first of a resource's servers that has it."""
    servers = resource.servers if resource else ()
    return next(filter(None, (search.server(_of_issuer(issuer)) for issuer in servers)), None), resource


@dataclass
class _Search:
    """The requests of one discovery. Each address is asked once, and none of a host that did not respond."""

    ask: Callable[[Request], Exchange]
    attempts: list[Attempt] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)
    _silent: set[str] = field(default_factory=set)

    def server(self, places: Iterable[Candidate]) -> Metadata | None:
        """Try one candidate after the other until one has the document."""
        openid: tuple[str, Metadata] | None = None
        for candidate in places:
            if openid and not (candidate.is_oauth and is_same(candidate.issuer, openid[0])):
                continue
            metadata = self._read(candidate.url, candidate.rule, partial(read, candidate))
            if metadata is None:
                continue
            if not openid and not candidate.is_oauth:
                openid = candidate.issuer, metadata
            elif not openid:
                return metadata
            elif is_same(openid[1].issuer, metadata.issuer):
                return merge(openid[1], metadata)
        return openid[1] if openid else None

    def resource(self, address: str) -> Resource | None:
        """Ask for the API itself, and follow its challenge, or else try the well-known addresses (RFC 9728 §3, §5)."""
        challenge = self._read(address, "RFC 9728 §5.1, the challenge of the address itself", _challenge) or Challenge()
        if challenge.metadata and (fault := named_address_fault(challenge.metadata, address)):
            last = self.attempts[-1]
            self.attempts[-1] = Attempt(last.rule, last.exchange, f"Its resource_metadata {fault}. It is not followed.")
        elif challenge.metadata:
            rule = "RFC 9728 §5.1, named by the challenge"
            if resource := self.resource_document(challenge.metadata, address, rule, challenge.scope):
                return resource
        for url in protected_resource.candidates(address):
            if resource := self.resource_document(url, address, "RFC 9728 §3.1", challenge.scope):
                return resource
        return None

    def resource_document(self, url: str, address: str, rule: str, scope: str = "") -> Resource | None:
        """Ask for the document of a resource."""
        return self._read(url, rule, partial(protected_resource.read, url, address, scope=scope))

    def _read(self, url: str, rule: str, parse: Callable[[Response], T]) -> T | None:
        """Ask for an address, and parse the response; ``None`` if that fails, or if it is not asked."""
        host = urlsplit(url).netloc
        elapsed = sum(attempt.exchange.duration_ms or 0 for attempt in self.attempts)
        if url in self._asked or host in self._silent:
            return None
        if len(self.attempts) >= MAX_ATTEMPTS or elapsed > MAX_SECONDS * 1000:
            return None
        self._asked.add(url)
        exchange = self.ask(build_request("GET", url))
        if exchange.response is None:
            self._silent.add(host)
            self.attempts.append(Attempt(rule, exchange, "No response was received."))
            return None
        try:
            result = parse(exchange.response)
        except DiscoveryError as error:
            self.attempts.append(Attempt(rule, exchange, str(error)))
            return None
        self.attempts.append(Attempt(rule, exchange, ""))
        return result


def _challenge(response: Response) -> Challenge:
    challenge = protected_resource.challenge(response)
    if challenge is None:
        raise DiscoveryError(
            f"The server returned {response.status} and asks for no token: this is no address of an API."
        )
    if not challenge.metadata:
        raise DiscoveryError(f"The server returned {response.status}, and its challenge names no resource_metadata.")
    return challenge
