"""A real receiver of OTLP over HTTP: takes the protobuf, keeps what it says."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Span:
    name: str
    trace: str
    id: str
    parent: str
    said: dict[str, Any]
    failed: bool
    took_ns: int


@dataclass
class Collector:
    """What came, by kind; `raw` is every body as it was."""

    address: str = ""
    spans: list[Span] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def take_traces(self, body: bytes) -> None:
        for scope in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(_read(scope.resource.attributes))
            self.spans += [
                Span(
                    each.name, each.trace_id.hex(), each.span_id.hex(), each.parent_span_id.hex(),
                    _read(each.attributes), each.status.code == 2,
                    each.end_time_unix_nano - each.start_time_unix_nano,
                )
                for told in scope.scope_spans
                for each in told.spans
            ]  # fmt: skip

    def take_metrics(self, body: bytes) -> None:
        """Each time the whole, by name; a point is (labels, point)."""
        for scope in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            self.resources.append(_read(scope.resource.attributes))
            found: dict[str, Any] = {}
            for told in scope.scope_metrics:
                for each in told.metrics:
                    kind = each.WhichOneof("data")
                    points = getattr(each, kind).data_points
                    found[each.name] = (kind, [(_read(point.attributes), point) for point in points])
            self.metrics.append(found)


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.headers["content-type"] == "application/x-protobuf"
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            collector.raw.append(body)
            {"/v1/traces": collector.take_traces, "/v1/metrics": collector.take_metrics}[self.path](body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    collector.address = f"http://127.0.0.1:{server.server_port}"
    yield collector
    server.shutdown()
    server.server_close()
    thread.join()


def _read(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
