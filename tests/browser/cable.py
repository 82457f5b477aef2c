"""A network cable between a browser and the portal that can be cut: connections end in the middle."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

CHUNK = 65536


class Cable:
    """Forwards a loopback port of its own to another one, until it is cut and again after it is mended."""

    def __init__(self, port: int) -> None:
        self.port, self.is_cut = port, False
        self.open: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def cut(self) -> None:
        """Every connection breaks, and no new one comes through."""
        self.is_cut = True
        for each in self.open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self.open.clear()

    def mend(self) -> None:
        self.is_cut = False

    def remove(self) -> None:
        self.listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                near, _address = self.listener.accept()
                self._join(near)

    def _join(self, near: socket.socket) -> None:
        try:
            if self.is_cut:
                raise ConnectionRefusedError
            far = socket.create_connection(("127.0.0.1", self.port))
        except OSError:
            near.close()
            return
        self.open += [near, far]
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=forward, args=(source, target), daemon=True).start()


def forward(source: socket.socket, target: socket.socket) -> None:
    """Bytes one way until either end is closed."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
