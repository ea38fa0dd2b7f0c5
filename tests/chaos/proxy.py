"""A socket between a crawl and PostgreSQL that cuts a connection in the middle of a request or of its answer."""

import contextlib
import os
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

SOCKET = ".s.PGSQL.5432"
CHUNK = 8192
PATIENCE = 30.0


class Proxy:
    """Forwards every connection to its folder's socket, until a cut that `cut_next` arms.

    A cut is made once: at the `chunks`th chunk that clients send and that holds `word`, either before that chunk
    reaches the server or, with `answer`, after the server has worked on it but before its answer comes back.
    """

    def __init__(self, server: Path, folder: Path) -> None:
        self.server, self.folder = server / SOCKET, folder
        self.cuts = 0
        """How many connections were cut so far."""
        self._lock = threading.Lock()
        self._left: int | None = None
        self._word = b""
        self._answer = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def __enter__(self) -> Self:
        self._listener.bind(os.fspath(self.folder / SOCKET))
        self._listener.listen(50)
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _close(self._listener)

    def cut_next(self, chunks: int, word: bytes = b"", *, answer: bool = False) -> None:
        """Arms the cut."""
        with self._lock:
            self._left, self._word, self._answer = chunks, word, answer

    def spare(self) -> None:
        """Disarms it."""
        with self._lock:
            self._left = None

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        link = _Link(client, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            link.server.connect(os.fspath(self.server))
            threading.Thread(target=link.answers, daemon=True).start()
            while data := client.recv(CHUNK):
                if self._falls_on(data):
                    if self._answer:
                        link.ask_without_answer(data)
                    return
                link.server.sendall(data)
        except OSError:
            return  # the server is down, or one side has closed: close both
        finally:
            link.close()

    def _falls_on(self, data: bytes) -> bool:
        with self._lock:
            if self._left is None or self._word not in data:
                return False
            self._left -= 1
            if self._left > 0:
                return False
            self._left = None
            self.cuts += 1
            return True


class _Link:
    """One connection: a client, and the server's end of it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.mute = False
        self.answered = threading.Event()

    def answers(self) -> None:
        """Forwards what the server sends to the client, unless the answer is to be lost."""
        with contextlib.suppress(OSError):
            while data := self.server.recv(CHUNK):
                if self.mute:
                    self.answered.set()
                    return
                self.client.sendall(data)
        self.close()

    def ask_without_answer(self, data: bytes) -> None:
        """The server receives the request and works on it; its answer is dropped."""
        self.mute = True
        self.server.sendall(data)
        self.answered.wait(PATIENCE)

    def close(self) -> None:
        _close(self.client)
        _close(self.server)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
