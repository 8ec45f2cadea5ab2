"""SQL of parcels whose goods were sent again in another."""

from typing import Any

from psycopg import Connection

Conn = Connection[Any]


def lock_lines(conn: Conn, parcel_id: int) -> dict[int, int]:
    """What the parcel holds: quantity by order line."""
    rows = conn.execute(
        "SELECT order_line_id, quantity FROM parcel_line WHERE parcel_id = %s ORDER BY order_line_id FOR UPDATE",
        [parcel_id],
    )
    return dict(rows.fetchall())


def move_lines(conn: Conn, parcel_id: int) -> None:
    """What it held is remembered, and free to be shipped."""
    conn.execute(
        """WITH gone AS (DELETE FROM parcel_line WHERE parcel_id = %s RETURNING *)
           INSERT INTO replaced_line (parcel_id, order_line_id, shop_id, quantity)
           SELECT parcel_id, order_line_id, shop_id, quantity FROM gone""",
        [parcel_id],
    )


def set_replaced(conn: Conn, parcel_id: int, *, by: int) -> None:
    conn.execute("UPDATE parcel SET replaced_by = %s WHERE id = %s", [by, parcel_id])
