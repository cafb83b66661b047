import re
from pathlib import Path

import pytest

DOCUMENTATION = Path(__file__).with_name("documentation.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def blocks() -> dict[int, str]:
    """The documentation's own text of each error, by number."""
    parts = re.split(r"(?m)^(?=\d+\. )", DOCUMENTATION)
    return {int(part.partition(".")[0]): part for part in parts if part}


@pytest.fixture(scope="session")
def bodies(blocks: dict[int, str]) -> dict[int, bytes]:
    """The response body of each error, exactly as it is printed."""
    return {
        number: text[text.index("{") : text.partition("Example:")[0].rindex("}") + 1].encode()
        for number, text in blocks.items()
    }
