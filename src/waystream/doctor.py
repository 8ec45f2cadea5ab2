"""What is true of a running Waystream, in words: engines, versions, invariants."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, cast

from psycopg import Connection
from psycopg.errors import QueryCanceled

from waystream.kernel.exchange import Exchange
from waystream.kernel.jetstream import JetStream
from waystream.kernel.jetstream_check import complain
from waystream.kernel.jobs import Sweep
from waystream.kernel.tx import Tx
from waystream.parts.findings import actions as findings
from waystream.parts.findings.model import Checked
from waystream.settings import Settings

SHOWN_MAX = 20
LOOK_S = 5.0
CHECK_LIMIT_S = 5.0
#: So many checks in one sweep: a sweep's transaction stays short.
CHECKS_AT_ONCE = 2
STREAM_SENTENCES = {
    "durability": "What a stream acknowledges is on disk.",
    "replicas": "What a stream acknowledges lies on three servers, once.",
    "room": "The largest push fits into a message.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant: its sentence, and the first of what breaks it (empty: it holds)."""

    name: str
    sentence: str
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.broken


def check(tx: Tx, invariants: tuple[ModuleType, ...]) -> list[Finding]:
    """Every invariant of the open list against the database as the transaction sees it."""
    return [_check_one(tx, module) for module in invariants]


def check_streams(settings: Settings, jetstream: JetStream) -> list[Finding]:
    """What the streams promise, against how the NATS servers are set."""
    with Exchange() as exchange:
        complaints = complain(
            jetstream,
            exchange,
            monitor_urls=[url.strip() for url in settings.nats_monitor_urls.split(",") if url.strip()],
            streams=("pushes", "events"),
            body_bytes=settings.push_body_kb * 1024,
        )
    return [
        Finding(f"stream_{about}", sentence, tuple(one.sentence for one in complaints if one.about == about))
        for about, sentence in STREAM_SENTENCES.items()
    ]


def _check_one(tx: Tx, module: ModuleType) -> Finding:
    if hasattr(module, "broken"):
        broken = [str(row) for row in module.broken(tx)]
    else:
        broken = [str(tuple(row)) for row in tx.conn.execute(module.SQL).fetchmany(SHOWN_MAX)]
    return Finding(name_of(module), sentence_of(module), tuple(broken[:SHOWN_MAX]))


def sweep(invariants: Sequence[ModuleType]) -> Sweep:
    """Checks what is due, a few at a time, and keeps what it found for the overview."""
    return Sweep("check_invariants", LOOK_S, lambda tx: check_due(tx, invariants))


def check_due(tx: Tx, invariants: Sequence[ModuleType]) -> int:
    """Check those invariants that have rested long enough; how many are broken."""
    by_name = {name_of(module): module for module in invariants}
    due = findings.list_due(tx, list(by_name))[:CHECKS_AT_ONCE]
    return sum(findings.note(tx, _look(tx, by_name[name])) == "broken" for name in due)


def _look(tx: Tx, module: ModuleType) -> Checked:
    """One check, cut off after `CHECK_LIMIT_S`: then nothing is known."""
    began_s = time.monotonic()
    broken: tuple[str, ...] | None = None
    hurried = replace(tx, conn=cast(Any, _Hurried(tx.conn, began_s + CHECK_LIMIT_S)))
    try:
        with tx.conn.transaction():
            tx.conn.execute(f"SET LOCAL statement_timeout = {CHECK_LIMIT_S * 1000:.0f}")
            broken = _check_one(hurried, module).broken
    except (QueryCanceled, _TookTooLong):
        pass
    return Checked(name_of(module), sentence_of(module), module.SENTENCE_ZH, broken, time.monotonic() - began_s)


class _TookTooLong(Exception):
    """A check of many statements used up its time."""


class _Hurried:
    """A connection that begins no statement after a moment of machine time."""

    def __init__(self, conn: Connection[Any], until_s: float) -> None:
        self._conn, self._until_s = conn, until_s

    def __getattr__(self, name: str) -> Any:
        if time.monotonic() > self._until_s:
            raise _TookTooLong
        return getattr(self._conn, name)


def name_of(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def sentence_of(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().split("\n")[0]
