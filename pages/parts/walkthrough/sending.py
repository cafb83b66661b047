"""Send the requests of a walkthrough, and update its flow from the responses."""

from oauth import challenges
from oauth import flow as flows
from oauth.access import Action
from oauth.client import send as send_recorded
from oauth.drills import sandbox_queue
from oauth.exchange import Exchange, Request
from oauth.flow.response_body import succeeded
from oauth.installation import now
from oauth.jose import dpop
from pages.parts.common.permissions import needs
from pages.parts.common.session import Session
from pages.parts.walkthrough import diagnosing, keeping, own_client
from pages.parts.walkthrough.actions import ACTIONS, CARD_OF


@needs(Action.SEND)
def press(session: Session, action: str) -> None:
    """Note that a send button was pressed; the page sends the request after it has read the fields."""
    if keeping.is_blocked():
        return
    session.pressed = action
    if action != "jwks":  # its button stands beside the tokens, in any step
        session.go(CARD_OF.get(action, action))
    session.signing.discard_stale(action)


def take_press(session: Session, action: str) -> bool:
    """Return True once after a press of this action's button, so that a rerun sends nothing again."""
    if session.pressed != action:
        return False
    session.pressed = ""
    return True


@needs(Action.SEND)
def send(session: Session, action: str, request: Request) -> None:
    """Send a request of the flow, and update the flow from the response."""
    if action == "poll" and not (session.flow.device and session.flow.device.may_poll(now())):
        return
    keep_response = keeping.claim(session, action)
    if keep_response is None:
        return
    session.sent[action] = request
    session.signing.discard(action)
    # A drill that runs at the sandbox meanwhile has moved its clock.
    with sandbox_queue.queue_for(session.flow.provider.control).exclusive("a request of a walkthrough"):
        record = send_recorded(
            session.exchange(ACTIONS[action].step, request, now()),
            session.recorder,
            connection=session.flow.provider.connection,
            on_response=lambda exchange: _update(session, action, exchange),
        )
    try:
        session.show(action, diagnosing.outcome(session, record))
        session.latest = action
    finally:  # the tab may be closed by now: whoever shows the flow next has the tokens at least
        keep_response()


def _update(session: Session, action: str, exchange: Exchange) -> None:
    flow = flows.read_nonce(session.flow, exchange)
    if (grant := ACTIONS[action].grant) is not None:
        flow = flows.read_tokens(flow, exchange, grant, flows.body_field(exchange.request, "scope"))
        if flow.tokens or flow.application_tokens:
            session.opened |= {"call"}
        has_new_tokens = flow.tokens is not session.flow.tokens  # a 200 may have none, or be cut off
        if action == "token" and has_new_tokens and (session.fixing is None or session.fixing.action != action):
            session.go("call")  # the tokens are above it
    elif action == "par":
        flow = flows.read_pushed(flow, exchange)
        if flow.pushed is not session.flow.pushed:
            session.go("authorize")
    elif action == "device":
        flow = flows.read_device(flow, exchange)
        session.shown.pop("poll", None)
    elif action == "register":
        registration = flows.read_registration(exchange)
        own_client.take(session, registration)
        if registration is not None:
            session.go("authorize")
    elif action == "unregister" and succeeded(exchange):
        own_client.forget(session)
    elif action == "jwks":
        session.keys = flows.read_keys(exchange)
    session.advance(flow)


def was_sent(session: Session, action: str, request: Request) -> bool:
    """Return True if this is the last request sent, apart from signatures, which are new each time."""
    last = session.sent.get(action)
    return last is not None and flows.without_signatures(last) == flows.without_signatures(request)


def wanted_scope(session: Session, action: str) -> str:
    """Return the scope that an API named when it refused the last token of this action, or an empty string."""
    last = session.shown.get(action)
    if last is None or last.explanation is None or last.explanation.error != "insufficient_scope":
        return ""
    headers = last.exchange.response.headers if last.exchange.response is not None else ()
    values = (value for name, value in headers if name.lower() == "www-authenticate")
    parsed = (challenge.parameters.get("scope", "") for value in values for challenge in challenges.parse(value))
    return next(filter(None, parsed), "")


def required_nonce(session: Session, action: str) -> str:
    """Return the nonce that the server sent when it refused the last proof of this action, or an empty string."""
    last, request = session.shown.get(action), session.sent.get(action)
    if last is None or request is None or last.explanation is None:
        return ""
    if not dpop.wants_nonce(last.explanation.error, last.exchange):
        return ""
    return dpop.nonce_for(session.flow.dpop_nonces, request.url)
