"""The action that each widget of the pages is for: what a role may not do is not drawn for it."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from oauth.access import Action

WIDGETS: Mapping[str, Action | None] = {
    "run.shown": None,
    "*.focus": None,
    "walkthrough.keep": Action.PROFILES,
    "diagnose.*.open": Action.SEND,
    "diagnose.*.replay": Action.SEND,
    "diagnose.*": Action.DIAGNOSE,
    "history.download*": Action.EXPORT,
    "history.import*": Action.IMPORT,
    "history.delete*": Action.DELETE,
    "history.one.delete*": Action.DELETE,
    "history.note": Action.ANNOTATE,
    "history.case": Action.ANNOTATE,
    "history.labels*": Action.ANNOTATE,
    "history.*": Action.READ,
    "drill.*": Action.DRILL,
    "errors.drills": Action.DRILL,
    "errors.provider": Action.DRILL,
    "errors.site.*": Action.DRILL,
    "errors.run_all": Action.DRILL,
    "errors.document*": Action.CATALOGUES,
    "errors.own*": Action.CATALOGUES,
    "errors.*": Action.READ,
    "q": Action.READ,
    "sandbox.*": Action.SANDBOX,
    "providers.*": Action.PROFILES,
    "access.audit*": Action.AUDIT,
    "access.*": Action.TOKENS,
    **dict.fromkeys(
        (
            "walkthrough.*",
            "rail*",
            "step.*",
            "authorize.*",
            "callback.*",
            "par.*",
            "register.*",
            "unregister.*",
            "device.*",
            "poll.*",
            "token.*",
            "tokens*",
            "refreshed_tokens*",
            "application_tokens*",
            "device_tokens*",
            "call.*",
            "api.*",
            "refresh.*",
            "application.*",
            "userinfo.*",
            "introspect.*",
            "revoke.*",
            "jwks.*",
        ),
        Action.SEND,
    ),
}
"""The action that each widget is for, by a pattern of its key; the first pattern that matches counts.

``None`` is for what every page has."""


def action_of(key: str) -> Action | None:
    """Return the action that a widget is for. Raises ``LookupError`` for one that is not listed."""
    for pattern, action in WIDGETS.items():
        if fnmatchcase(key, pattern):
            return action
    raise LookupError(f"The widget {key} is not in tests/pages/widgets.py.")
