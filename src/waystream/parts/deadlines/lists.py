"""What may be read of deadlines: one page of a kind, and how many of each there are."""

from datetime import datetime

from waystream.kernel.tx import Tx
from waystream.parts.deadlines import store_lists
from waystream.parts.deadlines.store_lists import COUNTED_AT_MOST, Count, Row, Wanted

__all__ = ["COUNTED_AT_MOST", "Count", "Row", "Wanted", "count_deadlines", "list_deadlines"]


def list_deadlines(tx: Tx, wanted: Wanted, *, limit: int) -> list[Row]:
    """What is due first, first."""
    return store_lists.list_deadlines(tx.conn, wanted, limit=limit)


def count_deadlines(
    tx: Tx, *, until: datetime | None = None, shop_id: int | None = None, warehouses: tuple[int, ...] | None = None
) -> dict[str, Count]:
    """By kind; `until` bounds what is due."""
    return store_lists.count_deadlines(tx.conn, until=until, shop_id=shop_id, warehouses=warehouses)
