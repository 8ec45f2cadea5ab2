"""All SQL of numbers assigned beforehand. `parcel_id` of a drawn number is whose it became."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from waystream.kernel.columns import texts
from waystream.kernel.database import Connection


@dataclass(frozen=True, slots=True)
class Batch:
    """What was handed in at once, and how many of it nobody has drawn."""

    id: int
    account_id: int
    carrier: str
    first: str
    last: str
    size: int
    free: int
    actor: str
    added_at: datetime


def insert_batch(
    conn: Connection, account_id: int, *, carrier: str, numbers: Sequence[str], actor: str, at: datetime
) -> tuple[int, int]:
    """The batch, and how many of these numbers were new; what any account has or had stays where it is."""
    row = conn.execute(
        """INSERT INTO number_batch (account_id, first, last, size, actor, added_at)
           VALUES (%s, %s, %s, 0, %s, %s) RETURNING id""",
        [account_id, numbers[0], numbers[-1], actor, at],
    ).fetchone()
    assert row is not None
    batch_id = int(row[0])
    added = conn.execute(
        """INSERT INTO reserved_number (carrier, number, account_id, batch_id)
           SELECT %(carrier)s, number, %(account)s, %(batch)s
           FROM unnest(%(numbers)b::text[]) WITH ORDINALITY AS told (number, place)
           WHERE NOT EXISTS (SELECT FROM binding WHERE binding.carrier = %(carrier)s AND binding.number = told.number)
           ORDER BY place ON CONFLICT DO NOTHING""",
        {"carrier": carrier, "account": account_id, "batch": batch_id, "numbers": texts(numbers)},
    ).rowcount
    conn.execute("UPDATE number_batch SET size = %s WHERE id = %s", [added, batch_id])
    return batch_id, added


def draw(conn: Connection, account_id: int, *, parcel_id: int | None, n: int, at: datetime) -> list[str]:
    """The next `n` numbers nobody had, each locked by whoever draws it; none where there are fewer."""
    rows = conn.execute(
        """SELECT carrier, number FROM reserved_number
           WHERE account_id = %s AND drawn_at IS NULL AND NOT EXISTS (
               SELECT FROM binding WHERE binding.carrier = reserved_number.carrier
                 AND binding.number = reserved_number.number)
           ORDER BY nth LIMIT %s FOR UPDATE SKIP LOCKED""",
        [account_id, n],
    ).fetchall()
    if len(rows) < n:
        return []
    conn.execute(
        """UPDATE reserved_number SET drawn_at = %s, parcel_id = %s
           WHERE carrier = %s AND number = ANY(%s)""",
        [at, parcel_id, rows[0][0], [number for _, number in rows]],
    )
    return [number for _, number in rows]


def list_batches(conn: Connection, *, limit: int) -> list[Batch]:
    """The newest first."""
    with conn.cursor(row_factory=class_row(Batch)) as cur:
        return cur.execute(
            """SELECT number_batch.id, account_id, carrier, first, last, size,
                      (SELECT count(*) FROM reserved_number
                       WHERE batch_id = number_batch.id AND drawn_at IS NULL) AS free, actor, added_at
               FROM number_batch JOIN carrier_account ON carrier_account.id = account_id
               ORDER BY number_batch.id DESC LIMIT %s""",
            [limit],
        ).fetchall()


def drop_free(conn: Connection, batch_id: int) -> int | None:
    """Forget what nobody drew of a batch; how many, None for no such batch."""
    if conn.execute("SELECT FROM number_batch WHERE id = %s FOR UPDATE", [batch_id]).fetchone() is None:
        return None
    return conn.execute("DELETE FROM reserved_number WHERE batch_id = %s AND drawn_at IS NULL", [batch_id]).rowcount


def carrier_of(conn: Connection, account_id: int) -> str | None:
    row = conn.execute("SELECT carrier FROM carrier_account WHERE id = %s", [account_id]).fetchone()
    return row[0] if row else None


def parcels_refused(conn: Connection, account_id: int, *, mends: Collection[str]) -> list[int]:
    """Mothers whose number was refused for one of these, through this account."""
    rows = conn.execute(
        """SELECT id FROM parcel WHERE stage = 'refused' AND mother_id IS NULL AND account_id = %s
             AND mend = ANY(%s) ORDER BY id""",
        [account_id, sorted(mends)],
    )
    return [row[0] for row in rows]
