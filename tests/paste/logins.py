"""What is expected of the HAR of a login: one flow, in which nothing that succeeded is a failure."""

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from oauth import paste
from oauth.diagnosis.as_json import diagnose
from oauth.diagnosis.pasted import Finding, Paste
from oauth.diagnosis.story import logins
from oauth.redaction import Vault

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def findings(text: str) -> list[Finding]:
    """Return the findings in a text."""
    return list(Paste(paste.read(text), Vault(b"key"), NOW).findings())


def failures(text: str) -> list[tuple[str, str]]:
    """Return the step and the title of each failure in a text, in its order."""
    return [
        (finding.exchange.step.value, finding.explanation.title) for finding in findings(text) if finding.explanation
    ]


def assert_succeeded(text: str, steps: Sequence[str] = ()) -> None:
    """Assert that nothing in the HAR of a login is a failure, and that it is one flow with these steps."""
    assert failures(text) == []
    assert not any(finding.preflight for finding in findings(text))
    _assert_one_flow(text, "", steps)
    assert all(item["title"] is None for item in diagnose(text, NOW, secrets.token_bytes(32)))


def assert_failed(text: str, step: str, error: str, steps: Sequence[str] = ()) -> None:
    """Assert that one exchange of a login failed, at this step with this error, and that it is the headline."""
    failed = [finding for finding in findings(text) if finding.explanation]
    assert [(finding.exchange.step.value, finding.explanation and finding.explanation.error) for finding in failed] == [
        (step, error)
    ], failures(text)
    _assert_one_flow(text, step, steps)
    headline, *others = diagnose(text, NOW, secrets.token_bytes(32))
    assert (headline["step"], headline["error"]) == (step, error or None)
    assert all(item["title"] is None for item in others)


def _assert_one_flow(text: str, failed: str, steps: Sequence[str]) -> None:
    items = paste.read(text)
    positions = {finding.position for finding in findings(text) if finding.explanation}
    (login,) = logins(items, positions)
    assert {item.flow for item in items} == {login.flow}
    assert login.failed == failed
    if steps:
        assert login.steps == tuple(steps), json.dumps(login.steps)
