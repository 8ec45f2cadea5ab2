"""A database as a business of some years would have it: parcels in every state, made set-wise by the files in `rows`.

One order a parcel, forty-five days up to `now`; eight shops of which one is tiny, three warehouses, five carriers of
which one is rare. Foreign keys sleep meanwhile, the triggers of the tally do not: it is what the rows made it. Indexes
that guard nothing are made after the rows, which takes a third of the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import psycopg

from benchmarks import crowd
from waystream.core.person import Term
from waystream.kernel.ids import EPOCH_MS, LOW_BITS
from waystream.kernel.vault import Keys
from waystream.parts.buyer.links import Link
from waystream.parts.tally import store as tally
from waystream.parts.tally.model import forgotten_before
from waystream.parts.tracking import partitions, store_partitions

DAYS = 45
AUDIT_LINES, JOBS, STRANGERS, PUSHES, SKUS, RESERVED, FEW = 200_000, 100_000, 20_000, 20_000, 15_000, 120_000, 4_000
TICKETS, OPEN_TICKETS = 120_000, 15_000
FOUND_LAST_FOUR = "6021"
TALLIED = ("orders", "parcel", "track", "inquiry", "event")


@dataclass(frozen=True, slots=True)
class Stored:
    """What a page can be asked for: an order with a track, its number and waybill, a cursor in the middle, one of
    each thing that has a page of its own; `soon` is a cursor of what is due."""

    order_id: int
    parcel_id: int
    number: str
    waybill: str
    middle: datetime
    ticket_id: int
    incident_id: int
    notice_id: int
    token: str
    rule: str
    soon: str


def fill(admin_url: str, keys: Keys, *, parcels: int, now: datetime, rules: list[str]) -> Stored:
    """Into empty tables, as the superuser; then what autovacuum would have done."""
    values = {
        "n": parcels, "now": now, "days": DAYS, "epoch": EPOCH_MS, "bits": LOW_BITS, "rules": rules, "few": FEW,
        "audit": min(AUDIT_LINES, parcels), "jobs": min(JOBS, parcels), "strangers": min(STRANGERS, parcels),
        "pushes": min(PUSHES, parcels), "skus": min(SKUS, parcels), "reserved": min(RESERVED, parcels),
        "tickets": min(TICKETS, parcels // 5), "open": min(OPEN_TICKETS, parcels // 50),
    }  # fmt: skip
    with psycopg.connect(admin_url, autocommit=True, cursor_factory=psycopg.ClientCursor) as conn:
        conn.execute("SET session_replication_role = replica; SET work_mem = '256MB'; SELECT setseed(0.42)")
        conn.execute("SET maintenance_work_mem = '1GB'")
        for partition in partitions.list_ahead(now):
            store_partitions.make(conn, partition)
        keys.day_key(conn, now.date())  # the first key: whatever is sealed names it
        _wake(conn, "ENABLE ALWAYS")
        with _without_indexes(conn):
            for file in sorted(files(crowd).joinpath("rows").iterdir(), key=lambda each: each.name):
                conn.execute(file.read_text("utf-8").encode(), values)
        _make_found(conn, keys)
        _wake(conn, "ENABLE")
        tally.fold(conn)
        tally.forget(conn, before=forgotten_before(now))
        conn.execute("VACUUM (ANALYZE)")
        return _pick(conn, keys, now=now, rule=rules[0])


@contextmanager
def _without_indexes(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Indexes that hold no promise are dropped, and made again at the end."""
    made = conn.execute(
        """SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
           JOIN pg_class ON pg_class.oid = indrelid
           WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT indisunique AND NOT relispartition"""
    ).fetchall()
    for name, _ in made:
        conn.execute(f"DROP INDEX {name}".encode())
    yield
    for _, definition in made:
        conn.execute(definition.encode())


def _wake(conn: psycopg.Connection[Any], how: str) -> None:
    """The tally's triggers, which sleep like the foreign keys otherwise."""
    for table in TALLIED:
        name = "tallied" if table == "event" else "tallied_insert"
        conn.execute(f"ALTER TABLE {table} {how} TRIGGER {name}".encode())


def _make_found(conn: psycopg.Connection[Any], keys: Keys) -> None:
    """The last four digits that a search asks for, as its keyed hash."""
    for shop_id in range(1, 9):
        digest = keys.vault.blind(f"person {Term.LAST_FOUR.name.lower()}", shop_id, FOUND_LAST_FOUR)
        conn.execute(
            """UPDATE person_index SET hash = %s
               WHERE shop_id = %s AND purpose = %s AND hash = decode(md5('26' || purpose::text), 'hex')""",
            [digest, shop_id, Term.LAST_FOUR.value],
        )


def _pick(conn: psycopg.Connection[Any], keys: Keys, *, now: datetime, rule: str) -> Stored:
    """Of a shop and warehouse that everybody who asks may see."""
    row = conn.execute(
        """SELECT o.id, p.id, o.number, b.number, o.moved_at - interval '20 days', ticket.id,
                  (SELECT id FROM ticket WHERE shop_id = 6 AND slowdown_id = 1),
                  (SELECT id FROM notice WHERE shop_id = 6 ORDER BY id DESC LIMIT 1)
           FROM ticket JOIN track t USING (parcel_id) JOIN parcel p ON p.id = t.parcel_id
           JOIN binding b ON b.parcel_id = p.id
           JOIN parcel_order po ON po.parcel_id = p.id JOIN orders o ON o.id = po.order_id
           WHERE ticket.state <> 'closed' AND o.shop_id = 6 AND o.warehouse_id = 2 ORDER BY o.id LIMIT 1"""
    ).fetchone()
    assert row is not None, "more parcels are needed for one in every state"
    link = Link(6, row[0], now.date() + timedelta(days=30), 0)
    return Stored(*row, token=link.signed(keys.vault), rule=rule, soon=f"{int(now.timestamp())}.000000-1")
