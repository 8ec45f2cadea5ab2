"""What the page of one order reads beyond the parts' own answers: parcels with their takes, contents and prints."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]

PARCELS_AT_MOST = 100
EVENTS_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """A parcel of the order; `said` are the carrier's last words about its number."""

    id: int
    carrier: str
    stage: str
    held_reason: str
    mend: str
    weight_g: int
    weighed_g: int | None
    created_at: datetime
    issued_at: datetime | None
    printed_at: datetime | None
    dispatched_at: datetime | None
    dispatched_by: str
    state: str
    kind: str
    because: str
    due_at: datetime | None
    waybill: str
    binding_id: int | None
    network: str
    said: str
    attempts: int
    label_id: int | None
    label_source: str
    printer: str
    print_state: str
    cancel_state: str
    subscription: str
    died_reason: str
    goods: str
    pieces: int
    orders: int


def list_parcels(conn: Conn, order_id: int) -> list[ParcelRow]:
    """Living parcels first, in the order they were made; voided ones last."""
    return (
        conn.cursor(row_factory=class_row(ParcelRow))
        .execute(
            """SELECT p.id, p.carrier, p.stage, p.held_reason, p.mend, p.weight_g, p.weighed_g, p.created_at,
                      p.issued_at, p.printed_at, p.dispatched_at, p.dispatched_by, COALESCE(t.state, '') AS state,
                      COALESCE(t.kind, '') AS kind, COALESCE(t.because, '') AS because, t.due_at,
                      COALESCE(b.number, '') AS waybill, b.id AS binding_id, COALESCE(a.integration, '') AS network,
                      COALESCE(take.said, '') AS said, COALESCE(take.attempts, 0) AS attempts, label.id AS label_id,
                      COALESCE(label.source, '') AS label_source, COALESCE(pr.printer, '') AS printer,
                      COALESCE(pr.state, '') AS print_state, COALESCE(c.state, '') AS cancel_state,
                      COALESCE(s.state, '') AS subscription, COALESCE(s.died_reason, '') AS died_reason,
                      COALESCE(goods.told, '') AS goods, COALESCE(goods.pieces, 0)::int AS pieces,
                      (SELECT count(*) FROM parcel_order others WHERE others.parcel_id = p.id)::int AS orders
               FROM parcel_order po
               JOIN parcel p ON p.id = po.parcel_id
               LEFT JOIN track t ON t.parcel_id = p.id
               LEFT JOIN LATERAL (SELECT * FROM binding WHERE binding.parcel_id = p.id
                                  ORDER BY state = 'cancelled', id DESC LIMIT 1) b ON true
               LEFT JOIN aggregator a ON a.id = b.aggregator_id
               LEFT JOIN LATERAL (SELECT said, attempts FROM take WHERE take.parcel_id = p.id
                                  ORDER BY id DESC LIMIT 1) take ON true
               LEFT JOIN label ON label.parcel_id = p.id AND label.voided_at IS NULL
               LEFT JOIN LATERAL (SELECT printer.name AS printer, print.state
                                  FROM print JOIN printer ON printer.id = print.printer_id
                                  WHERE print.parcel_id = p.id ORDER BY print.id DESC LIMIT 1) pr ON true
               LEFT JOIN LATERAL (SELECT state FROM waybill_cancel WHERE waybill_cancel.parcel_id = p.id
                                  ORDER BY id DESC LIMIT 1) c ON true
               LEFT JOIN subscription s ON s.binding_id = b.id
               LEFT JOIN LATERAL (
                   SELECT string_agg(line.name || ' × ' || pl.quantity, '，' ORDER BY line.line_no) AS told,
                          sum(pl.quantity) AS pieces
                   FROM (SELECT order_line_id, quantity FROM parcel_line WHERE parcel_id = p.id
                         UNION ALL SELECT order_line_id, quantity FROM replaced_line WHERE parcel_id = p.id) pl
                   JOIN order_line line ON line.id = pl.order_line_id) goods ON true
               WHERE po.order_id = %s ORDER BY p.stage = 'voided', p.id LIMIT %s""",
            [order_id, PARCELS_AT_MOST],
        )
        .fetchall()
    )


@dataclass(frozen=True, slots=True)
class LeftLine:
    """A line of which something is in no living parcel."""

    line_no: int
    sku: str
    name: str
    left: int


def list_left(conn: Conn, order_id: int) -> list[LeftLine]:
    query = """
        SELECT line_no, sku, name, left_here AS left FROM (
            SELECT line.line_no, line.sku, line.name,
                   (line.quantity - COALESCE((
                       SELECT sum(pl.quantity) FROM parcel_line pl JOIN parcel p ON p.id = pl.parcel_id
                       WHERE pl.order_line_id = line.id AND p.stage <> 'voided'), 0))::int AS left_here
            FROM order_line line WHERE line.order_id = %s) lines
        WHERE left_here > 0 ORDER BY line_no"""
    return conn.cursor(row_factory=class_row(LeftLine)).execute(query, [order_id]).fetchall()


def list_carriers(conn: Conn, warehouse_id: int) -> list[str]:
    """Carriers with an account that is switched on and serves the warehouse."""
    query = """SELECT DISTINCT carrier FROM carrier_account
               WHERE disabled_at IS NULL AND (warehouse_id IS NULL OR warehouse_id = %s) ORDER BY carrier"""
    return [row[0] for row in conn.execute(query, [warehouse_id]).fetchall()]


@dataclass(frozen=True, slots=True)
class EventRow:
    id: int
    at: datetime
    name: str
    subject: str
    cause: str


def list_events(conn: Conn, order_id: int) -> list[EventRow]:
    """Everything that was recorded of the order and its parcels, newest first."""
    return (
        conn.cursor(row_factory=class_row(EventRow))
        .execute(
            """SELECT id, at, name, subject, cause FROM event
               WHERE subject = ANY (ARRAY['order:' || %(order)s] || ARRAY(
                   SELECT 'parcel:' || parcel_id FROM parcel_order WHERE order_id = %(order)s))
               ORDER BY id DESC LIMIT %(most)s""",
            {"order": order_id, "most": EVENTS_AT_MOST},
        )
        .fetchall()
    )


def list_order_ids(conn: Conn, parcel_id: int) -> list[int]:
    """The orders in a parcel that this transaction may see."""
    rows = conn.execute("SELECT order_id FROM parcel_order WHERE parcel_id = %s ORDER BY order_id", [parcel_id])
    return [row[0] for row in rows.fetchall()]
