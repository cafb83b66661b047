"""Texts that differ in ids alone: their secrets are searched for once, and found as if each was read for itself."""

import re
import tomllib
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from oauth.redaction import Vault, outlines
from oauth.redaction.by_name.prefixes import PREFIXES
from oauth.redaction.names import KINDS, ROOTS
from oauth.redaction.outlines import outline
from tests.redaction.samples import KEY, exchange

HOSTILE = Path(__file__).parents[1] / "hostile"
HIDDEN = tomllib.loads((HOSTILE / "hidden.toml").read_text())
READABLE = tomllib.loads((HOSTILE / "readable.toml").read_text())

IDS = cycle([(40, "0123456789abcdef"), (32, "0123456789abcdef"), (16, "0a1b"), (8, "0123456789"), (24, "0123456789")])
"""Length and signs of ids of several kinds."""


def templates() -> Iterator[str]:
    """Yield texts with SECRET in them: each name in some place, and each place with some names."""
    for template in HIDDEN["places"].values():
        for name in ("access_token", "code", "Api-Key", "key", "count"):
            yield template.format(name=name)
    for name in (*HIDDEN["names"], *READABLE["names"]):
        yield f'{{"{name}": "SECRET", "id": 501, "other": "SECRET"}}'
        yield f"grant_type=a&{name}=SECRET&client_id=501&other=SECRET"
        yield f"https://a.example/501?state={name}&{name}=SECRET&x=SECRET#{name}=SECRET&y"
        yield f"the {name} SECRET is (SECRET) and {name}:SECRET"
    for prefix in PREFIXES:
        yield f"{prefix}SECRET {prefix} SECRET"
    for case in (*HIDDEN["text"], *READABLE["text"]):
        value = next(case[kind] for kind in ("url", "header", "response", "text") if kind in case)
        yield ": ".join(value) if isinstance(value, list) else value


def fill(template: str, random: Random, length: int, signs: str) -> str:
    id = "".join(random.choices(signs, k=length))
    return re.sub(r"\bSECRET\b", id, template)


def redact(vault: Vault, text: str) -> list[object]:
    """Return what becomes of a text in every place of an exchange, and alone."""
    one = exchange(f"/x?{text}", body=text, headers=(("authorization", text), ("x", text)), response_body=text)
    return [vault.redact(one), vault.redact_text(text)]


def test_a_text_like_one_before_is_redacted_as_if_it_was_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(1)
    vault, differing = Vault(KEY), []
    for template, (length, signs) in zip(templates(), IDS, strict=False):
        first, second = (fill(template, random, length, signs) for _ in range(2))
        redact(vault, first)
        after = redact(vault, second)
        with monkeypatch.context() as patch:
            patch.setattr(outlines, "LONGEST", -1)
            if after != redact(Vault(KEY), second):
                differing.append(template)
    assert differing == []


def test_no_name_and_no_prefix_is_made_of_the_signs_of_ids() -> None:
    assert [name for name in (*KINDS, *ROOTS.split("|"), *HIDDEN["names"]) if re.fullmatch("[0-9a-f_-]*", name)] == []
    for prefix in PREFIXES:
        for id in ("8f0e1d2c3b4a59687786", "12345678"):
            assert outline(f'"{prefix}{id}"') == f'"{prefix}{id}"'


@pytest.mark.parametrize("before", ["Basic ", "BASIC  ", "basic\t", "Basic Zm9v/", "x_", "a.", "a-"])
def test_what_is_decoded_or_goes_on_is_not_an_id(before: str) -> None:
    assert outline(f"{before}8f0e1d2c3b4a59687786") == f"{before}8f0e1d2c3b4a59687786"


def test_an_outline_keeps_lengths_and_the_kinds_of_signs() -> None:
    text = '{"id": 501, "at": "10:24:59", "code": "8f0e1d2c3b4a5968778b", "of": "deadbeefdeadbeefdead", "x": 5.2}'
    assert outline(text) == (
        '{"id": 000, "at": "00:00:00", "code": "00a0a0a0a0a0a0a0a0aa", "of": "deadbeefdeadbeefdead", "x": 5.2}'
    )


def test_the_outlines_that_a_vault_keeps_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oauth.redaction.vault.MOST_CACHED", 8)
    vault = Vault(KEY)
    for number in range(50):
        vault.redact_text(f'{{"name{"x" * number}": 12}}')
    assert len(vault._outlines) <= 8
