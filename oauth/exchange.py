"""An HTTP request and its response, as immutable values that know no network, no database and no page."""

import logging
import re
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from encodings import normalize_encoding
from encodings.aliases import aliases
from enum import StrEnum
from pathlib import Path

from oauth.moments import within

_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]+)""", re.IGNORECASE)

_ENCODINGS = {name: module for name, module in aliases.items() if module not in {
    "base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "uu_codec", "utf_7", "zlib_codec",
}}  # fmt: skip
_ENCODINGS |= {module: module for module in [
    *_ENCODINGS.values(), "cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_t", "koi8_u", "utf_8_sig",
]}  # fmt: skip
"""Text encodings by their names. Python's other codecs unpack, or take quadratic time."""

Headers = tuple[tuple[str, str], ...]

REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "x-amz-cf-id", "cf-ray")


LONGEST_MS = 2**31 - 1
"""Milliseconds of the longest duration, 24 days: the history has 32 bits for it."""

YEARS = range(1970, 2201)
"""Years in which an exchange can be: a time far from them cannot be shown in every time zone."""

HIGHEST_STATUS = 999
"""The highest status that three digits can write (RFC 9110 §15). 0 is one that is not known."""


class Step(StrEnum):
    """A step of the flow that an exchange belongs to: RFC 6749 §4.1, §6 and §7, and the endpoints beside them.

    ``par`` is RFC 9126, ``device`` the authorization request of RFC 8628, ``userinfo`` OpenID Connect Core §5.3,
    ``revoke`` RFC 7009, ``introspect`` RFC 7662, ``jwks`` the server's keys (RFC 7517 §5), and
    ``discovery`` its metadata (RFC 8414 §3) or an API's (RFC 9728). ``register`` registers a client (RFC 7591 §3) or
    deletes it (RFC 7592 §2.3). ``page`` is the browser's part between authorization request and callback: the pages of
    login and consent, and what they load.
    """

    AUTHORIZE = "authorize"
    CALLBACK = "callback"
    TOKEN = "token"
    API = "api"
    REFRESH = "refresh"
    PAR = "par"
    DEVICE = "device"
    USERINFO = "userinfo"
    REVOKE = "revoke"
    INTROSPECT = "introspect"
    JWKS = "jwks"
    DISCOVERY = "discovery"
    PAGE = "page"
    REGISTER = "register"


class Part(StrEnum):
    """A part of an exchange that is unknown where its source does not show it, as a pasted text may not.

    A part that is known and empty was not sent. The address, the status and the whole request or response have a value
    of their own for unknown. An exchange at an unknown time has that of the reading instead.
    """

    METHOD = "method"
    REQUEST_HEADERS = "request headers"
    REQUEST_BODY = "request body"
    RESPONSE_HEADERS = "response headers"
    RESPONSE_BODY = "response body"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it goes over the wire: every header is listed, ``Host`` and ``Content-Length`` too."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response. ``body`` is decoded from any content coding; ``cut`` is true where it is incomplete."""

    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    cut: bool = False
    http_version: str = "HTTP/1.1"


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason why there is no complete response: an entry of ``catalogue/answers.toml``, and the system's own words.

    Beside a response it says why that one is incomplete: the part that arrived is kept.
    """

    kind: str
    detail: str = ""


def unexpected(error: BaseException) -> Failure:
    """Return the failure of an exchange that an error of the console's own ended, which is logged without its message.

    The message may quote a secret. The detail names the error's type and the line of code.
    """
    at = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in at)
    detail = f"{type(error).__name__}{place}"
    logging.getLogger(__name__).error("An exchange failed with %s", detail)
    return Failure("console_error", detail)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response or failure; with neither, no response was recorded.

    ``marks`` are lower-case words for what only the sender knows: ``tls_unverified`` where the server's certificate was
    not verified, ``proxy`` where the request went through one, ``bad_charset`` where the body does not decode,
    ``pasted`` where a person pasted the page that the browser showed, and ``undated`` where a pasted text does not say
    when it was: then ``started_at`` is when it was read.

    ``id`` is the history row, ``None`` before it is recorded. ``started_at`` is aware and in UTC. ``duration_ms`` is in
    milliseconds. ``flow`` groups the exchanges that share a ``state``; ``case`` is a support ticket's label.
    """

    step: Step
    request: Request
    started_at: datetime
    response: Response | None = None
    failure: Failure | None = None
    duration_ms: int | None = None
    id: int | None = None
    flow: str = ""
    owner: str = ""
    case: str = ""
    provider: str = ""
    client_id: str = ""
    marks: tuple[str, ...] = ()

    @property
    def retry_at(self) -> datetime | None:
        """The earliest time for another request, by ``Retry-After`` (RFC 9110 §10.2.3); ``None`` without one.

        Seconds count from the response's arrival, if that is known.
        """
        value = header(self.response.headers, "retry-after") if self.response is not None else None
        try:
            if value is None or not value.strip().isdecimal():
                date = parsedate_to_datetime(value) if value else None
                return None if date is None else within(date if date.tzinfo else date.replace(tzinfo=UTC))
            if "undated" in self.marks:
                return None
            arrived = self.started_at + timedelta(milliseconds=self.duration_ms or 0)
            return within(arrived + timedelta(seconds=int(value)))
        except (ValueError, OverflowError):
            return None

    @property
    def outcome(self) -> str:
        """The class of the status, ``failed`` without a response, or ``none`` while nothing came."""
        if self.response is None:
            return "failed" if self.failure else "none"
        return f"{self.response.status // 100}xx"

    @property
    def request_id(self) -> str:
        """The provider's id of this exchange, which its support asks for; empty when it sent none."""
        return "" if self.response is None else request_id_in(self.response.headers)


def request_id_in(headers: Headers) -> str:
    """Return the provider's id of an exchange, by the headers of its response; empty without one."""
    return next((id for name in REQUEST_ID_HEADERS if (id := header(headers, name))), "")


def charset_of(headers: Headers) -> str:
    """Return the charset that ``Content-Type`` declares, or an empty text (RFC 9110 §8.3.2)."""
    declared = _CHARSET.search(header(headers, "content-type") or "")
    return declared[1] if declared else ""


def text_encoding(charset: str) -> str | None:
    """Return Python's name of the text encoding that a ``charset`` names, ``None`` for anything else."""
    # Looked up here, since Python remembers each name that it does not know.
    return _ENCODINGS.get(normalize_encoding(charset).lower())


def header(headers: Headers, name: str) -> str | None:
    """Return the first value of a header, by its name in any letter case (RFC 9110 §5.1)."""
    lowered, size = name.lower(), len(name)
    for key, value in headers:
        if len(key) == size and key.lower() == lowered:  # the length first: most names have another
            return value
    return None


def first_headers(headers: Headers, names: frozenset[str]) -> dict[str, str]:
    """Return the first value of each of these headers that is there; the names are in lower case."""
    values: dict[str, str] = {}
    for key, value in headers:
        if (lowered := key.lower()) in names:
            values.setdefault(lowered, value)
    return values
