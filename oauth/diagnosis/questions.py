"""Questions whose answers a diagnosis is missing, for the person who has the facts."""

from collections.abc import Iterable, Mapping

from oauth.diagnosis.causes.rule import NO_REQUEST
from oauth.diagnosis.model import Cause, Verdict

ASK_FOR_REQUEST = "What did the request look like, with its headers and body?"

QUESTIONS: Mapping[str, str] = {
    "access_token": "When was the access token issued, by which host, and was it refreshed since?",
    "api_key": "Which API key does the provider's portal show for this client?",
    "authorization": "What does the page show on which the browser stopped, and what is its address?",
    "client": "Which client ID and secret does the provider's portal show, and is the client active there?",
    "code": "When did the code arrive, which client asked for it, and was it sent before?",
    "device_code": "When was the device code issued, and was it exchanged before?",
    "grant": "Which grants may this client use, according to the provider?",
    "header": "Which headers did the request have?",
    "pkce": "Which code_challenge did the authorization request have, and which code_verifier was sent?",
    "redirect_uri": "Which redirect_uri did the authorization request have?",
    "refresh_token": "When was the refresh token issued, to which client, and was it used before?",
    "request": "Which address was the request sent to, and with which method?",
    "scope": "Which scopes may this client ask for, according to the provider?",
    "token": "Which scopes were requested and granted for this token, and by which grant?",
}
"""Questions by the family of a cause's id."""


def questions(causes: Iterable[Cause]) -> tuple[str, ...]:
    """Return what to ask about the causes that are unknown; none once a cause is proven."""
    causes = tuple(causes)
    if any(cause.verdict is Verdict.PROVEN for cause in causes):
        return ()
    unknown = [cause for cause in causes if cause.verdict is Verdict.UNKNOWN]
    if any(fact.text == NO_REQUEST for cause in unknown for fact in cause.evidence):
        return (ASK_FOR_REQUEST,)
    texts = (QUESTIONS.get(cause.id.partition(".")[0], "") for cause in unknown)
    return tuple(dict.fromkeys(filter(None, texts)))
