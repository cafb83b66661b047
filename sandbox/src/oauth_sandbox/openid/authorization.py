"""The OpenID side of an authorization request (OpenID Connect Core §3.1.2, RFC 9126)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_sandbox.clients import Client
from oauth_sandbox.configuration import subject
from oauth_sandbox.openid.keys import claims_of
from oauth_sandbox.openid.logins import Login, Session, is_older
from oauth_sandbox.scope import Scope, within
from oauth_sandbox.store import Kind

if TYPE_CHECKING:
    from oauth_sandbox.provider import Sandbox

PROMPTS = ("none", "login", "consent", "select_account")
NOT_SUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
"""Parameters with an error code of their own (OpenID Connect Core §3.1.2.6)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants of the login: no page at all, a new login, or one that is at most ``max_age`` seconds old.

    ``pushed`` is the reference of a pushed request, which can be used once.
    """

    nonce: str
    silent: bool
    login: bool
    max_age: int | None
    pushed: str = ""


def wish_of(parameters: Mapping[str, str], pushed: str = "") -> Wish:
    """Return the wish of a request without problems."""
    prompts = parameters.get("prompt", "").split()
    max_age = parameters.get("max_age")
    age = None if max_age is None else int(max_age)
    return Wish(parameters.get("nonce", ""), "none" in prompts, "login" in prompts, age, pushed)


def problem(sandbox: "Sandbox", client: Client, scope: Scope, parameters: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the error and its description for which a request is refused, if any."""
    for name, error in NOT_SUPPORTED.items():
        if name in parameters:
            return error, f"The parameter {name} is not supported"
    prompts, max_age = parameters.get("prompt", "").split(), parameters.get("max_age", "0")
    if parameters.get("response_mode", "query") != "query":
        return "invalid_request", "The response mode must be query"
    if unknown := [name for name in prompts if name not in PROMPTS]:
        return "invalid_request", f"The prompt {unknown[0]} is unknown"
    if "none" in prompts and len(prompts) > 1:
        return "invalid_request", "The prompt none cannot be combined with another"
    if not (max_age.isascii() and max_age.isdigit() and len(max_age) <= 10):
        return "invalid_request", "max_age must be a number of seconds"
    return _problem_of_silence(sandbox, client, scope, parameters) if prompts == ["none"] else None


def _problem_of_silence(
    sandbox: "Sandbox", client: Client, scope: Scope, parameters: Mapping[str, str]
) -> tuple[str, str] | None:
    session = sandbox.logins.session
    if session is None or session.user_id not in sandbox.users:
        return "login_required", "Nobody is signed in"
    if is_older(session, sandbox.clock.now(), wish_of(parameters).max_age):
        return "login_required", "The last login is older than max_age"
    if hint := parameters.get("id_token_hint"):
        claims = claims_of(hint)
        if claims is None:
            return "invalid_request", "The id_token_hint is none of this provider"
        if claims.get("sub") != subject(sandbox.users[session.user_id]):
            return "login_required", "Another user than that of the id_token_hint is signed in"
    if not within(scope, sandbox.logins.consented(client.client_id, session.user_id)):
        return "consent_required", "The user has not let this client have these scopes"
    return None


def approved(sandbox: "Sandbox", client_id: str, scope: Scope, user_id: int, max_age: int | None = None) -> Session:
    """Remember a user's consent, and return the session in which it was given."""
    sandbox.logins.consent(client_id, user_id, scope)
    return sandbox.logins.sign_in(user_id, sandbox.clock.now(), max_age)


def remember(sandbox: "Sandbox", wish: Wish, client: Client, scope: Scope, user_id: int, code: str) -> None:
    """Remember the login and the consent behind a code."""
    sandbox.logins.pushed.pop(wish.pushed, None)
    if wish.login:
        sandbox.logins.session = None
    session = approved(sandbox, client.client_id, scope, user_id, wish.max_age)
    issued = sandbox.find(Kind.CODE, code)
    if issued is not None:
        sandbox.logins.put(Login(issued.family, session.since, wish.nonce))
