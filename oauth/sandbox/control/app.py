"""The control as an ASGI application: find the operation, check what came, run it, answer JSON."""

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from oauth.sandbox import endpoints
from oauth.sandbox.control import clients, clock, consent, faults, issued, lint, requests, settings, state
from oauth.sandbox.control.access import Guard
from oauth.sandbox.control.openapi import document
from oauth.sandbox.control.operation import Call, Conflict, Operation
from oauth.sandbox.errors import ApiError
from oauth.sandbox.json_schema import Schema, ShapeError
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.response import Answer, new_request_id, refusal, send_answer

LARGEST_BODY = 64 * 1024 * 1024
OPERATIONS: tuple[Operation, ...] = (
    *clock.OPERATIONS,
    *clients.OPERATIONS,
    *consent.OPERATIONS,
    *issued.OPERATIONS,
    *faults.OPERATIONS,
    *lint.OPERATIONS,
    *requests.OPERATIONS,
    *settings.OPERATIONS,
    *state.OPERATIONS,
)
OPENAPI = "openapi.json"


class Control:
    """Everything under ``prefix``, which ends with a slash."""

    def __init__(self, sandbox: Sandbox, guard: Guard, prefix: str) -> None:
        self.sandbox = sandbox
        self.guard = guard
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except ApiError as error:
            answer = refusal(error)
        except Exception:
            await send_answer(endpoints.failure(), new_request_id(), send)
            raise
        await send_answer(answer, new_request_id(), send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = Headers(scope=scope)
        self.guard.check(scope, headers)
        root: str = scope.get("root_path", "")
        path = scope["path"].removeprefix(root).removeprefix(self.prefix)
        if path == OPENAPI:
            _allowed(scope["method"], ["GET"])
            return Answer.of(document(OPERATIONS, f"{root}{self.prefix}", self.guard.token is not None))
        operation, parameters = _found(scope["method"], path)
        body = await _body(receive) if operation.body is not None else None
        try:
            call = _call(operation, parameters, scope["query_string"].decode("latin-1"), body)
            with self.sandbox.lock:
                result = operation.run(self.sandbox, call)
        except ShapeError as error:
            raise ApiError(400, str(error)) from error
        except LookupError as error:
            raise ApiError(404, str(error.args[0])) from error
        except Conflict as error:
            raise ApiError(409, str(error)) from error
        return Answer(204) if operation.answer is None else Answer.of(result, operation.status)


def _found(method: str, path: str) -> tuple[Operation, Mapping[str, Any]]:
    matches = [(operation, match) for operation in OPERATIONS if (match := operation.pattern.fullmatch(path))]
    if not matches:
        raise ApiError(404, f"Nothing is here. What there is says {OPENAPI}.")
    _allowed(method, [operation.method for operation, _ in matches])
    operation, match = next(found for found in matches if found[0].method == method)
    parameters = {}
    for name, text in match.groupdict().items():
        value = _value(text, operation.path_parameters[name])
        if isinstance(value, str) and operation.path_parameters[name]["type"] == "integer":
            raise ApiError(404, f"{name} is a number.")
        parameters[name] = value
    return operation, parameters


def _allowed(method: str, methods: list[str]) -> None:
    if method not in methods:
        allow = {"Allow": ", ".join(methods)}
        raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not served here: see the Allow header.", allow)


def _call(operation: Operation, parameters: Mapping[str, Any], query: str, body: bytes | None) -> Call:
    pairs = parse_qsl(query, keep_blank_values=True)
    if len({name for name, _ in pairs}) < len(pairs):
        raise ShapeError((), "A query parameter is there more than once.")
    given = {name: _value(text, operation.query_parameters.get(name, {})) for name, text in pairs}
    operation.query_shape.check(given)
    document = None
    if body is not None:
        document = _parsed(body)
        operation.body_shape.check(document)
    return Call(parameters, given, document)


def _value(text: str, schema: Schema) -> int | str:
    is_number = schema.get("type") == "integer" and text.isascii() and text.isdigit() and len(text) < 16
    return int(text) if is_number else text


def _parsed(body: bytes) -> Any:
    try:
        document = json.loads(body, parse_float=_number, parse_constant=_no_number)
        # An escaped half of a surrogate pair is JSON, but no text that could be answered.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ShapeError((), "The body is not JSON.") from error
    return document


def _number(text: str) -> int | float:
    """1.0 is an integer in JSON Schema."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return int(number) if number.is_integer() else number


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(400, "The connection was closed before the whole body came.")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise ApiError(413, f"The body is larger than {LARGEST_BODY} bytes.")
        if not message.get("more_body", False):
            return bytes(body)
