"""What happens to every request of a client: it is looked at, answered or met by a fault, and logged."""

import json
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from oauth.sandbox import endpoints
from oauth.sandbox.errors import ApiError
from oauth.sandbox.faults.answers import RequestLimit
from oauth.sandbox.faults.fault import Fault, Situation
from oauth.sandbox.faults.kinds import HEADER, fault_from_header
from oauth.sandbox.json_schema import ShapeError
from oauth.sandbox.lint import checks
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Received
from oauth.sandbox.response import JSON, Answer, new_request_id, refusal


class Attended(NamedTuple):
    """The answer, and the fault that sends it if one struck."""

    answer: Answer
    fault: Fault | None
    request_id: str


def attend(sandbox: Sandbox, received: Received, path: str, proceed: Callable[[], Answer]) -> Attended:
    """``proceed`` does what was asked and gives the right answer; ``path`` is the one that the log shows."""
    started = perf_counter()
    request_id = new_request_id()
    fault: Fault | None = None
    status: int | None = None
    error: str | None = None
    with sandbox.lock:
        now = sandbox.clock.now()
        admitted = sandbox.limiter.admits(received.address, now)
        presented = checks.presented(sandbox, received)
        client_id = checks.client_of(sandbox, received, presented)
        findings = checks.examine(sandbox, received, client_id, presented) if admitted else []
        if findings:
            sandbox.lint.add(findings, client_id, received.endpoint, now, request_id)
        try:
            try:
                # Past the limit the provider itself sees nothing of a request, and no fault is used up.
                fault = _fault(sandbox, received, client_id) if admitted else RequestLimit()
                answer = proceed() if fault is None else fault.answer(_situation(sandbox, received, proceed))
            except ShapeError as problem:
                answer = refusal(ApiError(400, str(problem)))
            status, error = answer.status, _error_of(answer)
        finally:
            sandbox.log.add(
                request_id=request_id,
                at=now,
                path=path,
                received=received,
                client_id=client_id,
                status=status,
                error=error,
                fault=None if fault is None else fault.kind,
                findings=findings,
                duration_ms=(perf_counter() - started) * 1000,
            )
    return Attended(answer, fault, request_id)


def _fault(sandbox: Sandbox, received: Received, client_id: str | None) -> Fault | None:
    if sandbox.fault_header and HEADER in received.headers:
        return fault_from_header(received.headers[HEADER])
    return sandbox.faults.take(received.endpoint, client_id)


def _situation(sandbox: Sandbox, received: Received, proceed: Callable[[], Answer]) -> Situation:
    return Situation(received, proceed, lambda error, text: endpoints.error_redirect(sandbox, received, error, text))


def _error_of(answer: Answer) -> str | None:
    """The error code in the body; none in the API's own shape, which has no code."""
    if answer.status < 400 or answer.headers.get("Content-Type") != JSON or not answer.body:
        return None
    error = json.loads(answer.body)["error"]
    return error if isinstance(error, str) else None
