"""Diagnose requests of a walkthrough by its flow and by the history, as far as the history can be read."""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import TypedDict, TypeVar

from oauth.diagnosis import Cause, Diagnosis, NoPast, Past, diagnose
from oauth.diagnosis import never_came_back as missing_callback
from oauth.diagnosis import preflight as causes_before
from oauth.exchange import Request
from oauth.flow import Flow
from oauth.history.past import HistoryPast
from oauth.history.store import HistoryError
from oauth.installation import now
from oauth.recorder import Record
from oauth.redaction import Vault
from pages.parts.common import clock
from pages.parts.common.session import Session, Shown
from pages.parts.walkthrough.actions import ACTIONS

RECHECK = timedelta(seconds=5)
"""Age up to which a preflight stands while its request is the same."""

T = TypeVar("T")


class _Facts(TypedDict):
    """Arguments of every diagnosis besides the exchange and the past."""

    flow: Flow
    vault: Vault
    now: datetime
    zone: tzinfo


def outcome(session: Session, record: Record) -> Shown:
    """Return a recorded exchange as it is drawn, diagnosed where it failed."""
    explanation = record.explanation
    if explanation is None:
        return Shown(record.redacted, None)
    facts = _facts(session)
    diagnosis = _with_past(session, lambda past: diagnose(record.live, explanation, past=past, **facts))
    return Shown(record.redacted, explanation, diagnosis)


def preflight(session: Session, action: str, request: Request) -> tuple[Cause, ...]:
    """Return the causes for which this request would fail now; judged again when it changes, and every few seconds."""
    facts = _facts(session)
    last = session.checked.get(action)
    if last is not None and last[0] == request and facts["now"] - last[1] < RECHECK:
        return last[2]
    step = ACTIONS[action].step
    causes = _with_past(session, lambda past: causes_before(request, step, past=past, **facts))
    session.checked[action] = request, facts["now"], causes
    return causes


def never_came_back(session: Session) -> Diagnosis | None:
    """Return why an authorization may stay without its callback, ``None`` when none is awaited."""
    if session.authorizing is None:
        return None
    authorize, facts = session.authorizing.live, _facts(session)
    return _with_past(session, lambda past: missing_callback(authorize=authorize, past=past, **facts))


def _facts(session: Session) -> _Facts:
    return {"flow": session.flow, "vault": session.vault, "now": now(), "zone": clock.tz()}


def _with_past(session: Session, judge: Callable[[Past], T]) -> T:
    """Judge by the history, or by the flow alone where the history cannot be read."""
    try:
        return judge(HistoryPast(session.recorder.history))
    except HistoryError as error:
        session.recorder.problem = str(error)
        return judge(NoPast())
