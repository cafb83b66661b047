"""Your own catalogues are changed in place: values change, comments stay, and two writers lose nothing."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth.catalogue import CatalogueError, editing
from oauth.catalogue.catalogues import catalogue, load, own_folder
from oauth.catalogue.provider_errors import ProviderError, read
from tests.catalogue.test_catalogues import ACME, FILES

BY_HAND = """\ufeff# Acme, kept by the support team
name = "Acme"
hosts = [ # ours
  "*.acme.example", # all of them
]
documentation = "https://docs.acme.example/errors"

# Tokens
[[error]] # the first
id="stale"
code = "stale" # as on the wire
title="The token is stale"
cause='''
[[error]]
id = "not an entry"
'''
remedy = ["Refresh the token.", "Or # log in"]
source="https://docs.acme.example/errors"
date=2026-11-29
example = "stale"
# more to come

# Limits

# Asked too often.
[[ error ]]
id = 'slow'
code = 'slow'
title = "Slow down"
cause = "Too many requests."
remedy = ["Wait."]
source = "https://docs.acme.example/limits"
date = 2026-11-28
example = "slow"
"""
GONE: dict[str, Any] = {
    "id": "gone",
    "code": "gone",
    "title": "It's gone",
    "cause": 'Said "gone"\nand went.',
    "remedy": ["Leave it.", "Wait " + "a while " * 20],
    "source": "https://docs.acme.example/gone",
    "date": date(2026, 11, 30),
    "example": '{\n  "code": "gone",\n  "path": "C:\\\\"\n}',
}


@pytest.fixture
def file(home: Path) -> Path:
    own_folder().mkdir(parents=True)
    path = own_folder() / "acme.toml"
    path.write_text(BY_HAND, "utf-8")
    return path


def entry(id: str) -> ProviderError:
    found = catalogue("acme")
    assert found is not None
    return next(error for error in found.errors if error.id == id)


def test_an_entry_is_added_at_the_end_and_the_rest_stays_as_it_was(file: Path) -> None:
    editing.put_entry("acme", GONE)
    text = file.read_text("utf-8")
    assert text.startswith(BY_HAND.removeprefix("\ufeff"))
    assert editing.fields_of(entry("gone")) == GONE
    assert "example = '''\n{\n  \"code\"" in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in file.parent.iterdir()) == [".lock", "acme.toml"]


def test_a_change_touches_its_values_only(file: Path) -> None:
    before = entry("stale")
    values = editing.fields_of(before) | {"title": "Too old", "status": 401}
    editing.put_entry("acme", values, before)
    assert file.read_text("utf-8") == BY_HAND.removeprefix("\ufeff").replace(
        'title="The token is stale"', 'title="Too old"'
    ).replace('example = "stale"\n', 'example = "stale"\nstatus = 401\n')


def test_a_field_that_is_emptied_loses_its_line(file: Path) -> None:
    before = entry("slow")
    values = editing.fields_of(before) | {"number": "429"}
    values.pop("code")
    editing.put_entry("acme", values, before)
    text = file.read_text("utf-8")
    assert "code = 'slow'" not in text
    assert entry("slow").number == "429"


def test_the_head_changes_and_its_comments_stay(file: Path) -> None:
    before = load(file)
    editing.put_head("acme", {"name": "Acme 2", "documentation": before.documentation, "request_id": "acme-id"}, before)
    text = file.read_text("utf-8")
    assert text.startswith('# Acme, kept by the support team\nname = "Acme 2"\ndocumentation = ')
    assert "\n# Tokens\n[[error]] # the first\n" in text
    changed = load(file)
    assert (changed.hosts, changed.request_id, len(changed.errors)) == ((), "acme-id", 2)


def test_a_deleted_entry_takes_the_comments_on_it_and_no_others(file: Path) -> None:
    editing.delete_entry("acme", entry("slow"))
    assert file.read_text("utf-8") == BY_HAND.removeprefix("\ufeff").partition("# Asked too often.")[0]
    with pytest.raises(CatalogueError, match=r"stale is the last entry of acme.toml; delete the catalogue"):
        editing.delete_entry("acme", entry("stale"))
    editing.delete("acme")
    assert not file.exists()


def test_the_entry_that_asks_for_more_goes_first(file: Path) -> None:
    words = {
        "description": "It went stale for good.",
        "example": '{"code": "stale", "message": "It went stale for good."}',
    }
    editing.put_entry("acme", GONE | words | {"code": "stale"})
    assert [error.id for error in load(file).errors] == ["gone", "stale", "slow"]
    assert "# Tokens\n[[error]] # the first\n" in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: editing.put_entry("acme", GONE | {"id": "stale"}), "id: another entry has the same one"),
        (lambda it: editing.put_entry("acme", GONE | {"status": 9}), "acme.toml, error gone: status"),
        (lambda it: editing.put_entry("acme", GONE, it), "acme.toml was changed or deleted meanwhile"),
        (lambda it: editing.delete_entry("acme", it), "acme.toml was changed or deleted meanwhile"),
        (lambda it: editing.put_entry("other", GONE), "other.toml is no longer there"),
        (lambda it: editing.create("acme", ACME), "acme.toml exists already"),
        (lambda it: editing.create("github", ACME), "github.toml would have the name of a built-in catalogue"),
        (lambda it: editing.create("partner", ACME), "partner.toml would have the name of a built-in catalogue"),
        (lambda it: editing.create("../acme", ACME), "must be at most 40 lower-case letters"),
        (lambda it: editing.create("new", "name = 1"), "new.toml must contain its errors"),
        (lambda it: editing.create("new", "# " + "x" * (1 << 20)), "new.toml is larger than 1 MiB"),
    ],
)
def test_what_cannot_be_saved_changes_nothing(
    file: Path, change: Callable[[ProviderError], object], message: str
) -> None:
    before = entry("stale")
    file.write_text(file.read_text("utf-8").replace("The token is stale", "Changed elsewhere"), "utf-8")
    text = file.read_bytes()
    with pytest.raises(CatalogueError) as error:
        change(before)
    assert message in str(error.value)
    assert file.read_bytes() == text
    assert {path.name for path in file.parent.iterdir()} <= {".lock", "acme.toml"}


def test_entries_in_another_writing_are_left_to_a_text_editor(file: Path) -> None:
    file.write_text(ACME.replace("[[error]]", '[["error"]]'), "utf-8")
    with pytest.raises(CatalogueError, match="change it in a text editor"):
        editing.put_entry("acme", GONE)


def test_writers_at_the_same_time_lose_no_entry(file: Path) -> None:
    def write(number: int) -> None:
        editing.put_entry("acme", GONE | {"id": f"gone/{number}", "code": f"gone{number}", "example": f"gone{number}"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(16)))
    assert {error.id for error in load(file).errors} >= {f"gone/{number}" for number in range(16)}


def test_every_built_in_entry_can_be_written() -> None:
    for path in FILES:
        errors = load(path).errors
        text = editing.new_text(
            {"name": "A", "documentation": "https://a.example"}, editing.fields_of(errors[0])
        ) + "".join(f"\n{editing.new_text({}, editing.fields_of(error)).lstrip()}" for error in errors[1:])
        assert [editing.fields_of(it) for it in read(text, "a", "a.toml").errors] == [
            editing.fields_of(it) for it in errors
        ]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1).filter(str.strip)


@settings(deadline=None)  # the machine may be busy
@given(title=TEXTS, cause=TEXTS, remedy=st.lists(TEXTS, min_size=1, max_size=3), example=TEXTS)
def test_any_text_comes_back_as_it_was_typed(title: str, cause: str, remedy: list[str], example: str) -> None:
    values = GONE | {"title": title, "cause": cause, "remedy": remedy, "example": example}
    text = editing.with_entry(BY_HAND.removeprefix("\ufeff"), "acme", values)
    (written,) = (it for it in read(text, "acme", "acme.toml").errors if it.id == "gone")
    assert editing.fields_of(written) == values
    back = editing.with_entry(text, "acme", GONE, written)
    assert GONE in [editing.fields_of(it) for it in read(back, "acme", "acme.toml").errors]
    assert [it for it in read(back, "acme", "acme.toml").errors if it.id != "gone"] == list(
        read(BY_HAND.removeprefix("\ufeff"), "acme", "acme.toml").errors
    )
