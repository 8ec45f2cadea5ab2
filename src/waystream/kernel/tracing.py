"""Traces for OpenTelemetry: from a push to its commit, to each rule, to each job, in one trace per origin.

Off unless a collector is named; this module is imported only then. A trace's id is made from the name of what began it
(`inbox:ID`), so spans of different processes meet without a header and the same share of traces is kept everywhere.
Guaranteed: no personal data; a span has names, ids and counts. What cannot be sent is dropped, never waited for.
"""

import hashlib
import logging
import os
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version

import psycopg
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from waystream.core.errors import Unavailable
from waystream.kernel.database import error_text
from waystream.kernel.dispatcher import Turn
from waystream.kernel.jobs import Claimed
from waystream.kernel.log import Recorded
from waystream.kernel.origins import find_origins
from waystream.kernel.tx import Work

logger = logging.getLogger(__name__)

ORIGINS_MOST = 64  # of one turn or commit; the others are counted on the span
_WHOLE = 2**64
_NS = 1_000_000_000

Value = str | int


class Tracing:
    """Makes spans of what the machine's observers see. `sampled` is the share of traces that are kept, 0 to 1."""

    def __init__(self, work: Work, exporter: OTLPSpanExporter, resource: Resource, *, sampled: float) -> None:
        self._work = work
        self._resource = resource
        self._processor = BatchSpanProcessor(exporter)
        self._scope = InstrumentationScope("waystream")
        self._ids = RandomIdGenerator()
        self._bound = int(sampled * _WHOLE)

    def stop(self) -> None:
        """Send what is waiting, then end."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]

    def saw_push(self, inbox_id: int, integration: str, outcome: str, *, seconds: float) -> None:
        """A push was answered: the root of its trace."""
        origin = f"inbox:{inbox_id}"
        if self._keeps(origin):
            said = {"waystream.integration": integration, "waystream.outcome": outcome}
            self._emit("push", origin, seconds, said, root=True, kind=SpanKind.SERVER, failed=outcome != "taken")

    def saw_commit(self, inbox_ids: Sequence[int], *, seconds: float) -> None:
        """Pushes were committed together: a span below each of them."""
        origins = [f"inbox:{inbox_id}" for inbox_id in inbox_ids]
        said: dict[str, Value] = {"waystream.pushes": len(inbox_ids)}
        self._emit_each("commit", {origin: origin for origin in origins}, seconds, said)

    def saw_turn(self, rule: str, turn: Turn, *, seconds: float) -> None:
        """A rule digested events: a span in the trace of each origin of theirs."""
        causes = {_name_of(told): told for told in turn.digested}
        found = self._find({told.cause or name: name for name, told in causes.items()})
        said: dict[str, Value] = {"waystream.rule": rule, "waystream.events": len(turn.digested)}
        self._emit_each(f"rule {rule}", found, seconds, said)

    def saw_run(self, job: Claimed, *, seconds: float, outcome: str) -> None:
        """A job's run ended: a span in the trace of what led to it."""
        own = f"job:{job.id}"
        found = self._find({job.cause or own: own})
        said: dict[str, Value] = {
            "waystream.job": own, "waystream.kind": job.kind, "waystream.attempt": job.attempts,
            "waystream.outcome": outcome,
        }  # fmt: skip
        self._emit_each(f"job {job.kind}", found, seconds, said, failed=outcome != "done")

    def _find(self, named: Mapping[str, str]) -> dict[str, str]:
        """By origin, what of it is seen here: `named` has a name for each cause. Nothing while the database is away."""
        try:
            with self._work.begin(read_only=True) as tx:
                origins = find_origins(tx.conn, named)
        except (psycopg.Error, Unavailable) as error:
            logger.warning("a span is left out: %s", error_text(error))
            return {}
        return {origins[cause]: name for cause, name in named.items()}

    def _emit_each(
        self, name: str, origins: Mapping[str, str], seconds: float, said: Mapping[str, Value], *, failed: bool = False
    ) -> None:
        kept = [origin for origin in origins if self._keeps(origin)]
        left_out = max(0, len(kept) - ORIGINS_MOST)
        for origin in kept[:ORIGINS_MOST]:
            more: dict[str, Value] = {"waystream.because": origins[origin], "waystream.left_out": left_out}
            self._emit(name, origin, seconds, {**said, **more}, failed=failed)

    def _emit(
        self,
        name: str,
        origin: str,
        seconds: float,
        said: Mapping[str, Value],
        *,
        root: bool = False,
        kind: SpanKind = SpanKind.INTERNAL,
        failed: bool = False,
    ) -> None:
        ended_ns = time.time_ns()
        top = _root_of(origin)
        own = top if root else _context(top.trace_id, self._ids.generate_span_id())
        self._processor.on_end(
            ReadableSpan(
                name,
                context=own,
                parent=None if root else top,
                resource=self._resource,
                attributes={"waystream.origin": origin, **said},
                kind=kind,
                status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
                start_time=ended_ns - int(seconds * _NS),
                end_time=ended_ns,
                instrumentation_scope=self._scope,
            )
        )

    def _keeps(self, origin: str) -> bool:
        """The same answer in every process: the trace's id decides."""
        return (_root_of(origin).trace_id & (_WHOLE - 1)) < self._bound


def describe_process(roles: Iterable[str]) -> Resource:
    """What every span and figure of this process carries."""
    return Resource.create(
        {
            "service.name": "waystream",
            "service.version": version("waystream"),
            "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
            "waystream.roles": ",".join(sorted(roles)),
        }
    )


def open_tracing(work: Work, *, endpoint: str, sampled: float, resource: Resource) -> Tracing:
    """Spans go to `endpoint`/v1/traces, the address of a collector that takes OTLP over HTTP."""
    return Tracing(work, OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces"), resource, sampled=sampled)


def _root_of(origin: str) -> SpanContext:
    digest = hashlib.blake2b(origin.encode(), digest_size=24).digest()
    return _context(int.from_bytes(digest[:16]), int.from_bytes(digest[16:]))


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _name_of(told: Recorded) -> str:
    return f"event:{told.id}"
