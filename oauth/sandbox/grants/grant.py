"""What a grant does. It takes two steps, because the client's right to it is checked between them."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from oauth.sandbox.clients import Client
from oauth.sandbox.errors import MissingParameter
from oauth.sandbox.provider import Sandbox, Tokens
from oauth.sandbox.scope import Scope, parse


class TokenRequest(NamedTuple):
    """A request at the token endpoint, of a client that has proved who it is (RFC 6749 §3.2)."""

    sandbox: Sandbox
    client: Client
    parameters: Mapping[str, str]

    @property
    def scope(self) -> Scope:
        """What is asked; empty when nothing was."""
        return parse(self.parameters.get("scope", ""))

    def required(self, name: str) -> str:
        """The parameter's value. Raises ``MissingParameter`` when it is not there."""
        if name not in self.parameters:
            raise MissingParameter(name)
        return self.parameters[name]


class Authorization(NamedTuple):
    """What the request is entitled to: a scope, and the user who gave it; no user when it is the client's own."""

    scope: Scope
    user_id: int | None


class Grant(Protocol):
    """One way to get tokens. Both steps run under the sandbox's lock."""

    def examine(self, request: TokenRequest) -> Authorization:
        """What the code or token that is presented stands for; nothing changes.

        Raises errors 1, 2 and 11 and their siblings.
        """

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """The tokens. Raises error 4, which spends nothing."""
