"""SQL of numbers: attempts to get one, bindings, labels, and giving numbers back.

Rows are changed only under the locks of their family (`store.lock_families`). The partial indexes `take_open`,
`binding_live_parcel`, `binding_live_number` and `label_live` are the last guard behind the decisions made above.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from waystream.core.errors import Conflict
from waystream.core.ports import Routing
from waystream.kernel.database import Connection
from waystream.parts.fulfilment.family import BindingRow, TakeRow
from waystream.parts.fulfilment.store import TAKE


@dataclass(frozen=True, slots=True)
class NewTake:
    id: int
    parcel_id: int
    shop_id: int
    account_id: int
    code: str


@dataclass(frozen=True, slots=True)
class NewBinding:
    """`take_id` None: a number made elsewhere."""

    id: int
    parcel_id: int
    shop_id: int
    take_id: int | None
    aggregator_id: int
    carrier: str
    number: str
    owns_from: datetime


@dataclass(frozen=True, slots=True)
class NewLabel:
    """`sealed` is the carrier's template under a day key; for our own label it is the empty text."""

    id: int
    parcel_id: int
    binding_id: int
    shop_id: int
    source: str
    routing: Routing
    key_id: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class NewCancel:
    """`binding_id` None: the number was never bound."""

    id: int
    parcel_id: int
    shop_id: int
    take_id: int | None
    binding_id: int | None
    carrier: str
    number: str
    reason: str
    supported: bool = True


@dataclass(frozen=True, slots=True)
class Cancel:
    id: int
    parcel_id: int
    shop_id: int
    take_id: int | None
    binding_id: int | None
    carrier: str
    number: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Voided:
    """A label that must not be used any more."""

    id: int
    parcel_id: int
    shop_id: int


@dataclass(frozen=True, slots=True)
class AskRow:
    """All that a call for a number needs, still sealed where it is personal or secret."""

    integration: str
    aggregator_code: str
    merchant_id: str
    key_sealed: bytes
    base_url: str
    account_id: int
    parameters_sealed: bytes
    draws: bool
    person_id: int
    person_key: int
    person_sealed: bytes
    warehouse_code: str
    warehouse_key: int
    warehouse_sealed: bytes
    weight_g: int
    volume_cm3: int
    cod_fen: int
    declared_fen: int
    pieces: int


@dataclass(frozen=True, slots=True)
class GoodsRow:
    name: str
    sku: str
    quantity: int
    price_fen: int
    weight_g: int


def insert_takes(conn: Connection, takes: Sequence[NewTake], *, at: datetime) -> None:
    conn.execute(
        """INSERT INTO take (id, parcel_id, shop_id, account_id, code, created_at)
           SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])""",
        [at, [take.id for take in takes], [take.parcel_id for take in takes], [take.shop_id for take in takes],
         [take.account_id for take in takes], [take.code for take in takes]],
    )  # fmt: skip


def find_take(conn: Connection, take_id: int) -> TakeRow | None:
    with conn.cursor(row_factory=class_row(TakeRow)) as cur:
        return cur.execute(TAKE + "WHERE take.id = %s", [take_id]).fetchone()


def lock_take(conn: Connection, take_id: int) -> TakeRow:
    """The attempt as it is now; its family is locked already."""
    conn.execute("SELECT id FROM take WHERE id = %s FOR NO KEY UPDATE", [take_id])
    take = find_take(conn, take_id)
    assert take is not None, "a take is never removed"
    return take


def mark_asked(conn: Connection, take_id: int, *, at: datetime) -> None:
    """The call is about to leave. `asked_at` is the first time: doubt counts from there."""
    conn.execute(
        """UPDATE take SET state = CASE WHEN state = 'planned' THEN 'asked' ELSE state END, attempts = attempts + 1,
                  asked_at = coalesce(asked_at, %s) WHERE id = %s""",
        [at, take_id],
    )


def mark_unsent(conn: Connection, take_id: int, *, attempts: int, said: str) -> None:
    """The call never left: as if it had not been made. `attempts` is the count before it."""
    conn.execute(
        """UPDATE take SET attempts = %(attempts)s, said = %(said)s,
                  state = CASE WHEN state = 'asked' AND %(attempts)s = 0 THEN 'planned' ELSE state END,
                  asked_at = CASE WHEN %(attempts)s = 0 THEN NULL ELSE asked_at END
           WHERE id = %(id)s""",
        {"id": take_id, "attempts": attempts, "said": said},
    )


def set_take(
    conn: Connection, take_id: int, *, state: str, at: datetime | None, number: str = "", said: str = ""
) -> None:
    """`at`: when the carrier answered, None while it has not."""
    conn.execute(
        """UPDATE take SET state = %s, number = CASE WHEN %s = '' THEN number ELSE %s END, said = %s,
                  answered_at = coalesce(answered_at, %s) WHERE id = %s""",
        [state, number, number, said[:500], at, take_id],
    )


def note_number(conn: Connection, take_id: int, number: str) -> None:
    """What a push told of an attempt that got no answer; the first one stays."""
    conn.execute("UPDATE take SET number = %s WHERE id = %s AND number = ''", [number, take_id])


def doubt_open(conn: Connection, *, at: datetime) -> list[int]:
    """Every open attempt as one that may have been answered; their ids. Doubt counts from `at`."""
    rows = conn.execute(
        """UPDATE take SET state = 'doubt', attempts = greatest(attempts, 1), asked_at = %s, said = 'restored'
           WHERE state IN ('planned', 'asked') RETURNING id""",
        [at],
    )
    return sorted(row[0] for row in rows)


def keep_reply(conn: Connection, take_id: int, *, key_id: int, sealed: bytes) -> None:
    """Unless the receiver was erased meanwhile: a reply may quote them."""
    conn.execute(
        """UPDATE take SET reply_key = %s, reply_sealed = %s
           WHERE id = %s AND NOT EXISTS (SELECT FROM parcel JOIN person ON person.id = parcel.person_id
                                         WHERE parcel.id = take.parcel_id AND person.erased_at IS NOT NULL)""",
        [key_id, sealed, take_id],
    )


def empty_papers(conn: Connection, parcel_ids: Sequence[int]) -> None:
    """Take the bytes of every label and every carrier's reply of these parcels; routing marks and numbers stay."""
    conn.execute("UPDATE label SET sealed = '' WHERE parcel_id = ANY(%s) AND sealed <> ''", [list(parcel_ids)])
    conn.execute(
        """UPDATE take SET reply_key = NULL, reply_sealed = NULL
           WHERE parcel_id = ANY(%s) AND reply_sealed IS NOT NULL""",
        [list(parcel_ids)],
    )


def drop_takes(conn: Connection, take_ids: Sequence[int]) -> None:
    """Nobody waits for these any more; if one was sent, its number will be an orphan."""
    conn.execute("UPDATE take SET state = 'abandoned', unwanted = true WHERE id = ANY(%s)", [list(take_ids)])


def mark_unwanted(conn: Connection, take_ids: Sequence[int]) -> None:
    conn.execute("UPDATE take SET unwanted = true WHERE id = ANY(%s)", [list(take_ids)])


def load_ask(conn: Connection, take_id: int) -> AskRow:
    with conn.cursor(row_factory=class_row(AskRow)) as cur:
        row = cur.execute(
            """SELECT aggregator.integration, aggregator.code AS aggregator_code, aggregator.merchant_id,
                      aggregator.key_sealed, aggregator.base_url, carrier_account.id AS account_id,
                      carrier_account.parameters_sealed, carrier_account.draws, person.id AS person_id,
                      person.key_id AS person_key, person.sealed AS person_sealed, warehouse.code AS warehouse_code,
                      warehouse.key_id AS warehouse_key, warehouse.sealed AS warehouse_sealed, parcel.weight_g,
                      parcel.volume_cm3, parcel.cod_fen, parcel.declared_fen, parcel.pieces
               FROM take
               JOIN carrier_account ON carrier_account.id = take.account_id
               JOIN aggregator ON aggregator.id = carrier_account.aggregator_id
               JOIN parcel ON parcel.id = take.parcel_id
               JOIN person ON person.id = parcel.person_id
               JOIN warehouse ON warehouse.id = parcel.warehouse_id
               WHERE take.id = %s""",
            [take_id],
        ).fetchone()
    assert row is not None, "a take has its account, parcel, person and warehouse"
    return row


def list_goods(conn: Connection, parcel_id: int) -> list[GoodsRow]:
    with conn.cursor(row_factory=class_row(GoodsRow)) as cur:
        return cur.execute(
            """SELECT order_line.name, order_line.sku, parcel_line.quantity, order_line.price_fen,
                      coalesce(sku.weight_g, 0) AS weight_g
               FROM parcel_line JOIN order_line ON order_line.id = parcel_line.order_line_id
               LEFT JOIN sku ON sku.shop_id = order_line.shop_id AND sku.code = order_line.sku
               WHERE parcel_line.parcel_id = %s ORDER BY order_line.id""",
            [parcel_id],
        ).fetchall()


#: Nothing said yet that the journey of this binding ended; the rule that notes it here may be behind the track.
_HELD = """binding.state IN ('live', 'cancelling') AND binding.owns_until IS NULL
    AND NOT EXISTS (SELECT FROM track WHERE track.parcel_id = binding.parcel_id
                    AND track.state IN ('delivered', 'returned', 'lost'))"""


def holder_of(conn: Connection, *, carrier: str, number: str) -> BindingRow | None:
    """Whose number it is while nothing said that the journey ended: a carrier must not give it out again."""
    with conn.cursor(row_factory=class_row(BindingRow)) as cur:
        return cur.execute(
            f"""SELECT id, parcel_id, take_id, aggregator_id, carrier, number, state FROM binding
                WHERE carrier = %s AND number = %s AND {_HELD}""",
            [carrier, number],
        ).fetchone()


def parcel_of_number(conn: Connection, *, order_id: int, carrier: str, number: str) -> int | None:
    """The parcel of this order that has this number now."""
    row = conn.execute(
        """SELECT binding.parcel_id FROM binding JOIN parcel_order ON parcel_order.parcel_id = binding.parcel_id
           WHERE parcel_order.order_id = %s AND binding.carrier = %s AND binding.number = %s
             AND binding.state = 'live' ORDER BY binding.id DESC LIMIT 1""",
        [order_id, carrier, number],
    ).fetchone()
    return row[0] if row else None


def insert_bindings(conn: Connection, bindings: Sequence[NewBinding], *, at: datetime) -> None:
    """Bind; whoever had the number before owns its scans until here.

    Raises `Conflict` for a number that another transaction bound since the caller looked: what is held is not ended.
    """
    conn.execute(
        f"""UPDATE binding SET owns_until = least(owns_until, new.owns_from)
            FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS new (carrier, number, owns_from)
            WHERE binding.carrier = new.carrier AND binding.number = new.number AND NOT ({_HELD})""",
        [[b.carrier for b in bindings], [b.number for b in bindings], [b.owns_from for b in bindings]],
    )
    try:
        _insert_bindings(conn, bindings, at=at)
    except UniqueViolation as held:
        raise Conflict("The number belongs to another parcel already.") from held


def _insert_bindings(conn: Connection, bindings: Sequence[NewBinding], *, at: datetime) -> None:
    conn.execute(
        """INSERT INTO binding (id, parcel_id, shop_id, take_id, aggregator_id, carrier, number, owns_from, bound_at)
           SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[],
                                    %s::text[], %s::timestamptz[])""",
        [at, [b.id for b in bindings], [b.parcel_id for b in bindings], [b.shop_id for b in bindings],
         [b.take_id for b in bindings], [b.aggregator_id for b in bindings], [b.carrier for b in bindings],
         [b.number for b in bindings], [b.owns_from for b in bindings]],
    )  # fmt: skip


def set_bindings(conn: Connection, binding_ids: Iterable[int], *, state: str, ended_at: datetime | None = None) -> None:
    conn.execute(
        "UPDATE binding SET state = %s, ended_at = %s WHERE id = ANY(%s)", [state, ended_at, list(binding_ids)]
    )


def end_bindings(conn: Connection, parcel_ids: Sequence[int], *, owns_until: datetime | None) -> None:
    """The journey ended: until when late scans of the number are still this parcel's (None: it goes on)."""
    conn.execute(
        """UPDATE binding SET owns_until = %(until)s
           WHERE parcel_id = ANY(%(ids)s) AND state = 'live'
             AND NOT EXISTS (SELECT FROM binding AS later WHERE later.carrier = binding.carrier
                             AND later.number = binding.number AND later.id > binding.id)""",
        {"ids": list(parcel_ids), "until": owns_until},
    )


def insert_labels(conn: Connection, labels: Sequence[NewLabel], *, at: datetime) -> None:
    conn.execute(
        """INSERT INTO label (id, parcel_id, binding_id, shop_id, source, routing, key_id, sealed, made_at)
           SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::jsonb[],
                                    %s::bigint[], %s::bytea[])""",
        [at, [n.id for n in labels], [n.parcel_id for n in labels], [n.binding_id for n in labels],
         [n.shop_id for n in labels], [n.source for n in labels],
         [msgspec.json.encode(n.routing).decode() for n in labels], [n.key_id for n in labels],
         [n.sealed for n in labels]],
    )  # fmt: skip


def void_labels(conn: Connection, parcel_ids: Sequence[int], *, at: datetime) -> list[Voided]:
    with conn.cursor(row_factory=class_row(Voided)) as cur:
        return cur.execute(
            """UPDATE label SET voided_at = %s WHERE parcel_id = ANY(%s) AND voided_at IS NULL
               RETURNING id, parcel_id, shop_id""",
            [at, list(parcel_ids)],
        ).fetchall()


def last_labels(conn: Connection, binding_ids: Sequence[int]) -> list[NewLabel]:
    """The newest label of each binding, voided or not, to be made again."""
    rows = conn.execute(
        """SELECT DISTINCT ON (binding_id) id, parcel_id, binding_id, shop_id, source, routing::text, key_id, sealed
           FROM label WHERE binding_id = ANY(%s) ORDER BY binding_id, id DESC""",
        [list(binding_ids)],
    )
    return [
        NewLabel(*(*ids, source, msgspec.json.decode(routing, type=Routing), key_id, sealed))
        for *ids, source, routing, key_id, sealed in rows
    ]


def insert_cancels(conn: Connection, cancels: Sequence[NewCancel], *, at: datetime) -> list[Cancel]:
    """Ask to give numbers back. A number whose cancel was refused before is asked for again in the same row."""
    with conn.cursor(row_factory=class_row(Cancel)) as cur:
        return cur.execute(
            """INSERT INTO waybill_cancel (id, parcel_id, shop_id, take_id, binding_id, carrier, number, reason, state,
                                           asked_at, answered_at)
               SELECT id, parcel_id, shop_id, take_id, binding_id, carrier, number, reason,
                      CASE WHEN supported THEN 'asked' ELSE 'unsupported' END, %s,
                      CASE WHEN supported THEN NULL ELSE %s END
               FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[],
                           %s::text[], %s::text[], %s::boolean[])
                    AS new (id, parcel_id, shop_id, take_id, binding_id, carrier, number, reason, supported)
               ON CONFLICT (take_id) WHERE take_id IS NOT NULL DO UPDATE
               SET state = 'asked', reason = excluded.reason, asked_at = excluded.asked_at, answered_at = NULL,
                   settled_by = ''
               RETURNING id, parcel_id, shop_id, take_id, binding_id, carrier, number, state, reason""",
            [at, at, [c.id for c in cancels], [c.parcel_id for c in cancels], [c.shop_id for c in cancels],
             [c.take_id for c in cancels], [c.binding_id for c in cancels], [c.carrier for c in cancels],
             [c.number for c in cancels], [c.reason for c in cancels], [c.supported for c in cancels]],
        ).fetchall()  # fmt: skip


def find_cancel(conn: Connection, cancel_id: int) -> Cancel | None:
    with conn.cursor(row_factory=class_row(Cancel)) as cur:
        return cur.execute(
            """SELECT id, parcel_id, shop_id, take_id, binding_id, carrier, number, state, reason
               FROM waybill_cancel WHERE id = %s FOR NO KEY UPDATE""",
            [cancel_id],
        ).fetchone()


def find_cancel_parcel(conn: Connection, cancel_id: int) -> int | None:
    row = conn.execute("SELECT parcel_id FROM waybill_cancel WHERE id = %s", [cancel_id]).fetchone()
    return row[0] if row else None


def set_cancel(conn: Connection, cancel_id: int, *, state: str, said: str, at: datetime, settled_by: str = "") -> None:
    conn.execute(
        "UPDATE waybill_cancel SET state = %s, said = %s, answered_at = %s, settled_by = %s WHERE id = %s",
        [state, said[:500], at, settled_by, cancel_id],
    )


def kept_by_carrier(conn: Connection, binding_ids: Sequence[int]) -> set[int]:
    """Of these numbers, those the carrier cannot cancel and that nobody has confirmed dead."""
    rows = conn.execute(
        """SELECT binding.id FROM binding JOIN waybill_cancel
           ON waybill_cancel.binding_id = binding.id OR waybill_cancel.take_id = binding.take_id
           WHERE binding.id = ANY(%s) AND waybill_cancel.state = 'unsupported'""",
        [list(binding_ids)],
    )
    return {row[0] for row in rows}


def settle_kept(conn: Connection, binding_ids: Sequence[int], *, at: datetime) -> None:
    """Nobody needs to call the carrier any more: these numbers are used after all."""
    conn.execute(
        """UPDATE waybill_cancel SET state = 'refused', said = 'used again', answered_at = %s
           FROM binding WHERE binding.id = ANY(%s) AND waybill_cancel.state = 'unsupported'
             AND (waybill_cancel.binding_id = binding.id OR waybill_cancel.take_id = binding.take_id)""",
        [at, list(binding_ids)],
    )


def aggregator_of(conn: Connection, *, account_id: int | None, carrier: str) -> int | None:
    """Through whom a number made elsewhere is tracked: its account's aggregator, else the carrier's first, else any."""
    row = conn.execute(
        """SELECT aggregator.id FROM aggregator
           LEFT JOIN carrier_account ON carrier_account.aggregator_id = aggregator.id
           ORDER BY carrier_account.id IS NOT DISTINCT FROM %s DESC,
                    carrier_account.carrier IS NOT DISTINCT FROM %s DESC, aggregator.id LIMIT 1""",
        [account_id, carrier],
    ).fetchone()
    return row[0] if row else None


def orders_in_doubt(conn: Connection, order_ids: Sequence[int], *, asked_after: datetime) -> set[int]:
    """Of these orders, those whose goods were in a parcel that is void, while its number is still asked for."""
    rows = conn.execute(
        """SELECT DISTINCT parcel_order.order_id FROM parcel_order JOIN parcel ON parcel.id = parcel_order.parcel_id
           JOIN take ON take.parcel_id = parcel.id
           WHERE parcel_order.order_id = ANY(%s) AND parcel.stage = 'voided'
             AND take.state IN ('asked', 'doubt') AND take.asked_at > %s""",
        [list(order_ids), asked_after],
    )
    return {row[0] for row in rows}


def waiting_behind_doubt(conn: Connection, *, asked_before: datetime) -> list[int]:
    """Parcels that want another number while an unwanted attempt stayed unanswered for too long."""
    rows = conn.execute(
        """SELECT parcel.id FROM take JOIN parcel ON parcel.id = take.parcel_id
           WHERE take.state IN ('asked', 'doubt') AND take.unwanted AND take.asked_at < %s
             AND parcel.stage = 'asked' AND parcel.held_reason = '' ORDER BY parcel.id""",
        [asked_before],
    )
    return [row[0] for row in rows]
