"""What happens to every request of a client: it is looked at, answered or met by a fault, and logged."""

import json
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from oauth.sandbox import endpoints
from oauth.sandbox.errors import ApiError
from oauth.sandbox.faults.error_responses import RequestLimitReached
from oauth.sandbox.faults.fault import Fault, Situation
from oauth.sandbox.faults.kinds import HEADER, fault_from_header
from oauth.sandbox.lint import checks
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import IncomingRequest
from oauth.sandbox.response import JSON, Response, error_response, new_request_id
from oauth.sandbox.validation import InvalidInput


class PipelineResult(NamedTuple):
    """The answer, and the fault that sends it if one struck."""

    response: Response
    fault: Fault | None
    request_id: str


def process(sandbox: Sandbox, request: IncomingRequest, path: str, proceed: Callable[[], Response]) -> PipelineResult:
    """``proceed`` does what was asked and gives the right answer; ``path`` is the one that the log shows."""
    started = perf_counter()
    request_id = new_request_id()
    fault: Fault | None = None
    status: int | None = None
    error: str | None = None
    with sandbox.lock:
        now = sandbox.clock.now()
        admitted = sandbox.limiter.admits(request.address, now)
        presented = checks.presented(sandbox, request)
        client_id = checks.client_of(sandbox, request, presented)
        findings = checks.examine(sandbox, request, client_id, presented) if admitted else []
        if findings:
            sandbox.lint.add(findings, client_id, request.endpoint, now, request_id)
        try:
            try:
                # Past the limit the provider itself sees nothing of a request, and no fault is used up.
                fault = _fault(sandbox, request, client_id) if admitted else RequestLimitReached()
                response = proceed() if fault is None else fault.respond(_situation(sandbox, request, proceed))
            except InvalidInput as problem:
                response = error_response(ApiError(400, str(problem)))
            status, error = response.status, _error_of(response)
        finally:
            sandbox.log.add(
                request_id=request_id,
                at=now,
                path=path,
                request=request,
                client_id=client_id,
                status=status,
                error=error,
                fault=None if fault is None else fault.kind,
                findings=findings,
                duration_ms=(perf_counter() - started) * 1000,
            )
    return PipelineResult(response, fault, request_id)


def _fault(sandbox: Sandbox, request: IncomingRequest, client_id: str | None) -> Fault | None:
    if sandbox.fault_header and HEADER in request.headers:
        return fault_from_header(request.headers[HEADER])
    return sandbox.faults.take(request.endpoint, client_id)


def _situation(sandbox: Sandbox, request: IncomingRequest, proceed: Callable[[], Response]) -> Situation:
    return Situation(request, proceed, lambda error, text: endpoints.error_redirect(sandbox, request, error, text))


def _error_of(response: Response) -> str | None:
    """The error code in the body; none in the API's own shape, which has no code."""
    if response.status < 400 or response.headers.get("Content-Type") != JSON or not response.body:
        return None
    error = json.loads(response.body)["error"]
    return error if isinstance(error, str) else None
