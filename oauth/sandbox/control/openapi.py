"""The OpenAPI 3.1 document of the control, made from its operations."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from oauth.sandbox.control.operation import Operation
from oauth.sandbox.json_schema import table
from oauth.sandbox.version import version

ERROR = table(
    {
        "error": table(
            {"status": {"type": "integer"}, "title": {"type": "string"}, "detail": {"type": "string"}},
            ["status", "title", "detail"],
        )
    },
    ["error"],
    "What was wrong and what to do.",
)
REFUSALS = {
    400: "The request is not as described here.",
    401: "The token is missing or wrong.",
    403: "The control is off, or not for this caller.",
    404: "There is no such thing.",
    409: "The request is as described, but what the sandbox has does not allow it.",
    413: "The body is too large.",
    415: "A change is JSON.",
}


def document(operations: Iterable[Operation], server: str, token_needed: bool) -> dict[str, Any]:
    """``server`` is the path that the operations' paths follow."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(f"/{operation.path}", {})[operation.method.lower()] = _operation(operation)
    result: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Control of the sandbox",
            "version": version(),
            "description": "Read and change the state of the sandbox from a test suite. Changes are JSON.",
        },
        "servers": [{"url": server.rstrip("/")}],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    if token_needed:
        result["security"] = [{"token": []}]
    return result


def _operation(operation: Operation) -> dict[str, Any]:
    statuses = [400, 401, 403]
    statuses += [404] if operation.path_parameters else []
    statuses += [409] if operation.conflicts else []
    statuses += [413, 415] if operation.body is not None else []
    if operation.answer is None:
        done: dict[str, Any] = {"204": {"description": HTTPStatus.NO_CONTENT.phrase}}
    else:
        content = {"application/json": {"schema": operation.answer}}
        done = {str(operation.status): {"description": HTTPStatus(operation.status).phrase, "content": content}}
    result: dict[str, Any] = {
        "operationId": f"{operation.method.lower()} {operation.path}",
        "summary": operation.summary,
        "responses": done | {str(status): _refusal(status) for status in statuses},
    }
    parameters = [
        {"name": name, "in": place, "required": place == "path", "schema": schema}
        for place, schemas in (("path", operation.path_parameters), ("query", operation.query_parameters))
        for name, schema in schemas.items()
    ]
    if parameters:
        result["parameters"] = parameters
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body}}
        result["requestBody"] = {"required": True, "content": content}
    return result


def _refusal(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": REFUSALS[status], "content": content}
