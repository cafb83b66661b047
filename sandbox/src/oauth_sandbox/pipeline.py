"""The steps of every client request: limit, lint, response or fault, log."""

import json
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from msgspec import Struct

from oauth_sandbox import endpoints
from oauth_sandbox.behaviour import Cors
from oauth_sandbox.configuration import NoEffectError
from oauth_sandbox.errors import ApiError
from oauth_sandbox.faults.error_responses import RequestLimitReached
from oauth_sandbox.faults.fault import Fault, Situation
from oauth_sandbox.faults.hold import Hold
from oauth_sandbox.faults.kinds import HEADER, fault_from_header
from oauth_sandbox.lint import checks
from oauth_sandbox.log import Outcome
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint, IncomingRequest
from oauth_sandbox.response import JSON, Response, error_response, new_request_id
from oauth_sandbox.validation import InvalidInput

CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Version, X-API-Key",
}
"""The response to a preflight request (Fetch standard, CORS protocol)."""


class PipelineResult(Struct, frozen=True):
    """The response, and the fault that delivers it if one struck."""

    response: Response
    fault: Fault | None
    request_id: str
    client_id: str | None


def held_first(sandbox: Sandbox, request: IncomingRequest) -> tuple[Hold | None, str | None]:
    """Return the hold that stops a request before it is processed, if any, and the client."""
    with sandbox.lock:
        if not sandbox.faults.comes_first:
            return None, None
        client_id = checks.client_of(sandbox, request, checks.presented(sandbox, request))
        fault = sandbox.faults.take(request.endpoint, client_id, first=True)
        return (fault if isinstance(fault, Hold) else None), client_id


def process(
    sandbox: Sandbox,
    request: IncomingRequest,
    path: str,
    proceed: Callable[[], Response],
    held: Hold | None = None,
) -> PipelineResult:
    """Run one request through the pipeline.

    ``proceed`` does what was requested and returns the correct response; ``path`` is what the log shows, and ``held``
    the hold that stopped the request before.
    """
    started = perf_counter()
    fault: Fault | None = None
    with sandbox.lock:
        outcome = Outcome(new_request_id(), sandbox.clock.now())
        sandbox.request_id = outcome.request_id
        admitted = sandbox.limiter.admits(request.address, outcome.at)
        presented = checks.presented(sandbox, request)
        outcome.client_id = checks.client_of(sandbox, request, presented)
        outcome.findings = checks.examine(sandbox, request, outcome.client_id, presented) if admitted else []
        if outcome.findings:
            details = checks.details(sandbox, outcome.findings, presented, outcome.request_id)
            sandbox.lint.add(
                outcome.findings, outcome.client_id, request.endpoint, outcome.at, outcome.request_id, details
            )
        try:
            try:
                # Past the limit the provider itself never sees the request, and no fault is used up.
                fault = _fault(sandbox, request, outcome.client_id) if admitted else RequestLimitReached()
                response = proceed() if fault is None else fault.respond(_situation(sandbox, request, proceed))
            except (InvalidInput, NoEffectError) as problem:
                response = error_response(ApiError(400, str(problem)))
            response = _as_assumed(sandbox, request, response)
            outcome.status, outcome.error = response.status, _error_of(response)
        finally:
            outcome.fault = None if (struck := fault or held) is None else struck.kind
            outcome.duration_ms = (perf_counter() - started) * 1000
            sandbox.log.add(request, path, outcome)
    return PipelineResult(response, fault, outcome.request_id, outcome.client_id)


def _as_assumed(sandbox: Sandbox, request: IncomingRequest, response: Response) -> Response:
    """Leave the challenge out, and let pages of other origins read the response, where the behaviour says so."""
    if sandbox.behaviour.challenges and sandbox.behaviour.cors is Cors.CLOSED:
        return response
    headers = dict(response.headers)
    if not sandbox.behaviour.challenges:
        headers.pop("WWW-Authenticate", None)
    if sandbox.behaviour.cors is Cors.OPEN and request.endpoint is not Endpoint.AUTHORIZE:
        headers["Access-Control-Allow-Origin"] = "*"
        if request.is_preflight:
            return Response(204, b"", headers | CORS_HEADERS)
    return replace(response, headers=headers)


def _fault(sandbox: Sandbox, request: IncomingRequest, client_id: str | None) -> Fault | None:
    if sandbox.fault_header and HEADER in request.headers:
        fault = fault_from_header(request.headers[HEADER])
        fault.check_effect(sandbox.configuration.api)
        return fault
    return sandbox.faults.take(request.endpoint, client_id)


def _situation(sandbox: Sandbox, request: IncomingRequest, proceed: Callable[[], Response]) -> Situation:
    return Situation(request, proceed, lambda error, text: endpoints.error_redirect(sandbox, request, error, text))


def _error_of(response: Response) -> str | None:
    """Return the error code in the body; the APIs' own formats have none."""
    if response.status < 400 or response.headers.get("Content-Type") != JSON or not response.body:
        return None
    error = json.loads(response.body).get("error")
    return error if isinstance(error, str) else None
