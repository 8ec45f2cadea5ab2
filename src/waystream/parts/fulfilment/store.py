"""SQL of shipping: orders and lines read under lock, families locked in order, parcels made, held, moved, dispatched.

Lock order: orders, parcels, then takes and bindings, each by ascending id. Numbers and their attempts are written in
`store_takes`, lists for pages are in `store_lists`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from psycopg.rows import class_row

from waystream.kernel.columns import Column, bigints
from waystream.kernel.database import Connection
from waystream.parts.fulfilment.family import BindingRow, Family, OrderRow, ParcelRow, TakeRow
from waystream.parts.fulfilment.model import Account, Line, LivingParcel, NewParcel, Order

LOCK_ORDERS = "SELECT id FROM orders WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def lock_orders(conn: Connection, order_ids: Sequence[int]) -> set[int]:
    """The orders that exist (and may be seen), locked by ascending id."""
    return {row[0] for row in conn.execute(LOCK_ORDERS, [list(order_ids)])}


_ORDERS = """
SELECT orders.id, orders.shop_id, orders.warehouse_id, orders.person_id, person.content_hash AS receiver,
       person.plain AS readable, person.erased_at IS NOT NULL AS erased, orders.cancelled_at IS NOT NULL AS cancelled,
       orders.held_at IS NOT NULL AS held, orders.hold_reason, orders.refund, orders.carrier,
       CASE WHEN orders.payment = 'cod' THEN orders.cod_fen ELSE 0 END AS cod_fen, orders.declared_fen,
       EXISTS (SELECT FROM parcel_order JOIN parcel ON parcel.id = parcel_order.parcel_id
               WHERE parcel_order.order_id = orders.id AND parcel_order.cod_fen > 0 AND parcel.stage <> 'voided'
                 AND parcel.id <> ALL(%(but)s)) AS cod_carried
FROM orders JOIN person ON person.id = orders.person_id
WHERE orders.id = ANY(%(ids)s) ORDER BY orders.id
"""

_LINES = """
SELECT order_line.order_id, order_line.id, order_line.line_no, order_line.quantity,
       greatest(0, order_line.quantity - coalesce((SELECT sum(parcel_line.quantity) FROM parcel_line
           JOIN parcel ON parcel.id = parcel_line.parcel_id
           WHERE parcel_line.order_line_id = order_line.id AND parcel.stage <> 'voided'
             AND parcel.id <> ALL(%(but)s)), 0))::int AS left_to_ship,
       order_line.price_fen, coalesce(sku.weight_g, 0),
       coalesce(sku.length_mm::bigint * sku.width_mm * sku.height_mm, 0)
FROM order_line LEFT JOIN sku ON sku.shop_id = order_line.shop_id AND sku.code = order_line.sku
WHERE order_line.order_id = ANY(%(ids)s) ORDER BY order_line.order_id, order_line.line_no
"""

_LIVING = """
SELECT parcel_order.order_id, parcel.id, parcel.stage, parcel.held_reason,
       (SELECT coalesce(array_agg(child.id ORDER BY child.id), '{}') FROM parcel AS child
        WHERE child.mother_id = parcel.id) AS children,
       (SELECT coalesce(array_agg(parcel_line.order_line_id ORDER BY parcel_line.order_line_id), '{}')
        FROM parcel_line WHERE parcel_line.parcel_id = parcel.id) AS line_ids,
       (SELECT coalesce(array_agg(parcel_line.quantity ORDER BY parcel_line.order_line_id), '{}')
        FROM parcel_line WHERE parcel_line.parcel_id = parcel.id) AS quantities
FROM parcel_order JOIN parcel ON parcel.id = parcel_order.parcel_id
WHERE parcel_order.order_id = ANY(%(ids)s) AND parcel.stage <> 'voided' AND parcel.mother_id IS NULL
ORDER BY parcel.id
"""


def load_orders(conn: Connection, order_ids: Sequence[int], *, but: Sequence[int] = ()) -> list[Order]:
    """Orders with their lines, what is left of them and their living parcels; parcels in `but` count as absent."""
    given = {"ids": list(order_ids), "but": list(but)}
    lines: defaultdict[int, list[Line]] = defaultdict(list)
    parcels: defaultdict[int, list[LivingParcel]] = defaultdict(list)
    for order_id, *fields in conn.execute(_LINES, given):
        lines[order_id].append(Line(*fields))
    for order_id, an_id, stage, held, children, line_ids, quantities in conn.execute(_LIVING, given):
        contents = tuple(zip(line_ids, quantities, strict=True))
        parcels[order_id].append(LivingParcel(an_id, stage, held, contents, tuple(children)))
    rows = conn.execute(_ORDERS, given)
    return [Order(*(*row, tuple(lines[row[0]]), tuple(parcels[row[0]]))) for row in rows]


def orders_by_number(conn: Connection, *, shop: str, numbers: Sequence[str]) -> dict[str, int]:
    rows = conn.execute(
        """SELECT orders.number, orders.id FROM orders JOIN shop ON shop.id = orders.shop_id
           WHERE shop.code = %s AND orders.number = ANY(%s)""",
        [shop, list(numbers)],
    )
    return {row[0]: row[1] for row in rows}


def list_accounts(conn: Connection) -> list[Account]:
    with conn.cursor(row_factory=class_row(Account)) as cur:
        return cur.execute(
            """SELECT id, carrier, warehouse_id, priority,
                      CASE WHEN NOT draws THEN available
                           WHEN EXISTS (SELECT FROM reserved_number
                                        WHERE account_id = carrier_account.id AND drawn_at IS NULL) THEN NULL
                           ELSE 0 END AS available FROM carrier_account
               WHERE disabled_at IS NULL ORDER BY id"""
        ).fetchall()


def insert_parcels(
    conn: Connection, parcels: Sequence[tuple[int, NewParcel]], children: Sequence[tuple[int, int, int]], *,
    at: datetime,
) -> None:  # fmt: skip
    """Mothers and children (child, mother, piece) with their orders; only a mother holds lines, weight and cash."""
    by_id = dict(parcels)
    rows: list[tuple[int, NewParcel, int | None, int]] = [(an_id, parcel, None, 1) for an_id, parcel in parcels]
    rows += [(child, by_id[mother], mother, piece) for child, mother, piece in children]
    conn.execute(
        """INSERT INTO parcel (id, shop_id, warehouse_id, person_id, account_id, carrier, mother_id, weight_g,
                               volume_cm3, cod_fen, declared_fen, piece, pieces, created_at, moved_at)
           SELECT *, %(at)s, %(at)s
           FROM unnest(%(ids)s::bigint[], %(shops)s::bigint[], %(warehouses)s::bigint[], %(persons)s::bigint[],
                       %(accounts)s::bigint[], %(carriers)s::text[], %(mothers)b::bigint[], %(weights)s::int[],
                       %(volumes)s::int[], %(cods)s::bigint[], %(declareds)s::bigint[], %(piece)s::int[],
                       %(pieces)s::int[])""",
        {
            "at": at,
            "ids": [row[0] for row in rows],
            "shops": [parcel.shop_id for _, parcel, _, _ in rows],
            "warehouses": [parcel.warehouse_id for _, parcel, _, _ in rows],
            "persons": [parcel.person_id for _, parcel, _, _ in rows],
            "accounts": [parcel.account_id for _, parcel, _, _ in rows],
            "carriers": [parcel.carrier for _, parcel, _, _ in rows],
            "mothers": [mother for _, _, mother, _ in rows],
            "weights": [0 if mother else parcel.weight_g for _, parcel, mother, _ in rows],
            "volumes": [0 if mother else parcel.volume_cm3 for _, parcel, mother, _ in rows],
            "cods": [0 if mother else parcel.cod_fen for _, parcel, mother, _ in rows],
            "declareds": [0 if mother else parcel.declared_fen for _, parcel, mother, _ in rows],
            "piece": [row[3] for row in rows],
            "pieces": [parcel.pieces for _, parcel, _, _ in rows],
        },
    )
    _insert_contents(conn, [(an_id, parcel, mother is None) for an_id, parcel, mother, _ in rows])


def _insert_contents(conn: Connection, rows: Sequence[tuple[int, NewParcel, bool]]) -> None:
    orders = [(an_id, content.order_id, parcel.shop_id, content.cod_fen if whole else 0)
              for an_id, parcel, whole in rows for content in parcel.contents]  # fmt: skip
    lines = [(an_id, line_id, parcel.shop_id, quantity) for an_id, parcel, whole in rows if whole
             for content in parcel.contents for line_id, quantity in content.lines]  # fmt: skip
    conn.execute(
        """INSERT INTO parcel_order (parcel_id, order_id, shop_id, cod_fen)
           SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])""",
        _columns(orders, 4),
    )
    conn.execute(
        """INSERT INTO parcel_line (parcel_id, order_line_id, shop_id, quantity)
           SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::int[])""",
        _columns(lines, 4),
    )


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def mothers_of(conn: Connection, parcel_ids: Collection[int]) -> list[int]:
    if not parcel_ids:
        return []
    rows = conn.execute(
        "SELECT DISTINCT coalesce(mother_id, id) FROM parcel WHERE id = ANY(%b)", [bigints(list(parcel_ids))]
    )
    return sorted(row[0] for row in rows)


def mothers_of_people(conn: Connection, person_ids: Sequence[int]) -> list[int]:
    """Every mother parcel that goes or went to one of these people."""
    rows = conn.execute(
        "SELECT DISTINCT coalesce(mother_id, id) FROM parcel WHERE person_id = ANY(%s)", [list(person_ids)]
    )
    return sorted(row[0] for row in rows)


def mothers_of_orders(conn: Connection, order_ids: Sequence[int]) -> list[int]:
    """Mother parcels of these orders that have not left (or some child of theirs) and are not settled for good."""
    rows = conn.execute(
        """SELECT DISTINCT coalesce(parcel.mother_id, parcel.id)
           FROM parcel_order JOIN parcel ON parcel.id = parcel_order.parcel_id
           WHERE parcel_order.order_id = ANY(%s) AND parcel.stage <> 'dispatched'
             AND (parcel.stage <> 'voided' OR parcel.held_reason <> '')""",
        [list(order_ids)],
    )
    return sorted(row[0] for row in rows)


_FAMILY_IDS = "SELECT id FROM parcel WHERE id = ANY(%(mothers)b) OR mother_id = ANY(%(mothers)b)"

_FAMILY_ORDERS = """
SELECT parcel_order.parcel_id, orders.id, orders.warehouse_id, orders.cancelled_at IS NOT NULL AS cancelled,
       orders.held_at IS NOT NULL AS held, orders.hold_reason, orders.refund, person.content_hash AS receiver
FROM parcel_order JOIN orders ON orders.id = parcel_order.order_id JOIN person ON person.id = orders.person_id
WHERE parcel_order.parcel_id = ANY(%(mothers)b) ORDER BY orders.id
"""

_FAMILY_PARCELS = """
SELECT parcel.id, mother_id, parcel.shop_id, warehouse_id, account_id, carrier, stage, held_reason, piece, pieces,
       person.content_hash AS receiver
FROM parcel JOIN person ON person.id = parcel.person_id
WHERE parcel.id = ANY(%(mothers)b) OR mother_id = ANY(%(mothers)b) ORDER BY mother_id NULLS FIRST, piece
"""

# What both questions share is asked once and of these parcels only: the planner would ask it of every order.
# Cash is collected once for an order: by the parcel that collects it already, else by its first that has not
# left, unless one that will collect it is still to be made.
_STALE = """
WITH shared AS MATERIALIZED (SELECT parcel_id, order_id, cod_fen FROM parcel_order WHERE parcel_id = ANY(%(mothers)b)),
lines AS MATERIALIZED (
    SELECT order_line.id, order_line.order_id, order_line.quantity,
           (SELECT coalesce(sum(parcel_line.quantity), 0) FROM parcel_line
            JOIN parcel ON parcel.id = parcel_line.parcel_id
            WHERE parcel_line.order_line_id = order_line.id AND parcel.stage <> 'voided') AS packed
    FROM order_line WHERE order_line.order_id IN (SELECT order_id FROM shared))
SELECT own.parcel_id FROM parcel_line AS own JOIN lines ON lines.id = own.order_line_id
WHERE own.parcel_id = ANY(%(mothers)b) AND lines.quantity < lines.packed
UNION
SELECT own.parcel_id FROM shared AS own JOIN orders ON orders.id = own.order_id
WHERE orders.cancelled_at IS NULL
  AND (own.cod_fen > 0
       OR NOT EXISTS (SELECT FROM lines WHERE lines.order_id = own.order_id AND lines.quantity > lines.packed))
  AND own.cod_fen <> CASE WHEN orders.payment = 'cod' THEN orders.cod_fen ELSE 0 END
  AND own.parcel_id = (SELECT parcel.id FROM parcel_order JOIN parcel ON parcel.id = parcel_order.parcel_id
      WHERE parcel_order.order_id = orders.id AND parcel.mother_id IS NULL AND parcel.stage <> 'voided'
        AND (parcel_order.cod_fen > 0 OR parcel.stage <> 'dispatched')
      ORDER BY parcel_order.cod_fen > 0 DESC, parcel.id LIMIT 1)
"""

TAKE = """
SELECT take.id, take.parcel_id, take.account_id, carrier_account.aggregator_id, carrier_account.carrier, take.code,
       take.state, take.number, take.asked_at, take.attempts, take.unwanted
FROM take JOIN carrier_account ON carrier_account.id = take.account_id
"""

_BINDINGS = f"""
SELECT id, parcel_id, take_id, aggregator_id, carrier, number, state FROM binding
WHERE parcel_id IN ({_FAMILY_IDS}) AND state IN ('live', 'cancelling') ORDER BY id FOR NO KEY UPDATE
"""


def lock_families(conn: Connection, mothers: Sequence[int]) -> list[Family]:
    """Lock orders, parcels, open takes and live bindings of these mothers, in that order, and read them as they are.

    Reading after locking: a statement that waited for a lock would still join with its old snapshot.
    """
    if not mothers:
        return []
    given = {"mothers": bigints(mothers)}
    conn.execute(
        """SELECT id FROM orders WHERE id IN (SELECT order_id FROM parcel_order WHERE parcel_id = ANY(%(mothers)b))
           ORDER BY id FOR NO KEY UPDATE""",
        given,
    )
    conn.execute(_FAMILY_IDS + " ORDER BY id FOR NO KEY UPDATE", given)
    conn.execute(
        """SELECT id FROM take WHERE parcel_id = ANY(%(mothers)b) AND state IN ('planned', 'asked', 'doubt')
           ORDER BY id FOR NO KEY UPDATE""",
        given,
    )
    return _read_families(conn, given)


def _read_families(conn: Connection, given: dict[str, Column]) -> list[Family]:
    orders: defaultdict[int, list[OrderRow]] = defaultdict(list)
    members: defaultdict[int, list[ParcelRow]] = defaultdict(list)
    for parcel_id, *order in conn.execute(_FAMILY_ORDERS, given):
        orders[parcel_id].append(OrderRow(*order))
    for fields in conn.execute(_FAMILY_PARCELS, given):
        parcel = ParcelRow(*fields)
        members[parcel.mother_id or parcel.id].append(parcel)
    bindings = [BindingRow(*fields) for fields in conn.execute(_BINDINGS, given)]
    taking = TAKE + "WHERE take.parcel_id = ANY(%(mothers)b) AND take.state IN ('planned', 'asked', 'doubt')"
    takes = {take.parcel_id: take for take in (TakeRow(*fields) for fields in conn.execute(taking, given))}
    stale = {row[0] for row in conn.execute(_STALE, given)}
    return [
        _family(members[an_id], orders[an_id], takes.get(an_id), bindings, stale=an_id in stale)
        for an_id in sorted(members)
    ]


def _family(
    members: Sequence[ParcelRow], orders: Sequence[OrderRow], take: TakeRow | None, bindings: Sequence[BindingRow], *,
    stale: bool,
) -> Family:  # fmt: skip
    pieces = {parcel.id: parcel.piece for parcel in members}
    own = sorted((row for row in bindings if row.parcel_id in pieces), key=lambda row: pieces[row.parcel_id])
    return Family(members[0], tuple(members[1:]), tuple(orders), take, tuple(own), stale)


def set_stage(conn: Connection, parcel_ids: Iterable[int], *, stage: str, held_reason: str, at: datetime) -> None:
    """Move parcels to a stage before dispatch; `held_reason` is '' for parcels that are free to go."""
    conn.execute(
        """UPDATE parcel SET stage = %s, held_reason = %s, mend = '', moved_at = %s
           WHERE id = ANY(%s) AND stage <> 'dispatched'""",
        [stage, held_reason, at, list(parcel_ids)],
    )


def set_answer(conn: Connection, parcel_ids: Iterable[int], *, stage: str, mend: str = "", at: datetime) -> None:
    """What the carrier's answer, or its silence, makes of parcels that wait for a number."""
    conn.execute(
        "UPDATE parcel SET stage = %s, mend = %s, moved_at = %s WHERE id = ANY(%s)", [stage, mend, at, list(parcel_ids)]
    )


def set_accounts(conn: Connection, rows: Sequence[tuple[int, Account]], *, at: datetime) -> None:
    """Through which account each of these parcels travels."""
    conn.execute(
        """UPDATE parcel SET account_id = new.account_id, carrier = new.carrier, moved_at = %s
           FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS new (id, account_id, carrier)
           WHERE parcel.id = new.id""",
        [at, [an_id for an_id, _ in rows], [account.id for _, account in rows],
         [account.carrier for _, account in rows]],
    )  # fmt: skip


def set_issued(conn: Connection, parcel_ids: Iterable[int], *, carrier: str, at: datetime) -> None:
    conn.execute(
        """UPDATE parcel SET stage = 'issued', carrier = %s, mend = '', held_reason = '', issued_at = %s,
                  printed_at = NULL, moved_at = %s WHERE id = ANY(%s)""",
        [carrier, at, at, list(parcel_ids)],
    )


def refill(conn: Connection, parcels: Sequence[tuple[Family, NewParcel]], *, at: datetime) -> None:
    """Give parcels that have not left their present content, way, cash and declared value."""
    members = [(an_id, family.mother.id, parcel) for family, parcel in parcels for an_id in family.parcel_ids]
    ids = [an_id for an_id, _, _ in members]
    conn.execute("DELETE FROM parcel_line WHERE parcel_id = ANY(%s)", [ids])
    conn.execute("DELETE FROM parcel_order WHERE parcel_id = ANY(%s)", [ids])
    conn.execute(
        """UPDATE parcel SET person_id = new.person_id, warehouse_id = new.warehouse_id, moved_at = %s
           FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS new (id, person_id, warehouse_id)
           WHERE parcel.id = new.id""",
        [at, ids, [parcel.person_id for _, _, parcel in members], [parcel.warehouse_id for _, _, parcel in members]],
    )
    conn.execute(
        """UPDATE parcel SET weight_g = new.weight_g, volume_cm3 = new.volume_cm3, cod_fen = new.cod_fen,
                  declared_fen = new.declared_fen
           FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::bigint[], %s::bigint[])
                AS new (id, weight_g, volume_cm3, cod_fen, declared_fen) WHERE parcel.id = new.id""",
        [[family.mother.id for family, _ in parcels], [parcel.weight_g for _, parcel in parcels],
         [parcel.volume_cm3 for _, parcel in parcels], [parcel.cod_fen for _, parcel in parcels],
         [parcel.declared_fen for _, parcel in parcels]],
    )  # fmt: skip
    _insert_contents(conn, [(an_id, parcel, an_id == mother) for an_id, mother, parcel in members])


def lines_of(conn: Connection, mothers: Sequence[int]) -> dict[int, dict[int, int]]:
    """What parcels hold: order line and quantity, by mother."""
    found: dict[int, dict[int, int]] = {mother: {} for mother in mothers}
    query = "SELECT parcel_id, order_line_id, quantity FROM parcel_line WHERE parcel_id = ANY(%s)"
    for parcel_id, line_id, quantity in conn.execute(query, [list(mothers)]):
        found[parcel_id][line_id] = quantity
    return found


def mark_printed(conn: Connection, prints: Sequence[int], *, at: datetime) -> list[int]:
    """Parcels whose live label these prints put on paper; a print of a voided label says nothing of the parcel."""
    rows = conn.execute(
        """UPDATE parcel SET printed_at = coalesce(parcel.printed_at, %(at)s), moved_at = %(at)s,
                  stage = CASE WHEN stage = 'issued' THEN 'printed' ELSE stage END
           FROM print JOIN label ON label.id = print.label_id
           WHERE print.id = ANY(%(prints)b) AND label.voided_at IS NULL AND parcel.id = label.parcel_id
           RETURNING parcel.id""",
        {"prints": bigints(prints), "at": at},
    )
    return sorted({row[0] for row in rows})


def dispatched_by_print(conn: Connection, parcel_ids: Sequence[int]) -> list[int]:
    rows = conn.execute(
        """SELECT parcel.id FROM parcel JOIN warehouse ON warehouse.id = parcel.warehouse_id
           WHERE parcel.id = ANY(%s) AND warehouse.dispatch_by = 'print' ORDER BY parcel.id""",
        [list(parcel_ids)],
    )
    return [row[0] for row in rows]


def collected(conn: Connection, parcel_ids: Sequence[int]) -> dict[int, int]:
    """Of these parcels, those whose number the carrier collected though to our mind they are here; with their shops."""
    rows = conn.execute(
        """SELECT parcel.id, parcel.shop_id
           FROM parcel JOIN track ON track.parcel_id = parcel.id
           JOIN binding ON binding.id = track.binding_id AND binding.state IN ('live', 'cancelling')
           WHERE parcel.id = ANY(%b) AND parcel.stage <> 'dispatched' AND track.collected_at IS NOT NULL""",
        [bigints(parcel_ids)],
    )
    return dict(rows.fetchall())


def parcels_of_numbers(conn: Connection, numbers: Sequence[str]) -> dict[str, list[int]]:
    """Parcels by scanned number; those still here first. A number may have been another parcel's before."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    if not numbers:
        return found
    for number, parcel_id in conn.execute(
        """SELECT binding.number, binding.parcel_id FROM binding JOIN parcel ON parcel.id = binding.parcel_id
           WHERE binding.number = ANY(%s) AND binding.state = 'live'
           ORDER BY parcel.stage = 'dispatched', binding.id DESC""",
        [list(numbers)],
    ):
        found[number].append(parcel_id)
    return found


def set_dispatched(conn: Connection, parcel_ids: Sequence[int], *, by: str, at: datetime) -> None:
    if not parcel_ids:
        return
    conn.execute(
        """UPDATE parcel SET stage = 'dispatched', dispatched_at = %(at)s, dispatched_by = %(by)s, moved_at = %(at)s
           WHERE id = ANY(%(ids)b)""",
        {"ids": bigints(parcel_ids), "by": by, "at": at},
    )


def set_weighed(conn: Connection, parcel_ids: Sequence[int], weighed_g: int) -> None:
    conn.execute("UPDATE parcel SET weighed_g = %s WHERE id = ANY(%s)", [weighed_g, list(parcel_ids)])
