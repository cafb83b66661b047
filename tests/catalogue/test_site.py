"""The reference as static pages: every link leads to a page, every text is escaped, nothing comes from elsewhere."""

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from oauth.catalogue import catalogues, reference, site

HOSTILE = """
name = "</title><script>alert('name')</script>"
documentation = "https://evil.example/docs"
request_id = "<img src=x onerror=alert(1)>"

[[error]]
id = "a/../../../../escape"
code = "<b>code</b>"
description = "<script>alert('description')</script>"
title = "</h1><script src='https://evil.example/x.js'></script>"
cause = "<iframe src='https://evil.example'></iframe>"
remedy = ["<a href='javascript:alert(1)'>click</a>", "&lt;b&gt;"]
source = "https://evil.example/'onmouseover='alert(1)'\\"><script>alert(2)</script>"
date = 2026-11-29
example = "</pre><script>alert('example')</script>"

[[error]]
id = "index"
code = "index"
title = "The name of the list"
cause = "None."
remedy = ["None."]
source = "https://evil.example/"
date = 2026-11-29
example = '{"error": "index"}'

[[error]]
id = "INDEX"
code = "INDEX"
title = "The same in capitals"
cause = "None."
remedy = ["None."]
source = "https://evil.example/"
date = 2026-11-29
example = '{"error": "INDEX"}'
"""


class Reader(HTMLParser):
    """The elements of a page, its text, and the addresses in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def links(self) -> list[str]:
        named = ((tag, name, value) for tag, them in self.tags for name, value in them.items())
        return [value or "" for tag, name, value in named if name in ("href", "src", "action")]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, with a hostile catalogue among them."""
    home = tmp_path_factory.mktemp("home")
    (home / "catalogues").mkdir()
    (home / "catalogues" / "hostile.toml").write_text(HOSTILE)
    folder = tmp_path_factory.mktemp("site") / "new" / "reference"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_HOME", str(home))
        assert [file.problem for file in catalogues.own()] == [""]
        site.write(folder)
    return folder


@pytest.fixture(scope="module")
def pages(written: Path) -> dict[Path, Reader]:
    return {path: Reader(path.read_text("utf-8")) for path in written.rglob("*.html")}


def entries(written: Path) -> list[list[str]]:
    """Return what the search of the pages reads: id, title, path, text and names of each entry."""
    text = (written / "entries.js").read_text()
    rows: list[list[str]] = json.loads(text.removeprefix("const ENTRIES = ").removesuffix(";\n"))
    return rows


def test_every_entry_has_a_page_with_its_facts(written: Path, pages: dict[Path, Reader]) -> None:
    texts = {path: " ".join(reader.words) for path, reader in pages.items()}
    rows = {row[0]: row[2] for row in entries(written)}
    for article in reference.everything():
        text = texts[written / rows[article.entry]]
        for fact in (article.title, article.cause, *article.remedy, article.source, article.support, article.example):
            assert fact in text, (article.entry, fact)


def test_every_link_leads_to_a_page_and_nothing_is_loaded_from_elsewhere(
    written: Path, pages: dict[Path, Reader]
) -> None:
    linked = {written / "index.html"}
    for path, reader in pages.items():
        for link in reader.links():
            if urlsplit(link).scheme:
                continue
            target = (path.parent / unquote(link)).resolve()
            assert target.is_file(), (path, link)
            assert target.is_relative_to(written)
            linked.add(target)
        outside = [(tag, them) for tag, them in reader.tags if "://" in " ".join(map(str, them.values()))]
        assert {tag for tag, _ in outside} <= {"a"}
        assert all(str(them["href"]).startswith(("https://", "http://")) for _, them in outside)
        assert all(them["rel"] == "noopener noreferrer" for _, them in outside)
    assert set(pages) - linked == set()
    for asset in ("reference.css", "reference.js"):
        text = (written / asset).read_text()
        assert not any(word in text for word in ("://", "url(", "@import", "fetch(", "import ", "innerHTML", "eval"))


def test_a_hostile_catalogue_is_text(written: Path, pages: dict[Path, Reader]) -> None:
    for path, reader in pages.items():
        for tag, them in reader.tags:
            assert tag not in ("iframe", "img", "b", "style"), path
            assert not [name for name in them if name.startswith("on")], path
            assert not [value for value in them.values() if (value or "").startswith("javascript:")], path
            assert tag != "script" or them["src"] in ("entries.js", "reference.js"), path
    shown = " ".join(pages[written / "hostile" / "a~..~..~..~..~escape.html"].words)
    for text in ("</h1><script src='https://evil.example/x.js'></script>", "&lt;b&gt;", "<b>code</b>", "<img src=x"):
        assert text in shown
    assert not list(written.parent.parent.parent.rglob("escape.html"))


def test_names_that_differ_in_case_alone_or_are_that_of_the_list_have_pages_of_their_own(written: Path) -> None:
    names = sorted(path.name for path in (written / "hostile").iterdir())
    assert names == ["INDEX~~.html", "a~..~..~..~..~escape.html", "index.html", "index~.html"]
    for folder in written.iterdir():
        if folder.is_dir():
            assert len({path.name.casefold() for path in folder.iterdir()}) == len(list(folder.iterdir()))


def test_the_search_has_every_entry_and_its_page(written: Path) -> None:
    rows = entries(written)
    assert {row[0] for row in rows} >= {article.entry for article in reference.everything()}
    assert all((written / row[2]).is_file() for row in rows)
    assert "</script" not in (written / "index.html").read_text().replace("</script>", "", 2)


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(site.SiteError, match=r"did not write. Give a new or an empty folder\."):
        site.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(site.SiteError, match=r"thesis\.txt cannot be written: "):
        site.write(tmp_path / "thesis.txt")


def test_pages_are_written_again_without_those_of_entries_that_are_gone(home: Path, tmp_path: Path) -> None:
    (home / "catalogues").mkdir(parents=True)
    own = home / "catalogues" / "mine.toml"
    own.write_text(HOSTILE)
    folder, other = tmp_path / "site", tmp_path / "other.html"
    other.write_text("not ours")
    count = site.write(folder)
    (folder / "mine" / "notes.txt").write_text("somebody's")
    with (folder / site.MANIFEST).open("a") as manifest:
        manifest.write("../other.html\nmine/notes.txt\n")
    own.unlink()
    assert site.write(folder) == count - 4
    assert [path.name for path in (folder / "mine").iterdir()] == ["notes.txt"]
    assert other.read_text() == "not ours"
