"""The SQL of the job table that only the runner needs: claiming, expired leases, pruning, the locks of sweeps.

Leases and due times are the machine's clock, asked for once per statement so that an index can serve it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from waystream.kernel.jobs import Claimed, Sweep
from waystream.kernel.tx import Tx

EXPIRED_AT_ONCE = 1_000
PRUNED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many jobs of a kind may be claimed, and for how long."""

    kind: str
    slots: int
    lease_s: float


def claim(conn: Connection[Any], wanted: Sequence[Wanted], *, limit: int) -> list[Claimed]:
    """Lease up to `limit` due jobs, the longest due first; jobs that others are claiming are passed over.

    The commit waits for the disk: a claim that a crash forgot could be made again under the same `attempts`, and two
    runs would call the carrier at once.
    """
    rows = conn.execute(
        """WITH due AS MATERIALIZED (
               SELECT found.id, found.due_at, wanted.lease_s
               FROM unnest(%(kinds)s::text[], %(slots)s::int[], %(leases)s::float8[]) AS wanted (kind, slots, lease_s)
               CROSS JOIN LATERAL (
                   SELECT id, due_at FROM job
                   WHERE job.kind = wanted.kind AND state = 'ready' AND due_at <= (SELECT clock_timestamp())
                   ORDER BY due_at LIMIT wanted.slots FOR UPDATE SKIP LOCKED
               ) AS found
               ORDER BY found.due_at LIMIT %(limit)s
           )
           UPDATE job SET state = 'running', attempts = attempts + 1,
                          leased_until = clock_timestamp() + make_interval(secs => due.lease_s)
           FROM due WHERE job.id = due.id
           RETURNING job.id, kind, shop_id, key, subject, args, attempts, cause, due.due_at""",
        {
            "kinds": [want.kind for want in wanted],
            "slots": [want.slots for want in wanted],
            "leases": [want.lease_s for want in wanted],
            "limit": limit,
        },
    ).fetchall()
    return [Claimed(*row[:-1]) for row in sorted(rows, key=lambda row: (row[-1], row[0]))]


def expire_leases(conn: Connection[Any]) -> int:
    """Make jobs ready again whose lease has ended; how many. Whoever still runs one cannot finish it."""
    return conn.execute(
        """UPDATE job SET state = 'ready', leased_until = NULL, error = 'the lease ended before the run did'
           WHERE id IN (SELECT id FROM job WHERE state = 'running' AND leased_until < (SELECT clock_timestamp())
                        ORDER BY leased_until LIMIT %s FOR UPDATE SKIP LOCKED)""",
        [EXPIRED_AT_ONCE],
    ).rowcount


def release_leases(conn: Connection[Any]) -> int:
    """Make every running job ready again; how many. For a database that came back without those who ran them."""
    return conn.execute("UPDATE job SET state = 'ready', leased_until = NULL WHERE state = 'running'").rowcount


def prune(conn: Connection[Any], *, keep_done_days: float, keep_given_up_days: float) -> int:
    """Remove jobs that ended long ago, oldest first, at most PRUNED_AT_ONCE of each state; how many."""
    return conn.execute(
        """DELETE FROM job WHERE id IN (
               (SELECT id FROM job
                WHERE state = 'done' AND finished_at < (SELECT clock_timestamp()) - %(done)s * interval '1 day'
                ORDER BY finished_at LIMIT %(limit)s)
               UNION ALL
               (SELECT id FROM job
                WHERE state = 'given_up' AND finished_at < (SELECT clock_timestamp()) - %(given_up)s * interval '1 day'
                ORDER BY finished_at LIMIT %(limit)s))""",
        {"done": keep_done_days, "given_up": keep_given_up_days, "limit": PRUNED_AT_ONCE},
    ).rowcount


def pruning(*, every_s: float = 600.0, keep_done_days: float = 7.0, keep_given_up_days: float = 90.0) -> Sweep:
    """The sweep that keeps the job table small."""

    def do(tx: Tx) -> int:
        return prune(tx.conn, keep_done_days=keep_done_days, keep_given_up_days=keep_given_up_days)

    return Sweep("finished_jobs", every_s, do)


@dataclass(frozen=True, slots=True)
class Queue:
    """How many jobs of a kind are not done, and how long the longest due one waits."""

    kind: str
    ready: int
    running: int
    given_up: int
    overdue_s: float


def list_queues(conn: Connection[Any]) -> list[Queue]:
    """Every kind that has jobs which are not done, by name."""
    rows = conn.execute(
        """SELECT kind, count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'running'),
                  count(*) FILTER (WHERE state = 'given_up'),
                  extract(epoch FROM (SELECT clock_timestamp()) - min(due_at) FILTER (WHERE state = 'ready'))
           FROM (SELECT kind, state, due_at FROM job WHERE state IN ('ready', 'running')
                 UNION ALL
                 SELECT kind, state, due_at FROM job WHERE state = 'given_up') AS unfinished
           GROUP BY kind ORDER BY kind"""
    )
    return [
        Queue(kind, ready=ready, running=running, given_up=given_up, overdue_s=max(0.0, float(waits_s or 0)))
        for kind, ready, running, given_up, waits_s in rows
    ]


def lock_sweep(conn: Connection[Any], name: str) -> bool:
    """Whether the sweep is ours until the commit."""
    found = conn.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('sweep:' || %s, 0))", [name]).fetchone()
    assert found is not None
    return bool(found[0])
