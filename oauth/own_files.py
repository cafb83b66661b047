"""The files of your own profiles and catalogues: in ``CONSOLE_HOME``, or copies there of what consoles share.

Whoever reads them asks for the folder, and reads its files; whoever changes them uses ``write`` and ``delete``.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Protocol


class Kind(StrEnum):
    """A kind of own files; its value is the name of their folder."""

    PROFILE = "providers"
    CATALOGUE = "catalogues"


class Shared(Protocol):
    """Files that consoles share. ``home`` is where the copies are; its methods raise ``OSError``."""

    home: Path

    def refresh(self) -> None:
        """Bring the copies up to date, as far as that is possible now; raises nothing."""

    def put(self, kind: Kind, id: str, content: bytes) -> None:
        """Publish this content to every console."""

    def remove(self, kind: Kind, id: str) -> None:
        """Remove the file for every console."""

    def locked(self) -> AbstractContextManager[object]:
        """Keep other consoles from changing a file, with the copies up to date."""


_shared: dict[Path, Shared] = {}


def share(home: Path, shared: Shared | None) -> None:
    """Share a home's files between consoles; with ``None``, keep them as files only."""
    if shared is None:
        _shared.pop(home, None)
    else:
        _shared[home] = shared


def folder(home: Path, kind: Kind) -> Path:
    """Return the folder of the files, or of their copies as they are now."""
    if shared := _shared.get(home):
        shared.refresh()
        return _below(shared.home, kind)
    return _below(home, kind)


@lru_cache(maxsize=32)
def _below(home: Path, kind: Kind) -> Path:
    return home / kind  # making a path takes long, and every error asks for it


def write(home: Path, kind: Kind, id: str, content: bytes) -> None:
    """Save a file, replacing the one with its id. Raises ``OSError``."""
    if shared := _shared.get(home):
        shared.put(kind, id, content)
        return
    replace(_below(home, kind) / f"{id}.toml", content)


def delete(home: Path, kind: Kind, id: str) -> None:
    """Delete a file, if there is one. Raises ``OSError``."""
    if shared := _shared.get(home):
        shared.remove(kind, id)
        return
    (_below(home, kind) / f"{id}.toml").unlink(missing_ok=True)


def locked(home: Path) -> AbstractContextManager[object]:
    """Keep other consoles that share the files from changing one. Raises ``OSError``."""
    shared = _shared.get(home)
    return shared.locked() if shared else nullcontext()


def replace(path: Path, content: bytes) -> None:
    """Write a file atomically, readable by its owner only, and its folder if it is missing. Raises ``OSError``."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield an empty file, readable by its owner only, that takes the place of ``path`` when the block ends.

    It has a hidden name, and is deleted when the block fails. Raises ``OSError``.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
