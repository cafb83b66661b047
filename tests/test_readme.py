"""The README is part of the public surface: what it promises is checked here."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from oauth.catalogue import answers
from oauth.connection import Connection
from oauth.exports.columns import COLUMNS
from oauth.history.terms import help_list
from oauth.providers import Provider
from oauth.providers.profile import CONNECTION, RESERVED_FIELDS
from oauth.settings import SETTINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_every_setting_is_in_the_readme_as_it_is_in_the_code() -> None:
    rows = dict(re.findall(r"^\| `(CONSOLE_[A-Z_]+)` \| (.+) \|$", README, re.MULTILINE))
    assert rows == SETTINGS


def test_the_csv_columns_are_in_the_readme_in_their_order() -> None:
    assert f"`{', '.join(COLUMNS)}`" in " ".join(README.split())


def test_the_filter_terms_are_in_the_readme_as_the_page_explains_them() -> None:
    assert help_list() in README


def documented(table: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a profile with its meaning, those of a table behind it."""
    hints = get_type_hints(table)
    for item in fields(table):
        name = f"{prefix}{item.name}"
        if name in RESERVED_FIELDS:
            continue
        yield name, CONNECTION[item.name] if table is Connection else str(item.metadata["meaning"])
        kinds = [hints[item.name], *get_args(hints[item.name])]
        for inner in (kind for kind in kinds if is_dataclass(kind)):
            yield from documented(inner, f"{name}[]." if get_origin(hints[item.name]) is tuple else f"{name}.")


def test_every_field_of_a_profile_is_in_the_readme_with_its_meaning() -> None:
    section = README.partition("## Provider profiles")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_.\[\]]+)` \| (.+) \|$", section, re.MULTILINE)
    assert rows == list(documented(Provider))


def test_every_direct_dependency_is_pinned_and_has_its_reason() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pinned = [re.fullmatch(r"([A-Za-z0-9-]+)==[0-9.]+(?:; .+)?", line) for line in lines if not line.startswith("#")]
    table = README.partition("## Dependencies")[2]
    reasons = re.findall(r"^\| ([A-Za-z][A-Za-z0-9, -]+) \| (?!why).+ \|$", table, re.MULTILINE)
    assert [found and found[1] for found in pinned] == ", ".join(reasons).split(", ")
    tests = (ROOT / "tests" / "requirements.txt").read_text().splitlines()
    for line in tests:
        if not line.startswith("#"):
            assert line.partition("==")[0] in table.partition("For the tests:")[2]


def test_each_readme_command_is_one_line() -> None:
    for name in ("start", "test"):
        block = README.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
        commands = [line for line in block.splitlines() if line and not line.startswith("```")]
        assert len(commands) == 1


def test_the_server_stays_on_loopback_without_telemetry_or_table_export() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["port"] == 8501
    assert config["server"]["allowedHosts"]
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["disableDataExport"] is True
    assert config["client"]["toolbarMode"] == "minimal"
    assert {"light", "dark"} <= config["theme"].keys()


def test_every_failure_is_in_the_readme_with_its_card_and_whether_it_was_sent() -> None:
    table = README.partition("## When a connection fails")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \| (no|perhaps|yes) \|$", table, re.MULTILINE)
    assert rows == [(entry.kind, entry.title, entry.sent) for entry in answers().values() if entry.sent]
