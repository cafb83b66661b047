"""Diagnose requests of a walkthrough from its flow and from the history."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from oauth.diagnosis import Cause, Diagnosis, NoPast, diagnose
from oauth.diagnosis import never_came_back as missing_callback
from oauth.diagnosis import preflight as causes_before
from oauth.exchange import Request
from oauth.flow import Flow
from oauth.history.past import HistoryPast
from oauth.history.store import HistoryError
from oauth.installation import current, now
from oauth.recorder import Record
from pages.parts.common import clock, sandboxes
from pages.parts.common import session as session_state
from pages.parts.common.session import Session, Shown
from pages.parts.walkthrough.actions import ACTIONS

RECHECK = timedelta(seconds=5)
"""Time after which a request that did not change is checked again."""

T = TypeVar("T")


def outcome(session: Session, record: Record) -> Shown:
    """Return a recorded exchange as it is drawn, with a diagnosis if it failed."""
    if record.explanation is None:
        return Shown(record.redacted, None)
    diagnosis = _judge(session, diagnose, record.live, record.explanation)
    session.recorder.diagnosed(record, diagnosis)
    return Shown(record.redacted, record.explanation, diagnosis)


def preflight(session: Session, action: str, request: Request) -> tuple[Cause, ...]:
    """Return the causes for which this request would fail now; checked again when it changes, or after ``RECHECK``."""
    at, last = now(), session.checked.get(action)
    if last is not None and last[0] == request and at - last[1] < RECHECK:
        return last[2]
    causes = _judge(session, causes_before, request, ACTIONS[action].step)
    session.checked[action] = request, at, causes
    return causes


def never_came_back(session: Session) -> Diagnosis | None:
    """Diagnose an authorization that has no callback yet; ``None`` when none is awaited."""
    if session.authorizing is None:
        return None
    return _judge(session, missing_callback, authorize=session.authorizing.live)


def _judge(session: Session, judge: Callable[..., T], *subject: object, **named: object) -> T:
    """Call a function of the diagnosis with the history, or without it where it cannot be read."""
    judge = partial(judge, *subject, **named, flow=_flow(session), vault=session.vault, now=now(), zone=clock.tz())
    try:
        return judge(past=HistoryPast(session_state.history()))
    except HistoryError as error:
        session.recorder.problem = str(error)
        return judge(past=NoPast())


def _flow(session: Session) -> Flow:
    """Return the flow; the clients of a sandbox are active or not as its page has them now."""
    flow = session.flow
    if not flow.provider.control:
        return flow
    address = current().settings.sandbox_at(session_state.origin())
    for place, sandbox in sandboxes.states():
        if flow.provider.control == f"{address}{place}/control":
            active = {client.client_id: client.active for client in sandbox.clients()}
            clients = tuple(replace(it, active=active.get(it.id, it.active)) for it in flow.provider.clients)
            return replace(flow, provider=replace(flow.provider, clients=clients))
    return flow
