"""The reference as HTML: one entry, and all of them as static pages that open from a disk.

All texts are escaped, because a catalogue of your own may come from anywhere. No page loads anything from elsewhere.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from oauth.catalogue import reference
from oauth.catalogue.catalogues import PARTNER
from oauth.catalogue.reference import Article, Section

MANIFEST = ".oauth-console-site"
"""The file that marks a folder as written here, and lists its pages."""

STYLE, SCRIPT, ENTRIES = "reference.css", "reference.js", "entries.js"
_HERE = Path(__file__).parent
_PAGE = re.compile(r"[a-z0-9-]+/[A-Za-z0-9._~-]+\.html")


class SiteError(ValueError):
    """The pages cannot be written; the text says why and what to do."""


def article_html(article: Article, spec: str = "") -> str:
    """Return an entry as HTML, from its facts on, without its title. ``spec`` has links to the registered code."""
    endpoints = " and ".join(place.replace("_", " ") for place in article.endpoints)
    facts = (
        f"<code>{escape(article.entry)}</code>",
        f"HTTP {article.status}" if article.status else "",
        f"<code>{escape(article.code)}</code>" if article.code else "",
        f"{escape(endpoints)} endpoint" if endpoints else "",
        f"grant <code>{escape(article.grant)}</code>" if article.grant else "",
    )
    texts = (*article.words, article.number if article.number not in article.entry else "")
    parts = [
        f'<p class="facts">{" · ".join(filter(None, facts))}</p>',
        *(f'<p class="words">{escape(text)}</p>' for text in texts if text and text != article.title),
        f"<h3>Cause</h3><p>{escape(article.cause)}</p>",
        f"<h3>{remedy_label(article)}</h3>{_items(article.remedy)}",
    ]
    if article.newer:
        heading = "<h3>Added by a newer page of the documentation</h3>"
        parts += [heading, _items(article.newer), f'<p class="facts">{_source(article.newer_source)}</p>']
    day = f", {article.source_date:%Y-%m-%d}" if article.source_date else ""
    below = {
        "Stands for": article.spec and (spec or f"<code>{escape(article.spec)}</code>"),
        "Support asks for": escape(article.support),
        "Source": _source(article.source) + day,
    }
    rows = "".join(f"<dt>{label}</dt><dd>{text}</dd>" for label, text in below.items() if text)
    parts.append(f"<dl>{rows}</dl>" if rows else "")
    for label, text in (("response", article.example), ("request", article.example_request)):
        if text:
            parts.append(f"<h3>Documented {label}</h3><pre>{escape(text)}</pre>")
    return "".join(parts)


def _items(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def remedy_label(article: Article) -> str:
    """Return the heading of a remedy: that of a provider is documented."""
    return "Remedy" if article.section in (reference.REGISTERED, reference.ANSWERS) else "Documented remedy"


def _source(source: str) -> str:
    if not source.startswith(("https://", "http://")):
        return escape(source)
    return f'<a href="{escape(source)}" target="_blank" rel="noopener noreferrer">{escape(source)}</a>'


def write(folder: Path) -> int:
    """Write the whole reference into a folder, in the place of what was written there before; return its pages.

    Raises ``SiteError``, also for a folder with other files.
    """
    pages = dict(_pages())
    assets = {name: (_HERE / name).read_text("utf-8") for name in (STYLE, SCRIPT)}
    manifest = folder / MANIFEST
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not manifest.is_file() and any(folder.iterdir()):
            raise SiteError(f"{folder} has files that this command did not write. Give a new or an empty folder.")
        before = manifest.read_text("utf-8").splitlines() if manifest.is_file() else []
        # First, so that a folder that was written in part can be written again.
        manifest.write_text("\n".join(sorted({*pages, *before})) + "\n", "utf-8")
        for path, text in {**assets, **pages}.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, "utf-8")
        for path in {*before} - {*pages}:
            if _PAGE.fullmatch(path):
                (folder / path).unlink(missing_ok=True)
        manifest.write_text("\n".join(sorted(pages)) + "\n", "utf-8")
    except OSError as error:
        raise SiteError(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    return sum(path.endswith(".html") for path in pages)


def _pages() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page, and of the list that the search reads."""
    sections = [(section, articles) for section in reference.sections() if (articles := reference.articles(section.id))]
    paths = {article.entry: path for _, articles in sections for article, path in _paths(articles)}
    codes: dict[str, list[Article]] = {}
    for article in reference.articles(reference.REGISTERED):
        codes.setdefault(article.code, []).append(article)
    for section, articles in sections:
        yield f"{section.id}/index.html", _section_page(section, articles, paths)
        for article in articles:
            links = " · ".join(_link(f"../{paths[it.entry]}", it.entry) for it in codes.get(article.spec, ()))
            yield paths[article.entry], _article_page(section, article, links)
    yield "index.html", _start_page(sections)
    rows = [[it.entry, it.title, paths[it.entry], it.text, *sorted(it.names)] for _, its in sections for it in its]
    yield ENTRIES, f"const ENTRIES = {json.dumps(rows, separators=(',', ':'))};\n"


def _paths(articles: Iterable[Article]) -> Iterator[tuple[Article, str]]:
    """Yield a path of its own for each entry of a section, also where letter case does not tell files apart."""
    used = {"index"}
    for article in articles:
        stem = article.short_id.replace("/", "~")
        while stem.casefold() in used:
            stem += "~"
        used.add(stem.casefold())
        yield article, f"{article.section}/{stem}.html"


def _link(path: str, label: str) -> str:
    return f'<a href="{escape(quote(path, safe="/~"))}">{escape(label)}</a>'


def _start_page(sections: list[tuple[Section, tuple[Article, ...]]]) -> str:
    items = "".join(
        f"<li>{_link(f'{section.id}/index.html', section.name)} <small>{len(articles)}</small></li>"
        for section, articles in sections
    )
    count = sum(len(articles) for _, articles in sections)
    body = (
        "<h1>Error reference</h1>"
        f"<p>{count} errors with their cause and remedy. Search for a number, a code, or words of the message.</p>"
        '<p id="hits" role="status"></p><ol id="results"></ol>'
        f'<div id="sections"><h2>By provider</h2><ul class="columns">{items}</ul></div>'
        f'<script src="{ENTRIES}"></script><script src="{SCRIPT}"></script>'
    )
    return _page("Error reference", body, "")


def _section_page(section: Section, articles: tuple[Article, ...], paths: Mapping[str, str]) -> str:
    items = "".join(
        f"<li>{_link(f'../{paths[it.entry]}', it.short_id)} <span>{escape(it.title)}</span></li>" for it in articles
    )
    return _page(section.name, f'<h1>{escape(section.name)}</h1><ul class="entries">{items}</ul>', "../")


def _article_page(section: Section, article: Article, spec: str) -> str:
    numbered = f"{article.number}. " if section.id == PARTNER else ""
    body = f"<h1>{escape(numbered + article.title)}</h1>{article_html(article, spec)}"
    return _page(article.title, f"<article>{body}</article>", "../", _link("index.html", section.name))


def _page(title: str, body: str, up: str, parent: str = "") -> str:
    crumbs = f'<a href="{up}index.html">Error reference</a>' + (f" › {parent}" if parent else "")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="{up}{STYLE}"></head><body><header><nav>{crumbs}</nav>'
        f'<form action="{up}index.html" role="search"><input type="search" name="q" id="search" aria-label="Search" '
        'placeholder="Number, code or words" autocomplete="off"></form></header>'
        f"<main>{body}</main></body></html>\n"
    )
