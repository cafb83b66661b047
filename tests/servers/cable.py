"""A port that leads to another one, whose connections can be cut and led elsewhere."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Cable:
    """A forwarder of TCP connections to ``target``, a port of this machine that may change."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_cut = threading.Event()
        self._joined: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.close()

    def cut(self) -> None:
        """End every connection, and refuse new ones."""
        self._is_cut.set()
        while self._joined:
            _close(self._joined.pop())

    def mend(self) -> None:
        """Accept connections again."""
        self._is_cut.clear()

    def _serve(self) -> None:
        while True:
            try:
                outside = self._listener.accept()[0]
            except OSError:
                return  # closed
            try:
                if self._is_cut.is_set():
                    raise OSError
                inside = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                outside.close()
                continue
            self._joined += [outside, inside]
            for pair in ((outside, inside), (inside, outside)):
                threading.Thread(target=_copy, args=pair, daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        _close(end)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
