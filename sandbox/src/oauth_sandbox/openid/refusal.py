"""The errors of the OpenID provider."""

from collections.abc import Mapping

from oauth_sandbox.errors import ProviderError


class Refusal(ProviderError):
    """An error as RFC 6749 §5.2 and RFC 6750 §3 have it; without a code when no token was sent (RFC 6750 §3.1)."""

    def __init__(self, status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description.replace('"', "'")  # which an error_description must not have
        self.headers = headers or {}

    @property
    def members(self) -> Mapping[str, object]:
        """``error`` and ``error_description``."""
        return {"error": self.error, "error_description": self.description} if self.error else {}
