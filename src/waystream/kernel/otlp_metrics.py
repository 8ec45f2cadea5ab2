"""The figures of Prometheus, sent to an OpenTelemetry collector as well: one registry, two ways out.

Off unless a collector is named; this module is imported only then. Every figure keeps its name and its labels; what
cannot be sent is dropped and sent anew, summed up, the next time.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from waystream.kernel.database import error_text

logger = logging.getLogger(__name__)

EVERY_S = 15.0
_BOUND = "le"
_TOTAL = AggregationTemporality.CUMULATIVE


class MetricsSender:
    """The thread that reads the registry every `every_s` seconds and sends it."""

    def __init__(
        self, registry: CollectorRegistry, exporter: OTLPMetricExporter, resource: Resource, *, every_s: float = EVERY_S
    ) -> None:
        self._registry = registry
        self._exporter = exporter
        self._resource = resource
        self._every_s = every_s
        self._began_ns = time.time_ns()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp metrics", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send the last figures, then end."""
        self._ended.set()
        self._thread.join()
        self._exporter.shutdown()

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._ended.wait(self._every_s)
            self._send()

    def _send(self) -> None:
        try:
            sent = self._exporter.export(self._read())
        except OSError as error:
            logger.warning("figures were not sent: %s", error_text(error))
            return
        if sent is not MetricExportResult.SUCCESS:
            logger.warning("the collector did not take the figures")

    def _read(self) -> export.MetricsData:
        now_ns = time.time_ns()
        metrics = [told for family in self._registry.collect() for told in self._translate(family, now_ns)]
        scope = export.ScopeMetrics(InstrumentationScope("waystream"), metrics, "")
        return export.MetricsData([export.ResourceMetrics(self._resource, [scope], "")])

    def _translate(self, family: Metric, now_ns: int) -> Iterator[export.Metric]:
        if family.type == "histogram":
            points = list(self._histogram_points(family.samples, now_ns))
            data: export.Gauge | export.Sum | export.Histogram = export.Histogram(points, _TOTAL)
        elif family.type == "counter":
            told = [each for each in family.samples if each.name.endswith("_total")]
            data = export.Sum(self._points(told, now_ns), _TOTAL, is_monotonic=True)
        else:
            data = export.Gauge(self._points(family.samples, now_ns))
        if data.data_points:
            yield export.Metric(family.name, family.documentation, "", data)

    def _points(self, told: Iterable[Sample], now_ns: int) -> list[export.NumberDataPoint]:
        return [export.NumberDataPoint(each.labels, self._began_ns, now_ns, float(each.value)) for each in told]

    def _histogram_points(self, told: Iterable[Sample], now_ns: int) -> Iterator[export.HistogramDataPoint]:
        """One point for each mix of labels; Prometheus counts its buckets up, OTLP each for itself."""
        mixes: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
        for each in told:
            labels = tuple(sorted((name, value) for name, value in each.labels.items() if name != _BOUND))
            mixes.setdefault(labels, []).append(each)
        for labels, samples in mixes.items():
            buckets = [each for each in samples if each.name.endswith("_bucket")]
            totals = [0.0, *(each.value for each in buckets)]
            yield export.HistogramDataPoint(
                dict(labels),
                self._began_ns,
                now_ns,
                count=int(totals[-1]),
                sum=next((each.value for each in samples if each.name.endswith("_sum")), 0.0),
                bucket_counts=[int(upper - lower) for lower, upper in pairwise(totals)],
                explicit_bounds=[float(each.labels[_BOUND]) for each in buckets[:-1]],
                min=0.0,
                max=0.0,
            )


def open_sender(
    registry: CollectorRegistry, *, endpoint: str, resource: Resource, every_s: float = EVERY_S
) -> MetricsSender:
    """Figures go to `endpoint`/v1/metrics, the address of a collector that takes OTLP over HTTP."""
    return MetricsSender(registry, OTLPMetricExporter(f"{endpoint.rstrip('/')}/v1/metrics"), resource, every_s=every_s)
