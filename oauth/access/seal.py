"""The part of a sign-in that the browser keeps: signed, so that nobody can write it, and without any token."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from oauth.access.person import Person, person_id
from oauth.access.roles import Rules
from oauth.access.sign_in import Refused
from oauth.flow import pkce
from oauth.settings import Settings

HEADER = "x-console-person"
"""The header with the sealed person, from the gate to the pages."""

ATTEMPT_SECONDS = 600
"""Seconds in which a person must have signed in at the provider."""

LONGEST_SESSION = timedelta(hours=24)
"""The time after which a person signs in again, however late the issuer's ``exp`` is."""

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in. ``to`` is the path of the console that was asked for."""

    to: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=pkce.new_verifier, repr=False)


class Seal:
    """The signatures under what a browser brings back. Consoles with the same ``CONSOLE_KEY`` accept each other's.

    A role is not sealed but given anew each time, so that a change of the rules counts at once.
    """

    def __init__(self, settings: Settings, rules: Rules) -> None:
        key = settings.derived_key("sign-in")
        self._people = URLSafeTimedSerializer(key, salt="person", signer_kwargs={"digest_method": sha256})
        self._attempts = URLSafeTimedSerializer(key, salt="attempt", signer_kwargs={"digest_method": sha256})
        self._rules = rules

    def sealed(self, issuer: str, claims: Mapping[str, Any], now: datetime) -> str:
        """Return the text that says who a person is, from verified claims."""
        names = (_line(claims.get(name)) for name in ("name", "preferred_username", "email", "sub"))
        content = {
            "id": person_id(issuer, str(claims["sub"])),
            "name": next(filter(None, names), ""),
            "email": _line(claims.get("email")),
            "verified": claims.get("email_verified") is True,
            "claims": self._rules.needed(claims),
            "session": secrets.token_urlsafe(16),
            "expires": session_end(claims, now),
        }
        return self._dumped(self._people, content)

    def person(self, sealed: str, now: datetime) -> Person | None:
        """Return who a sealed text names, ``None`` when their session has expired. Raises ``Refused`` for a forgery."""
        try:
            content = self._people.loads(sealed)
        except BadData as error:
            raise Refused(
                "The cookie of your sign-in was changed, or the console has another CONSOLE_KEY now."
            ) from error
        if now.timestamp() >= content["expires"]:
            return None
        # An email address is shown without some characters, so it is not what a rule is compared with.
        claims = {"email_verified": content["verified"], **content["claims"]}
        about = {"email": content["email"], **claims}
        return Person(
            content["id"],
            content["name"],
            self._rules.role_of(claims),
            {name: value for name, value in about.items() if value != ""},
            content["session"],
            content["expires"],
        )

    def attempt(self, attempt: Attempt) -> str:
        """Return the text of an attempt to sign in."""
        return self._dumped(self._attempts, asdict(attempt))

    def opened_attempt(self, sealed: str) -> Attempt | None:
        """Return the attempt in a sealed text, ``None`` when it is forged or older than ``ATTEMPT_SECONDS``."""
        try:
            return Attempt(**self._attempts.loads(sealed, max_age=ATTEMPT_SECONDS))
        except BadData:
            return None

    @staticmethod
    def _dumped(serializer: URLSafeTimedSerializer, content: Mapping[str, Any]) -> str:
        text = serializer.dumps(content)
        return text if isinstance(text, str) else text.decode()


def session_end(claims: Mapping[str, Any], now: datetime) -> float:
    """Return the end of a session that begins now, in seconds of Unix time."""
    return min((now + LONGEST_SESSION).timestamp(), float(claims["exp"]))


def _line(value: object) -> str:
    """Return a claim to be shown, without what cannot be kept or changes the line: surrogates, control characters."""
    return "".join(filter(str.isprintable, value[:_LONGEST_NAME])).strip() if isinstance(value, str) else ""
