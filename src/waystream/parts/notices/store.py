"""SQL of the notices themselves: planned, composed, handed over, reported.

Whoever plans or composes locks the order's row first: what is gathered into one message, what was said today and what
is being said now are judged by one at a time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, kwargs_row

from waystream.core.state import Kind as TrackKind
from waystream.core.state import State
from waystream.kernel.columns import bigints, instants, texts
from waystream.parts.notices.facts import OrderNow
from waystream.parts.notices.model import Notice, NoticeState, ParcelNow, Thing

Conn = Connection[Any]

DUE_AT_ONCE = 500
SLOWED_AT_ONCE = 5_000

#: order, parcel, kind, nth
Key = tuple[int, int, str, int]


def orders_of_parcels(conn: Conn, parcel_ids: Collection[int]) -> dict[int, int]:
    """Each parcel's order, of several the first: one parcel is spoken of once."""
    rows = conn.execute(
        "SELECT parcel_id, min(order_id) FROM parcel_order WHERE parcel_id = ANY (%b) GROUP BY parcel_id",
        [bigints(sorted(parcel_ids))],
    )
    return dict(rows.fetchall())


def lock_orders(conn: Conn, order_ids: Collection[int]) -> dict[int, int]:
    """order → shop, by ascending id."""
    rows = conn.execute(
        "SELECT id, shop_id FROM orders WHERE id = ANY (%b) ORDER BY id FOR NO KEY UPDATE", [bigints(sorted(order_ids))]
    )
    return dict(rows.fetchall())


def list_known(conn: Conn, things: Sequence[Thing]) -> dict[Key, datetime | None]:
    """The keys of those things that a notice has already. With an instant: it was not said, for it was over by then;
    what happened later may be said."""
    rows = conn.execute(
        """SELECT t.order_id, t.parcel_id, t.kind, t.nth,
                  CASE WHEN n.state = 'dropped' AND n.why IN ('moved_on', 'slowdown', 'taken_back') AND n.actor = ''
                       THEN t.at END
           FROM unnest(%(orders)b::bigint[], %(parcels)b::bigint[], %(kinds)b::text[], %(nths)b::bigint[])
                AS given (order_id, parcel_id, kind, nth)
           JOIN notice_thing t USING (order_id, parcel_id, kind, nth) JOIN notice n ON n.id = t.notice_id""",
        _columns(things),
    )
    return {(order_id, parcel_id, kind, nth): over_at for order_id, parcel_id, kind, nth, over_at in rows}


def _columns(things: Sequence[Thing]) -> dict[str, Any]:
    return {
        "orders": bigints([thing.order_id for thing in things]),
        "parcels": bigints([thing.parcel_id for thing in things]),
        "kinds": texts([thing.kind for thing in things]),
        "nths": bigints([thing.nth for thing in things]),
    }


def find_said(conn: Conn, order_id: int, kind: str, nth: int) -> int | None:
    """The notice that spoke of a whole order."""
    row = conn.execute(
        "SELECT notice_id FROM notice_thing WHERE parcel_id = 0 AND order_id = %s AND kind = %s AND nth = %s",
        [order_id, kind, nth],
    ).fetchone()
    return row[0] if row else None


def list_gathering(conn: Conn, order_ids: Collection[int]) -> dict[tuple[int, str], int]:
    """The notices that still take things in: (order, kind) → id."""
    rows = conn.execute(
        """SELECT order_id, kind, id FROM notice
           WHERE order_id = ANY (%b) AND state = 'planned' AND actor = ''""",
        [bigints(sorted(order_ids))],
    )
    return {(order_id, kind): notice_id for order_id, kind, notice_id in rows}


@dataclass(frozen=True, slots=True)
class NewNotice:
    id: int
    shop_id: int
    order_id: int
    kind: str
    due_at: datetime
    actor: str = ""
    again_of: int | None = None
    urgent: bool = False
    language: str = ""
    key_id: int | None = None
    sealed: bytes = b""
    test: bool = False
    slowdown_id: int | None = None


def insert(conn: Conn, notices: Sequence[NewNotice], *, at: datetime) -> None:
    if not notices:
        return
    conn.cursor().executemany(
        """INSERT INTO notice (id, shop_id, order_id, kind, planned_at, due_at, actor, again_of, urgent, language,
                               key_id, sealed, test, slowdown_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            [each.id, each.shop_id, each.order_id, each.kind, at, each.due_at, each.actor, each.again_of, each.urgent,
             each.language, each.key_id, each.sealed, each.test, each.slowdown_id]
            for each in notices
        ],
    )  # fmt: skip


def insert_things(conn: Conn, things: Sequence[tuple[int, int, Thing]]) -> None:
    """(notice, shop, thing)."""
    if not things:
        return
    conn.execute(
        """INSERT INTO notice_thing (order_id, parcel_id, kind, nth, shop_id, notice_id, at, detail, because)
           SELECT * FROM unnest(%(orders)b::bigint[], %(parcels)b::bigint[], %(kinds)b::text[], %(nths)b::bigint[],
                                %(shops)b::bigint[], %(notices)b::bigint[], %(ats)b::timestamptz[],
                                %(details)b::text[], %(causes)b::text[])
           ON CONFLICT (parcel_id, order_id, kind, nth) DO UPDATE
           SET notice_id = excluded.notice_id, at = excluded.at, detail = excluded.detail,
               because = excluded.because""",
        _columns([thing for _, _, thing in things])
        | {
            "shops": bigints([shop_id for _, shop_id, _ in things]),
            "notices": bigints([notice_id for notice_id, _, _ in things]),
            "ats": instants([thing.at for _, _, thing in things]),
            "details": texts([thing.detail for _, _, thing in things]),
            "causes": texts([thing.because for _, _, thing in things]),
        },
    )


def take_due(conn: Conn, *, at: datetime) -> list[tuple[int, int, int]]:
    """(notice, shop, order) of those that are due and that no job has yet, now marked as queued."""
    rows = conn.execute(
        """UPDATE notice SET queued = true
           WHERE id IN (SELECT id FROM notice WHERE state = 'planned' AND NOT queued AND due_at <= %s
                        ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
           RETURNING id, shop_id, order_id""",
        [at, DUE_AT_ONCE],
    )
    return sorted(rows.fetchall())


_NOTICE = """
SELECT id, shop_id, order_id, kind, letter_id, state, actor, again_of, urgent, planned_at, channel, refused_by, receipt,
       doubted_at, key_id, test, language, sealed
FROM notice
"""


def _notice(*, state: str, refused_by: list[str], **rest: Any) -> Notice:
    return Notice(state=NoticeState(state), refused_by=tuple(refused_by), **rest)


def find(conn: Conn, notice_id: int) -> Notice | None:
    return conn.cursor(row_factory=kwargs_row(_notice)).execute(_NOTICE + "WHERE id = %s", [notice_id]).fetchone()


def lock(conn: Conn, notice_id: int) -> Notice:
    """After its order's row."""
    found = (
        conn.cursor(row_factory=kwargs_row(_notice))
        .execute(_NOTICE + "WHERE id = %s FOR NO KEY UPDATE", [notice_id])
        .fetchone()
    )
    assert found is not None, "a notice vanished"
    return found


def lock_by_report(conn: Conn, shop_id: int, *, channel: str, receipt: str, letter_id: str) -> list[Notice]:
    """What a report is about: by the channel's name for it, or by ours. Names of channels are a shop's own."""
    found = conn.cursor(row_factory=kwargs_row(_notice)).execute(
        _NOTICE
        + """WHERE shop_id = %(shop)s AND channel = %(channel)s
                 AND ((%(receipt)s <> '' AND receipt = %(receipt)s) OR (%(letter)s <> '' AND letter_id = %(letter)s))
             ORDER BY id FOR NO KEY UPDATE""",
        {"shop": shop_id, "channel": channel, "receipt": receipt, "letter": letter_id},
    )
    return found.fetchall()


def list_things(conn: Conn, notice_id: int) -> tuple[Thing, ...]:
    rows = conn.cursor(row_factory=class_row(Thing)).execute(
        """SELECT order_id, parcel_id, kind, nth, at, detail, because FROM notice_thing
           WHERE notice_id = %s ORDER BY at, parcel_id""",
        [notice_id],
    )
    return tuple(rows.fetchall())


def get_order(conn: Conn, order_id: int) -> OrderNow:
    found = (
        conn.cursor(row_factory=class_row(OrderNow))
        .execute(
            """SELECT o.id, o.shop_id, s.code AS shop_code, s.name AS shop, o.number,
                      coalesce((SELECT name FROM order_line l WHERE l.order_id = o.id AND quantity > 0 AND name <> ''
                                ORDER BY line_no LIMIT 1), '') AS goods,
                      coalesce((SELECT sum(quantity) FROM order_line l WHERE l.order_id = o.id), 0)::int AS pieces,
                      o.promised_at, o.cancelled_at IS NOT NULL AS cancelled, o.person_id
               FROM orders o JOIN shop s ON s.id = o.shop_id WHERE o.id = %s""",
            [order_id],
        )
        .fetchone()
    )
    assert found is not None, "an order vanished"
    return found


def list_parcels(conn: Conn, parcel_ids: Collection[int]) -> dict[int, ParcelNow]:
    rows = conn.execute(
        """SELECT p.id, p.stage, coalesce(t.state, 'awaiting_collection'), coalesce(t.kind, ''),
                  coalesce(b.carrier, p.carrier), coalesce(b.number, ''), t.scanned_at, coalesce(t.latest, ''),
                  coalesce(slow.id, 0)
           FROM parcel p LEFT JOIN track t ON t.parcel_id = p.id
           LEFT JOIN binding b ON b.parcel_id = p.id AND b.state IN ('live', 'cancelling')
           LEFT JOIN silence s ON s.parcel_id = p.id AND s.state IN ('asked', 'stalled')
           LEFT JOIN slowdown slow ON slow.id = s.slowdown_id AND slow.ended_at IS NULL
           WHERE p.id = ANY (%b)""",
        [bigints(sorted(parcel_ids))],
    )
    return {
        row_id: ParcelNow(row_id, stage, State(state), TrackKind(kind), carrier, number, scanned_at, latest, slowed)
        for row_id, stage, state, kind, carrier, number, scanned_at, latest, slowed in rows
    }


def list_slowed(conn: Conn, slowdown_id: int, shop_id: int) -> list[int]:
    """A shop's parcels that an open slow-down holds, at most SLOWED_AT_ONCE."""
    rows = conn.execute(
        """SELECT parcel_id FROM silence WHERE slowdown_id = %s AND shop_id = %s AND state IN ('asked', 'stalled')
           ORDER BY parcel_id LIMIT %s""",
        [slowdown_id, shop_id, SLOWED_AT_ONCE],
    )
    return [row[0] for row in rows]


def list_order_parcels(conn: Conn, order_id: int) -> list[int]:
    """Those that have not been voided."""
    rows = conn.execute(
        """SELECT parcel_id FROM parcel_order JOIN parcel ON parcel.id = parcel_id
           WHERE order_id = %s AND stage <> 'voided' ORDER BY parcel_id""",
        [order_id],
    )
    return [row[0] for row in rows]


def list_numbers(conn: Conn, parcel_ids: Collection[int]) -> list[str]:
    """The numbers of every order that has goods in these parcels."""
    rows = conn.execute(
        """SELECT DISTINCT o.id, o.number FROM parcel_order po JOIN orders o ON o.id = po.order_id
           WHERE po.parcel_id = ANY (%b) ORDER BY o.id""",
        [bigints(sorted(parcel_ids))],
    )
    return [number for _, number in rows]


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: int
    key_id: int
    sealed: bytes
    plain: bool
    province: str
    phone_mask: str
    erased_at: datetime | None


def find_person(conn: Conn, person_id: int) -> PersonRow:
    found = (
        conn.cursor(row_factory=class_row(PersonRow))
        .execute(
            "SELECT id, key_id, sealed, plain, province, phone_mask, erased_at FROM person WHERE id = %s", [person_id]
        )
        .fetchone()
    )
    assert found is not None, "a person vanished"
    return found


def lock_person_hash(conn: Conn, to_hash: bytes) -> None:
    """One message to a person at a time: limits count what another order's message is just becoming."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('notice:' || encode(%s, 'hex'), 0))", [to_hash])


def count_told(
    conn: Conn, *, shop_id: int, order_id: int, to_hash: bytes | None, since: datetime, but: int
) -> tuple[int, int]:
    """What rules and rounds said of this order and to this person since then; `but`: the notice that asks."""
    counts = """SELECT count(*) FROM notice WHERE state IN ('sending', 'handed', 'delivered')
                AND (actor = '' OR slowdown_id IS NOT NULL) AND composed_at >= %(since)s AND id <> %(but)s AND """
    row = conn.execute(
        f"""SELECT ({counts} order_id = %(order)s),
                   ({counts} shop_id = %(shop)s AND to_hash IS NOT NULL AND to_hash = %(hash)s)""",
        {"since": since, "but": but, "order": order_id, "shop": shop_id, "hash": to_hash},
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def wait(conn: Conn, notice_id: int, *, until: datetime) -> None:
    conn.execute("UPDATE notice SET due_at = %s, queued = false WHERE id = %s", [until, notice_id])


@dataclass(frozen=True, slots=True)
class Composed:
    """What is written before the call to the outside."""

    channel: str
    language: str
    to_mask: str
    to_hash: bytes | None
    key_id: int
    sealed: bytes


def begin_sending(conn: Conn, notice_id: int, composed: Composed, *, at: datetime) -> None:
    conn.execute(
        """UPDATE notice SET state = 'sending', composed_at = %(at)s, channel = %(channel)s, language = %(language)s,
               to_mask = %(mask)s, to_hash = %(hash)s, key_id = %(key)s, sealed = %(sealed)s
           WHERE id = %(id)s AND state = 'planned'""",
        {
            "at": at, "channel": composed.channel, "language": composed.language, "mask": composed.to_mask,
            "hash": composed.to_hash, "key": composed.key_id, "sealed": composed.sealed, "id": notice_id,
        },
    )  # fmt: skip


def end_sending(conn: Conn, notice_id: int, *, receipt: str, at: datetime) -> bool:
    """False where it is not being sent (any more): a report may have come first."""
    return (
        conn.execute(
            """UPDATE notice SET state = CASE WHEN state = 'sending' THEN 'handed' ELSE state END, receipt = %s,
                      handed_at = %s, doubted_at = NULL
               WHERE id = %s AND handed_at IS NULL AND state IN ('sending', 'delivered')""",
            [receipt, at, notice_id],
        ).rowcount
        == 1
    )


def back_to_planned(conn: Conn, notice_id: int, *, refused_by: str = "", said: str = "") -> None:
    """It was not said: another channel, or the same one later."""
    conn.execute(
        """UPDATE notice SET state = 'planned', said = %(said)s, sealed = CASE WHEN actor = '' THEN '' ELSE sealed END,
               refused_by = CASE WHEN %(channel)s = '' THEN refused_by ELSE refused_by || %(channel)s END
           WHERE id = %(id)s AND state = 'sending'""",
        {"said": said, "channel": refused_by, "id": notice_id},
    )


def doubt(conn: Conn, notice_id: int, *, said: str, at: datetime) -> bool:
    return (
        conn.execute(
            """UPDATE notice SET doubted_at = %s, said = %s
               WHERE id = %s AND state = 'sending' AND doubted_at IS NULL""",
            [at, said, notice_id],
        ).rowcount
        == 1
    )


def end(conn: Conn, notice_id: int, *, state: NoticeState, why: str, at: datetime, said: str = "") -> bool:
    """Drop or refuse it; False where that was done before."""
    return (
        conn.execute(
            """UPDATE notice SET state = %(state)s, why = %(why)s, ended_at = %(at)s, doubted_at = NULL,
                      said = CASE WHEN %(said)s = '' THEN said ELSE %(said)s END
               WHERE id = %(id)s AND state NOT IN ('refused', 'dropped', 'delivered')""",
            {"state": state.value, "why": why, "at": at, "said": said, "id": notice_id},
        ).rowcount
        == 1
    )


def set_delivered(conn: Conn, notice_id: int, *, said: str, at: datetime) -> bool:
    return (
        conn.execute(
            """UPDATE notice SET state = 'delivered', ended_at = %s, said = %s, doubted_at = NULL
               WHERE id = %s AND state IN ('sending', 'handed')""",
            [at, said, notice_id],
        ).rowcount
        == 1
    )


def list_planned_of(conn: Conn, parcel_ids: Collection[int], kinds: Collection[str]) -> list[tuple[int, int, int]]:
    """(order, notice, parcel) of what is planned of these kinds, by order."""
    rows = conn.execute(
        """SELECT DISTINCT n.order_id, n.id, t.parcel_id FROM notice_thing t JOIN notice n ON n.id = t.notice_id
           WHERE t.parcel_id = ANY (%(parcels)b) AND t.kind = ANY (%(kinds)s) AND n.state = 'planned' AND n.actor = ''
           ORDER BY 1, 2, 3""",
        {"parcels": bigints(sorted(parcel_ids)), "kinds": sorted(kinds)},
    )
    return rows.fetchall()


def list_planned_of_orders(conn: Conn, order_ids: Collection[int]) -> list[int]:
    rows = conn.execute(
        "SELECT id FROM notice WHERE order_id = ANY (%b) AND state = 'planned' ORDER BY id",
        [bigints(sorted(order_ids))],
    )
    return [row[0] for row in rows]


def forget_receivers(conn: Conn, order_ids: Collection[int]) -> int:
    """Take what shows whom messages of these orders went to, and what they said; how many."""
    return conn.execute(
        """UPDATE notice SET to_mask = '', to_hash = NULL, sealed = ''
           WHERE order_id = ANY (%b) AND (to_mask <> '' OR to_hash IS NOT NULL OR sealed <> '')""",
        [bigints(sorted(order_ids))],
    ).rowcount
