"""What people asked of rules and what came of it: the SQL of `rule_request`.

A row is written where it is asked, by any process; whoever runs jobs does the work and writes the outcome. What has
ended is kept for a while; what waits is never pruned.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Connection

from waystream.kernel.jobs import Sweep
from waystream.kernel.tx import Tx

Wish = Literal["retry", "skip", "resume", "replay", "dry_run"]

PRUNED_AT_ONCE = 10_000

COLUMNS = """id, rule, wish, from_position, upto_position, actor, reason, asked_at, state, ended_at, events, undigested,
             emitted, enqueued, error"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish as it is written down; a replay and a dry run read the positions `first` to `last`."""

    rule: str
    wish: Wish
    actor: str
    reason: str = ""
    first: int | None = None
    last: int | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a wish: events digested (or read by a dry run) and undigested, what a dry run would have said."""

    events: int = 0
    undigested: int = 0
    emitted: int = 0
    enqueued: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.events + other.events,
            self.undigested + other.undigested,
            self.emitted + other.emitted,
            self.enqueued + other.enqueued,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """A wish with its outcome; `state` is asked, done or failed."""

    id: int
    rule: str
    wish: Wish
    first: int | None
    last: int | None
    actor: str
    reason: str
    asked_at: datetime
    state: Literal["asked", "done", "failed"]
    ended_at: datetime | None
    events: int
    undigested: int
    emitted: int
    enqueued: int
    error: str


def insert(conn: Connection[Any], asked: Asked, *, at: datetime) -> int:
    """The new row's id."""
    found = conn.execute(
        """INSERT INTO rule_request (rule, wish, from_position, upto_position, actor, reason, asked_at, state, ended_at)
           VALUES (%(rule)s, %(wish)s, %(first)s, %(last)s, %(actor)s, %(reason)s, %(at)s,
                   CASE WHEN %(done)s THEN 'done' ELSE 'asked' END, CASE WHEN %(done)s THEN %(at)s::timestamptz END)
           RETURNING id""",
        {
            "rule": asked.rule,
            "wish": asked.wish,
            "first": asked.first,
            "last": asked.last,
            "actor": asked.actor,
            "reason": asked.reason,
            "at": at,
            "done": asked.done,
        },
    ).fetchone()
    assert found is not None
    return int(found[0])


def end(conn: Connection[Any], request_id: int, outcome: Outcome, *, error: str = "", at: datetime) -> None:
    """Write down what came of it; with an error it failed."""
    conn.execute(
        """UPDATE rule_request SET state = CASE WHEN %(error)s = '' THEN 'done' ELSE 'failed' END, ended_at = %(at)s,
                  events = %(events)s, undigested = %(undigested)s, emitted = %(emitted)s, enqueued = %(enqueued)s,
                  error = %(error)s
           WHERE id = %(id)s""",
        {
            "id": request_id,
            "error": error,
            "at": at,
            "events": outcome.events,
            "undigested": outcome.undigested,
            "emitted": outcome.emitted,
            "enqueued": outcome.enqueued,
        },
    )


def find(conn: Connection[Any], request_id: int) -> Request | None:
    row = conn.execute(f"SELECT {COLUMNS} FROM rule_request WHERE id = %s", [request_id]).fetchone()
    return Request(*row) if row else None


def list_of_rule(conn: Connection[Any], rule: str, *, limit: int) -> list[Request]:
    """What was asked of a rule, the newest first."""
    rows = conn.execute(f"SELECT {COLUMNS} FROM rule_request WHERE rule = %s ORDER BY id DESC LIMIT %s", [rule, limit])
    return [Request(*row) for row in rows]


def prune(conn: Connection[Any], *, before: datetime) -> int:
    """Remove wishes that ended before that instant, oldest first, at most PRUNED_AT_ONCE; how many."""
    return conn.execute(
        """DELETE FROM rule_request WHERE id IN (
               SELECT id FROM rule_request WHERE ended_at < %s ORDER BY id LIMIT %s)""",
        [before, PRUNED_AT_ONCE],
    ).rowcount


def pruning(*, every_s: float = 3600.0, keep_days: float = 365.0) -> Sweep:
    """The sweep that keeps the table small; who asked for what stays in the audit log."""

    def do(tx: Tx) -> int:
        return prune(tx.conn, before=tx.now - timedelta(days=keep_days))

    return Sweep("ended_rule_requests", every_s, do)
