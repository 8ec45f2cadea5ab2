"""Where a chain of causes began: the push, the decision or the job that nothing else of ours led to.

A cause names what it follows from: `inbox:ID` a push, `event:ID/DEPTH` an event, `log:FIRST-LAST/DEPTH` events that
were digested together, `job:ID/DEPTH` a job, which has a cause of its own. Walking back is bounded, like the chain.
"""

import re
from collections.abc import Iterable
from typing import Any

from psycopg import Connection

from waystream.kernel.log import DEEPEST_CAUSE

#: Between two events there can be a job or two.
STEPS_MOST = 3 * DEEPEST_CAUSE
_STEP = re.compile(r"(event|log|job):(\d+)(?:-\d+)?/\d+")


def find_origins(conn: Connection[Any], causes: Iterable[str]) -> dict[str, str]:
    """The beginning of each of these chains, without its depth; what leads no further back is its own beginning."""
    reached = {cause: cause for cause in causes if cause}
    for _ in range(STEPS_MOST):
        before = _step(conn, set(reached.values()))
        if not before:
            break
        reached = {cause: before.get(at, at) for cause, at in reached.items()}
    return {cause: at.partition("/")[0] for cause, at in reached.items()}


def _step(conn: Connection[Any], causes: set[str]) -> dict[str, str]:
    """What led to each of these, of those that something led to."""
    ids: dict[str, dict[int, str]] = {"event": {}, "log": {}, "job": {}}
    for cause in causes:
        if found := _STEP.fullmatch(cause):
            ids[found[1]][int(found[2])] = cause
    rows = conn.execute(
        """SELECT 'event', id, cause FROM event WHERE id = ANY (%(event)s) AND cause <> ''
           UNION ALL
           SELECT 'log', position, event.cause FROM log JOIN event ON event.id = event_id
           WHERE position = ANY (%(log)s) AND event.cause <> ''
           UNION ALL
           SELECT 'job', id, cause FROM job WHERE id = ANY (%(job)s) AND cause <> ''""",
        {kind: list(named) for kind, named in ids.items()},
    )
    return {ids[kind][row_id]: cause for kind, row_id, cause in rows}
