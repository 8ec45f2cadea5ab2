"""Waiting until Waystream has nothing left to do: woken by the log's own signal, sure by one look at the database."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.replay.processes import ReplayFailed
from waystream.app import App
from waystream.kernel.dispatcher import Rule
from waystream.kernel.log import LOG_CHANNEL

SIGNAL_WAIT_S = 1.0
GATHER_S = 0.25  # signals that come right behind one another are one look
STUCK_AFTER_S = 120.0

#: One statement sees one moment: jobs to run, numbers unsettled, events without a position, rules with events to read.
#: What one of these leads to is written in the transaction that ends it, so nothing hides between them.
#: Questions to carriers are left out: parcels whose story has ended are asked for because of their silence, and the
#: network of the load benchmarks, which only pushes, never answers.
_LOOK = """
SELECT (SELECT count(*) FROM job WHERE state IN ('ready', 'running') AND kind NOT IN ('count_numbers', 'ask_carrier'))
     + (SELECT count(*) FROM take WHERE state IN ('planned', 'asked', 'doubt'))
     + (SELECT count(*) FROM event_new)
     + (SELECT count(*) FROM rule_cursor WHERE EXISTS (
            SELECT FROM log JOIN event ON event.id = log.event_id
            JOIN unnest(%(rules)s::text[], %(events)s::text[]) AS reads (rule, name) ON reads.name = event.name
            WHERE log.position > rule_cursor.position AND reads.rule = rule_cursor.rule)),
       (SELECT position FROM sequencer), (SELECT count(*) FROM binding)
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How much is left to do, how far the log is, how many parcels have a number."""

    busy: int
    position: int
    numbered: int


def wait_until_quiet(app: App, told: Callable[[int], None]) -> None:
    """Tells how many parcels have a number so far. Raises `ReplayFailed` when the log stands still with work undone."""
    moved_at_s, last = time.monotonic(), -1
    with psycopg.connect(app.urls.machine, autocommit=True) as conn:
        conn.execute(f"LISTEN {LOG_CHANNEL}")
        while (look := _look(app)).busy:
            told(look.numbered)
            if look.position != last:
                moved_at_s, last = time.monotonic(), look.position
            if time.monotonic() - moved_at_s > STUCK_AFTER_S:
                raise ReplayFailed(f"{look.busy} things are left to do, but nothing happened for {STUCK_AFTER_S:.0f} s")
            _await_signal(conn)


def _look(app: App) -> Look:
    reads = [(rule.name, event) for rule in map(Rule.of, app.rules) for event in sorted(rule.events)]
    rules, events = zip(*reads, strict=True)
    with app.machine.begin(read_only=True) as tx:
        row = tx.conn.execute(_LOOK, {"rules": list(rules), "events": list(events)}).fetchone()
    assert row is not None
    return Look(*row)


def _await_signal(conn: psycopg.Connection[Any]) -> None:
    if list(conn.notifies(timeout=SIGNAL_WAIT_S, stop_after=1)):
        list(conn.notifies(timeout=GATHER_S))
