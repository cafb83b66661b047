"""The server's log: one line for each message, as text or JSON, with the id of the HTTP request that it belongs to.

Of an exception a line has the type and where it was raised, never its message, which may hold a secret.
"""

import json
import logging
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

KINDS = ("text", "json")
"""The values of ``CONSOLE_LOG``."""

FRAMES = 3
"""Places of an exception that a line has, the innermost first."""

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the HTTP request that is being answered."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class LineFormatter(logging.Formatter):
    """Format a record as one line; ``kind`` is one of ``KINDS``."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._is_json = kind == "json"

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.fromtimestamp(record.created, UTC)
        fields = {
            "time": f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": _CONTROLS.sub(" ", record.getMessage()).strip(),
        }
        if id := REQUEST_ID.get():
            fields["request_id"] = id
        if record.exc_info and (error := record.exc_info[1]) is not None:
            fields["exception"] = type(error).__name__
            frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
            fields["raised_at"] = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
        if self._is_json:
            return json.dumps(fields)
        begin = f"{fields.pop('time')} {fields.pop('level')} {fields.pop('logger')}: {fields.pop('message')}"
        return " ".join([begin, *(f"{name}={value}" for name, value in fields.items())])


def set_up(kind: str) -> None:
    """Send all messages to standard error in one format: everybody's warnings, and what the console itself reports."""
    from uvicorn.config import LOGGING_CONFIG  # imported late: the command line has no server

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(kind))
    handler.addFilter(_is_wanted)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for settings in LOGGING_CONFIG["loggers"].values():  # uvicorn applies it when it starts
        settings.update(handlers=[], propagate=True)


def _is_wanted(record: logging.LogRecord) -> bool:
    """Drop reports of libraries: those of uvicorn have addresses, in which a provider sends a code."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] == "oauth"


def adopt(logger: logging.Logger) -> None:
    """Take a logger's own handlers away, so that its messages have the same format as all others."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True
