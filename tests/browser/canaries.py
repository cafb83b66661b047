"""Search for planted secrets, plain and encoded."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:  # at run time a conftest cannot be imported
    from tests.browser.conftest import Walk


def encodings(secret: str) -> set[bytes]:
    """Return the secret as it is, and in each encoding."""
    raw = secret.encode()
    return {
        raw,
        quote(secret, safe="").encode(),
        base64.b64encode(raw).rstrip(b"="),
        secret.encode("unicode_escape"),
        raw.hex().encode(),
    }


def leaks(secrets: dict[str, str], content: bytes) -> list[str]:
    """Return the names of the secrets that the content contains."""
    return [name for name, secret in secrets.items() for encoded in encodings(secret) if encoded in content]


def downloads(walk: "Walk") -> Iterator[Path]:
    """Download the exchanges on the open History page in every format."""
    walk.press("history.download.open")
    for key in ("history.download", "history.download.jsonl", "history.download.har"):
        with walk.page.expect_download() as download:
            walk.at(key).locator("a:visible").first.click()
        yield Path(download.value.path())
