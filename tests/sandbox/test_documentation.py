"""The sandbox beside the documentation's own text, member by member, for all eleven."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from oauth_sandbox.control_client import Control
from sandbox.tests.test_documented_errors import DOCUMENTED

DOCUMENTATION = Path(__file__).parents[1] / "catalogue" / "documentation.txt"
Send = Callable[..., httpx.Response]


def printed() -> dict[int, tuple[int | None, dict[str, Any]]]:
    """Status, where it is printed, and body of each error; the documentation prints commas after the last member."""
    text = DOCUMENTATION.read_text(encoding="utf-8")
    found = {}
    for part in re.split(r"^(?=\d+\. )", text, flags=re.MULTILINE)[1:]:
        response = part.partition("Example:")[0]
        status = re.search(r"HTTP code: (\d{3})", response)
        body = re.sub(r",(\s*})", r"\1", response[response.index("{") :])
        found[int(part.partition(".")[0])] = (int(status[1]) if status else None, json.loads(body))
    return found


def test_there_are_eleven() -> None:
    assert sorted(printed()) == list(range(1, 12))


@pytest.mark.parametrize("number", range(1, 12))
def test_an_error_on_the_wire_is_the_printed_one(control: Control, ask: Send, number: int) -> None:
    status, body = printed()[number]
    control.fault("documented", number=number)
    answer = ask(grant_type="client_credentials")
    assert answer.json() == body
    assert list(answer.json()) == list(body), "in the printed order"
    assert answer.status_code == (status or answer.status_code)
    # What each error is provoked by, and not by a fault, is compared with this table in the test beside this one.
    assert DOCUMENTED[number] == (answer.status_code, body)
