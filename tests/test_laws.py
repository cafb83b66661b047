"""The laws of the house that a machine can check."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@cache
def imports(path: str) -> tuple[tuple[str, str], ...]:
    """Every file at or below a path with each module it imports, also inside functions."""
    files = [ROOT / path, *sorted((ROOT / path).rglob("*.py"))]
    return tuple(
        (str(file.relative_to(ROOT)), module) for file in files if file.is_file() for module in imports_of(file)
    )


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offenders(folder: str, *forbidden: str) -> list[tuple[str, str]]:
    return [
        (path, module)
        for path, module in imports(folder)
        if any(module == name or module.startswith(f"{name}.") for name in forbidden)
    ]


def test_the_product_knows_no_streamlit_and_no_pages() -> None:
    assert offenders("oauth", "streamlit", "pages") == []


def test_pages_know_no_http_client_no_database_and_no_routes() -> None:
    assert offenders("pages", "httpx", "sqlalchemy", "starlette") == []


def test_only_the_command_line_imports_the_sandbox() -> None:
    assert {path for path, _ in offenders("oauth", "oauth_sandbox")} == {"oauth/cli/main.py"}


def test_the_sandbox_imports_nothing_else_of_the_project() -> None:
    assert offenders("sandbox/src", "oauth", "pages", "app", "streamlit") == []


def test_only_the_wire_talks_to_the_network_and_only_the_client_uses_it() -> None:
    modules = ("httpx", "h11", "socket", "ssl", "requests", "urllib.request", "http.client")
    found = {path for path, _ in offenders("oauth", *modules) if not path.startswith("oauth/wire/")}
    assert found <= {"oauth/connection_settings.py"}, "which makes TLS contexts and opens nothing"
    users = {path for path, _ in offenders("oauth", "oauth.wire") if not path.startswith("oauth/wire/")}
    assert users == {"oauth/client.py"}


def test_every_part_of_a_page_that_is_drawn_by_itself_waits_for_its_turn() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "pages").rglob("*.py")
        if re.search(r"\bst\.(fragment|dialog)\b", path.read_text("utf-8"))
    ]
    assert found == ["pages/parts/common/drawing.py"]


def rooms() -> dict[str, set[str]]:
    """The rooms of the product, the folders and files right below ``oauth/``, each with those that it imports."""
    names = {
        path.stem for path in (ROOT / "oauth").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    graph: dict[str, set[str]] = {name: set() for name in names - {"__init__"}}
    for path, module in imports("oauth"):
        room, parts = Path(path).with_suffix("").parts[1], module.split(".")
        if parts[0] == "oauth" and len(parts) > 1 and parts[1] in graph and room in graph and parts[1] != room:
            graph[room].add(parts[1])
    return graph


def test_rooms_form_no_circle() -> None:
    try:
        tuple(TopologicalSorter(rooms()).static_order())
    except CycleError as error:
        pytest.fail(f"These rooms of oauth/ import each other in a circle: {' imports '.join(error.args[1])}.")


def diagram() -> str:
    """The rooms as a mermaid diagram. An arrow that follows from others is left out."""
    graph = rooms()
    below: dict[str, set[str]] = {}
    for room in TopologicalSorter(graph).static_order():
        below[room] = graph[room].union(*(below[other] for other in graph[room]))
    arrows = [
        f"    {room} --> {other}"
        for room, others in sorted(graph.items())
        for other in sorted(others)
        if not any(other in below[between] for between in others)
    ]
    alone = [
        f"    {room}" for room in sorted(graph) if not graph[room] and not any(room in to for to in graph.values())
    ]
    return "\n".join(["```mermaid", "flowchart TD", *arrows, *alone, "```"])


def test_the_architecture_page_draws_the_rooms_as_they_import_each_other() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    drawn = re.findall(r"^```mermaid$.*?^```$", page, re.MULTILINE | re.DOTALL)
    assert drawn == [diagram()], f"The diagram of docs/architecture.md has to be:\n\n{diagram()}"


def test_every_recorder_is_the_installations_and_so_has_its_policy() -> None:
    built = re.compile(r"(?<!class )\bRecorder\(")
    for folder in ("oauth", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            if built.search(path.read_text("utf-8")):
                assert path == ROOT / "oauth" / "installation.py"


def test_pages_have_no_history_but_the_one_that_their_person_sees() -> None:
    names = {"history", "database"}
    others = {
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for path in (ROOT / "pages").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in names and ast.unparse(node.value).strip("_") not in SESSION
    }
    assert others == {
        "pages/parts/common/session.py: current().history",  # session.history itself
        "pages/parts/common/session.py: current().history.database",  # people and tokens, which nobody owns
        "pages/parts/common/session.py: installed.history",  # redaction knows the secrets of all
        "pages/parts/common/session.py: self.recorder.history",  # the hand-over, where the state is the proof
        "pages/parts/common/session.py: self.recorder.history.database",
    }


SESSION = ("session", "session_state")
"""Names of the module in the pages."""


def test_conditions_of_a_query_come_with_whose_rows_it_sees() -> None:
    users = {path for path, module in imports("oauth") if module == "oauth.history.filters.where"}
    assert users == {"oauth/history/store.py"}, "others take them from History.where"


@pytest.mark.parametrize("call", ["datetime.now", "datetime.utcnow", "time.time"])
def test_clocks_are_passed_in(call: str) -> None:
    readers = {
        str(path.relative_to(ROOT)) for path in (ROOT / "oauth").rglob("*.py") if f"{call}(" in path.read_text("utf-8")
    }
    assert readers <= {"oauth/installation.py", "oauth/cli/diagnose.py"}


def test_nothing_in_the_pages_is_cached() -> None:
    for path in (ROOT / "pages").rglob("*.py"):
        assert "cache_data" not in path.read_text("utf-8")
        assert "cache_resource" not in path.read_text("utf-8")


CLAUSE_WORDS = {"what", "whether", "how", "where", "when", "why", "which", "who", "whose", "that", "as", "it"}
"""First words of a clause. A docstring begins with a command, or with the noun that names the thing."""


def docstrings(folder: str) -> Iterator[tuple[str, str]]:
    """Every docstring below a folder, with its file and line."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                line = getattr(node, "lineno", 1)
                yield f"{path.relative_to(ROOT)}:{line}", ast.get_docstring(node) or ""


@pytest.mark.parametrize("folder", ["oauth", "pages"])
def test_docstrings_begin_with_a_command_or_a_noun(folder: str) -> None:
    first_words = {place: text.split()[0].strip("`.,:;").lower() for place, text in docstrings(folder) if text}
    assert [place for place, word in first_words.items() if word in CLAUSE_WORDS] == []


def test_the_operators_secrets_are_no_part_of_the_repository() -> None:
    assert ".streamlit/secrets.toml" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    print(diagram())
