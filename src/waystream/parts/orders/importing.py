"""Importing orders from a file: all of them in one transaction, or none and every bad row by line, column and reason.

Guaranteed: an import repeated changes nothing; problems are listed together, at most `PROBLEMS_MAX`. Saved mappings of
headers to fields are `parts.imports`'; they are only read here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from waystream.core.errors import Invalid, InvalidMany, Missing
from waystream.core.sheet import PROBLEMS_MAX, Layout, lay_out
from waystream.kernel.audit import Entry
from waystream.kernel.table_file import Table, open_table
from waystream.kernel.tx import Tx
from waystream.parts.orders import actions, columns, store
from waystream.parts.orders.columns import Gatherer, SheetOrder
from waystream.parts.orders.model import Accepted, Outcome

BATCH = 1_000
EVERY = 2_000  # rows between two tellings of progress

#: Told (steps done, steps in all); reading a row and storing an order are steps.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """How many orders became what; `refused_numbers` say what could no longer be changed, `ignored` headers nothing."""

    created: int
    changed: int
    unchanged: int
    refused: int
    refused_numbers: tuple[str, ...]
    ignored: tuple[str, ...]


def import_file(
    tx: Tx,
    path: Path,
    *,
    shop: str,
    actor: str,
    warehouse: str = "",
    mapping: str = "",
    chosen: Mapping[str, str] | None = None,
    progress: Progress = lambda done, of: None,
) -> Imported:
    """Take every order of a CSV or Parquet file in.

    `chosen` (header → field) reads this file alone, instead of a saved `mapping`; `warehouse` is for rows that name
    none, without it the only warehouse there is. Raises `InvalidMany` whose paths read "line 17, 手机", `Invalid` for a
    file that cannot be read at all, `Missing` for an unknown mapping.
    """
    known = _mapping(tx, mapping) if chosen is None else chosen
    with open_table(path) as table:
        layout = lay_out(table.headers, columns.COLUMNS, known)
        found = _read(table, Gatherer(layout, shop=shop, warehouse=_warehouse(tx, warehouse, layout)), progress)
    _check_codes(tx, found, shop=shop, header=layout.header_of("warehouse"))

    answers: list[Accepted] = []
    for at in range(0, len(found), BATCH):
        answers += actions.accept(tx, [each.order for each in found[at : at + BATCH]])
        progress(table.about + len(answers), table.about + len(found))
    tx.note(Entry(actor, "import", "orders", detail={"shop": shop, "orders": len(found)}))
    return _imported(answers, layout.ignored)


def _read(table: Table, gatherer: Gatherer, progress: Progress) -> list[SheetOrder]:
    problems: list[Invalid] = []
    for read, row in enumerate(table.rows, 1):
        problems += gatherer.take(row)
        if len(problems) >= PROBLEMS_MAX:
            break
        if read % EVERY == 0:
            progress(read, 2 * table.about)
    found: list[SheetOrder] = []
    for each in gatherer.orders():
        if isinstance(each, SheetOrder):
            found.append(each)
        elif len(problems) < PROBLEMS_MAX:
            problems += each
    _refuse(problems)
    if not found:
        raise Invalid("file", "The file has no rows below its header.")
    return found


def _refuse(problems: Sequence[Invalid]) -> None:
    if problems:
        raise InvalidMany(problems[:PROBLEMS_MAX])


def _warehouse(tx: Tx, given: str, layout: Layout) -> str:
    """The warehouse of rows that name none."""
    if given or layout.fills("warehouse"):
        return given
    every = store.list_warehouse_codes(tx.conn, limit=2)
    if len(every) != 1:
        raise Invalid("warehouse", "no column says it: name the warehouse, for there is not exactly one")
    return every[0]


def _check_codes(tx: Tx, found: Sequence[SheetOrder], *, shop: str, header: str) -> None:
    if shop not in store.find_shops(tx.conn, [shop]):
        raise Invalid("shop", "there is no such shop")
    known = store.find_warehouses(tx.conn, (each.order.warehouse for each in found))
    _refuse([columns.no_warehouse(each, header) for each in found if each.order.warehouse not in known])


def _imported(answers: Sequence[Accepted], ignored: tuple[str, ...]) -> Imported:
    def count(outcome: Outcome) -> int:
        return sum(answer.outcome is outcome for answer in answers)

    refused = [answer.number for answer in answers if answer.refused]
    return Imported(
        created=count(Outcome.CREATED),
        changed=count(Outcome.CHANGED),
        unchanged=count(Outcome.UNCHANGED),
        refused=count(Outcome.REFUSED),
        refused_numbers=tuple(refused[:PROBLEMS_MAX]),
        ignored=ignored,
    )


def _mapping(tx: Tx, name: str) -> Mapping[str, str]:
    found = store.find_mapping(tx.conn, name) if name else {}
    if found is None:
        raise Missing("There is no mapping of this name.")
    return found
