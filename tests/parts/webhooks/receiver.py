"""A shop's own system: a real HTTP server on loopback that keeps what it is sent and answers what it is told to."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Heard:
    """One whole request, word for word."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def verify(self, secret: str) -> Any:
        """The body, if the library of the standard accepts the signature."""
        return Webhook(secret).verify(self.body, dict(self.headers))

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)


class Receiver:
    """Answers `answers` in turn, then `usual`. While `held` is clear, requests are kept waiting."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.arrivals: SimpleQueue[Heard] = SimpleQueue()
        self.answers: list[Answer] = []
        self.usual = Answer()
        self.held = threading.Event()
        self.held.set()
        self._lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def take(self, heard: Heard) -> Answer:
        with self._lock:
            self.heard.append(heard)
            answer = self.answers.pop(0) if self.answers else self.usual
        self.arrivals.put(heard)
        self.held.wait(30)
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # the sender died in the middle of a sentence: nothing was said
                heard = Heard(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                answer = receiver.take(heard)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    return  # the other side had enough

            def log_message(self, *args: object) -> None:
                """The tests say what happened."""

        return Handler


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.held.set()
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()
