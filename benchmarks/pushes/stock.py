"""What is there before the first push: a shop whose parcels left the warehouse, and the floor they are measured by.

Written as the owner of the tables, in bulk: nothing of this is measured but the floor.
"""

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.pushes.story import CARRIER, MERCHANT, SCANS, STEP, Story
from waystream.app import App
from waystream.core.facts import scan_key
from waystream.integrations.kdniao.adapter import network
from waystream.integrations.kdniao.wire import stamp
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import SenderIn, WarehouseIn
from waystream.parts.deadlines import actions as deadlines
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AggregatorIn
from waystream.parts.shops import actions as shops
from waystream.parts.tracking import applying
from waystream.parts.tracking.masks import masked

AGGREGATOR, ACTOR = "bench", "system"
AT_ONCE = 1_000
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """The rows that parcel `n` of the story hangs on."""

    shop_id: int
    warehouse_id: int
    aggregator_id: int
    person_id: int
    parcel_ids: Sequence[int]
    binding_ids: Sequence[int]
    key: str = field(repr=False)


def set_up(app: App, story: Story) -> Stock:
    """One order, one parcel, one live binding, and its track and deadlines as the rules begin them, for each parcel of
    the story."""
    key = secrets.token_hex(16)
    ms = int(story.start.timestamp() * 1000)
    parcel_ids, binding_ids = mint_ids(story.parcels, at_ms=ms), mint_ids(story.parcels, at_ms=ms)

    def work(tx: Tx) -> Stock:
        shop_id = shops.create_shop(tx, code="bench", name="Bench", actor=ACTOR).id
        sender = SenderIn(name="仓库", mobile="13800000000", address="仓前街道1号")
        warehouse = catalogue.upsert_warehouse(
            tx,
            WarehouseIn(code="w", name="仓", province="浙江省", city="杭州市", district="余杭区", sender=sender),
            actor=ACTOR,
        )
        told = AggregatorIn(AGGREGATOR, "kdniao", MERCHANT, "http://127.0.0.1:9", key)
        aggregator = hub.add_aggregator(tx, told, integrations=frozenset({"kdniao"}), actor=ACTOR)
        (person_id,) = mint_ids(1, at_ms=ms)
        return Stock(shop_id, warehouse.id, aggregator.id, person_id, parcel_ids, binding_ids, key)

    stock = app.machine.run(work)
    with psycopg.connect(app.urls.owner) as conn:
        _bind(conn, story, stock)
    app.machine.run(lambda tx: applying.open_tracks(tx, stock.parcel_ids))
    for at in range(0, story.parcels, AT_ONCE):
        ids = stock.parcel_ids[at : at + AT_ONCE]
        app.machine.run(lambda tx, ids=ids: deadlines.follow_contents(tx, parcel_ids=ids))
    with psycopg.connect(app.urls.owner, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")
    return stock


def _bind(conn: psycopg.Connection, story: Story, stock: Stock) -> None:
    shop, start = stock.shop_id, story.start
    key_id = conn.execute("SELECT min(id) FROM vault_key").fetchone()
    assert key_id is not None
    persons = [(stock.person_id, shop, *key_id, b"", True, *[""] * 6, b"", start)]
    orders, parcels, bindings, lines, of_orders, of_lines = [], [], [], [], [], []
    for n, (parcel_id, binding_id) in enumerate(zip(stock.parcel_ids, stock.binding_ids, strict=True)):
        orders.append(
            (
                parcel_id,
                shop,
                f"B{n:08d}",
                stock.warehouse_id,
                stock.person_id,
                "prepaid",
                b"",
                "shipped",
                "all",
                start,
                start,
            )
        )
        lines.append((parcel_id, parcel_id, shop, 1, "sku", "sku", 1, 100))
        parcels.append((parcel_id, shop, stock.warehouse_id, stock.person_id, CARRIER, "dispatched", *[start] * 5))
        of_orders.append((parcel_id, parcel_id, shop))
        of_lines.append((parcel_id, parcel_id, shop, 1))
        bindings.append(
            (
                binding_id,
                parcel_id,
                shop,
                stock.aggregator_id,
                CARRIER,
                story.number(n),
                start - timedelta(hours=24),
                start,
            )
        )
    copy(
        conn,
        "person",
        "id shop_id key_id sealed plain name_mask phone_mask address_mask province city district "
        "content_hash created_at",
        persons,
    )
    copy(
        conn,
        "orders",
        "id shop_id number warehouse_id person_id payment content_hash word dispatch received_at moved_at",
        orders,
    )
    copy(conn, "order_line", "id order_id shop_id line_no sku name quantity price_fen", lines)
    copy(
        conn,
        "parcel",
        "id shop_id warehouse_id person_id carrier stage created_at issued_at printed_at dispatched_at moved_at",
        parcels,
    )
    copy(conn, "parcel_order", "parcel_id order_id shop_id", of_orders)
    copy(conn, "parcel_line", "parcel_id order_line_id shop_id quantity", of_lines)
    copy(conn, "binding", "id parcel_id shop_id aggregator_id carrier number owns_from bound_at", bindings)


def copy(conn: psycopg.Connection, table: str, columns: str, rows: Iterable[Row]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns.split()))
    with conn.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)) as into:
        for row in rows:
            into.write_row(row)


_COLUMNS = ("parcel_id key shop_id binding_id source at raw_time text code coded_at state kind coarse location "
            "inbox_id")  # fmt: skip


def measure_floor(app: App, story: Story, stock: Stock) -> float:
    """Rows a second that COPY brings into a table like `scan`: the same scans, made beforehand, in one transaction."""
    with psycopg.connect(app.urls.owner) as conn:
        conn.execute("CREATE TABLE floor (LIKE scan INCLUDING ALL)")
        conn.commit()
        copy(conn, "floor", _COLUMNS, _scans(story, stock))
        names = _COLUMNS.replace(" ", ", ")
        with conn.cursor().copy(f"COPY floor ({names}) TO STDOUT") as out:
            ready = [bytes(block) for block in out]
        conn.rollback()
        began_s = time.perf_counter()
        with conn.cursor().copy(f"COPY floor ({names}) FROM STDIN") as into:
            for block in ready:
                into.write(block)
        conn.commit()
        seconds = time.perf_counter() - began_s
        conn.execute("DROP TABLE floor")
    return story.parcels * SCANS / seconds


def _scans(story: Story, stock: Stock) -> Iterator[Row]:
    for n, (parcel_id, binding_id) in enumerate(zip(stock.parcel_ids, stock.binding_ids, strict=True)):
        for trace in story.way(n):
            meaning, raw_time = network.meaning(trace.code, trace.text), stamp(trace.at)
            key = scan_key(binding_id=binding_id, source="kdniao", raw_time=raw_time, text=trace.text)
            yield (
                parcel_id,
                key,
                stock.shop_id,
                binding_id,
                "kdniao",
                trace.at,
                raw_time,
                masked(trace.text),
                trace.code,
                trace.at,
                meaning.state,
                meaning.kind,
                meaning.coarse,
                trace.location,
                parcel_id,
            )


def begin_story(parcels: int) -> Story:
    """A story that has just ended: all of it has happened by now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Story(parcels, now - SCANS * STEP - timedelta(hours=6))
