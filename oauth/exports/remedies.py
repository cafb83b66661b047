"""What the catalogue says to do about each row, for many rows at once.

Most rows need no look of their own: they hold the number of a documented error, they plainly succeeded, or there is no
response and the kind of failure says it all. What is not plain is explained one by one, as everywhere else.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from oauth.catalogue import documented
from oauth.catalogue.explain import explain
from oauth.exchange import Exchange, Failure, Request, Step
from oauth.exports.text import octets
from oauth.history.store import to_row

READ = ("documented_error", "step", "status", "response_headers", "response_body", "response_cut", "method", "url",
        "request_headers", "request_body", "failure", "failure_detail", "marks")  # fmt: skip
"""The columns that ``remedies`` looks at."""

_Mask = npt.NDArray[np.bool_]
_Rows = Callable[[str], pa.Array]
"""Some rows of a batch: gives a column of theirs by its name."""

# JSON (RFC 8259) of at most two levels, without escapes that could hide a name in ASCII, and too short to hold a number
# of more digits than Python reads (4300).
_LONGEST = 4000
_WHITE = r"[ \t\r\n]*"
_BEYOND_ASCII = r"\\u(?:00[89a-fA-F]|0[1-9a-fA-F][0-9a-fA-F]|[1-9a-fA-F][0-9a-fA-F]{2})[0-9a-fA-F]"
_STRING = rf'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|{_BEYOND_ASCII})*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_VALUE = f"(?:{_STRING}|{_NUMBER}|true|false|null)"


def _object(value: str) -> str:
    member = f"{_STRING}{_WHITE}:{_WHITE}{value}{_WHITE}"
    return rf"\{{{_WHITE}(?:{member}(?:,{_WHITE}{member})*)?\}}"


def _list(value: str) -> str:
    return rf"\[{_WHITE}(?:{value}{_WHITE}(?:,{_WHITE}{value}{_WHITE})*)?\]"


_FLAT = rf"\A{_object(_VALUE)}{_WHITE}\z"
_NESTED = rf"\A{_object(f'(?:{_VALUE}|{_object(_VALUE)}|{_list(_VALUE)})')}{_WHITE}\z"
_TOKEN = '"access_token"'
_HAS_TOKEN = rf'"access_token"{_WHITE}:{_WHITE}"[^"]'
_TELLING_HEADER = r"(?i)www-authenticate|location"
# An address that needs no decoding to be read, placeholders included, and that has a code.
_CODE_ADDRESS = (
    r"\Ahttps?://[A-Za-z0-9.:-]+(?:/[A-Za-z0-9._~/-]*)?\?"
    r"(?:[^#%\[\]«»]*&)?code=(?:[A-Za-z0-9._~&=+-]|«[a-z0-9_]{1,40}(?: #[0-9a-f]{10})? [0-9]{1,9}ch»)*\z"
)
_HIDING = re.compile(r"\\u00[0-7]")
_EARLY = datetime.min.replace(tzinfo=UTC)
_UNREAD: dict[str, Any] = {"id": 0, "started_at": _EARLY, "duration_ms": None} | dict.fromkeys(
    ("reason", "http_version", "flow", "owner", "case", "provider", "client_id", "error", "error_description", "note"),
    "",
)  # fmt: skip


def remedies(batch: pa.RecordBatch) -> pa.StringArray:
    """What to do about the answer in each row, a line each; empty when all is well."""
    numbers, texts = _documented()
    cells = texts.take(pc.index_in(batch["documented_error"], numbers))
    left = _mask(cells.is_null())
    steps = {
        name: _mask(pc.equal(batch["step"], name)) for name in ("authorize", "callback", "token", "refresh", "api")
    }
    unanswered = left & _mask(batch["status"].is_null()) & ~steps["callback"]
    odd = left & ~unanswered
    status = batch["status"].fill_null(0).to_numpy() // 100
    whole = (batch["response_cut"].to_numpy() == 0) & _mask(pc.equal(batch["failure"], ""))
    well = whole & (status == 2)
    for wanted, judge in (
        (steps["callback"], _came_back),
        (steps["authorize"] & whole & (status == 3), _sent_on),
        ((steps["token"] | steps["refresh"]) & well, _token_was_given),
        (steps["api"] & well, _api_succeeded),
    ):
        places = np.flatnonzero(odd & wanted)
        if len(places):
            odd[places] = ~judge(_some(batch, pa.array(places)))
    places = np.flatnonzero(odd)
    found = dict(
        zip(places.tolist(), map(_one_by_one, batch.select(READ).take(pa.array(places)).to_pylist()), strict=True)
    )
    for place in np.flatnonzero(unanswered).tolist():
        found[place] = _unanswered(batch["step"][place].as_py(), batch["failure"][place].as_py())
    found = {place: text for place, text in sorted(found.items()) if text}
    if found:
        mask = np.zeros(len(batch), dtype=np.bool_)
        mask[list(found)] = True
        cells = pc.replace_with_mask(cells, pa.array(mask), pa.array(list(found.values()), pa.string()))
    return cells.fill_null("")


def remedy(exchange: Exchange, number: int | None) -> str:
    """What the catalogue says to do about one exchange, whose documented error is ``number``."""
    found = documented().get(number or 0) or explain(exchange)
    return "\n".join(found.remedy) if found else ""


@cache
def _documented() -> tuple[pa.Array, pa.StringArray]:
    entries = documented()
    return pa.array(list(entries), pa.int64()), pa.array(["\n".join(entry.remedy) for entry in entries.values()])


@cache
def _unanswered(step: str, failure: str) -> str:
    """What to do where there is no response: only the kind of the failure counts."""
    return remedy(Exchange(Step(step), Request("", ""), _EARLY, failure=Failure(failure) if failure else None), None)


def _one_by_one(row: dict[str, Any]) -> str:
    kept = to_row(_UNREAD | row)
    return remedy(kept.exchange, kept.documented_error)


# Each of these says of which rows ``explain`` has surely nothing to say; of the others it may. All are given only rows
# whose answer is whole, with a status that fits.


def _came_back(rows: _Rows) -> _Mask:
    url = rows("url")
    # One by form_post has its parameters in its body.
    in_address = _mask(pc.not_equal(rows("method"), "POST"))
    return in_address & ~_holds(url, "error") & _mask(pc.match_substring_regex(url, _CODE_ADDRESS))


def _sent_on(rows: _Rows) -> _Mask:
    plain = _mask(pc.equal(pc.binary_length(rows("response_body")), 0))
    telling = _mask(pc.match_substring_regex(rows("response_headers"), r"(?i)www-authenticate|error|%"))
    return plain & ~telling


def _token_was_given(rows: _Rows) -> _Mask:
    bodies = rows("response_body")
    once = _mask(pc.equal(pc.count_substring(bodies, _TOKEN), 1))
    given = once & _mask(pc.match_substring_regex(bodies, _HAS_TOKEN))
    return _plain(rows, bodies) & given & _fits(bodies, _FLAT)


def _api_succeeded(rows: _Rows) -> _Mask:
    bodies = rows("response_body")
    plain = _plain(rows, bodies)
    read = plain & _fits(bodies, _NESTED)
    for place in np.flatnonzero(plain & ~read).tolist():
        read[place] = _is_json(bodies[place].as_py())
    return read


def _plain(rows: _Rows, bodies: pa.StringArray) -> _Mask:
    telling = _mask(pc.match_substring_regex(rows("response_headers"), _TELLING_HEADER))
    return ~telling & ~_holds(bodies, '"error')


def _holds(column: pa.StringArray, word: str) -> _Mask:
    """The rows with a word in them. Mostly none has it, which is soon seen in the bytes of all."""
    if word.encode() not in octets(column).tobytes():
        return np.zeros(len(column), dtype=np.bool_)
    return _mask(pc.match_substring(column, word))


def _fits(bodies: pa.StringArray, pattern: str) -> _Mask:
    return _mask(pc.less_equal(pc.binary_length(bodies), _LONGEST)) & _mask(pc.match_substring_regex(bodies, pattern))


def _is_json(text: str) -> bool:
    if _HIDING.search(text) or not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _some(batch: pa.RecordBatch, places: pa.Int64Array) -> _Rows:
    return lambda name: batch[name].take(places) if len(places) < len(batch) else batch[name]


def _mask(column: pa.BooleanArray) -> _Mask:
    found: _Mask = column.to_numpy(zero_copy_only=False)
    return found
