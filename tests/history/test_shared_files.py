"""Own profiles and catalogues that consoles share by their PostgreSQL database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from oauth import own_files
from oauth.catalogue import CatalogueError, catalogues, editing
from oauth.history import shared_files
from oauth.history.database import RETENTION_LOCK, Database
from oauth.history.schema import own_files as table
from oauth.history.shared_files import SharedFiles
from oauth.providers import ProfileError, Provider, custom
from tests.catalogue.test_catalogues import ACME
from tests.history import pauses
from tests.servers import postgresql

MINE = Provider("mine", "My server", token_endpoint="https://mine.example/token")


class Consoles:
    """Consoles by name, each with a home of its own, on one database."""

    def __init__(self, folder: Path, url: str, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.url = url
        self.patch = patch
        self.databases: dict[str, Database] = {}

    def at(self, name: str) -> Path:
        """Go to a console, started when it is first gone to; return its home."""
        home = self.folder / name
        if name not in self.databases:
            self.databases[name] = Database(self.url, lambda: datetime.now(UTC))
            own_files.share(home, SharedFiles(self.databases[name], home))
        self.patch.setenv("CONSOLE_HOME", str(home))
        return home

    def notices(self, name: str) -> str:
        return "\n".join(self.databases[name].notices)

    def stop(self) -> None:
        for name, database in self.databases.items():
            own_files.share(self.folder / name, None)
            database.engine.dispose()


@pytest.fixture
def consoles(tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Consoles]:
    monkeypatch.setattr(shared_files, "FRESH_SECONDS", 0.0)
    found = Consoles(tmp_path, postgresql_url, monkeypatch)
    yield found
    found.stop()


def profiles(home: Path) -> dict[str, Provider | None]:
    return {item.id: item.provider for item in custom.load(home)}


def test_a_profile_of_one_console_is_at_the_other_at_once(consoles: Consoles) -> None:
    one, two = consoles.at("one"), consoles.at("two")
    assert profiles(two) == {}
    custom.write(one, MINE)
    assert profiles(two) == {"mine": MINE}
    changed = replace(MINE, name="Renamed")
    custom.write(two, changed)
    assert profiles(one) == {"mine": changed}
    custom.delete(one, "mine")
    assert profiles(two) == {}


def test_a_catalogue_is_written_changed_and_deleted_from_both(consoles: Consoles) -> None:
    consoles.at("one")
    editing.create("acme", ACME)
    consoles.at("two")
    (file,) = catalogues.own()
    assert file.catalogue is not None
    entry = file.catalogue.errors[0]
    editing.put_entry("acme", editing.fields_of(entry) | {"title": "Changed at two"}, entry)
    consoles.at("one")
    found = catalogues.catalogue("acme")
    assert found is not None
    assert found.errors[0].title == "Changed at two"
    with pytest.raises(CatalogueError, match="changed or deleted meanwhile"):
        editing.put_entry("acme", editing.fields_of(entry), entry)
    with pytest.raises(CatalogueError, match="exists already"):
        editing.create("acme", ACME)
    editing.delete("acme")
    consoles.at("two")
    assert catalogues.own() == ()


def test_two_writers_of_one_catalogue_lose_nothing(consoles: Consoles) -> None:
    homes = [consoles.at("one"), consoles.at("two")]
    editing.create("acme", ACME)
    start = catalogues.catalogue("acme")
    assert start is not None
    values = editing.fields_of(start.errors[0])

    def add(number: int) -> None:
        home = homes[number % 2]
        with own_files.locked(home):
            path = own_files.folder(home, own_files.Kind.CATALOGUE) / "acme.toml"
            text = editing.with_entry(path.read_text("utf-8"), "acme", values | {"id": f"added-{number}"})
            own_files.write(home, own_files.Kind.CATALOGUE, "acme", text.encode())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(8)))
    found = catalogues.catalogue("acme")
    assert found is not None
    assert {error.id for error in found.errors} >= {f"added-{number}" for number in range(8)}


def test_a_catalogue_is_changed_while_another_console_deletes_old_exchanges(consoles: Consoles) -> None:
    consoles.at("one")
    assert consoles.databases["one"].hold(RETENTION_LOCK)
    consoles.at("two")
    editing.create("acme", ACME)
    consoles.at("one")
    assert catalogues.catalogue("acme") is not None


def test_files_of_before_are_taken_over_once_and_that_is_said(consoles: Consoles) -> None:
    """A second console has a file of the same name; an invalid one, which may hold a secret, stays where it is."""
    for name, title in (("one", "My server"), ("two", "Another")):
        custom.write(consoles.folder / name, replace(MINE, name=title))
    (consoles.folder / "one" / "providers" / "broken.toml").write_text('name = "x"\nclient_secret = "a-secret-word-1"')
    (consoles.folder / "one" / "catalogues").mkdir()
    (consoles.folder / "one" / "catalogues" / "acme.toml").write_text(ACME, "utf-8")
    one, two = consoles.at("one"), consoles.at("two")
    assert profiles(one) == {"mine": MINE}
    assert profiles(two) == {"mine": MINE}
    assert [file.id for file in catalogues.own()] == ["acme"]
    assert "Copied from" in consoles.notices("one")
    assert "providers/mine.toml, catalogues/acme.toml" in consoles.notices("one")
    assert "providers/broken.toml (invalid)" in consoles.notices("one")
    assert "a-secret-word-1" not in consoles.notices("one")
    assert "providers/mine.toml (there is another of this name)" in consoles.notices("two")
    custom.delete(two, "mine")
    consoles.stop()
    consoles.databases.clear()
    assert profiles(consoles.at("one")) == {}
    assert consoles.notices("one") == ""
    assert (one / "providers" / "mine.toml").exists()


def test_the_copies_serve_while_the_database_is_away(
    consoles: Consoles, postgresql_server: postgresql.Server, tmp_path: Path
) -> None:
    consoles.url = postgresql_server.url(postgresql_server.new_database())
    one = consoles.at("one")
    custom.write(one, MINE)
    editing.create("acme", ACME)
    consoles.databases["one"].engine.dispose()
    postgresql_server.execute(f"ALTER DATABASE {consoles.url.rpartition('/')[2]} RENAME TO gone")
    try:
        assert profiles(one) == {"mine": MINE}
        assert catalogues.catalogue("acme") is not None
        with pytest.raises(ProfileError, match="cannot be written: The history in"):
            custom.write(one, replace(MINE, name="Renamed"))
        with pytest.raises(CatalogueError):
            editing.delete("acme")
        assert profiles(one) == {"mine": MINE}
    finally:
        postgresql_server.execute(f"ALTER DATABASE gone RENAME TO {consoles.url.rpartition('/')[2]}")
    pauses.end(consoles.databases["one"])
    custom.write(one, replace(MINE, name="Renamed"))
    assert [it.name for it in profiles(one).values() if it] == ["Renamed"]


def test_files_are_taken_over_when_a_database_that_was_away_is_there(
    consoles: Consoles, postgresql_server: postgresql.Server
) -> None:
    """A catalogue was to be saved meanwhile, and was not."""
    consoles.url = postgresql_server.url("made_later")
    custom.write(consoles.folder / "one", MINE)
    one = consoles.at("one")
    assert profiles(one) == {"mine": MINE}
    with pytest.raises(CatalogueError):
        editing.create("acme", ACME)
    postgresql_server.execute("CREATE DATABASE made_later")
    pauses.end(consoles.databases["one"])
    assert profiles(one) == {"mine": MINE}
    assert "providers/mine.toml" in consoles.notices("one")
    custom.delete(one, "mine")
    assert profiles(one) == {}


def test_damaged_content_is_shown_as_a_damaged_file(consoles: Consoles) -> None:
    one = consoles.at("one")
    custom.write(one, MINE)
    editing.create("acme", ACME)
    with consoles.databases["one"].writing() as connection:
        connection.execute(update(table).values(content="name = ", saved_at=datetime(2026, 1, 1, tzinfo=UTC)))
    (profile,) = custom.load(one)
    assert profile.provider is None
    assert "is not valid TOML" in str(profile.problems[0])
    (catalogue,) = catalogues.own()
    assert catalogue.catalogue is None
    assert catalogue.problem


@pytest.mark.parametrize("id", ["../../outside", "a/b", "..", ""])
def test_a_row_with_no_name_of_a_file_is_left_out(consoles: Consoles, id: str) -> None:
    one = consoles.at("one")
    custom.write(one, MINE)
    with consoles.databases["one"].writing() as connection:
        row = {"kind": "profile", "id": id, "content": 'name = "Outside"', "saved_at": datetime.now(UTC)}
        connection.execute(insert(table).values(**row))
    assert profiles(one) == {"mine": MINE}
    assert [path.name for path in consoles.folder.rglob("*.toml")] == ["mine.toml"]


def test_the_copies_are_their_owners_and_right_again_after_a_start(consoles: Consoles) -> None:
    one = consoles.at("one")
    custom.write(one, MINE)
    path = custom.folder(one) / "mine.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.write_text("tampered")
    (path.parent / "more.toml").write_text('name = "More"')
    consoles.stop()
    consoles.databases.clear()
    assert profiles(consoles.at("one")) == {"mine": MINE}


def test_a_look_costs_no_query_for_a_moment(
    consoles: Consoles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shared_files, "FRESH_SECONDS", 60.0)
    one = consoles.at("one")
    assert profiles(one) == {}
    monkeypatch.delattr(Database, "reading")
    for _ in range(20):
        assert profiles(one) == {}
