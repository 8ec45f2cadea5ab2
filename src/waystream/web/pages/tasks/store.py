"""How parcels are named on the page of tasks: by their first order, in one query for all of them.

CASE and not COALESCE finds the mother: where rows are held by shop, no index serves what PostgreSQL takes for leaky.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]


@dataclass(frozen=True, slots=True)
class Named:
    """`orders` is how many travel in the parcel, `order` the number of the first."""

    parcel_id: int
    order: str
    orders: int
    shop: str
    warehouse: str


def name_parcels(conn: Conn, parcel_ids: Collection[int]) -> dict[int, Named]:
    rows = (
        conn.cursor(row_factory=class_row(Named))
        .execute(
            """SELECT p.id AS parcel_id, COALESCE(o.number, '') AS "order", COALESCE(o.orders, 0) AS orders,
                      shop.name AS shop, w.name AS warehouse
               FROM parcel p JOIN shop ON shop.id = p.shop_id JOIN warehouse w ON w.id = p.warehouse_id
               LEFT JOIN LATERAL (
                   SELECT orders.number, count(*) OVER () AS orders
                   FROM parcel_order po JOIN orders ON orders.id = po.order_id
                   WHERE po.parcel_id = CASE WHEN p.mother_id IS NULL THEN p.id ELSE p.mother_id END
                   ORDER BY po.order_id LIMIT 1) o ON true
               WHERE p.id = ANY (%s)""",
            [sorted(set(parcel_ids))],
        )
        .fetchall()
    )
    return {row.parcel_id: row for row in rows}
