"""Which orders and parcels a caller names, and whether they may touch them.

Guaranteed: what lies in another shop or another warehouse than the caller's is as if it were not there. Shops are
held by row-level security; warehouses are held here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection

from waystream.core.errors import Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.tracking import reading
from waystream.web.auth import Seat
from waystream.web.wire import MAX_ID

Conn = Connection[Any]

NO_ORDER = "There is no such order."
NO_TICKET = "There is no such ticket."
NO_PARCEL = "There is no such parcel."


def reach_order(tx: Tx, seat: Seat, name: str) -> int:
    """The id of an order by its id or `SHOP:NUMBER`. Raises `Missing`."""
    found = _resolve(tx.conn, [name], seat.caller.warehouses).get(name)
    if found is None:
        raise Missing(NO_ORDER)
    return found


def reach_orders(tx: Tx, seat: Seat, names: Sequence[str], *, path: str = "orders") -> tuple[int, ...]:
    """The ids, in the given order, each once. Raises `Missing` naming the first that is not there: `orders[3]`."""
    found = _resolve(tx.conn, names, seat.caller.warehouses)
    for at, name in enumerate(names):
        if name not in found:
            raise Missing(NO_ORDER, path=f"{path}[{at}]")
    return tuple(dict.fromkeys(found[name] for name in names))


def reach_parcel(tx: Tx, seat: Seat, parcel_id: int) -> int:
    """The id again. Raises `Missing`."""
    if parcel_id not in _list_parcels(tx.conn, [parcel_id], seat.caller.warehouses):
        raise Missing(NO_PARCEL)
    return parcel_id


def reach_parcels(tx: Tx, seat: Seat, parcel_ids: Sequence[int], *, path: str = "parcels") -> tuple[int, ...]:
    """The ids as plain numbers, each once. Raises `Missing` naming the first that is not there: `parcels[3]`."""
    found = _list_parcels(tx.conn, parcel_ids, seat.caller.warehouses)
    for at, parcel_id in enumerate(parcel_ids):
        if parcel_id not in found:
            raise Missing(NO_PARCEL, path=f"{path}[{at}]")
    return tuple(dict.fromkeys(int(parcel_id) for parcel_id in parcel_ids))


def within_reach(tx: Tx, seat: Seat, parcel_ids: Iterable[int]) -> set[int]:
    """Those of these parcels that the caller may see."""
    return _list_parcels(tx.conn, list(parcel_ids), seat.caller.warehouses)


def reach_ticket(tx: Tx, seat: Seat, ticket_id: int) -> int:
    """The id again. Raises `Missing`."""
    if not tickets_within_reach(tx, seat, [ticket_id]):
        raise Missing(NO_TICKET)
    return ticket_id


def tickets_within_reach(tx: Tx, seat: Seat, ticket_ids: Iterable[int]) -> set[int]:
    """Those of these tickets that the caller may see; an incident is seen by whoever sees every warehouse."""
    rows = tx.conn.execute(
        """SELECT id FROM ticket WHERE id = ANY (%(ids)s)
             AND (%(warehouses)s::bigint[] IS NULL OR warehouse_id = ANY (%(warehouses)s))""",
        {"ids": [int(ticket_id) for ticket_id in ticket_ids], "warehouses": _limit(seat.caller.warehouses)},
    )
    return {ticket_id for (ticket_id,) in rows}


def reach_unread(tx: Tx, seat: Seat, line_id: int) -> int:
    """The id again of an unreadable line, in either role's transaction. Raises `Missing`."""
    shop_id, parcel_id = reading.get_unread_owner(tx, line_id)
    if shop_id and shop_id not in seat.shops:
        raise Missing("There is no such line")
    if parcel_id is not None:
        reach_parcel(tx, seat, parcel_id)
    return line_id


def list_elsewhere(tx: Tx, seat: Seat, numbers: Iterable[str]) -> set[str]:
    """Those of these scanned numbers whose parcel is in a warehouse that is not the caller's."""
    if seat.caller.warehouses is None:
        return set()
    rows = tx.conn.execute(
        """SELECT binding.number FROM binding JOIN parcel ON parcel.id = binding.parcel_id
           WHERE binding.number = ANY (%s) AND binding.state = 'live' AND NOT parcel.warehouse_id = ANY (%s)""",
        [sorted({number.strip().upper() for number in numbers}), sorted(seat.caller.warehouses)],
    )
    return {number for (number,) in rows}


def find_shop(tx: Tx, code: str) -> int | None:
    """The id of a shop the caller sees; None for no code."""
    return _find(tx.conn, "SELECT id FROM shop WHERE code = %s", code, path="shop") if code else None


def find_warehouse(tx: Tx, code: str) -> int | None:
    return _find(tx.conn, "SELECT id FROM warehouse WHERE code = %s", code, path="warehouse") if code else None


def _find(conn: Conn, query: str, code: str, *, path: str) -> int:
    row = conn.execute(query.encode(), [code]).fetchone()
    if row is None:
        raise Invalid(path, f"there is no such {path}")
    return int(row[0])


def limit_warehouses(tx: Tx, seat: Seat, code: str) -> frozenset[int] | None:
    """The warehouses a list is limited to: the one asked for, within the caller's; None is every one."""
    asked, own = find_warehouse(tx, code), seat.caller.warehouses
    if asked is None:
        return own
    return frozenset({asked}) if own is None else own & {asked}


def _resolve(conn: Conn, names: Sequence[str], warehouses: frozenset[int] | None) -> dict[str, int]:
    ids = {name: int(name) for name in names if _is_id(name)}
    told = [(name, *name.split(":", 1)) for name in names if ":" in name]
    there = _list_orders(conn, list(ids.values()), warehouses)
    found = {name: order_id for name, order_id in ids.items() if order_id in there}
    if told:
        found |= _list_numbered(conn, told, warehouses)
    return found


def _is_id(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 20 and 0 < int(name) <= MAX_ID


def _list_orders(conn: Conn, ids: list[int], warehouses: frozenset[int] | None) -> set[int]:
    rows = conn.execute(
        """SELECT id FROM orders WHERE id = ANY (%(ids)s)
             AND (%(warehouses)s::bigint[] IS NULL OR warehouse_id = ANY (%(warehouses)s))""",
        {"ids": ids, "warehouses": _limit(warehouses)},
    )
    return {order_id for (order_id,) in rows}


def _list_numbered(conn: Conn, told: Sequence[tuple[str, ...]], warehouses: frozenset[int] | None) -> dict[str, int]:
    rows = conn.execute(
        """SELECT given.name, orders.id
           FROM unnest(%(names)s::text[], %(shops)s::text[], %(numbers)s::text[]) AS given (name, shop, number)
           JOIN shop ON shop.code = given.shop
           JOIN orders ON orders.shop_id = shop.id AND orders.number = given.number
           WHERE %(warehouses)s::bigint[] IS NULL OR orders.warehouse_id = ANY (%(warehouses)s)""",
        {
            "names": [name for name, _, _ in told],
            "shops": [shop for _, shop, _ in told],
            "numbers": [number for _, _, number in told],
            "warehouses": _limit(warehouses),
        },
    )
    return {str(name): int(order_id) for name, order_id in rows}


def _list_parcels(conn: Conn, ids: Sequence[int], warehouses: frozenset[int] | None) -> set[int]:
    rows = conn.execute(
        """SELECT id FROM parcel WHERE id = ANY (%(ids)s)
             AND (%(warehouses)s::bigint[] IS NULL OR warehouse_id = ANY (%(warehouses)s))""",
        {"ids": [int(parcel_id) for parcel_id in ids], "warehouses": _limit(warehouses)},
    )
    return {parcel_id for (parcel_id,) in rows}


def _limit(warehouses: frozenset[int] | None) -> list[int] | None:
    return None if warehouses is None else sorted(warehouses)
