"""Secrets are replaced by fingerprints in every exchange before it is stored, shown or formatted."""

from oauth.redaction.bodies import body_text
from oauth.redaction.names import KINDS
from oauth.redaction.placeholders import PLACEHOLDER, quoted
from oauth.redaction.vault import SHORTEST_PLAIN, Vault

__all__ = ["KINDS", "PLACEHOLDER", "SHORTEST_PLAIN", "Vault", "body_text", "quoted"]
