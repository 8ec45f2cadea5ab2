"""What waits on the streams, for Prometheus: asked at the scrape, as lag and queues are."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from waystream.core.errors import Unavailable
from waystream.kernel.jetstream import JetStream


class StreamCollector(Collector):
    """`waystream_stream_up` is 0 where no server answers; then nothing is said of what waits."""

    def __init__(self, jetstream: JetStream, streams: Sequence[str]) -> None:
        self._jetstream = jetstream
        self._streams = streams

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering does not ask the servers."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        messages = GaugeMetricFamily("waystream_stream_messages", "Messages on a stream", labels=["stream"])
        sizes = GaugeMetricFamily("waystream_stream_bytes", "Bytes on a stream", labels=["stream"])
        up = True
        try:
            infos = {name: info for name in self._streams if (info := self._jetstream.find_stream(name)) is not None}
        except Unavailable:
            infos, up = {}, False
        for name, info in infos.items():
            messages.add_metric([name], info.state.messages)
            sizes.add_metric([name], info.state.bytes)
        yield GaugeMetricFamily("waystream_stream_up", "Whether JetStream answers", value=float(up))
        yield from (messages, sizes)
