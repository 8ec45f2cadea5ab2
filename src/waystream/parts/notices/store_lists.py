"""SQL of the log: what was said, is on its way, or was dropped, newest first. Masked, never in the clear."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]

COUNTED_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty means all. `doubted`: handed over without an answer. `warehouses` are how a caller's limit him."""

    state: str = ""
    kind: str = ""
    channel: str = ""
    order_id: int = 0
    doubted: bool = False
    warehouses: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """`parcels`: how many it is about. `actor` empty: a rule said it."""

    id: int
    shop_id: int
    shop: str
    order_id: int
    order: str
    kind: str
    state: str
    actor: str
    test: bool
    again_of: int | None
    planned_at: datetime
    due_at: datetime
    composed_at: datetime | None
    handed_at: datetime | None
    ended_at: datetime | None
    channel: str
    refused_by: list[str]
    language: str
    name_mask: str
    to_mask: str
    why: str
    said: str
    doubted_at: datetime | None
    parcels: int


_ROW = """
SELECT n.id, n.shop_id, s.name AS shop, n.order_id, o.number AS order, n.kind, n.state, n.actor, n.test, n.again_of,
       n.planned_at, n.due_at, n.composed_at, n.handed_at, n.ended_at, n.channel, n.refused_by, n.language,
       p.name_mask, n.to_mask, n.why, n.said, n.doubted_at,
       (SELECT count(*) FROM notice_thing t WHERE t.notice_id = n.id AND t.parcel_id <> 0)::int AS parcels
FROM {chosen} n
JOIN orders o ON o.id = n.order_id JOIN shop s ON s.id = n.shop_id JOIN person p ON p.id = o.person_id
"""
#: Ranges of the indexes that begin with the shop: of each shop a page, of these the newest. Ordered by the shop as
#: well, so that the primary key does not look fit: through it a shop that says little is found among all the others.
_BY_SHOP = """
(SELECT n.* FROM shop CROSS JOIN LATERAL (
     SELECT * FROM notice n WHERE n.shop_id BETWEEN shop.id AND shop.id AND {where}
     ORDER BY n.shop_id, n.id DESC LIMIT %(limit)s) n
 ORDER BY n.id DESC LIMIT %(limit)s)"""
_OF_ORDER = "(SELECT * FROM notice n WHERE {where} ORDER BY n.id DESC LIMIT %(limit)s)"
_WHERE = {
    "state": "n.state = %(state)s",
    "kind": "n.kind = %(kind)s",
    "channel": "n.channel = %(channel)s",
    "order_id": "n.order_id = %(order_id)s",
    "doubted": "n.state = 'sending' AND n.doubted_at IS NOT NULL",
}


#: In a CASE, of which half are expected to fit; of a bare comparison hardly any would be, and the whole shop be sorted.
_HERE = """CASE WHEN (SELECT warehouse_id FROM orders o WHERE o.id = n.order_id) = ANY (%(warehouses)s)
                THEN true ELSE false END"""


def list_notices(conn: Conn, filters: Filters, *, before: int | None, limit: int) -> list[NoticeRow]:
    """The newest first."""
    wanted = [condition for name, condition in _WHERE.items() if getattr(filters, name)]
    if before is not None:
        wanted.append("n.id < %(before)s")
    if filters.warehouses is not None:
        wanted.append(_HERE)
    chosen = (_OF_ORDER if filters.order_id else _BY_SHOP).format(where=" AND ".join(wanted) or "true")
    query = _ROW.format(chosen=chosen) + "ORDER BY n.id DESC"
    values = {name: getattr(filters, name) for name in ("state", "kind", "channel", "order_id")}
    values |= {"before": before, "limit": limit, "warehouses": sorted(filters.warehouses or ())}
    return conn.cursor(row_factory=class_row(NoticeRow)).execute(query.encode(), values).fetchall()


def find_row(conn: Conn, notice_id: int, *, warehouses: frozenset[int] | None) -> NoticeRow | None:
    return (
        conn.cursor(row_factory=class_row(NoticeRow))
        .execute(
            _ROW.format(chosen="notice") + "WHERE n.id = %s AND (%s::bigint[] IS NULL OR o.warehouse_id = ANY (%s))",
            [notice_id, _limit(warehouses), _limit(warehouses)],
        )
        .fetchone()
    )


def _limit(warehouses: frozenset[int] | None) -> list[int] | None:
    return None if warehouses is None else sorted(warehouses)


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the messages planned since an instant; each at most COUNTED_AT_MOST. `doubted`: of all."""

    planned: int
    told: int
    arrived: int
    refused: int
    dropped: int
    doubted: int


def count(conn: Conn, *, since_id: int, warehouses: frozenset[int] | None) -> Counts:
    found = (
        conn.cursor(row_factory=class_row(Counts))
        .execute(
            """SELECT count(*) FILTER (WHERE state IN ('planned', 'sending'))::int AS planned,
                      count(*) FILTER (WHERE state IN ('handed', 'delivered'))::int AS told,
                      count(*) FILTER (WHERE state = 'delivered')::int AS arrived,
                      count(*) FILTER (WHERE state = 'refused')::int AS refused,
                      count(*) FILTER (WHERE state = 'dropped')::int AS dropped,
                      (SELECT count(*) FROM notice WHERE state = 'sending' AND doubted_at IS NOT NULL)::int AS doubted
               FROM (SELECT n.state FROM notice n
                     WHERE n.id >= %(since)s AND NOT n.test
                       AND (%(warehouses)s::bigint[] IS NULL OR
                            (SELECT warehouse_id FROM orders o WHERE o.id = n.order_id) = ANY (%(warehouses)s))
                     ORDER BY n.id DESC LIMIT %(limit)s) AS today""",
            {"since": since_id, "warehouses": _limit(warehouses), "limit": COUNTED_AT_MOST},
        )
        .fetchone()
    )
    assert found is not None
    return found


def list_channels(conn: Conn, shop_ids: Collection[int]) -> list[str]:
    """The names of the channels that these shops have or had messages by: one look for each, in an index."""
    rows = conn.execute(
        """WITH RECURSIVE named AS (
               (SELECT s.shop_id, (SELECT min(channel) FROM notice n WHERE n.shop_id = s.shop_id AND channel <> '')
                       AS channel FROM unnest(%s::bigint[]) AS s (shop_id))
               UNION ALL
               SELECT shop_id, (SELECT min(channel) FROM notice n
                                WHERE n.shop_id = named.shop_id AND n.channel > named.channel AND channel <> '')
               FROM named WHERE channel IS NOT NULL
           ) SELECT DISTINCT channel FROM named WHERE channel IS NOT NULL ORDER BY 1 LIMIT 50""",
        [sorted(shop_ids)],
    )
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """An order to try words over."""

    id: int
    number: str
    word: str


def list_samples(conn: Conn, shop_id: int, *, limit: int) -> Sequence[SampleOrder]:
    """Orders of a shop that moved last, of each word the newest: something to try every kind over."""
    rows = conn.cursor(row_factory=class_row(SampleOrder)).execute(
        """SELECT o.id, o.number, o.word FROM (SELECT DISTINCT warehouse_id, word FROM standing
                                               WHERE what = 'order' AND shop_id = %(shop)s) AS cell
           CROSS JOIN LATERAL (SELECT id, number, word, moved_at FROM orders
                               WHERE shop_id = %(shop)s AND warehouse_id = cell.warehouse_id AND word = cell.word
                               ORDER BY moved_at DESC, id DESC LIMIT 2) o
           ORDER BY o.moved_at DESC, o.id DESC LIMIT %(limit)s""",
        {"shop": shop_id, "limit": limit},
    )
    return rows.fetchall()
