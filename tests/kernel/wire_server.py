"""A server of raw bytes for the tests of the exchange: says what it is told, in pieces and at moments of choice."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Talk = Callable[[socket.socket], None]


class WireServer:
    """Hands every connection to `talk`, one after the other; `heard` is what `hear` read of each."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/path?q=1"
        self.connections = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.settimeout(5)
                try:
                    self._talk(connection)
                except OSError:
                    continue


@contextmanager
def serve(talk: Talk) -> Iterator[WireServer]:
    server = WireServer(talk)
    try:
        yield server
    finally:
        server.stop()


def hear_request(connection: socket.socket) -> bytes:
    """One HTTP request with its body, or nothing if the other side hung up."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        piece = connection.recv(65536)
        if not piece:
            return b""
        heard += piece
    head, body = heard.split(b"\r\n\r\n", 1)
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def reply(status: str = "200 OK", body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answering(*replies: bytes) -> Talk:
    """Answers the requests of a connection with these, in turn, then hangs up."""

    def talk(connection: socket.socket) -> None:
        for each in replies:
            if not hear_request(connection):
                return
            connection.sendall(each)

    return talk
