"""The interface of grants. It has two steps, because the client's right to the grant is checked between them."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from oauth.sandbox.clients import Client
from oauth.sandbox.errors import MissingParameter
from oauth.sandbox.provider import Sandbox, Tokens
from oauth.sandbox.scope import Scope, parse


class TokenRequest(NamedTuple):
    """A request at the token endpoint by an authenticated client (RFC 6749 §3.2)."""

    sandbox: Sandbox
    client: Client
    parameters: Mapping[str, str]

    @property
    def scope(self) -> Scope:
        """The requested scope; empty when there is none."""
        return parse(self.parameters.get("scope", ""))

    def required(self, name: str) -> str:
        """Return a parameter's value. Raises ``MissingParameter``."""
        if name not in self.parameters:
            raise MissingParameter(name)
        return self.parameters[name]


class Authorization(NamedTuple):
    """The scope and the user that a request is entitled to; no user for the client's own tokens."""

    scope: Scope
    user_id: int | None


class Grant(Protocol):
    """A way to get tokens. Both steps run under the sandbox's lock."""

    def examine(self, request: TokenRequest) -> Authorization:
        """Return what the presented code or token stands for, and change nothing.

        Raises errors 1, 2 and 11 and their siblings.
        """

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """Issue the tokens. Raises error 4, which spends nothing."""
