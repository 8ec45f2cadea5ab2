"""Importing SKUs and warehouses from a file: all of them, or none and every bad row by line, column and reason.

Guaranteed: repeating an import changes nothing; a code may stand in one row only; of a known warehouse, what the file
does not say stays as it is. Saved mappings are `parts.imports`'; they are only read here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from waystream.core.errors import Invalid, Missing
from waystream.kernel.audit import Entry
from waystream.kernel.sheet_file import ImportedRows, Progress, Sheet, read_sheet
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions, store
from waystream.parts.catalogue.columns import SKU_COLUMNS, WAREHOUSE_COLUMNS
from waystream.parts.catalogue.model import SKUS_MAX, WarehouseIn, parse_sku, parse_warehouse

WAREHOUSES_MAX = 1_000

__all__ = ["ImportedRows", "import_skus", "import_warehouses"]


def import_skus(
    tx: Tx, path: Path, *, shop: str, actor: str, mapping: str = "", chosen: Mapping[str, str] | None = None,
    progress: Progress = lambda done, of: None,
) -> ImportedRows:  # fmt: skip
    """Insert or write over a shop's SKUs. Raises `InvalidMany` whose paths read "line 17, 重量"."""
    shop_id = store.find_shop(tx.conn, shop)
    if shop_id is None:
        raise Invalid("shop", "there is no such shop")
    known = _mapping(tx, mapping, "skus") if chosen is None else chosen
    skus, ignored = read_sheet(path, Sheet(SKU_COLUMNS, parse_sku), chosen=known, progress=progress)

    changed = sum(actions.upsert_skus(tx, shop_id, skus[at : at + SKUS_MAX]) for at in range(0, len(skus), SKUS_MAX))
    tx.note(Entry(actor, "import", "skus", shop_id, detail={"rows": len(skus)}))
    return ImportedRows(len(skus), changed, ignored)


def import_warehouses(
    tx: Tx, path: Path, *, actor: str, mapping: str = "", chosen: Mapping[str, str] | None = None,
    progress: Progress = lambda done, of: None,
) -> ImportedRows:  # fmt: skip
    """Make warehouses or write over those of the same code."""
    sheet = Sheet(WAREHOUSE_COLUMNS, lambda row: _warehouse(tx, row))
    known = _mapping(tx, mapping, "warehouses") if chosen is None else chosen
    told, ignored = read_sheet(path, sheet, chosen=known, progress=progress)
    if len(told) > WAREHOUSES_MAX:
        raise Invalid("file", f"at most {WAREHOUSES_MAX} warehouses at once")

    for each in told:
        actions.upsert_warehouse(tx, each, actor=actor)
    return ImportedRows(len(told), len(told), ignored)


def _warehouse(tx: Tx, row: dict[str, Any]) -> WarehouseIn:
    known = actions.find_warehouse(tx, row.get("code", ""))
    printer = row.get("printer", "")
    if printer and store.find_printer(tx.conn, printer) is None:
        raise Invalid("printer", "there is no such printer")
    if known is None:
        return parse_warehouse(row)
    stays = {
        "dispatch_by": known.dispatch_by, "working_days": known.working_days, "cutoff": known.cutoff,
        "cutoffs": known.cutoffs, "printer": store.name_printer(tx.conn, known.printer_id),
    }  # fmt: skip
    return parse_warehouse({**stays, **row})


def _mapping(tx: Tx, name: str, target: str) -> dict[str, str]:
    found = store.find_mapping(tx.conn, name, target=target) if name else {}
    if found is None:
        raise Missing("There is no mapping of this name.")
    return found
