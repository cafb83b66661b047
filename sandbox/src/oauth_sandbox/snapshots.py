"""The state of a sandbox server in a file, so that a restart loses no client, no token and no moved clock."""

import errno
import os
import secrets
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from oauth_sandbox.control.state import Snapshot, restore, take
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.response import json_text
from oauth_sandbox.validation import Fields, InvalidInput, decoded, validated


class _State(Fields):
    """A sandbox's state. The snapshot has its time, too, from which the clock would go on as if it had stood still."""

    ahead_seconds: float
    snapshot: Snapshot


def write(path: Path, sandboxes: Iterable[Sandbox], others: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Replace the file atomically. It has the secrets, so only its owner may read it. Raises ``OSError``.

    ``others`` are the states of APIs that were not served, as ``read`` returned them.
    """
    states = dict(others) | {
        sandbox.configuration.api: {"ahead_seconds": sandbox.clock.offset.total_seconds(), "snapshot": take(sandbox)}
        for sandbox in sandboxes
    }
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(json_text(states).encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read(path: Path, sandboxes: Collection[Sandbox]) -> dict[str, Any]:
    """Give the sandboxes their states, if there is a file; the clock stays as far ahead as it was.

    Return the states of the other APIs, which ``write`` keeps.

    The folder must be one to write to, so that it is not found out at the end.

    Raises ``OSError`` and ``ValueError``.
    """
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "its folder is missing, or cannot be written")
    if not path.exists():
        return {}
    document: dict[str, Any] = decoded(path.read_bytes(), dict[str, Any], "file")
    states: dict[str, _State] = validated(document, dict[str, _State])
    if not any(sandbox.configuration.api in states for sandbox in sandboxes):
        raise InvalidInput((), f"It has no state of {', '.join(it.configuration.api for it in sandboxes)}.")
    for sandbox in sandboxes:
        if (state := states.get(sandbox.configuration.api)) is None:
            continue  # the server did not serve it before
        restore(sandbox, state.snapshot)
        sandbox.clock.reset()
        sandbox.clock.move(state.ahead_seconds)
    served = {sandbox.configuration.api for sandbox in sandboxes}
    return {api: state for api, state in document.items() if api not in served}
