"""Planted secrets, searched for in every shape an encoding gives them."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.browser.conftest import Walk


def disguises(secret: str) -> set[bytes]:
    """The secret as it stands, and as an encoding would carry it."""
    raw = secret.encode()
    return {
        raw,
        quote(secret, safe="").encode(),
        base64.b64encode(raw).rstrip(b"="),
        secret.encode("unicode_escape"),
        raw.hex().encode(),
    }


def found(secrets: dict[str, str], content: bytes) -> list[str]:
    """The names of the secrets that are in it."""
    return [name for name, secret in secrets.items() for shape in disguises(secret) if shape in content]


def downloads(walk: "Walk") -> Iterator[Path]:
    """What the open History page shows, in each format that it can be downloaded in."""
    walk.press("history.download.open")
    for key in ("history.download", "history.download.jsonl", "history.download.har"):
        with walk.page.expect_download() as download:
            walk.at(key).locator("a:visible").first.click()
        yield Path(download.value.path())
