"""What can be imported: its word, its permission, where it is seen, the columns it has, and who reads its rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from waystream.core.sheet import Column, choices
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import importing as catalogue_importing
from waystream.parts.catalogue.columns import SKU_COLUMNS, WAREHOUSE_COLUMNS
from waystream.parts.hub import importing as hub_importing
from waystream.parts.hub.columns import ACCOUNT_COLUMNS
from waystream.parts.imports.model import Given
from waystream.parts.orders import importing
from waystream.parts.orders.columns import COLUMNS as ORDER_COLUMNS
from waystream.web.shell.language import N_, Language

WRITE = "orders:write"
Progress = Callable[[int, int], None]
Result = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Target:
    """`place` shows what was imported."""

    word: str
    needs: str
    place: str
    place_told: str
    columns: tuple[Column, ...]


TARGETS: dict[str, Target] = {
    "orders": Target(N_("Orders"), WRITE, "/orders", N_("See the orders"), ORDER_COLUMNS),
    "skus": Target(N_("Goods (SKUs)"), "shop:write", "/catalogue", N_("See the goods"), SKU_COLUMNS),
    "warehouses": Target(N_("Warehouses"), "setup:write", "/setup", N_("See what is set up"), WAREHOUSE_COLUMNS),
    "accounts": Target(N_("Carrier accounts"), "setup:write", "/setup", N_("See what is set up"), ACCOUNT_COLUMNS),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A file to be read: `columns` (header → field) for this file alone, else by its saved mapping or its headers."""

    file: Path
    given: Given
    columns: Mapping[str, str] | None
    actor: str


def label_columns(language: Language, target: str) -> list[tuple[str, str]]:
    """(choice, label) of every column a file of this kind may have, as the language calls it."""
    return [(name, _label(language, column)) for name, column in choices(TARGETS[target].columns)]


def _label(language: Language, column: Column) -> str:
    if language.code == "zh":
        return column.headers[0]
    english = next((header for header in column.headers if header.isascii()), column.field.rpartition(".")[2])
    return f"{english} {column.headers[0]}"


def read_in(tx: Tx, reading: Reading, progress: Progress) -> Result:
    """Take everything in; (word, count) of what came of it."""
    return _READERS[reading.given.target](tx, reading, progress)


def _orders(tx: Tx, reading: Reading, progress: Progress) -> Result:
    given = reading.given
    done = importing.import_file(
        tx, reading.file, shop=given.shop, actor=reading.actor, warehouse=given.warehouse, mapping=given.mapping,
        chosen=reading.columns, progress=progress,
    )  # fmt: skip
    return (
        (N_("%(n)s new"), done.created),
        (N_("%(n)s changed"), done.changed),
        (N_("%(n)s as before"), done.unchanged),
        (N_("%(n)s too late to change"), done.refused),
    )


def _skus(tx: Tx, reading: Reading, progress: Progress) -> Result:
    done = catalogue_importing.import_skus(
        tx, reading.file, shop=reading.given.shop, actor=reading.actor, mapping=reading.given.mapping,
        chosen=reading.columns, progress=progress,
    )  # fmt: skip
    return ((N_("%(n)s changed"), done.changed), (N_("%(n)s as before"), done.rows - done.changed))


def _warehouses(tx: Tx, reading: Reading, progress: Progress) -> Result:
    done = catalogue_importing.import_warehouses(
        tx, reading.file, actor=reading.actor, mapping=reading.given.mapping, chosen=reading.columns, progress=progress
    )
    return ((N_("%(n)s changed"), done.changed), (N_("%(n)s as before"), done.rows - done.changed))


def _accounts(tx: Tx, reading: Reading, progress: Progress) -> Result:
    done = hub_importing.import_accounts(
        tx, reading.file, actor=reading.actor, mapping=reading.given.mapping, chosen=reading.columns, progress=progress
    )
    return ((N_("%(n)s changed"), done.changed), (N_("%(n)s as before"), done.rows - done.changed))


_READERS: dict[str, Callable[[Tx, Reading, Progress], Result]] = {
    "orders": _orders,
    "skus": _skus,
    "warehouses": _warehouses,
    "accounts": _accounts,
}
