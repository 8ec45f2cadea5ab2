"""Real marketplace orders, read from Parquet files outside the project; no row is kept here.

Guaranteed: the same files give the same orders in the same order, each with items and a hand-over time, instants
without a zone read as UTC. What is made of them is `story`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

FILES = ("orders", "order_items", "customers", "sellers", "products")


class DataAbsent(Exception):
    """The data folder, or a file of it, is not there; the text says what to do."""


@dataclass(frozen=True, slots=True)
class RealLine:
    """So many of one product from one seller. Sizes and weight are 0 where nobody measured."""

    line_no: int
    seller: str
    product: str
    category: str
    quantity: int
    price_fen: int
    weight_g: int
    size_mm: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class RealOrder:
    """An order that was handed over to its carriers; `delivered_at` None: it never arrived."""

    number: str
    approved_at: datetime | None
    ship_by: datetime
    promised_at: datetime
    handed_over_at: datetime
    delivered_at: datetime | None
    city: str
    state: str
    postcode: str
    lines: tuple[RealLine, ...]

    @property
    def sellers(self) -> tuple[str, ...]:
        """In the order of their lines."""
        return tuple(dict.fromkeys(line.seller for line in self.lines))


_LINES = """
SELECT o.order_id, o.order_approved_at, max(i.shipping_limit_date) OVER (PARTITION BY o.order_id),
       o.order_estimated_delivery_date, o.order_delivered_carrier_date, o.order_delivered_customer_date,
       coalesce(c.customer_city, s.seller_city), coalesce(c.customer_state, s.seller_state),
       coalesce(c.customer_zip_code_prefix, s.seller_zip_code_prefix),
       i.seller_id, i.product_id, coalesce(p.product_category_name, ''), i.quantity, round(i.price * 100)::BIGINT,
       coalesce(p.product_weight_g, 0), coalesce(p.product_length_cm, 0) * 10, coalesce(p.product_width_cm, 0) * 10,
       coalesce(p.product_height_cm, 0) * 10
FROM orders AS o
JOIN (SELECT order_id, seller_id, product_id, price, count(*) AS quantity, min(order_item_id) AS first_item,
             max(shipping_limit_date) AS shipping_limit_date
      FROM order_items GROUP BY ALL) AS i USING (order_id)
JOIN sellers AS s USING (seller_id)
JOIN products AS p USING (product_id)
LEFT JOIN customers AS c USING (customer_id)
WHERE o.order_delivered_carrier_date IS NOT NULL
ORDER BY o.order_id, i.first_item
"""


def read_orders(folder: Path) -> list[RealOrder]:
    """Every order with items and a hand-over time, by number. Raises `DataAbsent`."""
    files = {name: folder / "olist" / f"{name}.parquet" for name in FILES}
    missing = next((file for file in files.values() if not file.is_file()), None)
    if missing is not None:
        raise DataAbsent(
            f"There is no {missing}: the replay reads real orders from the folder WAYSTREAM_DATA names "
            "(default: shared/data beside the repository)."
        )
    with duckdb.connect() as database:
        for name, file in files.items():
            database.read_parquet(str(file)).create_view(name)
        rows = database.execute(_LINES).fetchall()
    return [_order(list(of)) for _, of in groupby(rows, key=lambda row: row[0])]


def _order(rows: Sequence[tuple[Any, ...]]) -> RealOrder:
    number, approved, ship_by, promised, handed_over, delivered, city, state, postcode = rows[0][:9]
    return RealOrder(
        number=number,
        approved_at=_instant(approved) if approved else None,
        ship_by=_instant(ship_by),
        promised_at=_instant(promised),
        handed_over_at=_instant(handed_over),
        delivered_at=_instant(delivered) if delivered else None,
        city=city,
        state=state,
        postcode=postcode,
        lines=tuple(_lines(rows)),
    )


def _lines(rows: Sequence[tuple[Any, ...]]) -> Iterator[RealLine]:
    for line_no, row in enumerate(rows, 1):
        seller, product, category, quantity, price_fen, weight_g, *size_mm = row[9:]
        yield RealLine(line_no, seller, product, category, quantity, price_fen, weight_g, tuple(size_mm))


def _instant(local: datetime) -> datetime:
    return local.replace(tzinfo=UTC)


def choose(orders: Sequence[RealOrder], count: int) -> list[RealOrder]:
    """`count` orders, the hard ones first: at most a quarter of several sellers, a quarter that never arrived, and
    then whatever comes, by number. Raises `DataAbsent` when there are not so many."""
    if len(orders) < count:
        raise DataAbsent(f"There are only {len(orders)} orders with items and a hand-over time, not {count}.")
    several = [order for order in orders if len(order.sellers) > 1]
    lost = [order for order in orders if order.delivered_at is None]
    ranked = [*several[: count // 4], *lost[: count // 4], *orders]
    chosen = list({order.number: order for order in ranked}.values())[:count]
    return sorted(chosen, key=lambda order: order.number)
