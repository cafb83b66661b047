"""What each of the provider's endpoints answers to a request that was read."""

from collections.abc import Callable

from oauth.sandbox import authorization_endpoint, resources, token_endpoint
from oauth.sandbox.api_data import CITIES
from oauth.sandbox.authorization_endpoint import Refused, RefusedByRedirect
from oauth.sandbox.consent import consent_page, refusal_page
from oauth.sandbox.errors import ApiError, InvalidRequest, ProviderError
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint, Received
from oauth.sandbox.response import Answer, refusal

Answering = Callable[[Sandbox, Received], Answer]


def answer(sandbox: Sandbox, received: Received) -> Answer:
    """The right answer; it has the request's effect. Call it under the sandbox's lock."""
    return answered(lambda: ANSWERS[received.endpoint](sandbox, received))


def answered(act: Callable[[], Answer]) -> Answer:
    """What ``act`` answers, a refusal made an answer."""
    try:
        return act()
    except ProviderError as error:
        return refusal(error)
    except Refused as refused:
        return refusal_page(refused)
    except RefusedByRedirect as refused:
        return Answer.redirect(refused.location)


def failure() -> Answer:
    """What is answered when the sandbox itself fails; the exception goes on to the server's log."""
    return refusal(ApiError(500, "The sandbox failed."))


def error_redirect(sandbox: Sandbox, received: Received, error: str, description: str) -> Answer | None:
    """An error taken to the client by the authorization endpoint; ``None`` at another, or when the request may not be
    redirected."""
    if received.endpoint is not Endpoint.AUTHORIZE:
        return None
    try:
        asked = authorization_endpoint.examine(sandbox, received.query)
    except (Refused, RefusedByRedirect):
        return None
    return Answer.redirect(authorization_endpoint.refuse(asked, error, description))


def _authorize(sandbox: Sandbox, received: Received) -> Answer:
    _only(received, "GET", "HEAD", "POST")
    form = received.readable if received.method == "POST" else {}
    asked = authorization_endpoint.examine(sandbox, received.query)
    if received.method == "POST":
        decision, user = form.get("decision", ""), form.get("user", "")
        return Answer.redirect(authorization_endpoint.decide(sandbox, asked, decision, user))
    return consent_page(asked, sandbox.scope_in_words(asked.scope), tuple(sandbox.users.values()))


def _token(sandbox: Sandbox, received: Received) -> Answer:
    if received.method != "POST":
        raise InvalidRequest("The token endpoint takes POST only", status=405, headers={"Allow": "POST"})
    authorization = received.headers.get("authorization")
    return Answer.of(token_endpoint.tokens(sandbox, received.readable, authorization).members)


def _user(sandbox: Sandbox, received: Received) -> Answer:
    _only(received, "GET", "HEAD")
    token = resources.check(sandbox, received.headers, user_needed=True)
    return Answer.of({"data": sandbox.users[token.user_id or 0]})


def _cities(sandbox: Sandbox, received: Received) -> Answer:
    _only(received, "GET", "HEAD")
    resources.check(sandbox, received.headers, user_needed=False)
    return Answer.of({"data": CITIES})


def _only(received: Received, *methods: str) -> None:
    if received.method not in methods:
        allow = ", ".join(methods)
        raise ApiError(405, "This method is not served here: see the Allow header.", {"Allow": allow})


ANSWERS: dict[Endpoint, Answering] = {
    Endpoint.AUTHORIZE: _authorize,
    Endpoint.TOKEN: _token,
    Endpoint.USER: _user,
    Endpoint.CITIES: _cities,
}
