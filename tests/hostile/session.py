"""A tab of the console without a browser: Streamlit's WebSocket protocol, with nothing drawn.

It sends what the browser's program sends (``streamlit/proto/BackMsg.proto``): the values of all widgets at every
interaction, the uploads, and the reruns of fragments at their interval. A browser would cost ten times as much.
"""

import asyncio
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

PATIENCE = 180.0
"""Seconds that a step of a session may take."""

FAILED_PAGE = "This page failed because of a bug"


class SessionError(Exception):
    """The console did not do what a step of a session waited for; the text names the step."""


class Session:
    """A browser's tab, driven by the keys of its widgets. ``close`` it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE)
        self._socket: ClientConnection | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._numbers = count()

    async def open(self, path: str) -> None:
        """Load a page, in place of the one before, and wait until it is drawn."""
        await self._disconnect()
        self._elements: dict[tuple[int, ...], Element] = {}
        self._states: dict[str, WidgetState] = {}
        self._urls: dict[str, FileURLs] = {}
        self._ends, self._id, self._page, self._path = 0, "", "", path
        self._is_running = True
        for address in (path, "/_stcore/health", "/_stcore/host-config"):  # they set the cookies
            (await self.http.get(address)).raise_for_status()
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        self._socket = await connect(
            f"ws://{urlsplit(self.url).netloc}/_stcore/stream",
            origin=Origin(self.url),
            subprotocols=[Subprotocol("streamlit"), Subprotocol(self._token)],
            additional_headers={"Cookie": cookies},
            max_size=None,
            proxy=None,
        )
        self._tasks["reader"] = asyncio.create_task(self._read(self._socket))
        await self._run()

    async def press(self, key: str) -> None:
        """Press a button, and wait until the page is drawn."""
        await self._run(WidgetState(id=self.widget(key).id, trigger_value=True))

    async def fill(self, key: str, text: str) -> None:
        """Enter a text, or choose an option by its text, and wait until the page is drawn."""
        # As UTF-8 carries it: a browser replaces lone surrogates.
        await self._set(WidgetState(id=self.widget(key).id, string_value=text.encode("utf-8", "replace").decode()))

    async def upload(self, key: str, name: str, content: bytes) -> None:
        """Upload a file, and wait until the page is drawn."""
        message, number = BackMsg(), str(next(self._numbers))
        message.file_urls_request.request_id, message.file_urls_request.session_id = number, self._id
        message.file_urls_request.file_names.append(name)
        await self._send(message)
        await self.until(lambda: number in self._urls, f"the address for {name}")
        urls = self._urls.pop(number)
        files, headers = {"file": (name, content, "application/json")}, {"X-Xsrftoken": self._token}
        (await self.http.put(urls.upload_url, files=files, headers=headers)).raise_for_status()
        state = WidgetState(id=self.widget(key).id)
        state.file_uploader_state_value.uploaded_file_info.add(
            file_id=urls.file_id, name=name, size=len(content), file_urls=urls
        )
        await self._set(state)

    def widget(self, key: str) -> Any:
        """Return the message of the widget with this key. Raises ``SessionError`` when the page has none."""
        for element in self._elements.values():
            widget = _widget(element)
            if getattr(widget, "id", "").partition("-")[2].partition("-")[2] == key:
                return widget
        raise SessionError(f"{self._path} has no widget {key}")

    def has(self, key: str) -> bool:
        """Return True if the page is drawn, and has a widget with this key."""
        try:
            return not self._is_running and self.widget(key) is not None
        except SessionError:
            return False

    @property
    def has_failed(self) -> bool:
        """True if the page shows an error of its own."""
        return any(
            element.HasField("exception") or FAILED_PAGE in element.alert.body for element in self._elements.values()
        )

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds. Raises ``SessionError`` after ``PATIENCE``, or when the connection ends."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    if self._tasks["reader"].done():
                        raise SessionError(f"{self._path}: the connection ended before {what}")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise SessionError(f"{self._path}: {PATIENCE:g} s were not enough for {what}") from None

    async def close(self) -> None:
        """Close the tab."""
        await self._disconnect()
        await self.http.aclose()

    @property
    def _token(self) -> str:
        return self.http.cookies.get("_streamlit_xsrf") or ""

    async def _disconnect(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        if self._socket is not None:
            await self._socket.close()

    async def _set(self, state: WidgetState) -> None:
        self._states[state.id] = state
        await self._run()

    async def _run(self, *pressed: WidgetState) -> None:
        end = self._ends + 1
        await self._rerun(*pressed)
        await self.until(lambda: self._ends >= end, "the end of its run")

    async def _rerun(self, *pressed: WidgetState, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash, state.fragment_id, state.is_auto_rerun = self._page, fragment, bool(fragment)
        if not self._page:
            state.page_name = self._path.strip("/")
        state.widget_states.widgets.extend([*self._states.values(), *pressed])
        state.context_info.url, state.context_info.timezone = self.url + self._path, "Europe/Berlin"
        await self._send(message)

    async def _send(self, message: BackMsg) -> None:
        if self._socket is None:
            raise SessionError("No page is open")
        try:
            await self._socket.send(message.SerializeToString())
        except ConnectionClosed as error:
            raise SessionError(f"{self._path}: the connection ended: {error}") from error

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for data in socket:
                message = ForwardMsg()
                message.ParseFromString(data if isinstance(data, bytes) else data.encode())
                self._receive(message)
                self._news.set()
        finally:
            self._news.set()

    def _receive(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session" if not message.metadata.run.fragment_ids:
                self._id = message.new_session.initialize.session_id
                self._is_running = True
                self._elements.clear()
                self._stop(self._tasks.keys() - {"reader"})
            case "navigation":
                self._page = message.navigation.page_script_hash
            case "delta" if message.delta.HasField("new_element"):
                element = message.delta.new_element
                self._elements[tuple(message.metadata.delta_path)] = element
                widget = _widget(element)
                if getattr(widget, "set_value", False):  # the console changed the value
                    self._states.pop(widget.id, None)
            case "auto_rerun":
                fragment, interval = message.auto_rerun.fragment_id, message.auto_rerun.interval
                if fragment not in self._tasks:
                    self._tasks[fragment] = asyncio.create_task(self._repeat(fragment, interval))
            case "stop_auto_rerun":
                self._stop(message.stop_auto_rerun.fragment_ids)
            case "file_urls_response":
                self._urls[message.file_urls_response.response_id] = message.file_urls_response.file_urls[0]
            case "script_finished" if message.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            ):
                self._is_running = False
                self._ends += 1
                self._forget_states()

    def _stop(self, fragments: Iterable[str]) -> None:
        for fragment in fragments:
            if fragment in self._tasks:
                self._tasks.pop(fragment).cancel()

    def _forget_states(self) -> None:
        """Forget the values of widgets that the page has no more."""
        there = {getattr(_widget(element), "id", "") for element in self._elements.values()}
        self._states = {id: state for id, state in self._states.items() if id in there}

    async def _repeat(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._rerun(fragment=fragment)


def _widget(element: Element) -> Any:
    return getattr(element, element.WhichOneof("type") or "empty")
