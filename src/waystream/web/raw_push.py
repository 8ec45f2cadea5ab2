"""Opening the raw push behind a parcel's state.

Guaranteed: a push is opened only by way of a parcel it told of, and only by somebody who sees everything it tells: one
push carries waybills of every shop of its account, so who is limited to shops or warehouses must see each of them.
Once a receiver of any of its parcels is erased, it is opened for nobody.
"""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from waystream.core.errors import Conflict, Forbidden, Missing, Unreadable
from waystream.core.ports import Network
from waystream.kernel.tx import Tx
from waystream.parts.people.model import Caller
from waystream.parts.tracking import reading
from waystream.parts.tracking.reading import RawPush
from waystream.web.auth import Seat
from waystream.web.shell.language import N_

Conn = Connection[Any]


def open_raw_push(
    tx: Tx, seat: Seat, networks: Mapping[str, Network], *, parcel_id: int, inbox_id: int, reason: str
) -> RawPush:
    """The bytes as they came; who looked and why is noted. `parcel_id` is within the caller's reach already.

    Raises `Missing` for a push that told nothing of this parcel, `Forbidden` for one that tells of others' parcels,
    `Conflict` for one that tells of somebody who was erased.
    """
    if not _told_of(tx.conn, parcel_id, inbox_id):
        raise Missing(N_("This push told nothing of this parcel."))
    raw = reading.open_push(tx, inbox_id, actor=seat.caller.actor, reason=reason, subject=f"parcel:{parcel_id}")
    told = _told_by(networks[raw.integration], raw.body)
    if _tells_of_erased(tx.conn, parcel_id, told):
        raise Conflict(N_("This push tells of a receiver who was erased: it stays closed."))
    if not _sees_all(tx.conn, seat.caller, told):
        raise Forbidden(N_("This push tells of parcels that are not yours, too."))
    return raw


def _told_of(conn: Conn, parcel_id: int, inbox_id: int) -> bool:
    row = conn.execute(
        """SELECT EXISTS (SELECT FROM scan WHERE parcel_id = %(parcel)s AND inbox_id = %(push)s)
               OR EXISTS (SELECT FROM telling WHERE parcel_id = %(parcel)s AND inbox_id = %(push)s)""",
        {"parcel": parcel_id, "push": inbox_id},
    ).fetchone()
    return row is not None and bool(row[0])


def _told_by(network: Network, body: bytes) -> set[tuple[str, str]]:
    """(carrier, number) of every waybill in the push; none where today's reader cannot read it."""
    try:
        return {(each.carrier, each.number) for each in network.read_push(body).told}
    except Unreadable:
        return set()


def _tells_of_erased(conn: Conn, parcel_id: int, told: set[tuple[str, str]]) -> bool:
    """Numbers are used again: in doubt the push stays closed."""
    row = conn.execute(
        """SELECT EXISTS (SELECT FROM parcel JOIN person ON person.id = parcel.person_id
                          WHERE person.erased_at IS NOT NULL AND (parcel.id = %(parcel)s OR parcel.id IN (
                              SELECT parcel_id FROM binding WHERE number = ANY (%(numbers)s))))""",
        {"parcel": parcel_id, "numbers": [number for _, number in told]},
    ).fetchone()
    return row is not None and bool(row[0])


def _sees_all(conn: Conn, caller: Caller, told: set[tuple[str, str]]) -> bool:
    """A number nobody has bound is nobody's to see, except for who sees everything; so is what cannot be read."""
    if caller.shops.ids is None and caller.warehouses is None:
        return True
    if not told:
        return False
    rows = conn.execute(
        """SELECT binding.carrier, binding.number FROM binding JOIN parcel ON parcel.id = binding.parcel_id
           WHERE binding.number = ANY (%(numbers)s)
             AND (%(warehouses)s::bigint[] IS NULL OR parcel.warehouse_id = ANY (%(warehouses)s))""",
        {
            "numbers": [number for _, number in told],
            "warehouses": None if caller.warehouses is None else sorted(caller.warehouses),
        },
    )
    return told <= {(carrier, number) for carrier, number in rows}
