"""Validation of input (control requests, snapshots, configuration files) by msgspec, with helpful errors."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from threading import RLock
from typing import Any

import msgspec

_lock = RLock()

PATTERN = re.compile(r" matching regex '.*'$", re.DOTALL)
VALUE = re.compile(r"(?<=value )'(.*)'$", re.DOTALL)
JSON_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "datetime": "date-time",
    "dict": "object",
    "list": "array",
    "NoneType": "null",
}
PYTHON_TYPE = re.compile(rf"\b(?:{'|'.join(JSON_TYPES)})\b(?=[^`]*`)")
PLACE = re.compile(r" - at (?:(`key`) in )?`([^`]*)`$")
STEP = re.compile(r"\.(\w+)|\[(\d+)\]")

Schema = Mapping[str, Any]


class Fields(msgspec.Struct, forbid_unknown_fields=True):
    """An object with these fields and no others."""


class InvalidInput(ValueError):
    """A document that does not fit its type: ``path`` leads to the field, ``problem`` says what is wrong."""

    def __init__(self, path: Sequence[str | int], problem: str) -> None:
        self.path = tuple(path)
        self.problem = problem
        super().__init__(f"{'.'.join(map(str, path))}: {problem}" if path else problem)


def quoted(text: str) -> str:
    """Return a text in quotes for a message, as JSON writes it: the reader may know no Python."""
    # An argument of the command line that is not UTF-8 has surrogates.
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def validated(document: object, kind: Any, *, strict: bool = True) -> Any:
    """Convert a document to ``kind``; text becomes a number where one is needed unless ``strict``.

    One thread at a time: the first conversion to a type builds its description, and two threads that build one at once
    end the process. Raises ``InvalidInput``.
    """
    try:
        with _lock:
            return msgspec.convert(document, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise _invalid(error, kind, document) from error


def decoded(body: bytes, kind: Any, name: str = "body") -> Any:
    """Decode a JSON document as ``kind``; ``name`` is what messages call it. Raises ``InvalidInput``."""
    try:
        document = JSON.decode(body)
    except UnicodeDecodeError as error:
        raise InvalidInput((), f"The {name} is not UTF-8.") from error
    except RecursionError as error:
        raise InvalidInput((), f"The {name} is nested too deeply.") from error
    except ValueError as error:
        raise InvalidInput((), f"The {name} is not valid JSON: {error}.") from error
    return validated(document, kind)


def optional(kind: type[msgspec.Struct], name: str, required: Iterable[str] = (), **types: Any) -> Any:
    """Return a variant of ``kind`` with every field optional except ``required``.

    ``types`` replace those of fields; ``None`` leaves a field out.
    """
    fields: list[Any] = []
    for field in msgspec.structs.fields(kind):
        field_type = types.get(field.name, field.type)
        if field.name in required:
            fields.append((field.name, field_type))
        elif field_type is not None:
            fields.append((field.name, field_type | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct(name, fields, bases=(Fields,), kw_only=True, namespace={"__doc__": kind.__doc__})


def _number(text: str) -> int | float:
    """Read 1.0 as an integer, as JSON Schema does."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range")
    return int(number) if number.is_integer() else number


JSON = msgspec.json.Decoder(float_hook=_number)


def _invalid(error: msgspec.ValidationError, kind: Any, document: object) -> InvalidInput:
    text, is_key, place, _ = [*PLACE.split(str(error)), "", "", ""][:4]
    path = [int(index) if index else name for name, index in STEP.findall(place)]
    # A key has no place of its own in the message: the place is that of its object.
    problem = "A name in it is not valid." if is_key else f"{_plain(text)}."
    return InvalidInput(path, " ".join([problem, *_advice(kind, path, document, of_key=bool(is_key))]))


def _plain(text: str) -> str:
    """Return msgspec's message for readers who know no Python; of a pattern, the advice says the same in words."""
    if match := VALUE.search(text):
        return f"{text[: match.start()]}{quoted(match[1])}"
    if not text.startswith("Expected"):
        return text  # it may have the name of a field, which may be that of a type
    return PYTHON_TYPE.sub(lambda match: JSON_TYPES[match[0]], PATTERN.sub(" of another form", text))


def _advice(kind: Any, path: Sequence[str | int], document: object, *, of_key: bool) -> Iterable[str]:
    """Yield what the schema says of a field, or of its keys, as far as the alternatives of a union agree."""
    (schema,), definitions = msgspec.json.schema_components([kind], ref_template="{name}")
    schemas = [schema]
    for step in path:
        alternatives = _fitting(schemas, definitions, document)
        inner = [
            part.get("items") if isinstance(step, int) else part.get("properties", {}).get(step)
            for part in alternatives
        ]
        schemas = [part for part in inner if part]
        document = _member(document, step)
    if of_key:
        schemas = [part["propertyNames"] for part in _fitting(schemas, definitions, document)]
    if len(descriptions := {schema.get("description", "") for schema in schemas}) == 1:
        yield from filter(None, descriptions)
    alternatives = _fitting(schemas, definitions, document)
    values = dict.fromkeys(tuple(part["enum"]) for part in alternatives if "enum" in part)
    # Alternatives with one value each are the names of a tagged union.
    if len(values) == 1 or (values and all(len(constants) == 1 for constants in values)):
        yield f"Allowed: {', '.join(str(value) for constants in values for value in constants)}."
    if len(alternatives) == 1 and "properties" in alternatives[0]:
        yield f"Known fields: {', '.join(alternatives[0]['properties'])}."


def _fitting(schemas: Iterable[Schema], definitions: Mapping[str, Schema], document: object) -> list[Schema]:
    """Return the alternatives of a tagged union that have the document's tag, or all when none has."""
    alternatives = [part for schema in schemas for part in _alternatives(schema, definitions)]
    if not isinstance(document, Mapping):
        return alternatives
    return [part for part in alternatives if _has_its_tag(part, document)] or alternatives


def _has_its_tag(schema: Schema, document: Mapping[Any, Any]) -> bool:
    constants = {name: part["enum"] for name, part in schema.get("properties", {}).items() if "enum" in part}
    return all(document.get(name) in values for name, values in constants.items() if len(values) == 1)


def _member(document: object, step: str | int) -> object:
    if isinstance(document, Mapping):
        return document.get(step)
    if isinstance(document, Sequence) and isinstance(step, int) and step < len(document):
        return document[step]
    return None


def _alternatives(schema: Schema, definitions: Mapping[str, Schema]) -> list[Schema]:
    if "$ref" in schema:
        return _alternatives(definitions[schema["$ref"]], definitions)
    return [inner for part in schema.get("anyOf", ()) for inner in _alternatives(part, definitions)] or [schema]
