"""A login as a browser shows it, told in words: authorize, login, consent, callback, token, api."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from oauth.catalogue import browser
from oauth.exchange import Request, Response, Step
from oauth.paste.flows import redirect_of
from oauth.paste.result import Pasted
from oauth.paste.step_guess import is_callback, parameters

_CONSENT = re.compile(r"consent|approv|allow|decision|grant|permission|authori[sz]e", re.IGNORECASE)
_LOGIN_FIELD = re.compile(
    r"^(?:pass(?:word|wd|code|phrase)?|pwd|login|user(?:_?name)?|e-?mail|otp|SAMLResponse)$", re.IGNORECASE
)
_LOGIN = re.compile(r"log-?in|sign-?in|auth|account|session|identifier|password|interaction", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Login:
    """The exchanges of one login: the words of its steps in their order, and of them the one that failed."""

    flow: str
    steps: tuple[str, ...]
    failed: str = ""


def logins(items: Sequence[Pasted], failed: Collection[int]) -> list[Login]:
    """Return the logins among exchanges, of which those at the positions ``failed`` failed."""
    steps: dict[str, list[str]] = {}
    failures: dict[str, str] = {}
    for position, item in enumerate(items):
        word = _word(item)
        if not item.flow or not word:
            continue
        words = steps.setdefault(item.flow, [])
        if position in failed:
            failures.setdefault(item.flow, word)
        if word not in words or (position in failed and words[-1] != word):
            words.append(word)
    return [
        Login(flow, tuple(words), failures.get(flow, ""))
        for flow, words in steps.items()
        if Step.CALLBACK in words or Step.AUTHORIZE in words
    ]


def page_name(item: Pasted) -> str:
    """Return a name for a page of a login, or for what the browser did there."""
    request, response = item.request, item.response
    if request is None or response is None:
        return "Page"
    if request.method == "POST":
        form = browser.Sight(request).form()
        if any(_LOGIN_FIELD.search(name) for name in form):
            return "Login sent"
        if is_callback(parameters(redirect_of(item))) or any(_CONSENT.search(name) for name in form):
            return "Consent sent"
        return "Form sent"
    return _of_page(request, response)


def _of_page(request: Request, response: Response) -> str:
    if 300 <= response.status < 400:
        return "Redirect"
    path = request.url.partition("?")[0].partition("//")[2].partition("/")[2]
    if browser.is_login_form(response.body):
        return "Login page"
    return "Consent page" if _CONSENT.search(path) else "Login page" if _LOGIN.search(path) else "Page"


def _word(item: Pasted) -> str:
    if item.step is not Step.PAGE:
        return item.step.value if item.step else ""
    name = page_name(item)
    return name.split()[0].lower() if name.startswith(("Login", "Consent")) else ""
