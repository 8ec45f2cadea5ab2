"""SQL of what a person has to settle about numbers, and of numbers that were taken and never collected.

Every list is limited to `warehouses` where the caller is; None is every one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from waystream.kernel.database import Connection
from waystream.kernel.ids import first_id
from waystream.parts.fulfilment.store_lists import CANCEL, TAKE, CancelItem, TakeItem

Place = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Parcels that were refused a number for one reason through one account; `integration` knows the `mend`."""

    mend: str
    account_id: int | None
    account: str
    carrier: str
    integration: str
    parcels: int
    since: datetime


@dataclass(frozen=True, slots=True)
class UnusedNumber:
    """`state`: live, cancelling, or how the cancel of an orphan stands. `id` and `since` are its place in the list."""

    id: int
    parcel_id: int
    carrier: str
    number: str
    state: str
    since: datetime
    warehouse: str
    shop: str
    order: str


@dataclass(frozen=True, slots=True)
class UnusedFilters:
    """Numbers taken in [`since`, `before`), of one carrier or all, strictly after the place `after`."""

    before: datetime
    since: datetime | None = None
    carrier: str = ""
    warehouses: Sequence[int] | None = None
    after: Place | None = None


def _here(table: str) -> str:
    return f"""(%(warehouses)s::bigint[] IS NULL OR
        (SELECT warehouse_id FROM parcel WHERE parcel.id = {table}.parcel_id) = ANY(%(warehouses)s))"""


def list_unclear_takes(
    conn: Connection, *, warehouses: Sequence[int] | None, after: Place | None, limit: int
) -> list[TakeItem]:
    with conn.cursor(row_factory=class_row(TakeItem)) as cur:
        return cur.execute(
            f"""{TAKE} WHERE (take.state IN ('doubt', 'conflict')
                              OR (take.state = 'abandoned' AND take.asked_at IS NOT NULL)) AND {_here("take")}
                  AND (%(at)s::timestamptz IS NULL OR (take.created_at, take.id) > (%(at)s, %(id)s))
                ORDER BY take.created_at, take.id LIMIT %(limit)s""".encode(),
            {"warehouses": _ids(warehouses), "limit": limit, **_after(after)},
        ).fetchall()


def list_open_cancels(
    conn: Connection, *, warehouses: Sequence[int] | None, after: Place | None, limit: int
) -> list[CancelItem]:
    with conn.cursor(row_factory=class_row(CancelItem)) as cur:
        return cur.execute(
            f"""{CANCEL} WHERE (state = 'unsupported' OR (state = 'refused' AND said <> 'used again'))
                               AND settled_by = '' AND {_here("waybill_cancel")}
                  AND (%(at)s::timestamptz IS NULL OR (asked_at, id) > (%(at)s, %(id)s))
                ORDER BY asked_at, id LIMIT %(limit)s""".encode(),
            {"warehouses": _ids(warehouses), "limit": limit, **_after(after)},
        ).fetchall()


def list_refusals(conn: Connection, *, warehouses: Sequence[int] | None, limit: int) -> list[Refusal]:
    """Mother parcels only: a shipment is refused as a whole."""
    with conn.cursor(row_factory=class_row(Refusal)) as cur:
        return cur.execute(
            """SELECT parcel.mend, parcel.account_id, coalesce(carrier_account.name, '') AS account,
                      min(parcel.carrier) AS carrier, coalesce(aggregator.integration, '') AS integration,
                      count(*) AS parcels, min(parcel.moved_at) AS since
               FROM parcel LEFT JOIN carrier_account ON carrier_account.id = parcel.account_id
               LEFT JOIN aggregator ON aggregator.id = carrier_account.aggregator_id
               WHERE parcel.stage = 'refused' AND parcel.mother_id IS NULL
                 AND (%(warehouses)s::bigint[] IS NULL OR parcel.warehouse_id = ANY(%(warehouses)s))
               GROUP BY 1, 2, 3, 5 ORDER BY since LIMIT %(limit)s""",
            {"warehouses": _ids(warehouses), "limit": limit},
        ).fetchall()


def list_refused(
    conn: Connection, *, mend: str, account_id: int | None, warehouses: Sequence[int] | None, limit: int
) -> list[int]:
    """The mother parcels behind one `Refusal`, the oldest first."""
    rows = conn.execute(
        """SELECT id FROM parcel
           WHERE stage = 'refused' AND mother_id IS NULL AND mend = %(mend)s
             AND account_id IS NOT DISTINCT FROM %(account)s
             AND (%(warehouses)s::bigint[] IS NULL OR warehouse_id = ANY(%(warehouses)s))
           ORDER BY moved_at, id LIMIT %(limit)s""",
        {"mend": mend, "account": account_id, "warehouses": _ids(warehouses), "limit": limit},
    )
    return [row[0] for row in rows]


#: Bound numbers that no carrier has scanned, and orphans that could not be given back. A parcel is made before it gets
#: its number, so the age of the number bounds the parcel's id. What lies here may have no track yet.
_UNUSED = """
SELECT binding.id, binding.parcel_id, binding.carrier, binding.number, binding.state, binding.bound_at AS since
FROM (SELECT parcel_id FROM track WHERE collected_at IS NULL AND parcel_id < %(made_before)s
      UNION ALL
      SELECT lying.id FROM (SELECT * FROM standing WHERE what = 'stage' AND word IN ('issued', 'printed')) AS cell
      CROSS JOIN LATERAL (
          SELECT id FROM parcel WHERE shop_id = cell.shop_id AND warehouse_id = cell.warehouse_id
             AND carrier = cell.carrier AND stage = cell.word AND id < %(made_before)s) AS lying
      WHERE NOT EXISTS (SELECT FROM track WHERE track.parcel_id = lying.id)) AS uncollected
JOIN binding USING (parcel_id)
WHERE binding.state IN ('live', 'cancelling') AND binding.owns_until IS NULL
  AND binding.bound_at < %(before)s AND (%(since)s::timestamptz IS NULL OR binding.bound_at >= %(since)s)
UNION ALL
SELECT id, parcel_id, carrier, number, state, asked_at FROM waybill_cancel
WHERE binding_id IS NULL AND state <> 'confirmed' AND settled_by = ''
  AND asked_at < %(before)s AND (%(since)s::timestamptz IS NULL OR asked_at >= %(since)s)
"""
_CHOSEN = """(%(carrier)s = '' OR unused.carrier = %(carrier)s)
  AND (%(warehouses)s::bigint[] IS NULL OR parcel.warehouse_id = ANY(%(warehouses)s))"""


def list_unused_numbers(conn: Connection, filters: UnusedFilters, *, limit: int) -> list[UnusedNumber]:
    """The oldest first."""
    with conn.cursor(row_factory=class_row(UnusedNumber)) as cur:
        return cur.execute(
            f"""SELECT unused.*, warehouse.name AS warehouse, shop.name AS shop, coalesce(first.number, '') AS order
                FROM ({_UNUSED}) AS unused JOIN parcel ON parcel.id = unused.parcel_id
                JOIN warehouse ON warehouse.id = parcel.warehouse_id JOIN shop ON shop.id = parcel.shop_id
                LEFT JOIN LATERAL (
                    SELECT orders.number FROM parcel_order JOIN orders ON orders.id = parcel_order.order_id
                    WHERE parcel_order.parcel_id = CASE WHEN parcel.mother_id IS NULL THEN parcel.id
                                                        ELSE parcel.mother_id END
                    ORDER BY orders.id LIMIT 1
                ) AS first ON true
                WHERE {_CHOSEN}
                  AND (%(at)s::timestamptz IS NULL OR (unused.since, unused.id) > (%(at)s, %(id)s))
                ORDER BY unused.since, unused.id LIMIT %(limit)s""".encode(),
            _given(filters) | {"limit": limit},
        ).fetchall()


def count_unused_numbers(
    conn: Connection, filters: UnusedFilters, *, edges: Sequence[datetime]
) -> list[tuple[str, int, int]]:
    """(carrier, how many of the ascending `edges` the number is younger than or as old as, count)."""
    return conn.execute(
        f"""SELECT unused.carrier, width_bucket(unused.since, %(edges)s::timestamptz[]), count(*)
            FROM ({_UNUSED}) AS unused JOIN parcel ON parcel.id = unused.parcel_id
            WHERE {_CHOSEN} GROUP BY 1, 2 ORDER BY 1, 2""".encode(),
        _given(filters) | {"edges": list(edges)},
    ).fetchall()


def _after(place: Place | None) -> dict[str, object]:
    at, row_id = place or (None, None)
    return {"at": at, "id": row_id}


def _given(filters: UnusedFilters) -> dict[str, object]:
    return {
        "before": filters.before, "made_before": first_id(filters.before), "since": filters.since,
        "carrier": filters.carrier, "warehouses": _ids(filters.warehouses), **_after(filters.after),
    }  # fmt: skip


def _ids(warehouses: Sequence[int] | None) -> list[int] | None:
    return None if warehouses is None else list(warehouses)
