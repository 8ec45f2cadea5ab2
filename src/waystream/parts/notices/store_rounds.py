"""SQL of rounds: one message of a person to every buyer whose parcels an incident holds."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]

ROUNDS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Round:
    """`planned_at`: since then every order has its message; `ended_at`: every message has its end."""

    shop_id: int
    slowdown_id: int
    ticket_id: int
    actor: str
    begun_at: datetime
    planned_at: datetime | None
    ended_at: datetime | None
    sealed: bytes = field(repr=False)


_ROUND = "SELECT shop_id, slowdown_id, ticket_id, actor, begun_at, planned_at, ended_at, sealed FROM notice_round "
_ONE = "WHERE shop_id = %s AND slowdown_id = %s "


def find(conn: Conn, shop_id: int, slowdown_id: int) -> Round | None:
    return conn.cursor(row_factory=class_row(Round)).execute(_ROUND + _ONE, [shop_id, slowdown_id]).fetchone()


def lock(conn: Conn, shop_id: int, slowdown_id: int) -> Round | None:
    query = _ROUND + _ONE + "FOR NO KEY UPDATE"
    return conn.cursor(row_factory=class_row(Round)).execute(query, [shop_id, slowdown_id]).fetchone()


def begin(conn: Conn, new: Round) -> bool:
    """False where one is under way; one that ended begins anew, for those who came to wait meanwhile."""
    return (
        conn.execute(
            """INSERT INTO notice_round (shop_id, slowdown_id, ticket_id, actor, sealed, begun_at)
               VALUES (%(shop)s, %(slowdown)s, %(ticket)s, %(actor)s, %(sealed)s, %(at)s)
               ON CONFLICT (shop_id, slowdown_id) DO UPDATE
               SET ticket_id = excluded.ticket_id, actor = excluded.actor, sealed = excluded.sealed,
                   begun_at = excluded.begun_at, planned_at = NULL, ended_at = NULL
               WHERE notice_round.ended_at IS NOT NULL""",
            {
                "shop": new.shop_id, "slowdown": new.slowdown_id, "ticket": new.ticket_id, "actor": new.actor,
                "sealed": new.sealed, "at": new.begun_at,
            },
        ).rowcount
        == 1
    )  # fmt: skip


_WAITING = """
FROM silence s JOIN parcel_order po ON po.parcel_id = s.parcel_id
     JOIN slowdown ON slowdown.id = s.slowdown_id AND slowdown.ended_at IS NULL
WHERE s.slowdown_id = %(slowdown)s AND s.shop_id = %(shop)s AND s.state IN ('asked', 'stalled')
  AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.order_id = po.order_id AND n.slowdown_id = %(slowdown)s)
"""


def list_waiting(conn: Conn, shop_id: int, slowdown_id: int, *, limit: int) -> list[tuple[int, list[int]]]:
    """(order, its parcels in the incident) of those who were not told of it, by order."""
    rows = conn.execute(
        f"""SELECT po.order_id, array_agg(DISTINCT po.parcel_id ORDER BY po.parcel_id) {_WAITING}
            GROUP BY po.order_id ORDER BY po.order_id LIMIT %(limit)s""".encode(),
        {"shop": shop_id, "slowdown": slowdown_id, "limit": limit},
    )
    return rows.fetchall()


def count_waiting(conn: Conn, shop_id: int, slowdown_id: int) -> int:
    row = conn.execute(
        f"SELECT count(DISTINCT po.order_id) {_WAITING}".encode(), {"shop": shop_id, "slowdown": slowdown_id}
    ).fetchone()
    assert row is not None
    return int(row[0])


def count_states(conn: Conn, shop_id: int, slowdown_id: int) -> list[tuple[str, str, bool, int]]:
    """(state, why, in doubt, how many) of the messages of a round."""
    rows = conn.execute(
        """SELECT state, why, doubted_at IS NOT NULL, count(*)::int FROM notice
           WHERE shop_id = %s AND slowdown_id = %s GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2""",
        [shop_id, slowdown_id],
    )
    return rows.fetchall()


def lasts(conn: Conn, slowdown_id: int) -> bool:
    return conn.execute("SELECT FROM slowdown WHERE id = %s AND ended_at IS NULL", [slowdown_id]).fetchone() is not None


def find_place(conn: Conn, slowdown_id: int) -> str:
    """Empty for a whole network."""
    row = conn.execute("SELECT place FROM slowdown WHERE id = %s", [slowdown_id]).fetchone()
    return str(row[0]) if row else ""


def set_planned(conn: Conn, shop_id: int, slowdown_id: int, *, at: datetime) -> None:
    conn.execute("UPDATE notice_round SET planned_at = %s " + _ONE, [at, shop_id, slowdown_id])


def take_ended(conn: Conn, *, at: datetime) -> list[Round]:
    """Those whose every message has its end (a message in doubt waits for nobody), now marked as ended."""
    query = """
        UPDATE notice_round r SET ended_at = %(at)s
        WHERE (shop_id, slowdown_id) IN (
            SELECT shop_id, slowdown_id FROM notice_round o WHERE ended_at IS NULL AND planned_at IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.slowdown_id = o.slowdown_id AND n.shop_id = o.shop_id
                              AND (n.state = 'planned' OR n.state = 'sending' AND n.doubted_at IS NULL))
            ORDER BY begun_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING shop_id, slowdown_id, ticket_id, actor, begun_at, planned_at, ended_at, sealed"""
    values = {"at": at, "limit": ROUNDS_AT_ONCE}
    return conn.cursor(row_factory=class_row(Round)).execute(query, values).fetchall()
