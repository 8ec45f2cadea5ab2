"""What a person does about jobs that were given up: look at them, have one tried again, dismiss one.

Guaranteed: each is one transaction with its audit line; a job that was dismissed is gone, the audit keeps what it was.
A job tried again is tried as if for the first time. Queues and their figures are in `job_table`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.core.errors import Conflict, Missing
from waystream.kernel.audit import Entry
from waystream.kernel.jobs import JOB_CHANNEL
from waystream.kernel.tx import Tx

PAGE_MAX = 200

COLUMNS = "id, kind, shop_id, key, subject, attempts, error, cause, created_at, finished_at"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A job that ended without success: what it was about, what led to it, why it ended, all on the machine's clock."""

    id: int
    kind: str
    shop_id: int
    key: str
    subject: str
    attempts: int
    error: str
    cause: str
    created_at: datetime
    finished_at: datetime


def list_given_up(
    tx: Tx, *, kind: str = "", before: tuple[datetime, int] | None = None, limit: int = PAGE_MAX
) -> list[GivenUp]:
    """The newest first, of one kind or of all; `before` is when the last of the page before ended, and its id."""
    at, row_id = before or (None, None)
    rows = tx.conn.execute(
        f"""SELECT {COLUMNS} FROM job
            WHERE state = 'given_up' AND (%(kind)s = '' OR kind = %(kind)s)
              AND (%(at)s::timestamptz IS NULL OR (finished_at, id) < (%(at)s, %(id)s))
            ORDER BY finished_at DESC, id DESC LIMIT %(limit)s""",
        {"kind": kind, "at": at, "id": row_id, "limit": min(limit, PAGE_MAX)},
    )
    return [GivenUp(*row) for row in rows]


def retry(tx: Tx, job_id: int, *, actor: str) -> GivenUp:
    """Have it tried again at once, with every attempt it had at first."""
    job = _hold(tx.conn, job_id)
    if _is_wanted_again(tx.conn, job):
        raise Conflict("The same is under way already in a newer job.")

    tx.conn.execute(
        """UPDATE job SET state = 'ready', attempts = 0, due_at = clock_timestamp(), finished_at = NULL
           WHERE id = %s""",
        [job.id],
    )
    _note(tx, job, "job.retry", actor=actor)

    tx.conn.execute("SELECT pg_notify(%s, 'again')", [JOB_CHANNEL])
    return job


def dismiss(tx: Tx, job_id: int, *, actor: str, reason: str) -> GivenUp:
    """Nothing more is to be done about it."""
    job = _hold(tx.conn, job_id)

    tx.conn.execute("DELETE FROM job WHERE id = %s", [job.id])
    _note(tx, job, "job.dismiss", actor=actor, reason=reason)
    return job


def _hold(conn: Connection[Any], job_id: int) -> GivenUp:
    row = conn.execute(
        f"SELECT {COLUMNS} FROM job WHERE id = %s AND state = 'given_up' FOR UPDATE", [job_id]
    ).fetchone()
    if row is None:
        raise Missing("There is no such given-up job.")
    return GivenUp(*row)


def _is_wanted_again(conn: Connection[Any], job: GivenUp) -> bool:
    found = conn.execute(
        "SELECT FROM job WHERE kind = %s AND key = %s AND state IN ('ready', 'running')", [job.kind, job.key]
    ).fetchone()
    return found is not None


def _note(tx: Tx, job: GivenUp, action: str, *, actor: str, reason: str = "") -> None:
    detail: dict[str, str | int] = {"job": job.id, "kind": job.kind, "key": job.key, "error": job.error}
    tx.note(Entry(actor, action, job.subject, job.shop_id or None, reason, detail))
