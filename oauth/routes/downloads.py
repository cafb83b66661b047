"""Downloads of the history, behind the signed links of ``oauth/exports/links.py``."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from oauth.access import MINIMUM, Action, Person
from oauth.access.audit import Audit, Event
from oauth.exports import links
from oauth.exports.download import Download
from oauth.exports.layout import MEDIA_TYPES
from oauth.exports.query import source
from oauth.exports.turns import AT_A_TIME, Turn, Turns
from oauth.history.store import HistoryError
from oauth.history.time_limits import count
from oauth.routes.gate import address_of, person_of
from oauth.routes.page import page
from oauth.settings import Settings
from oauth.shutdown import SHUTDOWN

SECONDS_OF_COUNT = 1.0
"""Time limit for the number in the audit; beyond it, a lower bound stands there."""

PATIENCE = 1.0
"""Seconds to wait for the whole file. One that is complete by then is sent with its size, so that the browser shows
progress; a larger one is streamed without."""

RETRY_SECONDS = 2
"""Seconds after which the page of a waiting download requests it again."""

_AGAIN = "Go back to History and use a new one."
_EXPIRED = f"Download links expire after {links.LIFETIME_SECONDS} seconds. {_AGAIN}"
_USED = f"A download link works once. {_AGAIN}"
_OTHER_BROWSER = (
    "A download link works only in the browser that it was made for, with the console's cookie. Open History in this "
    "browser, reload the page, and use a link from there."
)
_OTHER_PERSON = (
    "A download link works only for the person that it was made for. Open History yourself, and use a link from there."
)
_NO_ROLE = f"To {Action.EXPORT}, you need the role {MINIMUM[Action.EXPORT].label}. Ask whoever runs this console."
_STOPPING = "The download has not begun, and its link still works. This page tries again by itself."
_WAITING = (
    f"{AT_A_TIME} downloads are being created, which is the most at a time, so this one waits for its turn.",
    "Keep this page open: it tries again by itself, and can be closed once the download has started.",
)


def history_file(
    settings: Settings,
    new_audit: Callable[[], Audit],
    clock: Callable[[], datetime],
    turns: Turns,
    format: str,
) -> Callable[[Request], Response]:
    """Return the endpoint of the downloads in one format. All formats share the ``turns``."""
    cookie = links.cookie_name(settings)

    def endpoint(request: Request) -> Response:
        now = clock()
        if SHUTDOWN.has_begun:
            stopping = page("The console is being stopped", [_STOPPING], status=503)
            stopping.headers["Refresh"] = stopping.headers["Retry-After"] = str(RETRY_SECONDS)
            return stopping
        to_history = f"{request.scope.get('root_path', '')}/history", "Go to History"
        person, token = person_of(request), request.query_params.get("link", "")
        link = links.verify(settings, token, format)
        if problem := _refusal(link, person, request.cookies.get(cookie, ""), forged=bool(token)):
            place, title, text = f"/download/history.{format}", *problem
            try:
                address = address_of(request)
                new_audit().record(person, Event.REFUSAL, place, detail=title, address=address, allowed=False)
            except HistoryError as error:
                return page("The history cannot be read", [str(error)], link=to_history, status=503)
            return page(title, [text], link=to_history, status=403)
        turn = Turn.EXPIRED if link is None else turns.request(link, now)
        if link is None or turn is Turn.EXPIRED:
            return page("This link has expired", [_EXPIRED], link=to_history, status=403)
        if turn is Turn.USED:
            return page("This link was already used", [_USED], link=to_history, status=403)
        if turn is Turn.WAITING:
            waiting = page("Waiting for other downloads", _WAITING, status=503)
            waiting.headers["Refresh"] = waiting.headers["Retry-After"] = str(RETRY_SECONDS)
            return waiting
        try:
            download, size = _begin(link, person, address_of(request))
        except HistoryError as error:
            turns.give_back(link)
            return page("The history cannot be read", [str(error)], link=to_history, status=503)
        except OSError as error:
            turns.give_back(link)
            reason = f"Cannot write to {settings.home}: {error.strerror}. Free some space, then try again."
            return page("The file could not be created", [reason], link=to_history, status=503)
        return _FileResponse(
            download,
            media_type=MEDIA_TYPES[format],
            headers={
                "Content-Disposition": f'attachment; filename="oauth-history-{now:%Y%m%d-%H%M%S}.{format}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Content-Encoding": "identity",  # a compressing middleware would hold the stream back
            }
            | ({} if size is None else {"Content-Length": str(size)}),
        )

    def _begin(link: links.Link, person: Person, address: str) -> tuple[Download, int | None]:
        """Start the export, and return it with its size if it is complete soon."""
        try:
            audit = new_audit()
            seen = audit.history.seen_by(person.sees)
            if audit.is_on:
                detail = f"{count(seen, link.filters, SECONDS_OF_COUNT)} exchanges, {format}"
                audit.record(person, Event.EXPORT, link.filters.line, detail=detail, address=address)
            # Read before anything is sent: an error is then a page, and not a broken file.
            seen.page(link.filters, None, 1)
            download = Download(source(seen, link.filters), format, settings.home, turns.end, link.layout)
        except BaseException:
            turns.end()
            raise
        return download, download.size(PATIENCE)

    return endpoint


def _refusal(link: links.Link | None, person: Person, browser: str, *, forged: bool) -> tuple[str, str] | None:
    """Return title and text of the page for somebody whom the link does not belong to, or who may not export now."""
    if link is None:
        return ("This link has expired", _EXPIRED) if forged else None
    if not link.belongs_to(browser):
        return "This link belongs to another browser", _OTHER_BROWSER
    if link.person != person.id:
        return "This link belongs to another person", _OTHER_PERSON
    return None if person.may(Action.EXPORT) else ("Not allowed", _NO_ROLE)


class _FileResponse(StreamingResponse):
    """A stream that stops the export when it ends, also when the client has disconnected."""

    def __init__(self, download: Download, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(download.chunks(), media_type=media_type, headers=headers)
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()

        def break_off() -> None:
            self._download.close()  # which ends a thread that waits for more of the file
            if task is not None:
                task.cancel()

        SHUTDOWN.on_break_off.add(break_off)
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            # Without its end, the response is an error for the client, and no short file.
            if not SHUTDOWN.has_begun:
                raise
        finally:
            SHUTDOWN.on_break_off.discard(break_off)
            self._download.close()
