"""A printer's port 9100 for tests: takes one connection after the other and says nothing."""

import socket
import threading
from types import TracebackType
from typing import Self


class RawPort:
    """`taken` is what each connection brought, in order."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.number = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._take)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _take(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                self.taken.append(stream.read())
