"""Faults that do what was asked and spoil the answer: a code is spent, a token issued, and the client may not know."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from oauth.sandbox.faults.fault import Fault, Situation
from oauth.sandbox.json_schema import Schema
from oauth.sandbox.response import Answer


@dataclass(frozen=True, slots=True)
class EmptyBody(Fault):
    """The right status and headers, and no body."""

    kind: ClassVar[str] = "empty-body"

    def answer(self, situation: Situation) -> Answer:
        """Content-Length is 0."""
        return replace(situation.proceed(), body=b"")


@dataclass(frozen=True, slots=True)
class WrongContentType(Fault):
    """The right body under another ``Content-Type``."""

    kind: ClassVar[str] = "wrong-content-type"
    properties: ClassVar[Mapping[str, Schema]] = {
        "content_type": {
            "type": "string",
            "pattern": r"^[\x21-\x7e][\x20-\x7e]{0,98}[\x21-\x7e]$",
            "default": "text/html",
            "description": "What is said instead.",
        }
    }
    content_type: str = "text/html"

    def answer(self, situation: Situation) -> Answer:
        """Everything else stays."""
        answer = situation.proceed()
        return replace(answer, headers={**answer.headers, "Content-Type": self.content_type})
