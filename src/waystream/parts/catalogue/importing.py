"""Importing SKUs and warehouses from a file: all of them, or none and every bad row by line, column and reason.

Guaranteed: repeating an import changes nothing; a code may stand in one row only. Saved mappings are
`parts.orders.importing`'s; they are only read here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waystream.core.errors import Invalid, InvalidMany, Missing
from waystream.core.sheet import PROBLEMS_MAX, Column, Layout, Row, lay_out, problem, read_row
from waystream.kernel.audit import Entry
from waystream.kernel.table_file import open_table
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions, store
from waystream.parts.catalogue.columns import SKU_COLUMNS, WAREHOUSE_COLUMNS
from waystream.parts.catalogue.model import SKUS_MAX, parse_sku, parse_warehouse

WAREHOUSES_MAX = 1_000

#: Told (rows done, rows in all, about).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ImportedRows:
    """`rows` in the file, of which `changed` were new or different; `ignored` headers mean nothing to us."""

    rows: int
    changed: int
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """How rows of one kind are read."""

    target: str
    columns: tuple[Column, ...]
    parse: Callable[[Any], Any]


_SKUS = _Sheet("skus", SKU_COLUMNS, parse_sku)
_WAREHOUSES = _Sheet("warehouses", WAREHOUSE_COLUMNS, parse_warehouse)


def import_skus(
    tx: Tx, path: Path, *, shop: str, actor: str, mapping: str = "", progress: Progress = lambda done, of: None
) -> ImportedRows:
    """Insert or write over a shop's SKUs. Raises `InvalidMany` whose paths read "line 17, 重量"."""
    shop_id = store.find_shop(tx.conn, shop)
    if shop_id is None:
        raise Invalid("shop", "there is no such shop")
    skus, ignored = _read(tx, path, _SKUS, mapping=mapping, progress=progress)

    changed = sum(actions.upsert_skus(tx, shop_id, skus[at : at + SKUS_MAX]) for at in range(0, len(skus), SKUS_MAX))
    tx.note(Entry(actor, "import", "skus", shop_id, detail={"rows": len(skus)}))
    return ImportedRows(len(skus), changed, ignored)


def import_warehouses(
    tx: Tx, path: Path, *, actor: str, mapping: str = "", progress: Progress = lambda done, of: None
) -> ImportedRows:
    """Make warehouses or write over those of the same code."""
    told, ignored = _read(tx, path, _WAREHOUSES, mapping=mapping, progress=progress)
    if len(told) > WAREHOUSES_MAX:
        raise Invalid("file", f"at most {WAREHOUSES_MAX} warehouses at once")

    for each in told:
        actions.upsert_warehouse(tx, each, actor=actor)
    return ImportedRows(len(told), len(told), ignored)


def _read(tx: Tx, path: Path, sheet: _Sheet, *, mapping: str, progress: Progress) -> tuple[list[Any], tuple[str, ...]]:
    chosen = _mapping(tx, mapping, sheet.target) if mapping else {}
    problems: list[Invalid] = []
    found: dict[str, Any] = {}
    with open_table(path) as table:
        layout = lay_out(table.headers, sheet.columns, chosen)
        for at, row in enumerate(table.rows, 1):
            for each in _parsed(layout, row, sheet):
                if isinstance(each, Invalid):
                    problems.append(each)
                elif found.setdefault(each.code, each) is not each:
                    problems.append(problem(row.line, layout.header_of("code"), "another row has this code"))
            if len(problems) >= PROBLEMS_MAX:
                break
            progress(at, table.about)
    if problems:
        raise InvalidMany(problems[:PROBLEMS_MAX])
    return list(found.values()), layout.ignored


def _parsed(layout: Layout, row: Row, sheet: _Sheet) -> Iterator[Any]:
    """The row's value, or everything that is wrong with it."""
    values, problems = read_row(layout, row)
    if problems:
        yield from problems
        return
    try:
        yield sheet.parse(_nested(values))
    except Invalid as wrong:
        yield problem(row.line, layout.header_of(wrong.path or ""), wrong.sentence)


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """`sender.name` of a flat row is `name` within `sender`."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        group, dot, within = name.partition(".")
        if dot:
            nested.setdefault(group, {})[within] = value
        else:
            nested[name] = value
    return nested


def _mapping(tx: Tx, name: str, target: str) -> dict[str, str]:
    found = store.find_mapping(tx.conn, name, target=target)
    if found is None:
        raise Missing("There is no mapping of this name.")
    return found
