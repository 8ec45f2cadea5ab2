"""A database as a business of some years would have it: parcels in every state, made set-wise.

One order a parcel, forty-five days up to `now`; eight shops of which one is tiny, three warehouses, five carriers of
which one is rare. Foreign keys sleep meanwhile, the triggers of the tally do not: it is what the rows made it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from waystream.core.person import Term
from waystream.kernel.ids import EPOCH_MS, LOW_BITS
from waystream.kernel.vault import Keys
from waystream.parts.tally import store as tally
from waystream.parts.tally.model import forgotten_before

DAYS = 45
AUDIT_LINES, JOBS, STRANGERS, PUSHES = 200_000, 100_000, 20_000, 20_000
TICKETS, OPEN_TICKETS = 100_000, 10_000
FOUND_LAST_FOUR = "6021"
TALLIED = ("orders", "parcel", "track", "event")

#: How far a parcel has come follows from its age; `r` in [0, 1) draws.
_SEED = """
CREATE TEMP TABLE seed AS
SELECT n.i, at, ((extract(epoch FROM at) * 1000)::bigint - %(epoch)s << %(bits)s) + n.i AS id,
       CASE WHEN s < 0.5 THEN 1 WHEN s < 0.75 THEN 2 WHEN s < 0.87 THEN 3 WHEN s < 0.93 THEN 4 WHEN s < 0.97 THEN 5
            WHEN s < 0.99 THEN 6 WHEN s < 0.9999 THEN 7 ELSE 8 END AS shop_id,
       CASE WHEN w < 0.7 THEN 1 WHEN w < 0.98 THEN 2 ELSE 3 END AS warehouse_id,
       CASE WHEN c < 0.4 THEN 'SF' WHEN c < 0.7 THEN 'YTO' WHEN c < 0.9 THEN 'ZTO' WHEN c < 0.999 THEN 'STO'
            ELSE 'EMS' END AS carrier,
       CASE WHEN r < 0.01 THEN 'exception' WHEN r < 0.012 THEN 'lost'
            WHEN age < 0.4 THEN CASE WHEN r < 0.3 THEN '' ELSE 'awaiting_collection' END
            WHEN age < 2 THEN 'in_transit' WHEN age < 3 THEN 'arrived_at_outlet' WHEN age < 3.5 THEN 'out_for_delivery'
            WHEN r < 0.03 THEN 'returned' ELSE 'delivered' END AS state,
       CASE WHEN age < 0.4 AND r < 0.3 AND r >= 0.012 THEN (ARRAY['', 'refused', 'issued', 'printed'])[1 + n.i %% 4]
            ELSE 'dispatched' END AS stage,
       r, age
FROM generate_series(1, %(n)s) AS n (i)
CROSS JOIN LATERAL (SELECT %(days)s * (1 - n.i::float / %(n)s) AS age, random() AS s, random() AS w, random() AS c,
                           random() AS r, n.i) draw
CROSS JOIN LATERAL (SELECT date_trunc('milliseconds', %(now)s::timestamptz - draw.age * interval '1 day') AS at) time
"""

_WORD = """CASE WHEN stage <> 'dispatched' THEN 'to_ship' WHEN state IN ('returned', 'lost') THEN 'closed'
    WHEN state = 'delivered' THEN CASE WHEN age < 12 THEN 'delivered' ELSE 'completed' END
    WHEN state = 'awaiting_collection' THEN 'shipped' WHEN state = 'out_for_delivery' THEN 'out_for_delivery'
    ELSE 'in_transit' END"""
_KIND = """CASE state WHEN 'exception' THEN (ARRAY['stalled', 'damaged', 'bad_address'])[1 + i %% 3]
    WHEN 'delivered' THEN (ARRAY['in_person', 'by_proxy', 'locker'])[1 + i %% 3] ELSE '' END"""
_DONE_AT = "CASE WHEN state = 'delivered' THEN at + interval '3 days' END"
_LEFT_AT = "CASE WHEN stage = 'dispatched' THEN at + interval '5 hours' END"

#: Statement by statement. `seed` has 0 < i; a seed with an empty stage is an order nobody has shipped.
_ROWS = (
    """INSERT INTO vault_key (purpose, day, wrapped) SELECT 'day', '2000-01-01', ''""",
    """INSERT INTO shop (code, name, created_at) SELECT 'shop' || i, '店铺 ' || i, %(now)s
       FROM generate_series(1, 8) i""",
    """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, created_at)
       SELECT 'wh' || i, '仓库 ' || i, '浙江省', '杭州市', '余杭区', 1, '', '陈**', %(now)s
       FROM generate_series(1, 3) i""",
    """INSERT INTO aggregator (code, integration, merchant_id, key_sealed, base_url, created_at)
       VALUES ('main', 'kdniao', '1', '', 'https://example.com', %(now)s)""",
    """INSERT INTO carrier_account (aggregator_id, carrier, name, parameters_sealed, created_at)
       SELECT 1, carrier, carrier, '', %(now)s FROM unnest('{SF,YTO,ZTO,STO,EMS}'::text[]) carrier""",
    """INSERT INTO person (id, shop_id, key_id, sealed, plain, name_mask, phone_mask, address_mask, province, city,
                           district, content_hash, created_at)
       SELECT id, shop_id, 1, '', true, '罗**', '158****6021', '桐梓林**', '四川省', '成都市', '武侯区', '', at
       FROM seed""",
    """INSERT INTO person_index (shop_id, purpose, hash, person_id)
       SELECT shop_id, purpose, decode(md5((i %% 10000) || purpose::text), 'hex'), id
       FROM seed CROSS JOIN generate_series(1, 2) purpose""",
    f"""INSERT INTO orders (id, shop_id, number, warehouse_id, person_id, payment, ship_by, promised_at, total_fen,
                            content_hash, word, dispatch, held_at, delivered_at, completed_at, received_at, moved_at)
       SELECT id, shop_id, 'T' || lpad(i::text, 9, '0'), warehouse_id, id, 'prepaid', at + interval '1 day',
              at + interval '4 days', 100 * (i %% 900), '', {_WORD},
              CASE stage WHEN 'dispatched' THEN 'all' ELSE 'none' END,
              CASE WHEN stage = '' AND i %% 8 = 0 THEN at END, {_DONE_AT},
              CASE WHEN state = 'delivered' AND age >= 12 THEN at + interval '10 days' END, at,
              LEAST(at + interval '10 days', %(now)s)
       FROM seed ORDER BY i""",
    """INSERT INTO order_line (id, order_id, shop_id, line_no, sku, name, quantity, price_fen)
       SELECT id, id, shop_id, 1, 'LJ-250', '龙井 250 g', 2, 12800 FROM seed""",
    f"""INSERT INTO parcel (id, shop_id, warehouse_id, person_id, account_id, carrier, stage, weight_g, created_at,
                            issued_at, printed_at, dispatched_at, dispatched_by, moved_at)
       SELECT id, shop_id, warehouse_id, id, 1, carrier, stage, 500, at,
              CASE WHEN stage <> 'refused' THEN at + interval '1 hour' END,
              CASE WHEN stage IN ('printed', 'dispatched') THEN at + interval '2 hours' END, {_LEFT_AT}, 'scan',
              LEAST(at + interval '5 hours', %(now)s)
       FROM seed WHERE stage <> '' ORDER BY i""",
    """INSERT INTO parcel_order (parcel_id, order_id, shop_id) SELECT id, id, shop_id FROM seed WHERE stage <> ''""",
    """INSERT INTO parcel_line (parcel_id, order_line_id, shop_id, quantity)
       SELECT id, id, shop_id, 2 FROM seed WHERE stage <> ''""",
    f"""INSERT INTO binding (id, parcel_id, shop_id, aggregator_id, carrier, number, owns_from, bound_at, owns_until)
       SELECT id, id, shop_id, 1, carrier, carrier || lpad(i::text, 12, '0'), at, at,
              {_DONE_AT.replace("'3 days'", "'18 days'")}
       FROM seed WHERE stage IN ('issued', 'printed', 'dispatched')""",
    f"""INSERT INTO track (parcel_id, shop_id, binding_id, warehouse_id, carrier, state, kind, at, collected_at,
                           delivered_at, scanned_at, latest, due_at, changed_at)
       SELECT id, shop_id, id, warehouse_id, carrier, state, {_KIND}, at,
              CASE WHEN state <> 'awaiting_collection' THEN at + interval '9 hours' END, {_DONE_AT}, at,
              '【成都市】快件已到达【武侯网点】',
              CASE WHEN state IN ('in_transit', 'arrived_at_outlet', 'out_for_delivery')
                   THEN %(now)s::timestamptz + (r - 0.05) * interval '1 day' END,
              LEAST(at + interval '3 days', %(now)s)
       FROM seed WHERE stage = 'dispatched' ORDER BY i""",
    """INSERT INTO event (at, shop_id, name, subject, body)
       SELECT at + nth * interval '12 hours', shop_id, name, CASE nth WHEN 0 THEN 'order:' ELSE 'parcel:' END || id,
              jsonb_build_object('order_ids', jsonb_build_array(id), 'after', 'arrived_at_outlet')
       FROM seed CROSS JOIN unnest('{OrderReceived,WaybillIssued,ParcelMoved,OutForDelivery}'::text[])
            WITH ORDINALITY AS told (name, nth) WHERE at + nth * interval '12 hours' <= %(now)s ORDER BY i""",
    """INSERT INTO audit (at, shop_id, actor, action, subject)
       SELECT %(now)s::timestamptz - i * interval '20 seconds', 1 + i %% 8, 'staff:' || i %% 20,
              (ARRAY['ship', 'hold', 'unmask', 'dispatch'])[1 + i %% 4], 'order:' || i
       FROM generate_series(1, %(audit)s) i""",
    """INSERT INTO ticket (id, shop_id, warehouse_id, cause, state, priority, severity, parcel_id, order_id, because,
                           trouble_at, opened_at, clock_at, due_at, assignee, taken_at, closed_at, closed_by, ending)
       SELECT id + 1, shop_id, warehouse_id, (ARRAY['stalled', 'attempt_failed', 'lost', 'overdue'])[1 + nth %% 4],
              CASE WHEN nth > %(open)s THEN 'closed' WHEN nth %% 5 = 0 THEN 'taken' ELSE 'open' END,
              (ARRAY['high', 'normal', 'low'])[1 + nth %% 3], 2, id, id, 'inbox:' || nth, at, at, at,
              %(now)s::timestamptz + (nth %% 4000 - 500) * interval '1 minute',
              CASE WHEN nth <= %(open)s AND nth %% 5 = 0 THEN 'staff:1' ELSE '' END,
              CASE WHEN nth %% 5 = 0 THEN at END, CASE WHEN nth > %(open)s THEN at END, '',
              CASE WHEN nth > %(open)s THEN 'moved_on' ELSE '' END
       FROM (SELECT *, row_number() OVER (ORDER BY i) AS nth FROM seed WHERE stage = 'dispatched'
             LIMIT %(tickets)s) AS troubled""",
    """INSERT INTO ticket_entry (ticket_id, shop_id, at, what)
       SELECT id, shop_id, opened_at, 'opened' FROM ticket""",
    """INSERT INTO stranger (aggregator_id, carrier, number, inbox_id, state, first_at, last_at)
       SELECT 1, 'YTO', 'YT99' || i / 2, i / 20 + 2000 * (i %% 2),
              CASE WHEN i %% 10 < 2 THEN 'waiting' ELSE 'adopted' END, at, at
       FROM (SELECT i, %(now)s::timestamptz - i * interval '1 minute' AS at
             FROM generate_series(1, %(strangers)s) i)""",
    """INSERT INTO inbox (digest, id, aggregator_id, received_at, size, key_id, sealed)
       SELECT decode(md5(i::text), 'hex'), i, 1, %(now)s::timestamptz - i * interval '3 minutes', 900, 1, ''
       FROM generate_series(1, %(pushes)s) i""",
    """INSERT INTO job (kind, shop_id, key, subject, state, finished_at)
       SELECT 'subscribe', 1 + i %% 8, i::text, 'parcel:' || i, CASE WHEN i < 2000 THEN 'ready' ELSE 'done' END, %(now)s
       FROM generate_series(1, %(jobs)s) i""",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """What a page can be asked for: an order with a track, its number and waybill, a cursor in the middle."""

    order_id: int
    parcel_id: int
    number: str
    waybill: str
    middle: datetime


def fill(admin_url: str, keys: Keys, *, parcels: int, now: datetime) -> Stored:
    """Into empty tables, as the superuser; then what autovacuum would have done."""
    values = {
        "n": parcels, "now": now, "days": DAYS, "epoch": EPOCH_MS, "bits": LOW_BITS,
        "audit": min(AUDIT_LINES, parcels), "jobs": min(JOBS, parcels), "strangers": min(STRANGERS, parcels),
        "pushes": min(PUSHES, parcels), "tickets": min(TICKETS, parcels // 5), "open": min(OPEN_TICKETS, parcels // 20),
    }  # fmt: skip
    with psycopg.connect(admin_url, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica; SET work_mem = '256MB'")
        _wake(conn, "ENABLE ALWAYS")
        conn.execute("SELECT setseed(0.42)")
        for statement in (_SEED, *_ROWS):
            conn.execute(
                statement.encode(), {name: value for name, value in values.items() if f"%({name})s" in statement}
            )
        _make_found(conn, keys)
        _wake(conn, "ENABLE")
        tally.fold(conn)
        tally.forget(conn, before=forgotten_before(now))
        conn.execute("VACUUM (ANALYZE)")
        return _pick(conn)


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


def _pick(conn: psycopg.Connection[Any]) -> Stored:
    row = conn.execute(
        """SELECT o.id, p.id, o.number, b.number, o.moved_at - interval '20 days'
           FROM track t JOIN parcel p ON p.id = t.parcel_id JOIN binding b ON b.parcel_id = p.id
           JOIN parcel_order po ON po.parcel_id = p.id JOIN orders o ON o.id = po.order_id
           WHERE t.state = 'delivered' AND o.shop_id = 6 AND o.warehouse_id = 2 LIMIT 1"""
    ).fetchone()
    assert row is not None, "more parcels are needed for one in every state"
    return Stored(*row)
