"""All SQL of the floor. Reads labels, parcels and warehouses; writes printers and prints only."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import class_row

from waystream.kernel.database import Connection
from waystream.parts.floor.model import LabelRow, Print, Printer, PrinterIn

_PRINTER = """
SELECT printer.id, name, uri, dpi, label_size, state, said, seen_at, disabled_at IS NOT NULL AS disabled,
       (SELECT count(*) FROM print WHERE print.printer_id = printer.id AND print.state IN ('queued', 'printing'))
           AS waiting
FROM printer
"""

_PRINT = """
SELECT print.id, label_id, parcel_id, shop_id, printer.name AS printer, print.state, reprint, print.said,
       device_job, queued_at, printed_at
FROM print JOIN printer ON printer.id = print.printer_id
"""


def insert_printer(conn: Connection, printer: PrinterIn) -> int:
    row = conn.execute(
        "INSERT INTO printer (name, uri, dpi, label_size) VALUES (%s, %s, %s, %s) RETURNING id",
        (printer.name.strip(), printer.uri, printer.dpi, printer.label_size),
    ).fetchone()
    assert row is not None
    return int(row[0])


def update_printer(conn: Connection, printer_id: int, printer: PrinterIn) -> bool:
    return (
        conn.execute(
            """UPDATE printer SET name = %s, uri = %s, dpi = %s, label_size = %s, state = 'unknown', said = ''
           WHERE id = %s""",
            (printer.name.strip(), printer.uri, printer.dpi, printer.label_size, printer_id),
        ).rowcount
        == 1
    )


def set_disabled(conn: Connection, printer_id: int, *, at: datetime | None) -> bool:
    return conn.execute("UPDATE printer SET disabled_at = %s WHERE id = %s", (at, printer_id)).rowcount == 1


def delete_printer(conn: Connection, printer_id: int) -> bool:
    """Only one that printed nothing and that no warehouse uses."""
    return (
        conn.execute(
            """DELETE FROM printer WHERE id = %(id)s AND NOT EXISTS (SELECT FROM print WHERE printer_id = %(id)s)
               AND NOT EXISTS (SELECT FROM warehouse WHERE printer_id = %(id)s)""",
            {"id": printer_id},
        ).rowcount
        == 1
    )


def name_taken(conn: Connection, name: str, *, but: int = 0) -> bool:
    found = conn.execute("SELECT 1 FROM printer WHERE name = %s AND id <> %s", (name.strip(), but)).fetchone()
    return found is not None


def list_printers(conn: Connection) -> list[Printer]:
    with conn.cursor(row_factory=class_row(Printer)) as cur:
        return cur.execute(_PRINTER + "ORDER BY name").fetchall()


def find_printer(conn: Connection, printer_id: int) -> Printer | None:
    with conn.cursor(row_factory=class_row(Printer)) as cur:
        return cur.execute(_PRINTER + "WHERE printer.id = %s", (printer_id,)).fetchone()


def lock_printers(conn: Connection, printer_ids: Sequence[int]) -> None:
    """Whoever adds to a queue or finds it empty holds its printer: no print is left without a job."""
    conn.execute("SELECT 1 FROM printer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", (list(printer_ids),))


def saw_printer(conn: Connection, printer_id: int, *, state: str, said: str, at: datetime) -> None:
    conn.execute(
        "UPDATE printer SET state = %s, said = %s, seen_at = %s WHERE id = %s", (state, said[:200], at, printer_id)
    )


def printers_of(conn: Connection, parcel_ids: Sequence[int], *, printer_id: int | None) -> list[tuple[int, int]]:
    """(label, printer) of each parcel with a live label, on `printer_id` or else on its warehouse's printer.

    The labels stay valid until the commit: whoever voids one afterwards finds its print.
    """
    rows = conn.execute(
        """SELECT label.id, coalesce(%(printer)s, warehouse.printer_id)
           FROM label JOIN parcel ON parcel.id = label.parcel_id
           JOIN warehouse ON warehouse.id = parcel.warehouse_id
           JOIN person ON person.id = parcel.person_id
           WHERE label.parcel_id = ANY(%(parcels)s) AND label.voided_at IS NULL AND person.erased_at IS NULL
             AND coalesce(%(printer)s, warehouse.printer_id) IS NOT NULL
           ORDER BY label.parcel_id FOR SHARE OF label""",
        {"printer": printer_id, "parcels": list(parcel_ids)},
    )
    return [(row[0], row[1]) for row in rows]


def insert_prints(
    conn: Connection, wanted: Sequence[tuple[int, int]], *, reason: str, reprint: bool, at: datetime
) -> list[int]:
    """Queue each (label, printer); a first print is queued once for a label, a reprint as often as asked."""
    rows = conn.execute(
        """INSERT INTO print (label_id, parcel_id, shop_id, printer_id, reprint, reason, queued_at)
           SELECT label.id, label.parcel_id, label.shop_id, wanted.printer, %(reprint)s, %(reason)s, %(at)s
           FROM unnest(%(labels)s::bigint[], %(printers)s::bigint[]) WITH ORDINALITY AS wanted (label, printer, place)
           JOIN label ON label.id = wanted.label AND label.voided_at IS NULL
           WHERE %(reprint)s OR NOT EXISTS (
               SELECT FROM print WHERE print.parcel_id = label.parcel_id AND print.label_id = label.id)
           ORDER BY wanted.place
           RETURNING id""",
        {
            "labels": [label for label, _ in wanted],
            "printers": [printer for _, printer in wanted],
            "reprint": reprint,
            "reason": reason,
            "at": at,
        },
    )
    return [row[0] for row in rows]


def move_prints(conn: Connection, printer_id: int, *, to: int) -> int:
    """What waits for one printer waits for another; what went to it already stays."""
    return conn.execute(
        "UPDATE print SET printer_id = %s WHERE printer_id = %s AND state = 'queued'", (to, printer_id)
    ).rowcount


def next_print(conn: Connection, printer_id: int) -> Print | None:
    """The head of a printer's queue; one that was left printing by a crash comes first."""
    with conn.cursor(row_factory=class_row(Print)) as cur:
        return cur.execute(
            _PRINT
            + """WHERE print.printer_id = %s AND print.state IN ('queued', 'printing')
                 ORDER BY (print.state = 'printing') DESC, print.id LIMIT 1""",
            (printer_id,),
        ).fetchone()


def printers_waiting(conn: Connection) -> list[int]:
    """Printers that are switched on and have something to print."""
    rows = conn.execute(
        """SELECT id FROM printer WHERE disabled_at IS NULL AND EXISTS (
               SELECT FROM print WHERE print.printer_id = printer.id AND print.state IN ('queued', 'printing'))"""
    )
    return [row[0] for row in rows]


def lock_label(conn: Connection, label_id: int) -> bool:
    """Whether the label is valid (its receiver was not erased) and stays so until the commit."""
    row = conn.execute(
        """SELECT label.voided_at IS NULL AND person.erased_at IS NULL
           FROM label JOIN parcel ON parcel.id = label.parcel_id JOIN person ON person.id = parcel.person_id
           WHERE label.id = %s FOR SHARE OF label""",
        (label_id,),
    ).fetchone()
    return bool(row and row[0])


def set_printing(conn: Connection, print_id: int) -> None:
    conn.execute("UPDATE print SET state = 'printing' WHERE id = %s AND state = 'queued'", (print_id,))


def settle_print(
    conn: Connection, print_id: int, *, state: str, said: str = "", job: str = "", at: datetime | None = None
) -> bool:
    """What became of a print that was sent; False if another run settled it before."""
    return (
        conn.execute(
            """UPDATE print SET state = %s, said = %s, device_job = %s, printed_at = %s
           WHERE id = %s AND state IN ('queued', 'printing')""",
            (state, said[:200], job[:100], at, print_id),
        ).rowcount
        == 1
    )


def fail_waiting(conn: Connection, *, said: str) -> list[tuple[int, int, int]]:
    """Every print that waits or is on its way is failed; (id, shop, parcel) of each."""
    rows = conn.execute(
        """UPDATE print SET state = 'failed', said = %s WHERE state IN ('queued', 'printing')
           RETURNING id, shop_id, parcel_id""",
        (said,),
    )
    return [(row[0], row[1], row[2]) for row in rows]


def void_prints(conn: Connection, label_ids: Sequence[int]) -> int:
    """By way of their parcels: prints are found by those."""
    return conn.execute(
        """UPDATE print SET state = 'voided' FROM label
           WHERE label.id = ANY(%s) AND print.parcel_id = label.parcel_id AND print.label_id = label.id
             AND print.state = 'queued'""",
        (list(label_ids),),
    ).rowcount


def list_prints(conn: Connection, parcel_id: int) -> list[Print]:
    with conn.cursor(row_factory=class_row(Print)) as cur:
        return cur.execute(_PRINT + "WHERE parcel_id = %s ORDER BY print.id", (parcel_id,)).fetchall()


def list_queue(conn: Connection, printer_id: int, limit: int) -> list[Print]:
    with conn.cursor(row_factory=class_row(Print)) as cur:
        return cur.execute(
            _PRINT
            + """WHERE printer_id = %s AND print.state IN ('queued', 'printing')
                 ORDER BY (print.state = 'printing') DESC, print.id LIMIT %s""",
            (printer_id, limit),
        ).fetchall()


def list_failed(conn: Connection, *, warehouses: Sequence[int] | None, limit: int) -> list[Print]:
    """The last print of a valid label failed and its parcel has not left; the oldest first."""
    with conn.cursor(row_factory=class_row(Print)) as cur:
        return cur.execute(
            _PRINT
            + """WHERE print.state = 'failed'
                   AND NOT EXISTS (SELECT FROM print AS later
                                   WHERE later.label_id = print.label_id AND later.id > print.id)
                   AND EXISTS (
                       SELECT FROM label JOIN parcel ON parcel.id = label.parcel_id
                       WHERE label.id = print.label_id AND label.voided_at IS NULL AND parcel.stage <> 'dispatched'
                         AND (%(warehouses)s::bigint[] IS NULL OR parcel.warehouse_id = ANY(%(warehouses)s)))
                 ORDER BY print.queued_at, print.id LIMIT %(limit)s""",
            {"warehouses": None if warehouses is None else list(warehouses), "limit": limit},
        ).fetchall()


_LABEL = """
SELECT label.id, label.parcel_id, label.source, aggregator.integration AS network, label.key_id, label.sealed,
       binding.carrier, binding.number, coalesce(label.routing ->> 'mark', '') AS mark,
       coalesce(label.routing ->> 'package_name', '') AS package_name,
       coalesce(label.routing ->> 'sorting_code', '') AS sorting_code,
       parcel.piece, parcel.pieces, parcel.weight_g, parcel.cod_fen, parcel.declared_fen,
       person.name_mask, person.phone_mask, person.province, person.city, person.district, person.address_mask,
       warehouse.name AS warehouse, warehouse.city AS warehouse_city, warehouse.district AS warehouse_district,
       carrier_account.id AS account_id, carrier_account.parameters_sealed,
       coalesce((SELECT string_agg(orders.number, ' ' ORDER BY orders.id) FROM parcel_order
                 JOIN orders ON orders.id = parcel_order.order_id WHERE parcel_order.parcel_id = parcel.id), '')
           AS order_numbers,
       coalesce((SELECT string_agg(coalesce(nullif(order_line.name, ''), order_line.sku) || ' × '
                                   || parcel_line.quantity, '，' ORDER BY order_line.id)
                 FROM parcel_line JOIN order_line ON order_line.id = parcel_line.order_line_id
                 WHERE parcel_line.parcel_id = CASE WHEN parcel.mother_id IS NULL THEN parcel.id
                                               ELSE parcel.mother_id END), '') AS goods,
       coalesce(printer.label_size, '100x180') AS size
FROM label
JOIN binding ON binding.id = label.binding_id
JOIN aggregator ON aggregator.id = binding.aggregator_id
JOIN parcel ON parcel.id = label.parcel_id
JOIN person ON person.id = parcel.person_id
JOIN warehouse ON warehouse.id = parcel.warehouse_id
LEFT JOIN printer ON printer.id = warehouse.printer_id
LEFT JOIN take ON take.id = binding.take_id
LEFT JOIN carrier_account ON carrier_account.id = take.account_id
WHERE label.id = %s
"""


def find_label(conn: Connection, label_id: int) -> LabelRow | None:
    with conn.cursor(row_factory=class_row(LabelRow)) as cur:
        return cur.execute(_LABEL, (label_id,)).fetchone()


def live_label(conn: Connection, parcel_id: int) -> int | None:
    """None, too, from the moment its receiver is erased."""
    row = conn.execute(
        """SELECT label.id FROM label JOIN parcel ON parcel.id = label.parcel_id
           JOIN person ON person.id = parcel.person_id
           WHERE label.parcel_id = %s AND label.voided_at IS NULL AND person.erased_at IS NULL""",
        (parcel_id,),
    ).fetchone()
    return row[0] if row else None
