"""The authorization request and its callback, which go through the browser: recorded, checked, applied to the flow."""

from dataclasses import replace
from datetime import datetime

from oauth import flow as flows
from oauth import paste
from oauth.access import Action
from oauth.addresses import split
from oauth.errors import InputError
from oauth.exchange import Exchange, Request, Response, Step
from oauth.flow import IssuerCheck
from oauth.history.store import HistoryError
from oauth.installation import current, now
from oauth.recorder import Record, examine
from pages.parts.common import sandboxes
from pages.parts.common import session as session_state
from pages.parts.common.permissions import needs
from pages.parts.common.session import Session
from pages.parts.walkthrough import diagnosing, keeping


@needs(Action.SEND)
def begin(session: Session, request: Request, fields: list[flows.Field]) -> None:
    """Record the authorization request that the browser opens, and wait for the callback."""
    session.flow = flows.with_authorization(session.flow, fields)
    session.authorizing = session.recorder.begin(session.exchange(Step.AUTHORIZE, request, now()))
    session.show("authorize", diagnosing.outcome(session, session.authorizing))
    session.expect_callback()
    session.go("callback")
    keeping.save(session)


def receive_pasted(session: Session, text: str) -> None:
    """Apply a pasted callback, or the text of the page that the browser stayed on.

    Raises ``InputError`` if it is neither, or belongs to another flow or issuer.
    """
    if flows.is_page(text):
        _receive_page(session, text.strip())
        return
    parameters = flows.parse_pasted(text)
    _check(session, parameters)
    session.refused = ""
    address = text.strip() if "?" in text or "#" in text else ""
    address = address or f"{session.flow.redirect_uri or '/callback'}?{flows.query(parameters)}"
    receive(session, parameters, now(), pasted=address)
    try:
        session.handover.use(session.flow.state)
    except HistoryError as error:
        session.recorder.problem = str(error)


def _check(session: Session, parameters: list[tuple[str, str]]) -> None:
    flow = session.flow
    states = [value for name, value in parameters if name == "state"]
    if states and states != [flow.state]:
        expected, actual = (session.vault.placeholder("state", value) for value in (flow.state, states[0]))
        raise InputError(
            f"The pasted state is {actual}, but this flow sent {expected}: the response belongs to another request, "
            "perhaps from an older tab. Open the authorization page again. If you are sure the code is yours, paste "
            "the code alone."
        )
    if flows.check_issuer(flow, parameters) is IssuerCheck.DIFFERS:
        raise InputError(
            f"The pasted iss is {dict(parameters)['iss']!r}, but the issuer of this flow is "
            f"{flow.provider.issuer!r}: another server responded, as in a mix-up attack (RFC 9207 §2.4). The code is "
            "not used."
        )


def take(session: Session) -> bool:
    """Apply the callback that arrived, if any; return whether the page has to be drawn again. Raises ``HistoryError``.

    A tab that another one overtook leaves the callback to that one.
    """
    if keeping.is_overtaken():
        return keeping.is_news()
    callback = session.handover.take(session.flow.state)
    if callback is None:
        return receive_refusal(session)
    if not receive(session, list(callback.parameters), callback.received_at):
        session.handover.give_back(session.flow.state, callback)
    return True


def receive(session: Session, parameters: list[tuple[str, str]], at: datetime, *, pasted: str = "") -> bool:
    """Apply the callback's parameters, and complete the authorization's exchange with the redirect that carried them.

    ``pasted`` is the address that the browser landed on, if the user pasted it. Return False if another tab went on
    with the flow.
    """
    session.advance(flows.read_callback(session.flow, parameters, at, pasted=bool(pasted)))
    callback = Request("GET", pasted or f"{session.flow.redirect_uri}?{flows.query(parameters)}")
    if not pasted and session.flow.authorization_parameter("response_mode") == "form_post":
        form = (("Content-Type", "application/x-www-form-urlencoded"),)
        callback = Request("POST", session.flow.redirect_uri, form, flows.query(parameters).encode())
    _complete(session, callback, at)
    exchange = session.exchange(Step.CALLBACK, callback, at)
    if pasted:
        # The callback route records what it receives; a pasted callback never reached it.
        begun = session.recorder.begin(exchange)
        record = session.recorder.complete(begun, begun.live)
    else:
        record = examine(exchange, session.vault)
    session.show("callback", diagnosing.outcome(session, record))
    session.go("token" if session.flow.code else "callback")
    return keeping.save(session)


def _receive_page(session: Session, text: str) -> None:
    """Complete the authorization's exchange with the page that its request was answered with.

    Raises ``InputError`` without an authorization request.
    """
    if session.authorizing is None and session.authorization is not None:
        begin(session, *session.authorization)
    record = session.authorizing
    if record is None:
        raise InputError("This is the text of a page, but no authorization page was opened. Open it in step 1 first.")
    _answered(session, record, replace(record.live, response=_page(text), marks=(*record.live.marks, "pasted")))


def receive_refusal(session: Session) -> bool:
    """Complete the authorization's exchange if a sandbox refused it with a page, and return True then.

    The browser stays there, and nobody else is told (RFC 6749 §4.1.2.1).
    """
    record = session.authorizing
    if record is None:
        return False
    address = split(record.live.request.url)
    if not record.live.request.url.startswith(f"{current().settings.sandbox_at(session_state.origin())}/"):
        return False
    states = sandboxes.states()
    refused = [words for _, sandbox in states for query, words in [*sandbox.refused] if query == address.query]
    if not refused:
        return False
    headers = (("Content-Type", "text/plain; charset=utf-8"),)
    _answered(session, record, replace(record.live, response=Response(400, "", headers, refused[-1].encode())))
    return True


def _answered(session: Session, record: Record, live: Exchange) -> None:
    """Complete the authorization's exchange with the page that the browser stays on."""
    session.show("authorize", diagnosing.outcome(session, session.recorder.complete(record, live)))
    session.authorizing = None
    session.refused = ""
    session.go("authorize")


def _page(text: str) -> Response:
    """Return the error that was read in a page, or the page as it is, with its status where the text shows it."""
    try:
        responses = [item.response for item in paste.read(text) if item.response is not None]
    except paste.ParseError:
        responses = []
    if responses:
        return responses[0]
    kind = "text/html" if text.startswith("<") else "text/plain"
    return Response(0, headers=(("Content-Type", f"{kind}; charset=utf-8"),), body=text.encode("utf-8", "replace"))


def _complete(session: Session, callback: Request, at: datetime) -> None:
    begun = session.authorizing
    if begun is None:
        return
    redirect = Response(302, "Found", (("Location", callback.url),))
    if callback.method == "POST":  # the server responded with a page whose form the browser sent here
        redirect = Response(200, "OK")
    elapsed = round((at - begun.live.started_at).total_seconds() * 1000)
    record = session.recorder.complete(begun, replace(begun.live, response=redirect, duration_ms=elapsed))
    session.show("authorize", diagnosing.outcome(session, record))
    session.authorizing = None
