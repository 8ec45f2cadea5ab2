"""SQL of the tally: making one row of equal ones, forgetting what passed long ago."""

from datetime import datetime
from typing import Any

from psycopg import Connection

Conn = Connection[Any]


def fold(conn: Conn) -> int:
    """One row for each sum, none for nothing; how many rows went. Rows added meanwhile stay as they are."""
    row = conn.execute(
        """WITH many AS (
               SELECT what, shop_id, warehouse_id, carrier, word, kind, slot FROM tally
               GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING count(*) > 1 OR sum(n) = 0
           ), gone AS (
               DELETE FROM tally USING many
               WHERE (tally.what, tally.shop_id, tally.warehouse_id, tally.carrier, tally.word, tally.kind, tally.slot)
                   = (many.what, many.shop_id, many.warehouse_id, many.carrier, many.word, many.kind, many.slot)
               RETURNING tally.*
           ), kept AS (
               INSERT INTO tally (what, shop_id, warehouse_id, carrier, word, kind, slot, n)
               SELECT what, shop_id, warehouse_id, carrier, word, kind, slot, sum(n) FROM gone
               GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(n) <> 0
           )
           SELECT count(*) FROM gone"""
    ).fetchone()
    assert row is not None
    return int(row[0])


def forget(conn: Conn, *, before: datetime) -> int:
    """Drop what passed before this; what stands is kept."""
    return conn.execute("DELETE FROM tally WHERE what = 'passed' AND slot < %s", [before]).rowcount
