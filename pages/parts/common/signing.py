"""Client assertions and DPoP proofs of one session, kept in its memory until the request that carries them is sent."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import streamlit as st

from oauth.flow import Flow, Signed
from oauth.installation import now
from oauth.jose import assertion as assertions
from oauth.jose import dpop
from oauth.jose.assertion import Statement
from oauth.providers import ClientAuthentication
from oauth.redaction import Vault

FRESH = timedelta(seconds=20)
"""Age up to which a proof or an assertion is still sent; an older one is signed again."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """Signatures of a request that was not sent yet, with the values they depend on."""

    subject: tuple[object, ...] = field(repr=False)
    at: datetime
    signed: Signed = field(repr=False)


@dataclass
class Signing:
    """Signatures for the next requests, one draft an action, and the claims that the user changed.

    ``vault`` gets every signature. ``key_problem`` says why the last pasted key was refused.
    """

    vault: Vault
    claims: Statement = field(default_factory=Statement)
    key_problem: str = ""
    _drafts: dict[str, _Draft] = field(default_factory=dict, repr=False)

    def statement(self, flow: Flow) -> Statement:
        """Return the claims of the client's assertions: the ones typed, or else those of the profile and the key."""
        provider, key = flow.provider, flow.signing_key
        audience = self.claims.audience or provider.issuer or provider.token_endpoint
        return Statement(audience, self.claims.lifetime, self.claims.kid or (key.kid if key else ""))

    def change_claims(self, audience: str, lifetime: str, kid: str) -> None:
        """Change the claims of the client's assertions; a lifetime that is not a number is ignored."""
        seconds = int(lifetime) if lifetime.lstrip("-").isdecimal() else self.claims.lifetime
        self.claims = Statement(audience, seconds, kid)

    def sign(
        self, flow: Flow, action: str, method: str, url: str, by: ClientAuthentication, access_token: str = ""
    ) -> Signed:
        """Return the client's assertion and the DPoP proof that this request needs.

        They stay the same until a claim changes or the request is sent, so that they can be inspected and edited.
        """
        key = flow.signing_key if by is ClientAuthentication.PRIVATE_KEY_JWT else None
        statement = self.statement(flow)
        nonce = dpop.nonce_for(flow.dpop_nonces, url)
        subject = (key, statement, flow.client.id, flow.dpop_key, method, url, nonce, access_token)
        draft = self._drafts.get(action)
        if draft is not None and draft.subject == subject:
            return draft.signed
        at = now()
        assertion = proof = ""
        if key is not None:
            assertion = assertions.assertion(key, flow.client.id, statement, at=at, unique=secrets.token_urlsafe())
        if flow.dpop_key is not None:
            proof = dpop.proof(
                flow.dpop_key,
                method,
                url,
                at=at,
                unique=secrets.token_urlsafe(),
                nonce=nonce,
                access_token=access_token,
            )
        signed = Signed(assertion, proof)
        self.vault.add("client_assertion", assertion)
        self.vault.add("dpop", proof)
        self._drafts[action] = _Draft(subject, at, signed)
        return signed

    def discard(self, action: str) -> None:
        """Forget a signature that was sent: each is good for one request."""
        self._drafts.pop(action, None)

    def discard_stale(self, action: str) -> None:
        """Forget a signature that is too old to be sent, unless the user edited it."""
        draft = self._drafts.get(action)
        if draft is not None and now() - draft.at > FRESH and not self._is_edited(action, draft.signed):
            del self._drafts[action]

    def _is_edited(self, action: str, signed: Signed) -> bool:
        placeholders = {
            "client_assertion": self.vault.placeholder("client_assertion", signed.assertion),
            "DPoP": self.vault.placeholder("dpop", signed.proof),
        }
        values = {name: st.session_state.get(f"{action}.field.{name}.value") for name in placeholders}
        return any(values[name] not in (None, placeholders[name]) for name in placeholders)
