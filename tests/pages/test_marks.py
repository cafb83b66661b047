"""The pasted text as Diagnose draws it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oauth import paste
from oauth.diagnosis.pasted import Paste
from oauth.redaction import Vault
from pages.parts.diagnose import marks
from pages.parts.diagnose.marks import CONTEXT, WHOLE, draw

CORPUS = Path(__file__).parents[1] / "corpus" / "texts"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SECRET = "8f5f2c8d9e0a1b2c3d4e5f60718293a4"
ERROR = '{"error": "invalid_grant"}'


def nothing(_text: str) -> list[tuple[int, int, str]]:
    return []


def hidden(text: str) -> list[tuple[int, int, str]]:
    """Stand-ins for ``SECRET``, as a vault returns them."""
    found, place = [], text.find(SECRET)
    while place >= 0:
        found.append((place, place + len(SECRET), "«code 32ch»"))
        place = text.find(SECRET, place + 1)
    return found


def spans_of(text: str, *parts: str) -> list[tuple[tuple[int, int], ...]]:
    return [((text.index(part), text.index(part) + len(part)),) for part in parts]


def readings() -> Iterator[tuple[str, Paste]]:
    for file in sorted(CORPUS.glob("*.txt")):
        text = file.read_text("utf-8")
        try:
            items = paste.read(text)
        except paste.ParseError:
            continue
        yield text, Paste(items, Vault(b"key"), NOW)


def test_lines_have_the_number_of_their_exchange() -> None:
    text = f"one\n{ERROR}\ntwo\n\nHTTP 500\nthree"
    assert draw(text, spans_of(text, ERROR, "HTTP 500"), [0, 1], nothing).splitlines() == [
        " │ one",
        f"1│ {ERROR}",
        " │ two",
        " │ ",
        "2│ HTTP 500",
        " │ three",
    ]


def test_part_of_a_line_stands_between_arrows() -> None:
    text = f"answer: {ERROR} at noon, then HTTP 500."
    assert draw(text, spans_of(text, ERROR), [0], nothing) == f"1│ answer: ▶{ERROR}◀ at noon, then HTTP 500."
    several = draw(text, spans_of(text, ERROR, "HTTP 500"), [0, 1], nothing)
    assert several == f"1,2│ answer: ▶1 {ERROR}◀ at noon, then ▶2 HTTP 500◀."


def test_arrows_stand_at_the_first_and_the_last_line_of_a_part() -> None:
    text = "answer: {\n\n1}, it said"
    assert draw(text, spans_of(text, "{\n\n1}"), [0], nothing) == "1│ answer: ▶{\n1│ \n1│ 1}◀, it said"


def test_signs_around_a_part_need_no_arrows() -> None:
    text = f"> '{ERROR}',"
    assert draw(text, spans_of(text, ERROR), [0], nothing) == f"1│ {text}"


def test_exchanges_of_one_place_are_a_range() -> None:
    assert draw(ERROR, [((0, len(ERROR)),)] * 1_200, range(20), nothing) == f"1-1200│ {ERROR}"


def test_secret_is_replaced_also_across_the_bounds_of_a_part() -> None:
    text = f"code={SECRET} and x={SECRET}"
    middle = text.index(SECRET) + 10
    drawn = draw(text, [((middle, len(text)),)], [0], hidden)
    assert drawn == "1│ code=«code 32ch»▶ and x=«code 32ch»◀"
    assert draw(text, [((0, middle),)], [0], hidden) == "1│ ▶code=«code 32ch»◀ and x=«code 32ch»"


@pytest.mark.parametrize("before", range(0, 2 * len(SECRET), 7))
def test_secret_is_hidden_where_the_drawn_part_ends_in_it(before: int) -> None:
    text = "".join(f"{'x ' * 3_000}{'y' * before} {SECRET} {'z ' * 3_000}\n" for _ in range(3))
    place = text.index(SECRET, len(text) // 3)
    for span in ((place - marks.HEAD + 5, place), (place + len(SECRET), place + 5_000), (place - 9_000, place + 9_000)):
        drawn = draw(text, [(span,)], [0], hidden)
        assert not any(SECRET[at : at + 4] in drawn for at in range(len(SECRET) - 4))


def test_of_a_long_text_the_neighbourhood_is_drawn() -> None:
    lines = [f"line {number}" for number in range(10_000)]
    lines[5_000] = ERROR
    drawn = draw("\n".join(lines), spans_of("\n".join(lines), ERROR), [0], nothing).splitlines()
    assert drawn[0] == f" │ ⋯ {5_000 - CONTEXT:,} lines not shown ⋯"
    assert drawn[1 + CONTEXT] == f"1│ {ERROR}"
    assert drawn[-1] == f" │ ⋯ {4_999 - CONTEXT:,} lines not shown ⋯"
    assert len(drawn) == 2 * CONTEXT + 3


def test_long_lines_and_long_parts_are_shortened() -> None:
    part = f"{{{'a' * 50_000}}}"
    text = f"{'b' * 50_000} {part} {'c' * 50_000}"
    drawn = draw(text, spans_of(text, part), [0], nothing)
    assert len(drawn) < WHOLE
    assert "characters not shown" in drawn
    assert drawn.count("▶") == drawn.count("◀") == 1


def test_characters_that_would_change_the_display_are_replaced() -> None:
    assert draw("a\x1b[31mb\x1b[0m\x00\u202ec\r\nd\te\x07", [], [], nothing) == "│ ab␀\ufffdc\n│ d    e␇"


def test_unread_lines_are_counted() -> None:
    text = f"one\n\nsee: {ERROR}\n---\ntwo\n"
    assert marks.unread_lines(text, spans_of(text, ERROR)) == (2, 3)
    assert marks.unread_lines(text, []) == (3, 3)


def test_corpus_is_drawn_with_every_exchange_and_no_secret() -> None:
    for text, read in readings():
        spans = [item.spans for item in read.items]
        drawn = draw(text, spans, range(len(spans)), read.vault.replacements)
        labels = {label for line in drawn.splitlines() for label in line.partition("│")[0].strip().split(",")}
        assert labels - {""} == {str(number) for number in range(1, len(spans) + 1)}, text
        assert not any(len(value) > 8 and value in drawn for value in map(read.vault.resolve, read.vault.secrets()))


def test_replacements_are_those_of_the_redacted_text() -> None:
    for text, read in readings():
        parts, position = [], 0
        for start, end, stand_in in read.vault.replacements(text):
            assert position <= start < end
            parts += [text[position:start], stand_in]
            position = end
        assert "".join([*parts, text[position:]]).replace("\0", "␀") == read.vault.redact_text(text)


def test_drawing_grows_with_the_text_alone() -> None:
    """Ten times as many exchanges are drawn in less than twenty times the time of a processor."""
    line = f"12:00 {ERROR} answered\n"

    def spent(count: int) -> float:
        text = line * count
        spans = [((at * len(line) + 6, at * len(line) + 6 + len(ERROR)),) for at in range(count)]
        start = time.process_time()
        draw(text, spans, range(count - 20, count), nothing)
        marks.unread_lines(text, spans)
        return time.process_time() - start

    assert min(spent(20_000) for _ in range(7)) < 20 * min(spent(2_000) for _ in range(7))
