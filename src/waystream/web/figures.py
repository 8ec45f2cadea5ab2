"""Health figures read from the database: for /metrics and for the overview. Every count is bounded."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from psycopg import Connection

from waystream.kernel import log, rule_cursor
from waystream.kernel.ids import first_id
from waystream.kernel.rule_cursor import Standing
from waystream.kernel.tx import Work
from waystream.parts.hub import hearing
from waystream.parts.hub.hearing import Hearing
from waystream.web.live import Live

COUNTED_AT_MOST = 100_000


_HELP = {
    "pushes_last_hour": "Pushes stored in the last hour of business time",
    "strangers_waiting": "Waybills pushed to us that nobody here has bound",
    "quarantine_open": "Signed pushes that could not be read",
    "unknown_codes": "Carrier codes without a meaning here",
    "jobs_ready": "Jobs that wait for their turn",
    "jobs_running": "Jobs under way",
    "jobs_given_up": "Jobs that ended without success",
    "events_unplaced": "Committed events without a position",
    "log_position": "The newest position of the event log",
    "rules_behind": "Positions the slowest rule lies behind the log",
    "rules_halted": "Rules that stopped because too much was parked",
    "events_parked": "Events a rule could not digest",
    "bad_signatures": "Pushes refused for their signature",
    "webhooks_due": "Webhook deliveries that could be sent now",
    "webhooks_off": "Webhook endpoints that were switched off because they do not answer",
}

#: What /metrics tells from here; log, rules and jobs are told by `kernel.figures`, with their labels.
_SCRAPED = (
    "pushes_last_hour", "strangers_waiting", "quarantine_open", "unknown_codes", "bad_signatures", "webhooks_due",
    "webhooks_off",
)  # fmt: skip

_COUNTS = """
    SELECT (SELECT count(*) FROM inbox WHERE id > %(hour_id)s),
           (SELECT count(*) FROM (SELECT FROM stranger WHERE state = 'waiting' LIMIT %(most)s)),
           (SELECT count(*) FROM (SELECT FROM quarantine WHERE healed_at IS NULL LIMIT %(most)s)),
           (SELECT count(*) FROM (SELECT FROM unknown_code LIMIT %(most)s)),
           (SELECT count(*) FROM (SELECT FROM job WHERE state = 'ready' LIMIT %(most)s)),
           (SELECT count(*) FROM (SELECT FROM job WHERE state = 'running' LIMIT %(most)s)),
           (SELECT count(*) FROM (SELECT FROM job WHERE state = 'given_up' LIMIT %(most)s)),
           (SELECT count(*) FROM (SELECT FROM event_new LIMIT %(most)s)),
           (SELECT position FROM sequencer),
           (SELECT COALESCE(max(sequencer.position - rule_cursor.position), 0) FROM rule_cursor, sequencer),
           (SELECT count(*) FROM rule_cursor WHERE halted <> ''),
           (SELECT count(*) FROM (SELECT FROM parked LIMIT %(most)s)),
           (SELECT COALESCE(sum(bad_signatures), 0)::bigint FROM aggregator),
           (SELECT count(*) FROM (SELECT FROM webhook_endpoint e JOIN webhook_delivery d ON d.endpoint_id = e.id
                                  WHERE e.disabled_at IS NULL AND d.state = 'waiting'
                                    AND d.due_at <= (SELECT clock_timestamp()) LIMIT %(most)s)),
           (SELECT count(*) FROM webhook_endpoint WHERE disabled_why IN ('gone', 'failing') AND removed_at IS NULL)
"""


def read(conn: Connection[Any], *, at: datetime) -> dict[str, int]:
    """Every figure by its name."""
    row = conn.execute(_COUNTS, {"hour_id": first_id(at - timedelta(hours=1)), "most": COUNTED_AT_MOST}).fetchone()
    assert row is not None
    return dict(zip(_HELP, row, strict=True))


class BusinessCollector(Collector):
    """What the business looks like from outside, asked at each scrape; the machine's own gauges are the kernel's."""

    def __init__(self, work: Work, live: Live) -> None:
        self._work = work
        self._live = live

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering does not ask the database."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        with self._work.begin(read_only=True) as tx:
            values, now = read(tx.conn, at=tx.now), tx.now
            heard, standings = hearing.list_hearing(tx), rule_cursor.list_standings(tx.conn)
            unplaced_since = log.unplaced_since(tx.conn)
        for name in _SCRAPED:
            yield GaugeMetricFamily(f"waystream_{name}", _HELP[name], value=values[name])
        yield from _silence_gauges(heard, now=now)
        yield _lag_gauge(standings, now=now)
        waits_s = max(0.0, (now - unplaced_since).total_seconds()) if unplaced_since else 0.0
        yield GaugeMetricFamily("waystream_log_unplaced_seconds", "Age of the oldest event without a place", waits_s)
        yield GaugeMetricFamily("waystream_live_streams", "Browsers that watch a page", value=self._live.streams)


def _silence_gauges(heard: Sequence[Hearing], *, now: datetime) -> Iterator[Metric]:
    labels = ["aggregator", "carrier"]
    silence = GaugeMetricFamily("waystream_carrier_silence_seconds", "Since a carrier last pushed", labels=labels)
    quiet = GaugeMetricFamily(
        "waystream_carrier_quiet", "1 if it has parcels and is silent longer than usual", labels=labels
    )
    for each in heard:
        silence.add_metric([each.aggregator, each.carrier], each.silent_s(now))
        quiet.add_metric([each.aggregator, each.carrier], float(each.is_quiet(now)))
    yield from (silence, quiet)


def _lag_gauge(standings: Sequence[Standing], *, now: datetime) -> Metric:
    lag = GaugeMetricFamily("waystream_rule_lag_seconds", "Age of the first event it has not passed", labels=["rule"])
    for found in standings:
        age_s = (now - found.behind_since).total_seconds() if found.behind_since else 0.0
        lag.add_metric([found.rule], max(0.0, age_s))
    return lag
