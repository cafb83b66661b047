"""Secrets out, fingerprints in: what every exchange goes through before it is kept, drawn or formatted."""

from oauth.redaction.bodies import body_text
from oauth.redaction.names import KINDS
from oauth.redaction.placeholders import PLACEHOLDER, quoted
from oauth.redaction.vault import SHORTEST_AS_SENT, Vault

__all__ = ["KINDS", "PLACEHOLDER", "SHORTEST_AS_SENT", "Vault", "body_text", "quoted"]
