"""The command ``explain``: print the meaning and the remedy of an error, or write the whole reference as pages."""

import argparse
import textwrap
from collections.abc import Iterable
from pathlib import Path

from oauth.catalogue import documented, reference, registered, site
from oauth.catalogue.catalogues import PARTNER, name_of
from oauth.catalogue.reference import REGISTERED, Article
from oauth.cli.output import CommandError, echo

STATUSES = "Exit status: 0 the error, or a list of several, was printed; 2 there is no such error, or it failed."

MOST = 50
"""Entries of a list that are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = STATUSES
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "error",
        nargs="?",
        help="a number (2, 700082, 190/460), an id (github/bad_verification_code), an error code (invalid_grant), "
        "the text of an answer, or words to search for",
    )
    what.add_argument("--site", type=Path, metavar="DIR", help="write every entry as a page into a folder, with search")


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation, or write the pages, and return the exit status. Raises ``CommandError``."""
    if arguments.site is None:
        echo(explanation(arguments.error))
        return 0
    try:
        count = site.write(arguments.site)
    except site.SiteError as error:
        raise CommandError(str(error)) from error
    echo(f"{count} pages were written. Open {arguments.site / 'index.html'} in a browser.")
    return 0


def explanation(error: str) -> str:
    """Return the entry of an id, a number, a code or a text, or a list of several. Raises ``CommandError``."""
    numbers = {str(number) for number in documented()}
    if error in numbers or error in registered() or any(entry.error == error != "" for entry in documented().values()):
        return _known(error)
    hits = _hits(error)
    if not hits:
        raise CommandError(
            f"there is no error {error[:200]!r}; give a number from 1 to {len(numbers)} or one such as 700082, "
            "an error code such as invalid_grant, an id such as entra/AADSTS700082, or words to search for."
        )
    if len(hits) == 1:
        return _text(hits[0])
    return "\n".join([f"{len(hits)} entries match; explain one by its id:", *_list(hits)])


def _hits(error: str) -> tuple[Article, ...]:
    if article := reference.find(error):
        return (article,)
    if hits := reference.named(error):
        return hits
    if not any(map(str.isalpha, error)):  # a number that nobody has, which a search would find in other numbers
        return ()
    return reference.recognised(error) or reference.search(error)


def _known(error: str) -> str:
    """Return the partner's entries and the registered ones in full, and a list of those of other providers."""
    hits = reference.named(error)
    first = [hit for hit in hits if hit.section == PARTNER and error in (hit.number, hit.code)]
    first += [hit for hit in hits if hit.section == REGISTERED and hit.code == error]
    texts = [_text(hit) for hit in first]
    others = [hit for hit in hits if hit not in first]
    if others:
        texts.append("\n".join(["   Other providers document it too:", *(f"   {line}" for line in _list(others))]))
    return "\n".join(texts)


def _list(hits: Iterable[Article]) -> list[str]:
    hits = list(hits)
    width = max(len(hit.entry) for hit in hits[:MOST])
    lines = [_printable(f"{hit.entry:{width}}  {hit.title}") for hit in hits[:MOST]]
    return [*lines, f"and {len(hits) - MOST} more; add a word."] if len(hits) > MOST else lines


def _text(hit: Article) -> str:
    endpoints = f"{' and '.join(place.replace('_', ' ') for place in hit.endpoints)} endpoint" if hit.endpoints else ""
    status = f"HTTP {hit.status}" if hit.status else ""
    if hit.section == REGISTERED:
        lines = [f"{hit.code}, {endpoints}, {hit.source}", f"   {hit.title}"]
    elif hit.section == PARTNER:
        lines = [f"{hit.number}. {hit.title}", f"   {', '.join(filter(None, (hit.code, status, endpoints)))}"]
    else:
        name = "" if hit.section == reference.ANSWERS else name_of(hit.section)
        facts = ", ".join(filter(None, (name, hit.code, hit.number, status, endpoints)))
        lines = [f"{hit.entry}  {hit.title}", *([f"   {facts}"] if facts else [])]
    lines += [f"   {text}" for text in hit.words if text != hit.title]
    lines += ["", textwrap.fill(hit.cause, 100, initial_indent="   ", subsequent_indent="   "), "", "   What to do:"]
    lines += _items(hit.remedy)
    if hit.newer:
        lines += ["", "   Added by a newer page of the documentation:", *_items(hit.newer), f"     {hit.newer_source}"]
    for label, text in (("response", hit.example), ("request", hit.example_request)):
        if text:
            lines += ["", f"   The documented {label}:", textwrap.indent(text, "     ")]
    facts_below = {
        "Stands for": hit.spec,
        "Its support asks for": hit.support,
        "Source": f"{hit.source} ({hit.source_date})" if hit.source_date else "",
        "In the console": f"/errors?entry={hit.entry}",
    }
    lines += ["", *(f"   {label}: {text}" for label, text in facts_below.items() if text), ""]
    return _printable("\n".join(lines))


def _items(texts: tuple[str, ...]) -> list[str]:
    return [textwrap.fill(text, 100, initial_indent="   - ", subsequent_indent="     ") for text in texts]


def _printable(text: str) -> str:
    """Return a text without the signs that a terminal obeys: a catalogue of your own may come from anywhere."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "�" for sign in text)
