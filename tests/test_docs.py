"""The documentation is part of the public surface: what it promises is checked here."""

import ast
import itertools
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from oauth.version import version
from tests import docs
from tests.test_laws import imports

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "sandbox" / "README.md"])
README = (ROOT / "README.md").read_text("utf-8")
DEVELOPMENT = (ROOT / "docs" / "development.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.mark.parametrize("name", docs.PARTS)
def test_generated_parts_are_as_in_the_code(name: str) -> None:
    assert docs.written(name) == docs.PARTS[name][1](), "python -m tests.docs writes the parts that changed."


def test_readme_is_short_and_links_every_page() -> None:
    assert len(README.splitlines()) <= 150
    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in README
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"):
        assert f"]({name})" in README


def test_each_readme_command_is_one_line() -> None:
    for name in ("start", "test"):
        block = README.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
        commands = [line for line in block.splitlines() if line and not line.startswith("```")]
        assert len(commands) == 1


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    tokens = MarkdownIt().parse(page.read_text("utf-8"))
    inline = [child for token in tokens for child in token.children or ()]
    targets = [str(child.attrs.get("href") or child.attrs.get("src") or "") for child in inline]
    for target in targets:
        if target and not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            linked = page.parent / path if path else page
            assert linked.exists(), f"{page.name} links {target}, which does not exist."
            assert not anchor or anchor in anchors(linked), f"{page.name} links {target}; there is no such heading."


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_table_row_is_part_of_a_table_with_the_same_columns(page: Path) -> None:
    rendered = MarkdownIt().enable("table").parse(page.read_text("utf-8"))
    in_tables = {line for token in rendered if token.type == "table_open" and token.map for line in range(*token.map)}
    in_code = {
        line for token in rendered if token.type in ("fence", "code_block") and token.map for line in range(*token.map)
    }
    lines = page.read_text("utf-8").splitlines()
    rows = {number for number, line in enumerate(lines) if line.startswith("|")} - in_code
    assert [lines[number] for number in sorted(rows - in_tables)] == [], "A blank line breaks a table."
    for number in sorted(rows & in_tables):
        columns = len(re.findall(r"(?<!\\)\|", lines[number]))
        above = len(re.findall(r"(?<!\\)\|", lines[number - 1])) if number - 1 in rows else columns
        assert columns == above, f"{page.name}:{number + 1} has another number of columns than the row above."


def test_the_server_stays_on_loopback_without_telemetry_or_table_export() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["port"] == 8501
    assert config["server"]["allowedHosts"]
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["disableDataExport"] is True
    assert config["client"]["toolbarMode"] == "minimal"
    assert {"light", "dark"} <= config["theme"].keys()


# Dependencies

LOADED_BY_OTHERS = {"uvloop": "uvicorn", "httptools": "uvicorn", "psycopg-binary": "psycopg"}
"""Dependencies that another one imports when they are installed."""


def requirements(name: str) -> list[str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "./"))]


def named(requirement: str) -> str:
    return re.split(r"[=;\[ ]", requirement)[0]


def test_every_dependency_is_pinned_and_the_project_has_the_same() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9-]+==[0-9.]+(?:; .+)?", line) for line in requirements("requirements.txt"))
    assert PROJECT["dependencies"] == requirements("requirements.txt")
    # The wheel carries the code of the sandbox. A checkout installs its command and its fixtures for pytest.
    assert "./sandbox" in (ROOT / "requirements.txt").read_text("utf-8").splitlines()


def test_the_sandbox_needs_what_it_imports_and_the_console_has_it_too() -> None:
    project = tomllib.loads((ROOT / "sandbox" / "pyproject.toml").read_text("utf-8"))["project"]
    modules = {module.partition(".")[0] for _, module in imports("sandbox/src")} - sys.stdlib_module_names
    needed = {re.split(r"[>=;\[ ]", line)[0] for line in project["dependencies"]}
    assert modules - {"oauth_sandbox", "pytest"} | {"httptools", "uvloop"} == needed
    assert needed <= {named(line) for line in requirements("requirements.txt")}
    assert project["version"] == PROJECT["version"]


def test_every_dependency_has_its_reason() -> None:
    table = DEVELOPMENT.partition("## Dependencies")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([A-Za-z][A-Za-z0-9, -]+) \| (?!why).+ \|$", table, re.MULTILINE)
    assert ", ".join(rows).split(", ") == [named(line) for line in requirements("requirements.txt")]
    for line in requirements("tests/requirements.txt"):
        assert named(line) in table.partition("The tests use")[2]


def test_dependencies_are_what_the_code_imports() -> None:
    sources = [*imports("oauth"), *imports("pages"), *imports("app.py"), *imports("sandbox/src")]
    ours = {"oauth", "oauth_sandbox", "pages"}
    modules = {module.partition(".")[0] for _, module in sources} - sys.stdlib_module_names - ours
    distributions = metadata.packages_distributions()
    imported = {normal(distributions[module][0]) for module in modules} - {"pytest"}  # of the sandbox's fixtures
    declared = {normal(named(line)) for line in requirements("requirements.txt")}
    for dependency, user in LOADED_BY_OTHERS.items():
        assert user in declared
        imported.add(dependency)
    assert imported == declared


def test_the_lock_file_has_every_dependency_with_its_hash_and_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    locked = {
        normal(name): version for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[.+\])?==([^ ;]+)", text, re.M)
    }
    for line in requirements("requirements.txt"):
        assert locked[normal(named(line))] == line.split("==")[1].partition(";")[0], (
            "docs/development.md: make the lock"
        )
    assert len(re.findall(r"^[A-Za-z0-9].+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.M)) == len(locked)
    assert not re.search(r"://|--(?:extra-)?index|--find-links|--trusted-host", text)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# Version


def test_the_changelog_has_a_section_for_what_is_not_released_yet() -> None:
    titles = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert titles[0] == ("Unreleased" if ".dev" in version() else version())


def test_the_version_is_written_in_one_place() -> None:
    assert version() == PROJECT["version"]
    for folder in ("oauth", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            assert version() not in path.read_text("utf-8")


# Widget keys

KEY = re.compile(r"[a-z_*]+(\.[a-z_*]+)+")


def test_the_page_lists_every_key_and_no_other() -> None:
    page = (ROOT / "docs" / "automation.md").read_text("utf-8").partition("\n### ")[2]
    cells = re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE)
    listed = [key for cell in cells for key in re.findall(r"`([^`]+)`", cell)]
    assert len(listed) == len(set(listed))
    listed = [re.sub("[A-Z]+", "*", key) for key in listed if not key.isupper()]
    given, written = set[str](), set[str]()
    for path in (ROOT / "pages").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        given |= given_keys(tree)
        written |= {text for text in texts_in(tree) if KEY.fullmatch(text) and text.strip("*.")}
    forms = [regex(key) for key in listed]
    assert {key for key in given if not any(map(strict(key).fullmatch, listed)) and not matches(forms, key)} == set()
    patterns = [regex(key) for key in given | written]
    assert {key for key in listed if not matches(patterns, key)} == set()


def matches(patterns: list[re.Pattern[str]], key: str) -> bool:
    return any(pattern.fullmatch(key) for pattern in patterns)


def regex(key: str) -> re.Pattern[str]:
    return re.compile(re.escape(key).replace(r"\*", ".+"))


def strict(key: str) -> re.Pattern[str]:
    """Like ``regex``, but only the first part of a key may be written out where the code has a variable."""
    first, *rest = re.escape(key).split(r"\.")
    return re.compile(r"\.".join([first.replace(r"\*", ".+"), *(part.replace(r"\*", r".*\*.*") for part in rest)]))


def given_keys(tree: ast.Module) -> set[str]:
    """The keys that a module gives to widgets and frames; ``*`` stands for a part that is known when it is drawn."""
    shared = assigned(node for node in tree.body if isinstance(node, ast.Assign)) | results(tree)
    keys = set[str]()
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        parameters = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
        values = {name: parts for name, parts in shared.items() if name not in parameters}
        values |= assigned(node for node in ast.walk(function) if isinstance(node, ast.Assign))
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            for keyword in call.keywords:
                keys |= texts(keyword.value, values) if keyword.arg == "key" else set()
    return {key for key in keys if key.strip("*.")}


def texts_in(tree: ast.Module) -> set[str]:
    """Every text of a module, in the same form."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr)]
    shared = assigned(node for node in tree.body if isinstance(node, ast.Assign))
    return {text for node in nodes for text in texts(node, shared)}


def assigned(nodes: Iterable[ast.Assign]) -> dict[str, list[ast.expr]]:
    """The expressions that are assigned to each name."""
    values: dict[str, list[ast.expr]] = {}
    for node in nodes:
        names, parts = node.targets, [node.value] * len(node.targets)
        if isinstance(names[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            names, parts = names[0].elts, node.value.elts
        for name, part in zip(names, parts, strict=True):
            if isinstance(name, ast.Name):
                values.setdefault(name.id, []).append(part)
    return values


def results(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """What each function returns at its end."""
    ends = [(node.name, node.body[-1]) for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {name: [end.value] for name, end in ends if isinstance(end, ast.Return) and end.value}


def texts(value: ast.expr, values: dict[str, list[ast.expr]]) -> set[str]:
    """The texts that an expression may give."""
    match value:
        case ast.Constant(str() as text):
            return {text}
        case ast.JoinedStr(parts):
            return {"".join(pieces) for pieces in itertools.product(*(texts(part, values) for part in parts))}
        case ast.FormattedValue(inner):
            return texts(inner, values)
        case ast.IfExp(_, one, other):
            return texts(one, values) | texts(other, values)
        case ast.Name(name) | ast.Call(ast.Name(name)) if name in values:
            rest = {other: parts for other, parts in values.items() if other != name}
            return {text for part in values[name] for text in texts(part, rest)}
        case _:
            return {"*"}


# The example of a test suite


@pytest.mark.process
def test_example_of_a_test_suite_passes_beside_a_package_of_the_same_name_as_ours(tmp_path: Path) -> None:
    page = (ROOT / "sandbox" / "README.md").read_text("utf-8")
    files = re.findall(r"`([a-z_]+\.py)`[^`]*(?:`oauth_sandbox`[^`]*)?\n\n```python\n(.*?)^```$", page, re.M | re.S)
    assert [name for name, _ in files] == ["adverts.py", "test_adverts.py"]
    for name, text in files:
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "oauth").mkdir()
    (tmp_path / "oauth" / "__init__.py").write_text("raise ImportError('this package is the user's own')\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "oauth_sandbox.fixtures"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "sandbox" / "src")},
        capture_output=True,
        text=True,
    )
    assert re.search(r"^9 passed", done.stdout, re.MULTILINE), done.stdout
