"""Diagnosis of a failed exchange: causes, each judged by facts of the request, its flow and the history, and fixes."""

from oauth.diagnosis.diagnose import diagnose, never_came_back, preflight
from oauth.diagnosis.in_memory import InMemoryPast
from oauth.diagnosis.model import Cause, Change, Diagnosis, Evidence, Fix, Label, Target, Verdict
from oauth.diagnosis.past import NoPast, Past
from oauth.diagnosis.questions import questions

__all__ = [
    "Cause",
    "Change",
    "Diagnosis",
    "Evidence",
    "Fix",
    "InMemoryPast",
    "Label",
    "NoPast",
    "Past",
    "Target",
    "Verdict",
    "diagnose",
    "never_came_back",
    "preflight",
    "questions",
]
