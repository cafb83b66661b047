"""The OpenAPI 3.1 document of the control, made from its operations and the schemas of their types."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from oauth_sandbox.control.operation import Operation
from oauth_sandbox.validation import Schema
from oauth_sandbox.version import version


class ErrorDetail(msgspec.Struct):
    """The status with its phrase, and what is wrong."""

    status: int
    title: str
    detail: str


class Error(msgspec.Struct):
    """An error: what is wrong and what to do."""

    error: ErrorDetail


REFUSALS = {
    400: "The request is not as described here.",
    401: "The token is missing or wrong.",
    403: "The control is off, or not for this caller.",
    404: "The item does not exist.",
    409: "The request is valid, but the state of the sandbox does not allow it.",
    413: "The body is too large.",
    415: "The body of a change must be JSON.",
}


NEEDED = ("required", "minProperties", "anyOf")
"""What the schema of a body has for which no body at all, which counts as an empty object, is not enough."""


def document(operations: Sequence[Operation], server: str, *, token_needed: bool) -> dict[str, Any]:
    """Return the document; ``server`` is the path that the operations' paths are relative to."""
    types = {id(kind): kind for operation in operations for kind in _types(operation)}
    schemas, components = msgspec.json.schema_components(types.values(), ref_template="#/components/schemas/{name}")
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _operation(operation, by_type, components)
        paths.setdefault(f"/{operation.path}", {})[operation.method.lower()] = described
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
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    if token_needed:
        result["security"] = [{"token": []}]
    return result


def _types(operation: Operation) -> list[Any]:
    types = [Error, operation.response, operation.body, operation.query, *operation.path_parameters.values()]
    return [kind for kind in types if kind is not None]


def _operation(operation: Operation, schemas: Mapping[int, Schema], components: Mapping[str, Any]) -> dict[str, Any]:
    statuses = [400, 401, 403]
    statuses += [404] if operation.path_parameters else []
    statuses += [409] if operation.conflicts else []
    statuses += [413, 415] if operation.body is not None else []
    success: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.response is not None:
        success["content"] = _json(schemas[id(operation.response)])
    error = _json(schemas[id(Error)])
    result: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{operation.method.lower()}_{operation.path}").strip("_"),
        "summary": operation.summary,
        "responses": {str(operation.status if operation.response is not None else 204): success}
        | {str(status): {"description": REFUSALS[status], "content": error} for status in statuses},
    }
    in_path = {name: schemas[id(kind)] for name, kind in operation.path_parameters.items()}
    places = (("path", in_path), ("query", components[operation.query.__name__].get("properties", {})))
    parameters = [
        {"name": name, "in": place, "required": place == "path", "schema": schema}
        for place, properties in places
        for name, schema in properties.items()
    ]
    if parameters:
        result["parameters"] = parameters
    if operation.body is not None:
        body = schemas[id(operation.body)]
        whole = {**components.get(body.get("$ref", "").rpartition("/")[2], {}), **body}
        result["requestBody"] = {"required": any(map(whole.get, NEEDED)), "content": _json(body)}
    return result


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
