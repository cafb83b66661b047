import json
import logging
import sys

import pytest

from oauth.logs import LineFormatter, adopt

SECRET = "canary-41d07b9f2a41d07b"


def record_of(message: str, *arguments: object, raised: bool = False) -> logging.LogRecord:
    info = sys.exc_info() if raised else None
    record = logging.LogRecord("oauth.console", logging.WARNING, __file__, 1, message, arguments, info)
    record.created = 1_796_000_000.1234
    return record


def test_text_is_one_line_with_time_level_logger_and_message() -> None:
    line = LineFormatter("text").format(record_of("It is\n%s\r\n\u2028late\x1b[31m", "very"))
    assert line == "2026-11-30T00:53:20.123Z WARNING oauth.console: It is very late [31m"


def test_json_is_one_object_a_line() -> None:
    line = LineFormatter("json").format(record_of('It is\n"%s"', "żółty"))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-11-30T00:53:20.123Z",
        "level": "WARNING",
        "logger": "oauth.console",
        "message": 'It is "żółty"',
    }


@pytest.mark.parametrize("kind", ["text", "json"])
def test_exception_is_named_and_placed_without_its_message(kind: str) -> None:
    try:
        raise ValueError(f"invalid client_secret {SECRET}")
    except ValueError:
        line = LineFormatter(kind).format(record_of("It failed", raised=True))
    assert SECRET not in line
    assert "ValueError" in line
    assert f"{__file__}:" in line
    assert "\n" not in line


def test_loggers_with_their_own_handlers_share_the_format() -> None:
    logger = logging.getLogger("somebody.else")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler())
    adopt(logger)
    assert (logger.handlers, logger.propagate) == ([], True)
