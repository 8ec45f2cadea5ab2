"""Compares what Waystream came to believe with what really happened, order by order and to the second.

Everything is read from the database as it is in the end, set-wise; the carrier network's own book is the witness for
how many live numbers a parcel has.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.replay.network import Waybill, Waybills
from benchmarks.replay.story import Expected, Order, expect
from waystream.app import App
from waystream.doctor import check
from waystream.kernel.tx import Tx

#: (collected at, delivered at) of each parcel by its lines
Believed = Mapping[tuple[int, ...], tuple[datetime | None, datetime | None]]

_ORDERS = "SELECT number, word, completed_at IS NOT NULL FROM orders"
_PARCELS = """
SELECT orders.number, array_agg(order_line.line_no ORDER BY order_line.line_no), track.state = 'delivered',
       track.collected_at, track.delivered_at
FROM parcel
JOIN parcel_line ON parcel_line.parcel_id = parcel.id
JOIN order_line ON order_line.id = parcel_line.order_line_id
JOIN orders ON orders.id = order_line.order_id
LEFT JOIN track ON track.parcel_id = parcel.id
WHERE parcel.stage <> 'voided' GROUP BY orders.number, parcel.id, track.parcel_id
"""
_WAYBILLS = """
SELECT orders.number, array_agg(order_line.line_no ORDER BY order_line.line_no), binding.carrier, binding.number
FROM binding
JOIN parcel_line ON parcel_line.parcel_id = binding.parcel_id
JOIN order_line ON order_line.id = parcel_line.order_line_id
JOIN orders ON orders.id = order_line.order_id
WHERE binding.state = 'live' GROUP BY orders.number, binding.id
"""
_AT_THE_GATE = """
SELECT binding.number FROM binding JOIN parcel ON parcel.id = binding.parcel_id
JOIN warehouse ON warehouse.id = parcel.warehouse_id
WHERE binding.state = 'live' AND parcel.stage = 'issued' AND warehouse.dispatch_by = 'scan' ORDER BY binding.id
"""
_UNBOUND = """
SELECT count(*) FROM parcel WHERE stage <> 'voided' AND NOT EXISTS (
    SELECT FROM binding WHERE binding.parcel_id = parcel.id AND binding.state IN ('live', 'cancelling'))
"""
_LIVE_MAX = """
SELECT coalesce(max(live), 0) FROM (
    SELECT count(*) AS live FROM binding WHERE state IN ('live', 'cancelling') GROUP BY parcel_id) AS of_parcel
"""
_CODES = "SELECT code, parcel_id FROM take"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`mismatches`: a sentence for each order that is not as the data says."""

    orders: int
    parcels: int
    completed_expected: int
    completed: int
    mismatches: list[str]
    unbound: int
    live_numbers_per_parcel_max: int
    invariants_broken: list[str]

    @property
    def good(self) -> bool:
        return not (self.mismatches or self.unbound or self.invariants_broken or self.live_numbers_per_parcel_max > 1)


def list_waybills(app: App) -> Waybills:
    with app.machine.begin(read_only=True) as tx:
        rows = tx.conn.execute(_WAYBILLS).fetchall()
    return {(number, tuple(lines)): Waybill(carrier, waybill) for number, lines, carrier, waybill in rows}


def list_at_the_gate(app: App) -> list[str]:
    """Numbers of parcels that wait to be scanned out."""
    with app.machine.begin(read_only=True) as tx:
        return [number for (number,) in tx.conn.execute(_AT_THE_GATE)]


def judge(app: App, orders: Sequence[Order], issued: Sequence[Mapping[str, Any]]) -> Verdict:
    """`issued`: every number the network gave out, from its own book."""
    expected = {order.number: expect(order) for order in orders}
    with app.machine.begin(read_only=True) as tx:
        words = {number: (word, completed) for number, word, completed in tx.conn.execute(_ORDERS)}
        parcels = _read_parcels(tx)
        return Verdict(
            orders=len(words),
            parcels=sum(len(of) for of in parcels.values()),
            completed_expected=sum(each.completed for each in expected.values()),
            completed=sum(completed for _, completed in words.values()),
            mismatches=_mismatches(expected, words, parcels),
            unbound=_one(tx, _UNBOUND),
            live_numbers_per_parcel_max=max(_one(tx, _LIVE_MAX), _live_at_network(tx, issued)),
            invariants_broken=[finding.name for finding in check(tx, app.invariants) if not finding.holds],
        )


def _one(tx: Tx, sql: str) -> int:
    row = tx.conn.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def _read_parcels(tx: Tx) -> dict[str, dict[tuple[int, ...], tuple[datetime | None, datetime | None]]]:
    """A delivery counts only where the parcel's state says so too."""
    parcels: dict[str, dict[tuple[int, ...], tuple[datetime | None, datetime | None]]] = {}
    for number, lines, delivered, collected_at, delivered_at in tx.conn.execute(_PARCELS):
        parcels.setdefault(number, {})[tuple(lines)] = collected_at, delivered_at if delivered else None
    return parcels


def _live_at_network(tx: Tx, issued: Sequence[Mapping[str, Any]]) -> int:
    """Two attempts of one parcel may each have brought a number: the network knows, even where we forgot."""
    parcel_of = dict(tx.conn.execute(_CODES).fetchall())
    live = Counter(parcel_of.get(one["order_code"], one["order_code"]) for one in issued if not one["cancelled"])
    return max(live.values(), default=0)


def _mismatches(
    expected: Mapping[str, Expected], words: Mapping[str, tuple[str, bool]], parcels: Mapping[str, Believed]
) -> list[str]:
    wrong = [f"{number}: nobody ordered it" for number in sorted(words.keys() - expected.keys())]
    for number, want in expected.items():
        why = difference(want, words.get(number), parcels.get(number, {}))
        if why:
            wrong.append(f"{number}: {why}")
    return wrong


def difference(want: Expected, said: tuple[str, bool] | None, parcels: Believed) -> str:
    """The first thing that is not as it should be; empty when all is."""
    if said is None:
        return "it is not there"
    if said != (want.word, want.completed):
        return f"it is {said[0]}, completed {said[1]}, and should be {want.word}"
    if parcels.keys() != want.parcels.keys():
        return f"its parcels hold lines {sorted(parcels)} and should hold {sorted(want.parcels)}"
    for lines, (collected_at, delivered_at) in want.parcels.items():
        if parcels[lines] != (collected_at, delivered_at):
            return f"the parcel of lines {lines} says {parcels[lines]} and should say {(collected_at, delivered_at)}"
    return ""
