"""The parts of the documentation that are made from the code: ``python -m tests.docs`` writes them.

A part stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``. ``tests/test_docs.py`` compares each with the code.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import to_builtins

from oauth.access import MINIMUM, Action, Role
from oauth.catalogue import answers, drafting
from oauth.connection_settings import ConnectionSettings
from oauth.exports.layout import COLUMNS
from oauth.exports.turns import Turns
from oauth.history.database import Database
from oauth.history.terms import help_list
from oauth.installation import now
from oauth.providers import Provider
from oauth.providers.profile import CONNECTION, RESERVED_FIELDS
from oauth.routes.gate import OPEN
from oauth.routes.metrics import families
from oauth.settings import SETTINGS
from oauth_sandbox.behaviour import PRESETS, Preset
from oauth_sandbox.behaviour import known as behaviour_known
from oauth_sandbox.partner.routes import TABLE as PARTNER_API
from pages.parts.common.permissions import PAGES
from tests.pages.widgets import WIDGETS
from tests.test_laws import diagram

ROOT = Path(__file__).parent.parent


def table(header: str, rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {header} |", "|" + " --- |" * (header.count("|") + 1)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def behaviour() -> str:
    """Return the table of what is known of the provider that the sandbox behaves like."""
    rows = (
        (row.what, row.evidence, row.source, f"`{row.setting}`{_default(row.setting)}" if row.setting else "")
        for row in behaviour_known()
    )
    return table("behaviour | evidence | source | setting", rows)


def _default(setting: str) -> str:
    usual, strict = (to_builtins(PRESETS[preset]).get(setting) for preset in Preset)
    if usual is None:
        return ""
    return f": `{str(usual).lower()}`" + (f", strict `{str(strict).lower()}`" if strict != usual else "")


def partner_api() -> str:
    """Return the table of the partner API's paths at the sandbox."""
    rows = (
        (f"`{it.method} {it.path}`", it.summary, it.scope[0], "user" if it.user_needed else "any") for it in PARTNER_API
    )
    return table("call | meaning | scope, with `v2` | token", rows)


def settings() -> str:
    return table("variable | meaning", ((f"`{name}`", meaning) for name, meaning in SETTINGS.items()))


def profile_fields() -> str:
    return table("field | meaning", ((f"`{name}`", meaning) for name, meaning in _fields(Provider)))


def _fields(model: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a profile with its meaning, followed by the fields of a table."""
    hints = get_type_hints(model)
    for item in fields(model):
        name = f"{prefix}{item.name}"
        if name in RESERVED_FIELDS:
            continue
        yield name, CONNECTION[item.name] if model is ConnectionSettings else str(item.metadata["meaning"])
        for kind in (hints[item.name], *get_args(hints[item.name])):
            if is_dataclass(kind):
                yield from _fields(kind, f"{name}[]." if get_origin(hints[item.name]) is tuple else f"{name}.")


def failures() -> str:
    own = [entry for entry in answers().values() if entry.sent and not entry.kind.startswith("program_")]
    rows = [(f"`{entry.kind}`", entry.title, entry.sent) for entry in own]
    return table("failure | card | was it sent?", rows)


def catalogue_fields() -> str:
    rows = [(f"`{name}`", meaning) for name, meaning in drafting.HEAD.items()]
    return table("field | meaning", rows + [(f"`error.{name}`", it) for name, it in drafting.MEANINGS.items()])


def open_paths() -> str:
    rows = ((f"`{path}{'…' if path.endswith('/') else ''}`", meaning) for path, meaning in OPEN.items())
    return table("path | why", rows)


def metrics() -> str:
    database = Database("sqlite:////nowhere/history.db", now)  # which is not opened
    rows = []
    for family in families(database, Turns(), int):
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        rows.append((f"`{family.name}{suffix}`", family.type, family.documentation))
    return table("metric | kind | meaning", rows)


def csv_columns() -> str:
    return textwrap.fill(f"`{', '.join(COLUMNS)}`", 120)


def permissions() -> str:
    """The matrix of roles, with the pages and the widgets of each action."""
    rows = []
    for action in Action:
        pages = [page.capitalize() for page, its in PAGES.items() if its is action]
        widgets = [f"`{pattern}`" for pattern, its in WIDGETS.items() if its is action]
        marks = ["yes" if role >= MINIMUM[action] else "" for role in Role if role]
        rows.append((action.capitalize(), *marks, ", ".join(pages), " ".join(widgets)))
    roles = " | ".join(role.label for role in Role if role)
    return table(f"action | {roles} | pages | widgets", rows)


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "settings": ("docs/operate.md", settings),
    "behaviour": ("docs/sandbox.md", behaviour),
    "partner-api": ("sandbox/README.md", partner_api),
    "profile-fields": ("docs/providers.md", profile_fields),
    "failures": ("docs/failures.md", failures),
    "filter-terms": ("docs/history.md", help_list),
    "catalogue-fields": ("docs/diagnose.md", catalogue_fields),
    "csv-columns": ("docs/history.md", csv_columns),
    "metrics": ("docs/operate.md", metrics),
    "open-paths": ("docs/operate.md", open_paths),
    "permissions": ("docs/operate.md", permissions),
    "rooms": ("docs/architecture.md", diagram),
}
"""Each part with its page and the function that makes it."""


def written(name: str) -> str:
    """The part as the page has it."""
    match = re.search(rf"<!-- {name} -->\n(.*)\n<!-- /{name} -->", page(name), re.DOTALL)
    assert match is not None, f"{PARTS[name][0]} has no part {name}."
    return match[1]


def page(name: str) -> str:
    return (ROOT / PARTS[name][0]).read_text("utf-8")


def main() -> None:
    for name, (path, make) in PARTS.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, after = page(name).split(start)[0], page(name).split(end)[1]
        (ROOT / path).write_text(f"{before}{start}{make()}\n{end}{after}", "utf-8")


if __name__ == "__main__":
    main()
