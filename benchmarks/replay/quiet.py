"""Waiting until Waystream has nothing left to do: woken by the log's own signal, sure by one look at the database."""

import time
from collections.abc import Callable
from contextlib import closing

from waystream.app import App
from waystream.kernel.log import LOG_CHANNEL

LOOK_EVERY_S = 0.25
STUCK_AFTER_S = 120.0

#: One statement sees one moment: jobs to run, events without a position, rules behind the log, numbers unsettled.
#: What one of these leads to is written in the transaction that ends it, so nothing hides between them.
_BUSY = """
SELECT (SELECT count(*) FROM job WHERE state IN ('ready', 'running') AND kind <> 'count_numbers')
     + (SELECT count(*) FROM event_new)
     + (SELECT count(*) FROM rule_cursor WHERE position < (SELECT position FROM sequencer))
     + (SELECT count(*) FROM take WHERE state IN ('planned', 'asked', 'doubt')),
       (SELECT position FROM sequencer), (SELECT count(*) FROM parcel WHERE stage = 'dispatched')
"""


def wait_until_quiet(app: App, told: Callable[[int], None]) -> None:
    """Tells how many parcels have left so far. Raises `RuntimeError` when the log stands still with work undone."""
    looked_at_s, moved_at_s, last = 0.0, time.monotonic(), -1
    with closing(app.machine_database.listen(LOG_CHANNEL, timeout_s=LOOK_EVERY_S)) as signals:
        for _ in signals:
            now_s = time.monotonic()
            if now_s - looked_at_s < LOOK_EVERY_S:
                continue
            looked_at_s = now_s
            busy, position, dispatched = _look(app)
            told(dispatched)
            if busy == 0:
                return
            if position != last:
                last, moved_at_s = position, now_s
            if now_s - moved_at_s > STUCK_AFTER_S:
                raise RuntimeError(f"there is work left ({busy}) but nothing has happened for {STUCK_AFTER_S:.0f} s")


def _look(app: App) -> tuple[int, int, int]:
    with app.machine.begin(read_only=True) as tx:
        row = tx.conn.execute(_BUSY).fetchone()
    assert row is not None
    return row[0], row[1], row[2]
