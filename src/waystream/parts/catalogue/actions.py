"""What can be done with the catalogue.

Before they write, callers check `Caller.may`: `shop:write` for SKUs, `setup:write` for warehouses (all shops use them).
"""

from collections.abc import Sequence

from waystream.core.errors import Invalid, InvalidMany, Missing
from waystream.core.person import Person, from_bytes, mask_name, mask_phone, to_bytes, warehouse_aad
from waystream.core.ports import Contact
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed, seal
from waystream.parts.catalogue import store
from waystream.parts.catalogue.model import SKUS_MAX, Sku, SkuIn, Warehouse, WarehouseIn

PAGE_MAX = 500
COUNTED_AT_MOST = 100_000


def upsert_skus(tx: Tx, shop_id: int, skus: Sequence[SkuIn]) -> int:
    """Insert or write over a shop's SKUs by code, in one statement; how many are new or different.

    Raises `InvalidMany` (`skus[3].code`) for a code told twice.
    """
    if len(skus) > SKUS_MAX:
        raise Invalid("skus", f"at most {SKUS_MAX} at once")
    first = {sku.code: at for at, sku in reversed(list(enumerate(skus)))}
    problems = [
        Invalid(f"skus[{at}].code", "the same code is told twice")
        for at, sku in enumerate(skus)
        if first[sku.code] != at
    ]
    if problems:
        raise InvalidMany(problems)

    return store.upsert_skus(tx.conn, shop_id, skus, at=tx.now)


def list_skus(
    tx: Tx, *, shop_id: int | None = None, text: str = "", after: tuple[str, int] = ("", 0), limit: int = 50
) -> list[Sku]:
    """By code, found by the beginning of a code or any part of a name; `after` is (code, id) of the last one seen."""
    return store.list_skus(tx.conn, shop_id=shop_id, text=text.strip(), after=after, limit=min(limit, PAGE_MAX))


def count_skus(tx: Tx) -> tuple[int, int]:
    """How many SKUs there are, up to `COUNTED_AT_MOST`, and how many of these have no weight."""
    return store.count_skus(tx.conn, most=COUNTED_AT_MOST)


def find_sku(tx: Tx, shop_id: int, code: str) -> Sku | None:
    return store.find_sku(tx.conn, shop_id, code)


def upsert_warehouse(tx: Tx, told: WarehouseIn, *, actor: str) -> Warehouse:
    """Make a warehouse or write over the one of this code; its sender is sealed, only masks are readable."""
    printer_id = store.find_printer(tx.conn, told.printer) if told.printer else None
    if told.printer and printer_id is None:
        raise Invalid("printer", "there is no such printer")
    key_id, key = _key(tx, told.code)
    sealed = seal(key, to_bytes(Person(told.contact)), aad=warehouse_aad(told.code))
    mask = f"{mask_name(told.sender.name)} {mask_phone(told.sender.mobile or told.sender.phone)}"

    warehouse_id = store.upsert_warehouse(
        tx.conn, told, key_id=key_id, sealed=sealed, contact_mask=mask, printer_id=printer_id, at=tx.now
    )
    tx.note(Entry(actor, "save", f"warehouse:{warehouse_id}"))
    return get_warehouse(tx, warehouse_id)


def _key(tx: Tx, code: str) -> tuple[int, bytes]:
    key_id = store.find_key(tx.conn, code)
    if key_id is None:
        return tx.keys.person_keys(tx.conn, 1)[0]
    return key_id, tx.keys.load(tx.conn, [key_id])[key_id]


def list_warehouses(tx: Tx) -> list[Warehouse]:
    """Every warehouse by code: a caller limited to some is limited by `Caller.warehouses`."""
    return store.list_warehouses(tx.conn)


def get_warehouse(tx: Tx, warehouse_id: int) -> Warehouse:
    found = store.find_warehouse(tx.conn, warehouse_id)
    if found is None:
        raise Missing("There is no such warehouse.")
    return found


def find_warehouse(tx: Tx, code: str) -> Warehouse | None:
    return store.find_warehouse_by_code(tx.conn, code)


def open_sender(tx: Tx, warehouse_id: int) -> Contact:
    """The sender in the clear, for the form that edits it. Raises `Missing`."""
    found = store.find_sealed(tx.conn, warehouse_id)
    if found is None:
        raise Missing("There is no such warehouse.")
    code, key_id, sealed = found
    return from_bytes(open_sealed(tx.keys.load(tx.conn, [key_id])[key_id], sealed, aad=warehouse_aad(code))).contact


def link_printer(tx: Tx, warehouse_id: int, printer_id: int | None, *, actor: str) -> None:
    """Labels of this warehouse go to this printer from now on."""
    if not store.link_printer(tx.conn, warehouse_id, printer_id):
        raise Missing("There is no such warehouse.")
    tx.note(Entry(actor, "link_printer", f"warehouse:{warehouse_id}", detail={"printer": printer_id or 0}))
