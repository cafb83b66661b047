"""JSON Schema (draft 2020-12) as the one description of what comes in: control requests, snapshots, config files."""

from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

Schema = Mapping[str, Any]


class ShapeError(ValueError):
    """A document is not as described: ``path`` leads to the place, ``problem`` says what is wrong and what to do."""

    def __init__(self, path: Sequence[str | int], problem: str) -> None:
        self.path = tuple(path)
        self.problem = problem
        super().__init__(f"{'.'.join(map(str, path))}: {problem}" if path else problem)


class Shape:
    """A schema that documents are checked against."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._validator = Draft202012Validator(schema)

    def check(self, document: object) -> None:
        """Raises ``ShapeError`` for the most telling deviation."""
        error = best_match(self._validator.iter_errors(document))
        if error is not None:
            error = _in_the_alternative(error)
            raise ShapeError(list(error.absolute_path), _problem(error))


def table(
    properties: Mapping[str, Schema], required: Sequence[str] = (), description: str = "", **more: Any
) -> dict[str, Any]:
    """The schema of an object with these properties and no other."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}
    if required:
        schema["required"] = list(required)
    if description:
        schema["description"] = description
    return schema


def _in_the_alternative(error: ValidationError) -> ValidationError:
    """Of a ``oneOf`` whose alternatives name themselves by a constant: what is wrong in the one that was meant."""
    if error.validator != "oneOf":
        return error
    alternatives: dict[object, list[ValidationError]] = {}
    for deviation in error.context or ():
        alternatives.setdefault(deviation.schema_path[0], []).append(deviation)
    for deviations in alternatives.values():
        if not any(deviation.validator == "const" for deviation in deviations):
            return best_match(deviations) or error
    return error


def _problem(error: ValidationError) -> str:
    message = str(error.message).rstrip(".")
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    advice = [schema.get("description", "")]
    if error.validator == "additionalProperties":
        advice.append(f"There are: {', '.join(schema.get('properties', {}))}.")
    return " ".join(filter(None, [f"{message}.", *advice]))
