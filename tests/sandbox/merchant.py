"""A merchant on the other end of the sandbox's wire: listens for pushes, verifies and reads them, answers as told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from waystream.core.ports import Aggregator, CarrierAccount, Contact, Goods, Push, TakeRequest
from waystream.integrations.kdniao.adapter import network

ID, KEY = "1237100", "a-key-of-the-tests"
PLACES = {"北京市": "朝阳区", "广州市": "天河区", "成都市": "武侯区"}


def request(code: str, *, carrier: str = "YTO", city: str = "北京市") -> TakeRequest:
    return TakeRequest(
        code=code,
        account=CarrierAccount(carrier, customer_name="C1"),
        goods=(Goods("杯子"),),
        weight_g=500,
        sender=Contact("仓", mobile="19900000000", province="广东省", city="深圳市", district="南山区", address="1号"),
        receiver=Contact("李四", mobile="19900000001", province="x省", city=city, district=PLACES[city], address="2号"),
    )


class Merchant:
    """`pushes` are those that were verified and taken, `refused` counts bad signatures; `accepting` may be cleared."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.refused = 0
        self.calls = 0
        self.accepting = True
        self.arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/push/kdniao/main"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def wait(self, count: int, timeout_s: float = 20) -> None:
        """Until so many pushes were taken."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.pushes) >= count, timeout_s), f"{len(self.pushes)} pushes"

    def take_push(self, body: bytes) -> tuple[int, bytes]:
        with self.arrived:
            self.calls += 1
            self.arrived.notify_all()
            push = network.open_push(Aggregator(ID, KEY, ""), body)
            if push is None:
                self.refused += 1
                return 401, b""
            if self.accepting:
                self.pushes.append(push)
        at = datetime(2026, 3, 1, tzinfo=UTC)
        reply = network.answer_push(merchant_id=ID, at=at, accepted=self.accepting, reason="")
        return reply.status, reply.body

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        merchant = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, body = merchant.take_push(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        return Handler


@contextmanager
def listening() -> Iterator[Merchant]:
    merchant = Merchant()
    try:
        yield merchant
    finally:
        merchant.stop()
